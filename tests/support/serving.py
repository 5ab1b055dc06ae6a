"""The real server in a process of its own, on loopback, ended by its id."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Served:
    """Where a server listens, and its token."""

    url: str
    token: str

    @property
    def link(self) -> str:
        """What a person opens."""
        return f"{self.url}?token={self.token}"


@contextmanager
def served(workspace: Path, *options: str) -> Iterator[Served]:
    """`calotype serve` on a free port."""
    with _started(workspace, *options) as said:
        yield Served(said["url"], said["token"])


@contextmanager
def served_to_team(workspace: Path, *options: str) -> Iterator[tuple[str, str]]:
    """`calotype serve --accounts` on a free port: its address, and the link of the first owner."""
    with _started(workspace, "--accounts", *options) as said:
        yield said["url"], said["link"]


@contextmanager
def _started(workspace: Path, *options: str) -> Iterator[dict[str, Any]]:
    """What a server of its own says at its start."""
    command = [
        sys.executable,
        "-m",
        "calotype",
        "-w",
        str(workspace),
        "--json",
        "serve",
        "--port",
        "0",
        *options,
    ]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            try:
                process.wait(timeout=120)
            finally:
                process.kill()  # one that does not end fails its test, and not everything after it
