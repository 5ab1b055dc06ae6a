"""Caches under the workspace: copies that are made again when they are missed."""

from __future__ import annotations

import os
from pathlib import Path

from calotype.reliability.model import Swept
from calotype.store import Store


def folder(store: Store) -> Path:
    """Where caches lie."""
    return store.folder / "cache"


def trim(store: Store, limit_bytes: int, *, dry_run: bool) -> Swept:
    """Remove the files that were not read or written for longest until the rest fits."""
    files = sorted(
        ((max(stat.st_atime, stat.st_mtime), stat.st_size, path) for path, stat in _files(folder(store))),
        key=lambda one: one[0],
    )
    excess = sum(size for _, size, _ in files) - limit_bytes
    ripe = removed = freed = 0
    for _, size, path in files:
        if excess <= freed:
            break
        ripe, freed = ripe + 1, freed + size
        if not dry_run:
            path.unlink(missing_ok=True)
            removed += 1
    return Swept("cache", 0, ripe, removed, 0 if dry_run else freed)


def _files(root: Path) -> list[tuple[Path, os.stat_result]]:
    return [(path, path.stat()) for path in root.rglob("*") if path.is_file()] if root.is_dir() else []
