"""Where the stories are told: on a folder, and on a server of the same folder, with the same words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.serving import served

from calotype.app import workspaces
from calotype.foundation.actor import Actor


@pytest.fixture(params=["folder", pytest.param("server", marks=pytest.mark.slow)])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A new workspace, as `ct.open` and `-w` take it: a folder, or the address of its server."""
    folder = tmp_path / "ws"
    workspaces.create(owner, folder).close()
    if request.param == "folder":
        yield str(folder)
        return
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with served(folder) as server:
        monkeypatch.setenv("CALOTYPE_API_TOKEN", server.token)
        yield server.url
