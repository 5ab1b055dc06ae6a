"""`calotype.open`: the handles of `api` with everything wired in."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from calotype.api.context import Context
from calotype.api.workspace import Workspace
from calotype.app import wiring
from calotype.foundation.actor import Actor
from calotype.store import Store, WorkspaceNotFound


class WiredPorts:
    """What the handles need from other rooms."""

    splitter = staticmethod(wiring.splitter)
    gatekeeper = staticmethod(wiring.gatekeeper)
    known_checks = staticmethod(wiring.known_checks)

    @staticmethod
    def serve(store: Store, *, port: int, open_browser: bool) -> None:
        """Serve a workspace until interrupted."""
        from calotype.app import serving  # slow to import, and most scripts never serve
        from calotype.foundation.terminal import Terminal

        serving.serve_store(Terminal(), store, port=port, open_browser=open_browser)


def open(folder: str | PathLike[str] = ".", *, actor: Actor | None = None) -> Workspace:
    """Open the workspace in a folder; create it if there is none.

    Args:
        folder: Any folder; only `.calotype` and `releases` in it are written to.
        actor: Who acts; by default the local user.
    """
    actor = actor or Actor.local()
    path = Path(folder)
    try:
        store = wiring.open_at(path)
    except WorkspaceNotFound:
        store = wiring.create(actor, path)
    return Workspace(Context(actor, store, WiredPorts()))
