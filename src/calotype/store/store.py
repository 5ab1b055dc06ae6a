"""A workspace on disk: where things lie and how it is made and found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calotype.foundation.actor import Actor, Decider, Guard, OwnersOnly
from calotype.foundation.clock import now_us
from calotype.foundation.errors import Conflict, NotFound
from calotype.foundation.ids import uuid7
from calotype.store import schema
from calotype.store.all_media import AllMedia
from calotype.store.catalog import Catalog
from calotype.store.durable import fsync_paths
from calotype.store.media import Media
from calotype.store.references import References
from calotype.store.tables import Tables

FOLDER = ".calotype"


class WorkspaceNotFound(NotFound):
    """No workspace here or above."""

    code = "workspace-not-found"
    what = "no workspace in {folder} or a folder above it"
    fix = "make one with `calotype init {folder}`, or name one with `-w DIR`"


class WorkspaceExists(Conflict):
    """There is one already."""

    code = "workspace-exists"
    what = "{folder} already holds a workspace"
    fix = "use it as it is, or choose another folder"


@dataclass(frozen=True, slots=True)
class Store:
    """An open workspace: the catalog, the media, the tables, and the guard that every verb asks."""

    root: Path
    catalog: Catalog
    media: AllMedia
    tables: Tables
    guard: Guard

    @property
    def folder(self) -> Path:
        """The `.calotype` folder itself."""
        return self.root / FOLDER

    def close(self) -> None:
        """Let go of the files."""
        self.catalog.close()


def create_workspace(actor: Actor, root: Path, *, decider: Decider | None = None) -> Store:
    """Make a workspace in a folder (made when missing) and open it.

    Raises: WorkspaceExists.
    """
    if (root / FOLDER / "catalog.sqlite").exists():
        raise WorkspaceExists(folder=str(root))
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    store = _open(root, decider)
    with store.catalog.write(actor, "workspace.create", subject="workspace") as tx:
        rows: list[dict[str, Any]] = [
            {"key": "id", "value": uuid7()},
            {"key": "created_at_us", "value": now_us()},
        ]
        tx.conn.execute(schema.workspace.insert(), rows)
    fsync_paths([store.folder / "media", store.folder, store.root, store.root.parent])
    return store


def open_workspace(folder: Path, *, decider: Decider | None = None, search_up: bool = False) -> Store:
    """Open the workspace in a folder, or with `search_up` the nearest one above it.

    Raises: WorkspaceNotFound.
    """
    start = folder.resolve()
    candidates = [start, *start.parents] if search_up else [start]
    for candidate in candidates:
        if (candidate / FOLDER / "catalog.sqlite").is_file():
            return _open(candidate, decider)
    raise WorkspaceNotFound(folder=str(folder))


def _open(root: Path, decider: Decider | None) -> Store:
    home = root.resolve() / FOLDER
    catalog = Catalog(home / "catalog.sqlite")
    return Store(
        root=root.resolve(),
        catalog=catalog,
        media=AllMedia(Media(home / "media"), References(catalog)),
        tables=Tables(home / "tables"),
        guard=Guard(decider or OwnersOnly()),
    )
