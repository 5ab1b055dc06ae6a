"""Creates and opens workspaces under the rules of `govern`. Kept apart from `wiring`, which imports every room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from calotype.datasets.query.expression import Compare, Missing
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Guard
from calotype.govern.organisation import classified_in, model_of
from calotype.govern.rules import RoleRules
from calotype.store import Store, create_workspace, open_workspace
from calotype.store.location import storage_from_urls


def create(actor: Actor, folder: Path, *, catalog: str = "", storage: str = "") -> Store:
    """Create a workspace.

    Args:
        actor: Who asks.
        folder: The folder of the workspace.
        catalog: Address of a PostgreSQL database for the catalog (default: a file in the folder).
        storage: A place in a bucket for media and tables, `s3://bucket/prefix` (default: the folder).

    Raises: WorkspaceExists, CatalogUrlInvalid, BucketUrlInvalid, BucketUnsafe, BucketFailed, CatalogUnreachable.
    """
    stored = storage_from_urls(catalog, storage)
    return _connected(create_workspace(actor, folder, decider=RoleRules(), storage=stored))


def open_at(folder: Path | None) -> Store:
    """Open the workspace in a folder; for None, the nearest one from the current folder upward.

    Raises: WorkspaceNotFound.
    """
    if folder is not None:
        return _connected(open_workspace(folder, decider=RoleRules()))
    return _connected(open_workspace(Path.cwd(), decider=RoleRules(), search_up=True))


def _connected(store: Store) -> Store:
    """The store with what queries ask of higher rooms, under the rules of its organisation."""
    guard = Guard(RoleRules(model_of(store), classified_in(store)))
    return replace(store, guard=guard, samples_with_findings=_samples_with_findings)


def _samples_with_findings(store: Store, state: Snapshot, condition: Compare | Missing) -> list[str]:
    from calotype.findings.worklist import (
        query_fields,  # few queries ask, and `calotype count` starts without it
    )

    return query_fields.samples_with_findings(store, state, condition)
