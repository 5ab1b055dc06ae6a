"""What the bytes of a workspace are for."""

from __future__ import annotations

from pathlib import Path

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.progress import Progress
from calotype.reliability import caches, repository
from calotype.reliability.model import Sizes
from calotype.reliability.reachability import NamedMedia
from calotype.reliability.sweeping import stored_media
from calotype.store import Store
from calotype.store.maintenance import table_files


def measure(actor: Actor, store: Store, *, progress: Progress) -> Sizes:
    """Bytes by purpose. Media that several datasets name count once in the workspace, and in each dataset."""
    with store.catalog.read() as conn:
        names = repository.dataset_names(conn)
        pins = repository.all_pins(conn)
        live: dict[str, set[int]] = {}
        for ref in repository.refs(conn):
            for table, pin in ref.pins.items():
                live.setdefault(f"{ref.dataset_id}/{table}", set()).add(pin)
    named = NamedMedia(store)
    named.add(pins, progress)
    objects = dict(stored_media(store))
    datasets: dict[str, dict[str, int]] = {
        name: {"media": 0, "tables_live": 0, "tables_history": 0} for name in names
    }
    for dataset_id, found in named.by_dataset.items():
        if dataset_id in datasets:
            datasets[dataset_id]["media"] = sum(objects.get(sha256, 0) for sha256 in found)
    for table, pinned in pins.items():
        mine = datasets.get(table.partition("/")[0])
        if mine is not None:
            now, every = _bytes_of(store, table, live.get(table, set())), _bytes_of(store, table, pinned)
            mine["tables_live"] += now
            mine["tables_history"] += every - now
    releases = store.root / "releases"
    for dataset_id, name in names.items():
        datasets[dataset_id]["releases"] = _below(releases / name)
    visible = set(store.guard.visible(actor, Permission.DATASET_READ, list(names.values())))
    shown = {names[one]: sizes for one, sizes in datasets.items() if names[one] in visible}
    return Sizes(_parts(store, datasets, objects, named), shown)


def _parts(
    store: Store, datasets: dict[str, dict[str, int]], objects: dict[str, int], named: NamedMedia
) -> dict[str, int]:
    home = store.folder
    tables = {
        word: sum(sizes[word] for sizes in datasets.values()) for word in ("tables_live", "tables_history")
    }
    used = sum(size for sha256, size in objects.items() if sha256 in named)
    return {
        "media": used,
        "media_unreachable": sum(objects.values()) - used,
        **tables,
        "tables_other": sum(entry.n_bytes for entry in store.tables.storage.list_files())
        - sum(tables.values()),
        "catalog": sum(map(_size, home.glob("catalog.sqlite*"))),
        "caches": _below(caches.folder(store)),
        "releases": _below(store.root / "releases"),
    }


def _bytes_of(store: Store, table: str, pins: set[int]) -> int:
    """Bytes of the files of rows and deletions that these versions hold, each once."""
    names = {
        name
        for pin in pins
        for part in table_files.fragments(store.tables, table, pin)
        for name in (*part.files, part.deleted)
    }
    sizes = store.tables.storage.tree.sizes(f"{table}.lance")
    paths = [f"{table}.lance/{name if '/' in name else f'data/{name}'}" for name in names if name]
    return sum(sizes.get(path, 0) for path in paths)


def _below(folder: Path) -> int:
    return sum(_size(path) for path in folder.rglob("*")) if folder.is_dir() else 0


def _size(path: Path) -> int:
    """Bytes of a file; 0 for a folder and for a temporary file that is gone by now."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0
