"""Where backups go: a folder, or a bucket. Names are paths with `/`; an object is there whole or not at all."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from calotype.foundation.errors import External, NotFound
from calotype.foundation.ids import uuid7
from calotype.store.files.durable import fsync_path, write_file


class BackupTargetUnusable(External):
    """The place for backups cannot be used."""

    code = "backup-target-unusable"
    what = "backups cannot be kept in {target}: {detail}"
    fix = "name a folder that can be written, or a bucket as s3://bucket/prefix with `pip install calotype[team]`"


class BackupPartMissing(NotFound):
    """A file that a backup lists is gone or was changed."""

    code = "backup-part-missing"
    what = "the backup lacks {name}, or it was changed"
    fix = "restore an older backup with `--at ID`, or look for another copy of the backup"


class Target(Protocol):
    """What a backup needs of a place."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """Name -> bytes of everything below a prefix."""
        ...

    def put_file(self, name: str, path: Path) -> None:
        """Copy a file in; safe on the disk when this returns."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Write bytes, replacing what is there."""
        ...

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an object. Raises: BackupPartMissing."""
        ...

    def flush(self) -> None:
        """Make the names of all new objects safe on the disk."""
        ...


def target_at(place: str) -> Target:
    """A folder, or a bucket where the text begins with a scheme. Raises: BackupTargetUnusable."""
    if "://" in place:
        return BucketTarget(place)
    return FolderTarget(Path(place))


class FolderTarget:
    """A folder on a local or mounted disk."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: set[Path] = set()

    def sizes(self, prefix: str) -> dict[str, int]:
        """Name -> bytes of everything below a prefix."""
        found: dict[str, int] = {}
        waiting = [self._root / prefix]
        while waiting:
            folder = waiting.pop()
            if not folder.is_dir():
                continue
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    elif not entry.name.startswith("."):
                        found[os.path.relpath(entry.path, self._root)] = entry.stat().st_size
        return found

    def put_file(self, name: str, path: Path) -> None:
        """Copy a file in under a temporary name, flush it, rename it."""
        target = self._ready(name)
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
        """Write bytes, replacing what is there."""
        try:
            write_file(self._ready(name), data)
        except OSError as error:
            raise BackupTargetUnusable(
                target=str(self._root), detail=error.strerror or "cannot write"
            ) from error

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an object. Raises: BackupPartMissing."""
        try:
            with (self._root / name).open("rb") as file:
                while chunk := file.read(1 << 20):
                    yield chunk
        except FileNotFoundError:
            raise BackupPartMissing(name=name) from None

    def flush(self) -> None:
        """Flush the folders that name new files."""
        folders, self._folders = self._folders, set()
        for folder in sorted(folders):
            fsync_path(folder)

    def _ready(self, name: str) -> Path:
        path = self._root / name
        made = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BackupTargetUnusable(
                target=str(self._root), detail=error.strerror or "cannot write"
            ) from error
        self._folders |= {folder.parent for folder in made}
        return path


class BucketTarget:
    """An S3-compatible bucket; access comes from the environment."""

    def __init__(self, url: str) -> None:
        try:
            self._obstore: Any = importlib.import_module("obstore")
            stores: Any = importlib.import_module("obstore.store")
        except ImportError as error:
            raise BackupTargetUnusable(target=url, detail="obstore is not installed") from error
        options = {"allow_http": True} if os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://") else {}
        self._failed: Any = importlib.import_module("obstore.exceptions").BaseError
        self._url = url
        with self._told():
            self._store = stores.from_url(url, client_options=options or None)

    def sizes(self, prefix: str) -> dict[str, int]:
        """Name -> bytes of everything below a prefix."""
        with self._told():
            return {str(one["path"]): int(one["size"]) for page in self._store.list(prefix) for one in page}

    def put_file(self, name: str, path: Path) -> None:
        """Upload a file; a bucket shows it whole or not at all."""
        with path.open("rb") as file, self._told():
            self._store.put(name, file)

    def put(self, name: str, data: bytes) -> None:
        """Write bytes, replacing what is there."""
        with self._told():
            self._store.put(name, data)

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an object. Raises: BackupPartMissing."""
        try:
            with self._told():
                yield from map(bytes, self._store.get(name).stream())
        except FileNotFoundError:
            raise BackupPartMissing(name=name) from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the bucket in our words; an object that is not there is left as it is."""
        try:
            yield
        except FileNotFoundError:
            raise
        except self._failed as error:
            detail = str(error).strip().partition("\n")[0][:300]
            raise BackupTargetUnusable(target=self._url, detail=detail) from error

    def flush(self) -> None:
        """A bucket has nothing to flush."""
