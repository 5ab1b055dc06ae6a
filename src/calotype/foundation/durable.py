"""File writes that survive a power failure: sync the file, then the folder that names it."""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

_MANY = 16
_WRITTEN_WHOLE = frozenset(
    {0xEF53, 0x58465342, 0x9123683E, 0xF2F52010, 0xCA451A4E, 0x2FC12FC1, 0x01021994, 0x794C7630}
)
"""File systems that write everything on syncfs: ext4, XFS, Btrfs, F2FS, bcachefs, ZFS, tmpfs, overlays of these."""
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)
_READ = 1 << 24


def _function(name: str) -> Callable[..., int] | None:
    """A function of the C library, such as syncfs(2) on Linux; None where there is none of this name."""
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
    return found


_SYNCFS = _function("syncfs")
_FSTATFS = _function("fstatfs") if sys.platform == "linux" else None


def fsync_path(path: Path | str) -> None:
    """Sync one file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_paths(paths: Iterable[Path | str]) -> None:
    """Sync several files or folders."""
    for path in paths:
        fsync_path(path)


def fsync_many(paths: Sequence[Path | str]) -> None:
    """Sync many files on one disk.

    Where syncfs is available, the whole disk is written back first: separate fsync calls would commit the file system's
    journal once per file, which takes ten times as long as writing a small file. After syncfs each fsync is fast.
    """
    if len(paths) >= _MANY and _SYNCFS is not None:
        handle = os.open(paths[0], os.O_RDONLY)
        try:
            _SYNCFS(handle)
        finally:
            os.close(handle)
    fsync_paths(paths)


def fsync_folders(start: Path, *, up_to: Path) -> None:
    """Sync a folder and its parents, so that newly created folders survive."""
    for folder in (start, *start.parents):
        fsync_path(folder)
        if folder == up_to:
            return


def fsync_everything(folder: Path) -> None:
    """Sync a folder and all files and folders below it."""
    files, folders = [], []
    for root, _, names in os.walk(folder):
        files += [f"{root}/{name}" for name in names]
        folders.append(root)
    fsync_many([*files, *folders])


def sync_rebuildable(folder: Path) -> None:
    """Write a folder and all below it to the disk, for files that can be made again: exports, not the store.

    One call for the whole file system does it where that is known to write everything; elsewhere, and where it fails,
    each file is synced, which says what is wrong.
    After that call, to sync each of tens of thousands of small files again only waits for the device as many times.
    Raises: OSError.
    """
    syncfs = _SYNCFS
    handle = os.open(folder, os.O_RDONLY)
    try:
        is_written = syncfs and _file_system(handle) in _WRITTEN_WHOLE and syncfs(handle) == 0
    finally:
        os.close(handle)
    if not is_written:
        fsync_everything(folder)


def _file_system(handle: int) -> int:
    """The kind of the file system of an open file, as statfs(2) gives it; 0 where that is unknown."""
    answer = ctypes.create_string_buffer(512)
    if _FSTATFS is None or _FSTATFS(handle, answer):
        return 0
    return ctypes.c_long.from_buffer(answer).value


def fsync_newer(
    folder: Path, *, since_ns: int, may_be_new: Callable[[str], bool] = lambda _name: True
) -> None:
    """Sync the files of a folder that changed since a point in time, then the folder.

    A file that has been removed or renamed meanwhile belongs to another writer, which syncs it.

    Args:
        may_be_new: Whether a file of this name is looked at; spares a question to the disk for each of thousands.
    """
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if not may_be_new(entry.name):
                continue
            with suppress(FileNotFoundError):
                if entry.is_file() and entry.stat().st_mtime_ns >= since_ns:
                    fsync_path(Path(entry.path))
    fsync_path(folder)


def fsync_tree(folder: Path, *, since_ns: int) -> None:
    """Sync what changed since a point in time in a folder and in its direct subfolders."""
    if not folder.is_dir():
        return
    for below in [entry for entry in folder.iterdir() if entry.is_dir()]:
        if below.stat().st_mtime_ns >= since_ns:
            fsync_newer(below, since_ns=since_ns)
    fsync_newer(folder, since_ns=since_ns)


def read_file(path: Path | str, *, max_bytes: int) -> bytes | None:
    """The bytes of a file; None if it is larger than `max_bytes`, nothing for a pipe or a device (it never waits).

    Makes few system calls: each one yields to other threads, and a file object needs seven of them.
    """
    handle = os.open(path, os.O_RDONLY | _NEVER_WAIT)
    try:
        status = os.fstat(handle)
        size = status.st_size
        if size > max_bytes:
            return None
        if not stat.S_ISREG(status.st_mode):
            return b""
        data = os.read(handle, size + 1)
        if len(data) == size:
            return data
        while len(data) <= max_bytes and (chunk := os.read(handle, _READ)):
            data += chunk
    finally:
        os.close(handle)
    return data if len(data) <= max_bytes else None


def write_new(path: Path, data: bytes) -> None:
    """Create a file, without syncing it. Raises: FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        unwritten = memoryview(data)
        while len(unwritten):
            unwritten = unwritten[os.write(handle, unwritten) :]
    finally:
        os.close(handle)


def write_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file atomically and durably."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    fsync_path(path.parent)
