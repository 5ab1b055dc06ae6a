"""The Python door: the handles of `api`, wired."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from calotype.api.handles import Hand
from calotype.api.workspace import Workspace
from calotype.app import wiring
from calotype.foundation.actor import Actor
from calotype.store import Store, WorkspaceNotFound


class Wired:
    """What the handles need of other rooms."""

    splitter = staticmethod(wiring.splitter)
    gatekeeper = staticmethod(wiring.gatekeeper)
    known_checks = staticmethod(wiring.known_checks)

    @staticmethod
    def serve(store: Store, *, port: int, open_browser: bool) -> None:
        """Serve a workspace until interrupted."""
        from calotype.app import serving  # the web server: half of a second that a script need not wait
        from calotype.foundation.terminal import Terminal

        serving.serve_store(Terminal(), store, port=port, open_browser=open_browser)


def open(folder: str | PathLike[str] = ".", *, actor: Actor | None = None) -> Workspace:
    """Open the workspace in a folder; where there is none, make it.

    Args:
        folder: Any folder; nothing in it is touched but `.calotype` and, later, `releases`.
        actor: In whose name; by default the person at this machine.
    """
    who = actor or Actor.local()
    place = Path(folder)
    try:
        store = wiring.open_at(place)
    except WorkspaceNotFound:
        store = wiring.create(who, place)
    return Workspace(Hand(who, store, Wired()))
