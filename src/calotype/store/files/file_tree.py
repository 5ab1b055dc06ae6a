"""Files below one place, on a disk or in a bucket, for who carries them from one place to another."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Protocol

from calotype.foundation.ids import uuid7
from calotype.store.files.bucket import Bucket
from calotype.store.files.durable import fsync_folders, fsync_path


class Tree(Protocol):
    """Names are paths below the place, with `/`."""

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Name -> bytes of every file below a folder; temporary files of writers are left out."""

    def fetch(self, name: str, spare: Path) -> Path | None:
        """A local file with the bytes: the file itself, or `spare` filled with them. None when there is none."""

    def put(self, name: str, file: Path) -> None:
        """Copy a local file in, replacing what is there; safe when this returns."""

    def remove(self, name: str) -> None:
        """Remove a file where it is there."""


class FolderTree:
    """A folder on a local disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Name -> bytes of every file below a folder."""
        found: dict[str, int] = {}
        for home, _, names in os.walk(self._root / folder):
            for path in (Path(home) / name for name in names if not name.startswith(".")):
                try:
                    found[path.relative_to(self._root).as_posix()] = path.stat().st_size
                except FileNotFoundError:
                    continue  # a temporary file that was renamed meanwhile
        return found

    def fetch(self, name: str, spare: Path) -> Path | None:
        """The file itself."""
        path = self._root / name
        return path if path.is_file() else None

    def put(self, name: str, file: Path) -> None:
        """Copy a file in under a temporary name, flush it, rename it."""
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{uuid7()}.tmp")
        try:
            shutil.copyfile(file, temporary)
            fsync_path(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        fsync_folders(path.parent, up_to=self._root)

    def remove(self, name: str) -> None:
        """Remove a file where it is there."""
        (self._root / name).unlink(missing_ok=True)


class BucketTree:
    """A place in a bucket. Its verbs raise BucketFailed."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Name -> bytes of every object below a folder."""
        return {entry.name: entry.n_bytes for entry in self._bucket.entries(folder)}

    def fetch(self, name: str, spare: Path) -> Path | None:
        """`spare`, filled."""
        return spare if self._bucket.fetch(name, spare) else None

    def put(self, name: str, file: Path) -> None:
        """Send a file; a bucket shows it whole or not at all."""
        self._bucket.put_file(name, file)

    def remove(self, name: str) -> None:
        """Remove an object where it is there."""
        self._bucket.delete([name])
