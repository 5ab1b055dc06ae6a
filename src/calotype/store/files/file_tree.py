"""A uniform view of the files below a folder or a bucket prefix, for code that copies files between the two."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Protocol

from calotype.foundation.durable import fsync_folders, fsync_path
from calotype.foundation.ids import uuid7
from calotype.store.files.bucket import Bucket


class FileTree(Protocol):
    """Files below one location. Names are relative paths with `/`."""

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Name -> size in bytes of every file below a folder, without writers' temporary files."""

    def fetch(self, name: str, scratch: Path) -> Path | None:
        """A local file with the bytes: the file itself, or `scratch` filled with them. None if it does not exist."""

    def put(self, name: str, file: Path) -> None:
        """Copy a local file in, replacing an existing one; durable on return."""

    def remove(self, name: str) -> None:
        """Delete a file if it exists."""


class FolderTree:
    """A folder on a local disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Name -> size in bytes of every file below a folder."""
        sizes: dict[str, int] = {}
        for folder_path, _, names in os.walk(self._root / folder):
            for path in (Path(folder_path) / name for name in names if not name.startswith(".")):
                try:
                    sizes[path.relative_to(self._root).as_posix()] = path.stat().st_size
                except FileNotFoundError:
                    continue  # a temporary file that has been renamed meanwhile
        return sizes

    def fetch(self, name: str, scratch: Path) -> Path | None:
        """The file itself."""
        path = self._root / name
        return path if path.is_file() else None

    def put(self, name: str, file: Path) -> None:
        """Copy to a temporary name, sync, rename."""
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
        """Delete a file if it exists."""
        (self._root / name).unlink(missing_ok=True)


class BucketTree:
    """A bucket prefix. Its methods raise BucketFailed."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Name -> size in bytes of every object below a folder."""
        return {entry.name: entry.n_bytes for entry in self._bucket.entries(folder)}

    def fetch(self, name: str, scratch: Path) -> Path | None:
        """Download to `scratch`."""
        return scratch if self._bucket.fetch(name, scratch) else None

    def put(self, name: str, file: Path) -> None:
        """Upload a file; it becomes visible atomically."""
        self._bucket.put_file(name, file)

    def remove(self, name: str) -> None:
        """Delete an object if it exists."""
        self._bucket.delete([name])
