"""`calotype.open`: the handles of `api` with everything wired in."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from calotype.api.context import Context
from calotype.api.workspace import Workspace
from calotype.app import wiring
from calotype.foundation.actor import Actor
from calotype.foundation.verbs import Elsewhere, OnlyWhereTheDataIs
from calotype.store import Store, WorkspaceNotFound


class WiredPorts:
    """What the handles need from other rooms."""

    splitter = staticmethod(wiring.splitter)
    gatekeeper = staticmethod(wiring.gatekeeper)
    known_checks = staticmethod(wiring.known_checks)

    @staticmethod
    def serve(store: Store, *, port: int, open_browser: bool) -> None:
        """Serve a workspace until interrupted."""
        if isinstance(store, Elsewhere):
            raise OnlyWhereTheDataIs(verb="serve", why="the workspace is served already")
        from calotype.app import serving  # slow to import, and most scripts never serve
        from calotype.foundation.terminal import Terminal

        serving.serve_store(Terminal(), store, port=port, open_browser=open_browser)


def open(
    folder: str | PathLike[str] = ".", *, actor: Actor | None = None, token: str = "", purpose: str = ""
) -> Workspace:
    """Open the workspace in a folder, which is created if there is none, or the one of a server.

    Args:
        folder: Any folder; only `.calotype` and `releases` in it are written to. Or `https://HOST` of a server.
        actor: Who acts in a folder; by default the local user. On a server it is whoever the token belongs to.
        token: For a server: an API token; by default `CALOTYPE_API_TOKEN`, or the one that `calotype login` kept.
        purpose: For a server: what the data is for, as its audit trail records it.

    Raises: ServerAddressInvalid, ServerUnreachable, SignInNeeded.
    """
    actor = actor or Actor.local()
    if "://" in str(folder):
        from calotype.api.remote.store import open_remote  # few scripts work with a server

        remote: Any = open_remote(str(folder), token=token, purpose=purpose)
        return Workspace(Context(actor, remote, WiredPorts()))
    path = Path(folder)
    try:
        store = wiring.open_at(path)
    except WorkspaceNotFound:
        store = wiring.create(actor, path)
    return Workspace(Context(actor, store, WiredPorts()))
