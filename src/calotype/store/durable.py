"""Making bytes survive a power cut: the file itself, then the folder that names it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def fsync_path(path: Path) -> None:
    """Flush one file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_paths(paths: Iterable[Path]) -> None:
    """Flush several files or folders."""
    for path in paths:
        fsync_path(path)


def fsync_newer(folder: Path, *, since_ns: int) -> None:
    """Flush the files of a folder that changed since an instant, and then the folder.

    A file that is gone or renamed by the time we come to it is another writer's, who flushes it.
    """
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.is_file() and entry.stat().st_mtime_ns >= since_ns:
                    fsync_path(Path(entry.path))
    fsync_path(folder)


def fsync_tree(folder: Path, *, since_ns: int) -> None:
    """Flush what changed since an instant in a folder and in the folders directly below it."""
    if not folder.is_dir():
        return
    for below in [entry for entry in folder.iterdir() if entry.is_dir()]:
        if below.stat().st_mtime_ns >= since_ns:
            fsync_newer(below, since_ns=since_ns)
    fsync_newer(folder, since_ns=since_ns)


def write_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that after a crash it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    fsync_path(path.parent)
