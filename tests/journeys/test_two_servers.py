"""Two server processes over one PostgreSQL catalog share sessions, tokens and what ends them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
from tests.support.servers import Postgres

from calotype.app import workspaces
from calotype.foundation.actor import Actor

pytestmark = pytest.mark.slow
PASSWORD = "a lamp, a lens, a plate"
PATIENCE_S = 60.0


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """`calotype serve --accounts` in a process of its own: its address, and the link of the first owner."""
    command = [
        sys.executable,
        "-m",
        "calotype",
        "-w",
        str(folder),
        "--json",
        "serve",
        "--accounts",
        "--port",
        "0",
    ]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())
            yield started["url"], started["first_owner"]
        finally:
            process.terminate()
            process.wait(timeout=120)


def seconds_until(happens: Callable[[], bool]) -> float:
    """How long it takes until something happens."""
    start = time.monotonic()
    while not happens():
        assert time.monotonic() - start < PATIENCE_S
        time.sleep(0.05)
    return time.monotonic() - start


def test_what_one_process_ends_has_ended_in_the_other(postgres: Postgres, tmp_path: Path) -> None:
    workspaces.create(Actor.local(), tmp_path / "w", catalog=postgres.fresh()).close()
    with ExitStack() as stack:
        first, _ = stack.enter_context(served(tmp_path / "w"))
        second, link = stack.enter_context(served(tmp_path / "w"))
        ana = stack.enter_context(httpx.Client(base_url=f"{first}api/v1"))
        body = {
            "secret": link.partition("#")[2],
            "password": PASSWORD,
            "name": "Ana",
            "email": "ana@example.org",
        }
        assert ana.post("/invitations/accept", json=body).status_code == 204
        bo = stack.enter_context(httpx.Client(base_url=f"{first}api/v1"))
        invited = ana.post(
            "/people", json={"email": "bo@example.org", "name": "Bo", "role": "curator"}
        ).json()
        assert bo.post(
            "/invitations/accept", json={"secret": invited["invitation"], "password": PASSWORD}
        ).is_success
        made = bo.post("/tokens", json={"name": "t"}).json()
        (secret,) = bo.cookies.values()
        name = f"calotype-account-{second.rstrip('/').rpartition(':')[2]}"
        other = stack.enter_context(httpx.Client(base_url=f"{second}api/v1"))
        session, token = {"cookie": f"{name}={secret}"}, {"authorization": f"Bearer {made['token']}"}

        def status(headers: dict[str, str]) -> int:
            return other.get("/datasets", headers=headers).status_code

        assert (status(session), status(token)) == (200, 200)
        assert bo.delete(f"/tokens/{made['details']['id']}").is_success
        of_token = seconds_until(lambda: status(token) == 401)
        assert status(session) == 200
        assert ana.put("/people/bo@example.org/disabled").is_success
        of_session = seconds_until(lambda: status(session) == 401)
        print(f"ended in the other process after {of_token:.2f} s (token), {of_session:.2f} s (session)")
