"""Files of caches: complete or absent, and safe to delete at any time. Nothing needs them, so they are not synced."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_atomically(file: Path, data: bytes) -> None:
    """Write a file that is complete or absent. Errors such as a full disk are ignored."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            temporary.write(data)
        os.replace(temporary.name, file)


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
