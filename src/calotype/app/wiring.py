"""The composition root: explicit lists of what belongs to what. Nothing is scanned."""

from __future__ import annotations

from pathlib import Path

from calotype.foundation.actor import Actor
from calotype.govern.rules import RoleRules
from calotype.store import Store, create_workspace, open_workspace


def create(actor: Actor, folder: Path) -> Store:
    """Make a workspace under the rules of `govern`."""
    return create_workspace(actor, folder, decider=RoleRules())


def open_at(folder: Path | None) -> Store:
    """Open the workspace in a folder; without one, the nearest from here upward.

    Raises: WorkspaceNotFound.
    """
    if folder is not None:
        return open_workspace(folder, decider=RoleRules())
    return open_workspace(Path.cwd(), decider=RoleRules(), search_up=True)
