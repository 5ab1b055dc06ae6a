"""A workspace on disk: where things lie and how it is made and found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import Actor, Decider, Guard, OwnersOnly
from calotype.foundation.clock import now_us
from calotype.foundation.errors import CalotypeError, Conflict, NotFound
from calotype.foundation.ids import uuid7
from calotype.store.catalog import schema
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.relocation import marks
from calotype.store.files.durable import fsync_paths
from calotype.store.location import FILE, OtherWorkspace, Storage, is_workspace, load_storage
from calotype.store.maintenance.bucket_probe import probe
from calotype.store.media.combined import AllMedia
from calotype.store.media.references import References
from calotype.store.media.remote_objects import FarObjects
from calotype.store.tables.tables import Tables

FOLDER = ".calotype"


class WorkspaceNotFound(NotFound):
    """No workspace here or above."""

    code = "workspace-not-found"
    what = "no workspace in {folder} or a folder above it"
    fix = "make one with `calotype init {folder}`, or name one with `-w DIR`"


class WorkspaceExists(Conflict):
    """There is one already."""

    code = "workspace-exists"
    what = "{folder} already holds a workspace, or its catalog does"
    fix = "use it as it is, or choose another folder and another database"


@dataclass(frozen=True, slots=True)
class Store:
    """An open workspace: the catalog, the media, the tables, and the guard that every verb asks."""

    root: Path
    storage: Storage
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


def create_workspace(
    actor: Actor, root: Path, *, decider: Decider | None = None, storage: Storage | None = None
) -> Store:
    """Make a workspace in a folder (made when missing) and open it.

    Args:
        storage: Where catalog, media and tables shall lie, when not in the folder. A bucket is tried first.

    Raises: WorkspaceExists, BucketUnsafe, BucketFailed, CatalogUnreachable, TeamExtraMissing.
    """
    home = root / FOLDER
    storage = storage or Storage()
    begun = load_storage(home)
    if is_workspace(home) and begun != replace(storage, workspace=begun.workspace):
        raise WorkspaceExists(folder=str(root))
    if storage.tables:
        probe(storage.bucket(storage.tables))
    home.mkdir(parents=True, exist_ok=True)
    storage = replace(storage, workspace=begun.workspace or uuid7())
    if not storage.embedded:
        storage.save(home)  # before the catalog knows its id, so that a crash here can be gone on from
    try:
        store = _opened(root, storage, decider)
        with closing_on_error(store):
            _name_workspace(actor, store, storage.workspace)
    except CalotypeError:
        if not begun.workspace:
            (home / FILE).unlink(missing_ok=True)
        raise
    return store


@contextmanager
def closing_on_error(store: Store) -> Iterator[None]:
    """Let go of a store when the block fails."""
    done = False
    try:
        yield
        done = True
    finally:
        if not done:
            store.close()


def _name_workspace(actor: Actor, store: Store, workspace_id: str) -> None:
    with store.catalog.write(actor, "workspace.create", subject="workspace") as tx:
        if _id(tx.conn) is not None:
            raise WorkspaceExists(folder=str(store.root))
        rows: list[dict[str, Any]] = [
            {"key": "id", "value": workspace_id},
            {"key": "created_at_us", "value": now_us()},
        ]
        tx.conn.execute(schema.workspace.insert(), rows)
    folders = [store.folder / "media", store.folder, store.root, store.root.parent]
    fsync_paths(folder for folder in folders if folder.is_dir())


def open_workspace(folder: Path, *, decider: Decider | None = None, search_up: bool = False) -> Store:
    """Open the workspace in a folder, or with `search_up` the nearest one above it.

    Raises: WorkspaceNotFound, OtherWorkspace, StorageFileInvalid, CatalogUnreachable.
    """
    start = folder.resolve()
    candidates = [start, *start.parents] if search_up else [start]
    for candidate in candidates:
        if is_workspace(candidate / FOLDER):
            storage = load_storage(candidate / FOLDER)
            store = _opened(candidate, storage, decider)
            with closing_on_error(store):
                if storage.catalog:
                    _check_id(store, storage)
                now_at = _followed(store)
            if now_at == storage:
                return store
            store.close()
            return _arrived(candidate, now_at, decider)
    raise WorkspaceNotFound(folder=str(folder))


def _followed(store: Store) -> Storage:
    """Where the workspace lies, if the catalog tells that it was moved since `storage.json` was written."""
    with store.catalog.read() as conn:
        found = marks(conn)
        workspace_id = _id(conn) or "" if found else ""
    now_at = store.storage.moved(found)
    return store.storage if now_at == store.storage else replace(now_at, workspace=workspace_id)


def _arrived(root: Path, storage: Storage, decider: Decider | None) -> Store:
    """Open a workspace where it was moved to, and remember the place. Raises: OtherWorkspace."""
    store = _opened(root, storage, decider)
    with closing_on_error(store):
        _check_id(store, storage)
        storage.save(store.folder)
        now_at = _followed(store)
    if now_at == storage:
        return store
    store.close()
    return _arrived(root, now_at, decider)  # moved again: each step leads to a place that was left later


def store_at(store: Store, storage: Storage) -> Store:
    """The same workspace with its stores at other addresses, wherever they have to be opened anew."""
    return _opened(store.root, storage, store.guard.decider)


def _check_id(store: Store, storage: Storage) -> None:
    with store.catalog.read() as conn:
        found = _id(conn)
    if found != storage.workspace:
        store.close()
        place = store.catalog.engine.url.render_as_string(hide_password=True)
        raise OtherWorkspace(place=place, found=found or "none", expected=storage.workspace)


def _id(conn: sa.Connection) -> str | None:
    found: str | None = conn.scalar(sa.select(schema.workspace.c.value).where(schema.workspace.c.key == "id"))
    return found


def _opened(root: Path, storage: Storage, decider: Decider | None) -> Store:
    home = root.resolve() / FOLDER
    catalog = storage.open_catalog(home)
    catalog.bytes_at = (storage.media, storage.tables)
    return Store(
        root=root.resolve(),
        storage=storage,
        catalog=catalog,
        media=AllMedia(storage.open_media(home), References(catalog, FarObjects(home / "cache" / "far"))),
        tables=storage.open_tables(home),
        guard=Guard(decider or OwnersOnly()),
    )
