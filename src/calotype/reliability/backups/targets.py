"""Targets of backups: a folder or a bucket. Names are paths with `/`; objects are written atomically."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from calotype.foundation.durable import fsync_path, write_file
from calotype.foundation.errors import External, NotFound
from calotype.foundation.ids import uuid7


class BackupTargetUnusable(External):
    """The backup target is not usable."""

    code = "backup-target-unusable"
    what = "cannot store backups in {target}: {detail}"
    fix = "name a writable folder, or a bucket as s3://bucket/prefix (needs `pip install calotype[team]`)"


class BackupFileMissing(NotFound):
    """A file of a backup is missing or damaged."""

    code = "backup-part-missing"
    what = "the backup file {name} is missing or was changed"
    fix = "restore an older backup with `--at ID`, or use another copy of the backup"


class Target(Protocol):
    """Operations of a backup target."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """Name -> size in bytes of everything below a prefix."""
        ...

    def put_file(self, name: str, path: Path) -> None:
        """Copy a file in; its content is durable on return."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Write or replace an object."""
        ...

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an object. Raises: BackupFileMissing."""
        ...

    def flush(self) -> None:
        """Make the names of new objects durable."""
        ...


def open_target(address: str) -> Target:
    """Open a folder, or a bucket if the text has a URL scheme. Raises: BackupTargetUnusable."""
    if "://" in address:
        return BucketTarget(address)
    return FolderTarget(Path(address))


class FolderTarget:
    """A folder on a local or mounted disk."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: set[Path] = set()

    def sizes(self, prefix: str) -> dict[str, int]:
        """Name -> size in bytes of everything below a prefix."""
        sizes: dict[str, int] = {}
        pending = [self._root / prefix]
        while pending:
            folder = pending.pop()
            if not folder.is_dir():
                continue
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(Path(entry.path))
                    elif not entry.name.startswith("."):
                        sizes[os.path.relpath(entry.path, self._root)] = entry.stat().st_size
        return sizes

    def put_file(self, name: str, path: Path) -> None:
        """Copy to a temporary name, sync, rename."""
        target = self._prepare(name)
        temporary = target.with_name(f".{target.name[:100]}.{uuid7()}")
        try:
            shutil.copyfile(path, temporary)
            fsync_path(temporary)
            temporary.replace(target)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise BackupTargetUnusable(
                target=str(self._root), detail=error.strerror or "cannot write"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
        self._folders.add(target.parent)

    def put(self, name: str, data: bytes) -> None:
        """Write or replace a file."""
        try:
            write_file(self._prepare(name), data)
        except OSError as error:
            raise BackupTargetUnusable(
                target=str(self._root), detail=error.strerror or "cannot write"
            ) from error

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an object. Raises: BackupFileMissing."""
        try:
            with (self._root / name).open("rb") as file:
                while chunk := file.read(1 << 20):
                    yield chunk
        except FileNotFoundError:
            raise BackupFileMissing(name=name) from None

    def flush(self) -> None:
        """Sync the folders that contain new files."""
        folders, self._folders = self._folders, set()
        for folder in sorted(folders):
            fsync_path(folder)

    def _prepare(self, name: str) -> Path:
        path = self._root / name
        new_folders = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BackupTargetUnusable(
                target=str(self._root), detail=error.strerror or "cannot write"
            ) from error
        self._folders |= {folder.parent for folder in new_folders}
        return path


class BucketTarget:
    """An S3-compatible bucket; credentials come from the environment."""

    def __init__(self, url: str) -> None:
        try:
            self._obstore: Any = importlib.import_module("obstore")
            stores: Any = importlib.import_module("obstore.store")
        except ImportError as error:
            raise BackupTargetUnusable(target=url, detail="obstore is not installed") from error
        options = {"allow_http": True} if os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://") else {}
        self._failed: Any = importlib.import_module("obstore.exceptions").BaseError
        self._url = url
        with self._translate_errors():
            self._store = stores.from_url(url, client_options=options or None)

    def sizes(self, prefix: str) -> dict[str, int]:
        """Name -> size in bytes of everything below a prefix."""
        with self._translate_errors():
            return {
                str(entry["path"]): int(entry["size"]) for page in self._store.list(prefix) for entry in page
            }

    def put_file(self, name: str, path: Path) -> None:
        """Upload a file; it becomes visible atomically."""
        with path.open("rb") as file, self._translate_errors():
            self._store.put(name, file)

    def put(self, name: str, data: bytes) -> None:
        """Write or replace an object."""
        with self._translate_errors():
            self._store.put(name, data)

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an object. Raises: BackupFileMissing."""
        try:
            with self._translate_errors():
                yield from map(bytes, self._store.get(name).stream())
        except FileNotFoundError:
            raise BackupFileMissing(name=name) from None

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Translate errors of the bucket, except a missing object."""
        try:
            yield
        except FileNotFoundError:
            raise
        except self._failed as error:
            detail = str(error).strip().partition("\n")[0][:300]
            raise BackupTargetUnusable(target=self._url, detail=detail) from error

    def flush(self) -> None:
        """Nothing: a bucket needs no syncing."""
