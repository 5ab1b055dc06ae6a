"""Where the stories are told: on a folder, and on a server of the same folder, with the same words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.remote import token_of
from tests.support.serving import served

from calotype.app import workspaces
from calotype.foundation.actor import Actor


@pytest.fixture(
    params=["folder", *(pytest.param(name, marks=pytest.mark.slow) for name in ("server", "team-server"))]
)
def place(
    request: pytest.FixtureRequest, tmp_path: Path, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A new workspace, as `ct.open` and `-w` take it: a folder, or the address of its server.

    The team server has accounts, its catalog in PostgreSQL and its data in a bucket; the client has a token.
    """
    folder = tmp_path / "ws"
    if request.param == "team-server":
        yield from _of_a_team(request, folder, owner, tmp_path, monkeypatch)
        return
    workspaces.create(owner, folder).close()
    if request.param == "folder":
        yield str(folder)
        return
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with served(folder) as server:
        monkeypatch.setenv("CALOTYPE_API_TOKEN", server.token)
        yield server.url


def _of_a_team(
    request: pytest.FixtureRequest,
    folder: Path,
    owner: Actor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    catalog = request.getfixturevalue("postgres").fresh()
    bucket = request.getfixturevalue("bucket")
    store = workspaces.create(owner, folder, catalog=catalog, storage=bucket)
    scopes = ("read", "write", "release", "audit")
    monkeypatch.setenv("CALOTYPE_API_TOKEN", token_of(store, "ana@example.org", "owner", scopes=scopes))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store.close()
    with served(folder, "--accounts") as server:
        yield server.url
