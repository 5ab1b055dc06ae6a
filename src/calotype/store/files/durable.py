"""Making bytes survive a power cut: the file itself, then the folder that names it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

_MANY = 16
_READ = 1 << 24


def _syncfs() -> Callable[[int], int] | None:
    """Linux's syncfs(2); None elsewhere."""
    try:
        return ctypes.CDLL(None).syncfs
    except (AttributeError, OSError, TypeError):
        return None


_SYNCFS = _syncfs()


def fsync_path(path: Path | str) -> None:
    """Flush one file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_paths(paths: Iterable[Path | str]) -> None:
    """Flush several files or folders."""
    for path in paths:
        fsync_path(path)


def fsync_many(paths: Sequence[Path | str]) -> None:
    """Flush many files of one disk.

    One call that writes back all of the disk comes first, where there is one: each flush of its own would make the
    disk's journal commit again, which takes ten times as long as writing a small file. Afterwards each is quick.
    """
    if len(paths) >= _MANY and _SYNCFS is not None:
        handle = os.open(paths[0], os.O_RDONLY)
        try:
            _SYNCFS(handle)
        finally:
            os.close(handle)
    fsync_paths(paths)


def fsync_folders(start: Path, *, up_to: Path) -> None:
    """Flush a folder and those above it, so that new folders have their names on the disk."""
    for folder in (start, *start.parents):
        fsync_path(folder)
        if folder == up_to:
            return


def fsync_everything(folder: Path) -> None:
    """Flush all files and folders below a folder, and the folder."""
    files, folders = [], []
    for root, _, names in os.walk(folder):
        files += [f"{root}/{name}" for name in names]
        folders.append(root)
    fsync_many([*files, *folders])


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


def read_file(path: Path, *, at_most: int) -> bytes | None:
    """The bytes of a file; None when there are more than that.

    With few system calls: each lets another thread run first, and a file object makes seven of them.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(handle).st_size
        if size > at_most:
            return None
        data = os.read(handle, size + 1)
        while len(data) <= at_most and (more := os.read(handle, _READ)):
            data += more
    finally:
        os.close(handle)
    return data if len(data) <= at_most else None


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet; not flushed. Raises: FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        left = memoryview(data)
        while len(left):
            left = left[os.write(handle, left) :]
    finally:
        os.close(handle)


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
