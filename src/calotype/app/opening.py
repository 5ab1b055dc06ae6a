"""Workspaces under the rules of `govern`. Apart from the rest of the wiring, so that a short command loads no more."""

from __future__ import annotations

from pathlib import Path

from calotype.foundation.actor import Actor
from calotype.govern.rules import RoleRules
from calotype.store import Store, create_workspace, open_workspace
from calotype.store.locating import storage_at


def create(actor: Actor, folder: Path, *, catalog: str = "", storage: str = "") -> Store:
    """Make a workspace under the rules of `govern`.

    Args:
        catalog: The address of a PostgreSQL database for the catalog, in place of a file in the folder.
        storage: A place in a bucket for media and tables (`s3://bucket/prefix`), in place of the folder.

    Raises: WorkspaceExists, CatalogUrlInvalid, BucketUrlInvalid, BucketUnsafe, BucketFailed, CatalogUnreachable.
    """
    return create_workspace(actor, folder, decider=RoleRules(), storage=storage_at(catalog, storage))


def open_at(folder: Path | None) -> Store:
    """Open the workspace in a folder; without one, the nearest from here upward.

    Raises: WorkspaceNotFound.
    """
    if folder is not None:
        return open_workspace(folder, decider=RoleRules())
    return open_workspace(Path.cwd(), decider=RoleRules(), search_up=True)
