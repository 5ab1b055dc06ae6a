"""Disposable caches in the workspace folder."""

from __future__ import annotations

import os
from pathlib import Path

from calotype.reliability.model import SweepResult
from calotype.store import Store


def folder(store: Store) -> Path:
    """The cache folder."""
    return store.folder / "cache"


def trim(store: Store, limit_bytes: int, *, dry_run: bool) -> SweepResult:
    """Remove the least recently used files until the rest fits the limit."""
    files = sorted(
        ((max(stat.st_atime, stat.st_mtime), stat.st_size, path) for path, stat in _files(folder(store))),
        key=lambda entry: entry[0],
    )
    excess = sum(size for _, size, _ in files) - limit_bytes
    n_removable = removed = freed = 0
    for _, size, path in files:
        if excess <= freed:
            break
        n_removable, freed = n_removable + 1, freed + size
        if not dry_run:
            path.unlink(missing_ok=True)
            removed += 1
    return SweepResult("cache", 0, n_removable, removed, 0 if dry_run else freed)


def _files(root: Path) -> list[tuple[Path, os.stat_result]]:
    return [(path, path.stat()) for path in root.rglob("*") if path.is_file()] if root.is_dir() else []
