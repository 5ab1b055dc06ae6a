"""Storage for table files: a folder on a local disk, where files must be synced, or a bucket prefix."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from calotype.foundation.durable import fsync_folders, fsync_newer, fsync_path, fsync_paths, fsync_tree
from calotype.foundation.errors import CalotypeError
from calotype.foundation.os_errors import StorageFailed
from calotype.store.files.bucket import Bucket, BucketFailed, BucketLocation, Entry, first_line
from calotype.store.files.file_tree import BucketTree, FileTree, FolderTree
from calotype.store.tables.damaged_versions import isolate_damaged, recover_head, written_for

TAGS = "_refs/tags"
"""Where Lance stores the tags of a table, one JSON file each."""

_NESTED_FOLDERS = ("_indices",)
_NOT_FOUND_MESSAGES = ("not found", "does not exist", "not exist")


class TableStorage(Protocol):
    """The operations that `Tables` needs from its storage."""

    @property
    def options(self) -> dict[str, str] | None:
        """Storage options for Lance; may contain secrets."""

    @property
    def tree(self) -> FileTree:
        """The files of all tables."""

    def uri(self, table: str) -> str:
        """The URI of a table for Lance."""

    def recover_head(self, table: str) -> bool:
        """Whether the table has a readable version; moves damaged newest versions out of the way."""

    def tag_names(self, table: str) -> list[str]:
        """All tags, including damaged ones."""

    def read_tag(self, table: str, name: str) -> int | None:
        """The version that a tag refers to; None if the tag does not exist or its file is damaged."""

    def delete_tag(self, table: str, name: str) -> None:
        """Delete a tag if it exists."""

    def list_files(self, folder: str = "") -> list[Entry]:
        """All files below a folder, including temporary ones. Names are relative to the storage root."""

    def remove(self, name: str) -> None:
        """Delete a file or a folder with its contents, if it exists."""

    def rename_tag(self, table: str, name: str, new: str) -> None:
        """Rename a tag, replacing an existing one; after a crash one of the two is intact."""

    def flush_tags(self, table: str) -> None:
        """Make tags durable."""

    def isolate_damaged(self, table: str, pinned: Collection[int]) -> None:
        """Move damaged versions out of the way, except pinned ones."""

    def prepare(self, table: str) -> None:
        """Prepare for the first version."""

    def flush(
        self,
        table: str,
        names: Sequence[str],
        *,
        since_ns: int,
        is_new: bool = False,
        version: int = 0,
        sizes: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Make changes in folders of a table since a point in time durable, and the table itself if it is new.

        Args:
            names: Folders, or single files such as `data/x.lance`.
            version: Files that belong to earlier versions by their names are passed over.
            sizes: Number of bytes that single files must have.
        Raises: StorageFailed if one is shorter.
        """

    def failure(self, error: Exception) -> CalotypeError | None:
        """The error to raise if the storage was unreachable; None if the files themselves are at fault."""


