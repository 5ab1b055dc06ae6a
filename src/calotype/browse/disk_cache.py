"""Small files below the `cache` folder of a workspace: bounded, written atomically, safe to delete at any time."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from calotype.foundation.cache_files import write_atomically
from calotype.store import Store

MAX_FILES = 256
MAX_FILE_BYTES = 4_000_000
_FOLDER = "overviews"


def read(store: Store, name: str) -> str | None:
    """The text of a file; None if there is none."""
    file = _folder(store) / name
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            return None
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if not store.catalog.read_only:
        mark_used(file)
    return text


def write(store: Store, name: str, text: str) -> None:
    """Write a file and remove those used least recently. Errors such as a full disk are ignored."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_FILE_BYTES or store.catalog.read_only:
        return
    write_atomically(_folder(store) / name, data)
    prune(_folder(store), MAX_FILES)


def mark_used(file: Path) -> None:
    """Note that a file was used now; those used least recently are removed first."""
    with suppress(OSError):
        os.utime(file)


def prune(folder: Path, max_files: int) -> None:
    """Remove the files used least recently, of a flat folder."""
    with suppress(OSError):
        files = [entry for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)]
        if len(files) > max_files:
            files.sort(key=lambda entry: entry.stat().st_mtime)
            for entry in files[: len(files) - max_files]:
                with suppress(OSError):
                    os.unlink(entry.path)


def evict(folder: Path, max_bytes: int) -> None:
    """Remove the files used least recently, in all folders below, until the rest has three quarters of a size."""
    files: list[tuple[float, int, str]] = []
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                path = os.path.join(place, name)
                stat = os.stat(path, follow_symlinks=False)
                files.append((stat.st_mtime, stat.st_size, path))
    total = sum(size for _, size, _ in files)
    if total <= max_bytes:
        return
    for _, size, path in sorted(files):
        with suppress(OSError):
            os.unlink(path)
            total -= size
        if total <= max_bytes * 3 // 4:
            return


def _folder(store: Store) -> Path:
    return store.folder / "cache" / _FOLDER
