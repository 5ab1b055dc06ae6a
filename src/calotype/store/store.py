"""A workspace on disk: how it is created, found and opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import Actor, Decider, Guard, OwnersOnly
from calotype.foundation.clock import now_us
from calotype.foundation.durable import fsync_paths
from calotype.foundation.errors import CalotypeError, Conflict, Invalid, NotFound
from calotype.foundation.ids import uuid7
from calotype.store.catalog import schema
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.relocation import read_relocation
from calotype.store.location import FILE, OtherWorkspace, Storage, is_workspace, load_storage
from calotype.store.maintenance.bucket_probe import probe
from calotype.store.media.combined import AllMedia
from calotype.store.media.references import References
from calotype.store.media.remote_objects import RemoteObjects
from calotype.store.tables.tables import Tables

FOLDER = ".calotype"


class WorkspaceNotFound(NotFound):
    """There is no workspace in this folder or above it."""

    code = "workspace-not-found"
    what = "no workspace in {folder} or a folder above it"
    fix = "create one with `calotype init {folder}`, or name one with `-w DIR`"


class WorkspacePathInvalid(Invalid):
    """The path of the workspace is not UTF-8, which the catalog and the tables need."""

    code = "workspace-path-invalid"
    what = "the path {folder} cannot hold a workspace: it is not valid UTF-8"
    fix = "rename the folder, or choose another"


class WorkspaceExists(Conflict):
    """The folder or the catalog already holds a workspace."""

    code = "workspace-exists"
    what = "{folder} or its catalog already holds a workspace"
    fix = "use the existing workspace, or choose another folder and another database"


@dataclass(frozen=True, slots=True)
class Store:
    """An open workspace: catalog, media, tables, and the guard that checks permissions.

    `samples_with_findings(store, snapshot, condition)` answers which samples have findings, for queries; `app` sets it.
    """

    root: Path
    storage: Storage
    catalog: Catalog
    media: AllMedia
    tables: Tables
    guard: Guard
    samples_with_findings: Callable[..., list[str]] | None = None

    @property
    def folder(self) -> Path:
        """The `.calotype` folder."""
        return self.root / FOLDER

    def close(self) -> None:
        """Close the catalog's connections."""
        self.catalog.close()


def create_workspace(
    actor: Actor, root: Path, *, decider: Decider | None = None, storage: Storage | None = None
) -> Store:
    """Create a workspace in a folder, which is created if it does not exist, and open it.

    Args:
        storage: Where to put catalog, media and tables if not in the folder. A bucket is probed first.

    Raises: WorkspaceExists, WorkspacePathInvalid, BucketUnsafe, BucketFailed, CatalogUnreachable, TeamExtraMissing.
    """
    _require_utf8(root.resolve())
    home = root / FOLDER
    storage = storage or Storage()
    previous = load_storage(home)
    if is_workspace(home) and previous != replace(storage, workspace=previous.workspace):
        raise WorkspaceExists(folder=str(root))
    if storage.tables:
        probe(storage.bucket(storage.tables))
    home.mkdir(parents=True, exist_ok=True)
    storage = replace(storage, workspace=previous.workspace or uuid7())
    if not storage.embedded:
        storage.save(
            home
        )  # before the catalog stores its id, so that init can be repeated after a crash here
    try:
        store = _open_store(root, storage, decider)
        with close_on_error(store):
            _name_workspace(actor, store, storage.workspace)
    except CalotypeError:
        if not previous.workspace:
            (home / FILE).unlink(missing_ok=True)
        raise
    return store


@contextmanager
def close_on_error(store: Store) -> Iterator[None]:
    """Close a store if the block fails."""
    succeeded = False
    try:
        yield
        succeeded = True
    finally:
        if not succeeded:
            store.close()


def _name_workspace(actor: Actor, store: Store, workspace_id: str) -> None:
    with store.catalog.write(actor, "workspace.create", subject="workspace") as tx:
        if _workspace_id(tx.conn) is not None:
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

    Raises: WorkspaceNotFound, WorkspacePathInvalid, OtherWorkspace, StorageFileInvalid, CatalogUnreachable.
    """
    start = folder.resolve()
    candidates = [start, *start.parents] if search_up else [start]
    for candidate in candidates:
        if is_workspace(candidate / FOLDER):
            _require_utf8(candidate)
            storage = load_storage(candidate / FOLDER)
            store = _open_store(candidate, storage, decider)
            with close_on_error(store):
                if storage.catalog:
                    _check_workspace_id(store, storage)
                current = _current_storage(store)
            if current == storage:
                return store
            store.close()
            return _open_relocated(candidate, current, decider)
    raise WorkspaceNotFound(folder=str(folder))


def _require_utf8(folder: Path) -> None:
    try:
        str(folder).encode("utf-8")
    except UnicodeEncodeError:
        raise WorkspacePathInvalid(folder=str(folder)) from None


def _current_storage(store: Store) -> Storage:
    """Where the workspace is now, if its catalog says that it moved after `storage.json` was written."""
    with store.catalog.read() as conn:
        relocation = read_relocation(conn)
        workspace_id = _workspace_id(conn) or "" if relocation else ""
    storage = store.storage.resolve_relocation(relocation)
    return store.storage if storage == store.storage else replace(storage, workspace=workspace_id)


def _open_relocated(root: Path, storage: Storage, decider: Decider | None) -> Store:
    """Open a relocated workspace and save its new address. Raises: OtherWorkspace."""
    store = _open_store(root, storage, decider)
    with close_on_error(store):
        _check_workspace_id(store, storage)
        storage.save(store.folder)
        current = _current_storage(store)
    if current == storage:
        return store
    store.close()
    return _open_relocated(root, current, decider)  # moved more than once: follow each relocation in turn


def reopen_store(store: Store, storage: Storage) -> Store:
    """Open the same workspace with its stores at other addresses."""
    return _open_store(store.root, storage, store.guard.decider)


def _check_workspace_id(store: Store, storage: Storage) -> None:
    with store.catalog.read() as conn:
        workspace_id = _workspace_id(conn)
    if workspace_id != storage.workspace:
        store.close()
        address = store.catalog.engine.url.render_as_string(hide_password=True)
        raise OtherWorkspace(place=address, found=workspace_id or "none", expected=storage.workspace)


def _workspace_id(conn: sa.Connection) -> str | None:
    workspace_id: str | None = conn.scalar(
        sa.select(schema.workspace.c.value).where(schema.workspace.c.key == "id")
    )
    return workspace_id


def _open_store(root: Path, storage: Storage, decider: Decider | None) -> Store:
    home = root.resolve() / FOLDER
    catalog = storage.open_catalog(home)
    catalog.opened_locations = (storage.media, storage.tables)
    return Store(
        root=root.resolve(),
        storage=storage,
        catalog=catalog,
        media=AllMedia(storage.open_media(home), References(catalog, RemoteObjects(home / "cache" / "far"))),
        tables=storage.open_tables(home),
        guard=Guard(decider or OwnersOnly()),
    )