class LocalTableStorage:
    """A folder on a local disk."""

    options: dict[str, str] | None = None

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    @property
    def tree(self) -> FileTree:
        """The files of all tables."""
        return FolderTree(self._root)

    def folder(self, table: str) -> Path:
        """The folder of a table's files."""
        return self._root / f"{table}.lance"

    def uri(self, table: str) -> str:
        """The URI of a table for Lance."""
        return str(self.folder(table))

    def recover_head(self, table: str) -> bool:
        """Whether the table has a readable version; damaged newest ones are moved aside."""
        return recover_head(self.folder(table))

    def tag_names(self, table: str) -> list[str]:
        """All tags, including damaged ones."""
        return [path.stem for path in (self.folder(table) / TAGS).glob("*.json")]

    def read_tag(self, table: str, name: str) -> int | None:
        """The version that a tag refers to."""
        try:
            return _version_of(self._tag(table, name).read_bytes())
        except FileNotFoundError:
            return None

    def delete_tag(self, table: str, name: str) -> None:
        """Delete a tag if it exists."""
        self._tag(table, name).unlink(missing_ok=True)

    def list_files(self, folder: str = "") -> list[Entry]:
        """All files below a folder."""
        entries = []
        for parent, _, names in os.walk(self._root / folder):
            for path in (Path(parent) / name for name in names):
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue  # a temporary file that its writer has renamed
                name = path.relative_to(self._root).as_posix()
                entries.append(Entry(name, stat.st_size, stat.st_mtime_ns // 1_000))
        return entries

    def remove(self, name: str) -> None:
        """Delete a file or folder if it exists."""
        path = self._root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def rename_tag(self, table: str, name: str, new: str) -> None:
        """Sync the tag first: the one that it replaces may be the only copy."""
        path = self._tag(table, name)
        fsync_path(path)
        path.replace(self._tag(table, new))
        self.flush_tags(table)

    def flush_tags(self, table: str) -> None:
        """Make tags durable."""
        folder = self.folder(table) / TAGS
        if folder.is_dir():
            fsync_newer(folder, since_ns=time.time_ns() - 60_000_000_000)
            fsync_path(folder.parent)
            fsync_path(folder.parent.parent)

    def isolate_damaged(self, table: str, pinned: Collection[int]) -> None:
        """Move damaged versions out of the way."""
        isolate_damaged(self.folder(table), pinned=pinned)

    def prepare(self, table: str) -> None:
        """Create the parent folder."""
        self.folder(table).parent.mkdir(parents=True, exist_ok=True)

    def flush(
        self,
        table: str,
        names: Sequence[str],
        *,
        since_ns: int,
        is_new: bool = False,
        version: int = 0,
        sizes: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Sync changes in folders of a table since a point in time, and the table's folder."""
        folder = self.folder(table)
        for name, n_bytes in sizes.items():  # Lance does not always report a write that failed
            if (folder / name).stat().st_size != n_bytes:
                detail = "a data file was not written whole"
                raise StorageFailed(where=str(folder / name), detail=detail, remedy_text="check the disk")
        files = [folder / name for name in names if "/" in name]
        fsync_paths([*files, *{file.parent for file in files}])
        for name in names:
            if "/" in name:
                continue
            if name in _NESTED_FOLDERS:
                fsync_tree(folder / name, since_ns=since_ns)
            else:
                fsync_newer(
                    folder / name,
                    since_ns=since_ns,
                    may_be_new=lambda file, name=name: written_for(name, file) >= version,  # type: ignore[misc]
                )
        fsync_path(folder)
        if is_new:
            fsync_folders(folder.parent, up_to=self._root)

    def _tag(self, table: str, name: str) -> Path:
        return self.folder(table) / TAGS / f"{name}.json"

    def failure(self, error: Exception) -> CalotypeError | None:
        """None: a disk is always reachable."""
        return None


class BucketTableStorage:
    """A bucket prefix. An object is durable once its PUT succeeded, so there is nothing to sync."""

    def __init__(self, location: BucketLocation) -> None:
        self._location = location
        self._bucket = Bucket(location)
        self._existing: set[str] = set()
        """Tables that have a version: they keep one, so they are not asked for again."""

    @property
    def options(self) -> dict[str, str] | None:
        """Storage options for Lance, including secrets from the environment."""
        return self._location.options()

    @property
    def tree(self) -> FileTree:
        """The files of all tables."""
        return BucketTree(self._bucket)

    def uri(self, table: str) -> str:
        """The URI of a table for Lance."""
        return f"{self._location.url}/{table}.lance"

    def recover_head(self, table: str) -> bool:
        """Whether the table has a version; objects are written atomically. Raises: BucketFailed."""
        if table not in self._existing:
            if next(self._bucket.entries(f"{table}.lance/_versions"), None) is None:
                return False
            self._existing.add(table)
        return True

    def tag_names(self, table: str) -> list[str]:
        """All tags. Raises: BucketFailed."""
        names = (entry.name for entry in self._bucket.entries(f"{table}.lance/{TAGS}"))
        return [name.rpartition("/")[2].removesuffix(".json") for name in names if name.endswith(".json")]

    def read_tag(self, table: str, name: str) -> int | None:
        """The version that a tag refers to. Raises: BucketFailed."""
        data = self._bucket.get(f"{table}.lance/{TAGS}/{name}.json")
        return None if data is None else _version_of(data)

    def delete_tag(self, table: str, name: str) -> None:
        """Delete a tag if it exists. Raises: BucketFailed."""
        self._bucket.delete([f"{table}.lance/{TAGS}/{name}.json"])

    def list_files(self, folder: str = "") -> list[Entry]:
        """All objects below a folder. Raises: BucketFailed."""
        return list(self._bucket.entries(folder))

    def remove(self, name: str) -> None:
        """Delete an object, or everything below a folder. Raises: BucketFailed."""
        self._bucket.delete([name, *(entry.name for entry in self._bucket.entries(name))])

    def rename_tag(self, table: str, name: str, new: str) -> None:
        """Copy the tag over the other one, then delete it. Raises: BucketFailed."""
        folder = f"{table}.lance/{TAGS}"
        self._bucket.copy(f"{folder}/{name}.json", f"{folder}/{new}.json")
        self._bucket.delete([f"{folder}/{name}.json"])

    def flush_tags(self, table: str) -> None:
        """Nothing."""

    def isolate_damaged(self, table: str, pinned: Collection[int]) -> None:
        """Nothing: objects are written atomically."""

    def prepare(self, table: str) -> None:
        """Nothing: buckets have no folders."""

    def flush(
        self,
        table: str,
        names: Sequence[str],
        *,
        since_ns: int,
        is_new: bool = False,
        version: int = 0,
        sizes: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Nothing."""

    def failure(self, error: Exception) -> CalotypeError | None:
        """The error to raise if the bucket was unreachable."""
        if any(message in str(error).lower() for message in _NOT_FOUND_MESSAGES):
            return None
        return BucketFailed(url=self._location.url, detail=first_line(error))


def _version_of(tag: bytes) -> int | None:
    try:
        return int(json.loads(tag)["version"])
    except (ValueError, KeyError, TypeError):
        return None


def open_table_storage(root: Path | BucketLocation) -> TableStorage:
    """Storage for a folder or a bucket location. Raises: TeamExtraMissing."""
    return BucketTableStorage(root) if isinstance(root, BucketLocation) else LocalTableStorage(root)
