"""Disk usage of a workspace by purpose."""

from __future__ import annotations

from pathlib import Path

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.progress import Progress
from calotype.reliability import repository
from calotype.reliability.garbage_collection import caches
from calotype.reliability.garbage_collection.reachability import ReferencedMedia
from calotype.reliability.garbage_collection.sweep import stored_media
from calotype.reliability.model import DiskUsage
from calotype.store import Store
from calotype.store.maintenance import table_files


def measure(actor: Actor, store: Store, *, progress: Progress) -> DiskUsage:
    """Bytes by purpose. Media in several datasets count once for the workspace, and once for each dataset."""
    with store.catalog.read() as conn:
        names = repository.dataset_names(conn)
        pins = repository.all_pins(conn)
        live: dict[str, set[int]] = {}
        for ref in repository.refs(conn):
            for table, pin in ref.pins.items():
                live.setdefault(f"{ref.dataset_id}/{table}", set()).add(pin)
    referenced = ReferencedMedia(store)
    referenced.add(pins, progress)
    objects = dict(stored_media(store))
    datasets: dict[str, dict[str, int]] = {
        name: {"media": 0, "tables_live": 0, "tables_history": 0} for name in names
    }
    for dataset_id, media in referenced.by_dataset.items():
        if dataset_id in datasets:
            datasets[dataset_id]["media"] = sum(objects.get(sha256, 0) for sha256 in media)
    for table, pinned in pins.items():
        usage = datasets.get(table.partition("/")[0])
        if usage is not None:
            n_live, n_pinned = (
                _referenced_bytes(store, table, live.get(table, set())),
                _referenced_bytes(store, table, pinned),
            )
            usage["tables_live"] += n_live
            usage["tables_history"] += n_pinned - n_live
    releases = store.root / "releases"
    for dataset_id, name in names.items():
        datasets[dataset_id]["releases"] = _folder_bytes(releases / name)
    visible = set(store.guard.visible(actor, Permission.DATASET_READ, list(names.values())))
    visible_sizes = {
        names[dataset_id]: sizes for dataset_id, sizes in datasets.items() if names[dataset_id] in visible
    }
    return DiskUsage(_bytes_by_purpose(store, datasets, objects, referenced), visible_sizes)


def _bytes_by_purpose(
    store: Store, datasets: dict[str, dict[str, int]], objects: dict[str, int], referenced: ReferencedMedia
) -> dict[str, int]:
    home = store.folder
    tables = {
        column: sum(sizes[column] for sizes in datasets.values())
        for column in ("tables_live", "tables_history")
    }
    used = sum(size for sha256, size in objects.items() if sha256 in referenced)
    return {
        "media": used,
        "media_unreachable": sum(objects.values()) - used,
        **tables,
        "tables_other": sum(entry.n_bytes for entry in store.tables.storage.list_files())
        - sum(tables.values()),
        "catalog": sum(map(_size, home.glob("catalog.sqlite*"))),
        "caches": _folder_bytes(caches.folder(store)),
        "releases": _folder_bytes(store.root / "releases"),
    }


def _referenced_bytes(store: Store, table: str, pins: set[int]) -> int:
    """Bytes of the data and deletion files that these versions use, each counted once."""
    names = {
        name
        for pin in pins
        for part in table_files.fragments(store.tables, table, pin)
        for name in (*part.files, part.deleted)
    }
    sizes = store.tables.storage.tree.sizes(f"{table}.lance")
    paths = [f"{table}.lance/{name if '/' in name else f'data/{name}'}" for name in names if name]
    return sum(sizes.get(path, 0) for path in paths)


def _folder_bytes(folder: Path) -> int:
    return sum(_size(path) for path in folder.rglob("*")) if folder.is_dir() else 0


def _size(path: Path) -> int:
    """Size in bytes; 0 for a folder, and for a temporary file that has been removed."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0
