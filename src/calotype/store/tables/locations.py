"""Where table files lie: a folder on a local disk, whose files have to be flushed, or a place in a bucket."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from calotype.foundation.errors import CalotypeError
from calotype.store.files.bucket import Bucket, BucketFailed, BucketPlace, Entry, brief
from calotype.store.files.durable import fsync_folders, fsync_newer, fsync_path, fsync_tree
from calotype.store.files.file_tree import BucketTree, FolderTree, Tree
from calotype.store.tables.damaged_versions import set_torn_aside, whole_head

TAGS = "_refs/tags"
"""Where Lance keeps the tags of a table, a JSON file each."""

_TREES = ("_indices",)
_GONE = ("not found", "does not exist", "not exist")


class TablesPlace(Protocol):
    """What `Tables` has to know about the place."""

    @property
    def options(self) -> dict[str, str] | None:
        """Storage options for Lance; they may hold secrets."""

    @property
    def tree(self) -> Tree:
        """The files of all tables."""

    def uri(self, table: str) -> str:
        """The address of a table for Lance."""

    def whole_head(self, table: str) -> bool:
        """Whether the table has a version; newest ones that a power cut tore are out of the way afterwards."""

    def tag_names(self, table: str) -> list[str]:
        """All tags, torn ones too."""

    def tagged(self, table: str, name: str) -> int | None:
        """The version that a tag names; None when there is no such tag, or a crash left its file empty or torn."""

    def untag(self, table: str, name: str) -> None:
        """Remove a tag where it is there."""

    def listed(self, folder: str = "") -> list[Entry]:
        """All files below a folder of the place, temporary ones too, with names below the place."""

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it, where it is there."""

    def rename_tag(self, table: str, name: str, new: str) -> None:
        """Give a tag another name, in place of a tag that has it; after a crash one of the two is there whole."""

    def flush_tags(self, table: str) -> None:
        """Make tags survive a power cut."""

    def set_torn_aside(self, table: str, pinned: Collection[int]) -> None:
        """Move versions that a power cut tore out of the way, but none that something pins."""

    def prepare(self, table: str) -> None:
        """Get ready for the first version."""

    def flush(self, table: str, names: Sequence[str], *, since_ns: int, is_new: bool = False) -> None:
        """Make what changed in folders of a table since an instant, and a new table, survive a power cut."""

    def failure(self, error: Exception) -> CalotypeError | None:
        """Our error when the place could not be reached; None when it was, and the files themselves are wrong."""


class DiskTables:
    """A folder on a local disk."""

    options: dict[str, str] | None = None

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    @property
    def tree(self) -> Tree:
        """The files of all tables."""
        return FolderTree(self._root)

    def folder(self, table: str) -> Path:
        """Where the files of a table lie."""
        return self._root / f"{table}.lance"

    def uri(self, table: str) -> str:
        """The address of a table for Lance."""
        return str(self.folder(table))

    def whole_head(self, table: str) -> bool:
        """Whether the table has a version; torn newest ones are moved aside."""
        return whole_head(self.folder(table))

    def tag_names(self, table: str) -> list[str]:
        """All tags, torn ones too."""
        return [path.stem for path in (self.folder(table) / TAGS).glob("*.json")]

    def tagged(self, table: str, name: str) -> int | None:
        """The version that a tag names."""
        try:
            return _version_of(self._tag(table, name).read_bytes())
        except FileNotFoundError:
            return None

    def untag(self, table: str, name: str) -> None:
        """Remove a tag where it is there."""
        self._tag(table, name).unlink(missing_ok=True)

    def listed(self, folder: str = "") -> list[Entry]:
        """All files below a folder."""
        found = []
        for home, _, names in os.walk(self._root / folder):
            for path in (Path(home) / name for name in names):
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue  # a temporary file that its writer renamed
                name = path.relative_to(self._root).as_posix()
                found.append(Entry(name, stat.st_size, stat.st_mtime_ns // 1_000))
        return found

    def remove(self, name: str) -> None:
        """Remove a file or folder where it is there."""
        path = self._root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def rename_tag(self, table: str, name: str, new: str) -> None:
        """Flush it first: the one that it replaces may be all there is."""
        path = self._tag(table, name)
        fsync_path(path)
        path.replace(self._tag(table, new))
        self.flush_tags(table)

    def flush_tags(self, table: str) -> None:
        """Make tags survive a power cut."""
        folder = self.folder(table) / TAGS
        if folder.is_dir():
            fsync_newer(folder, since_ns=time.time_ns() - 60_000_000_000)
            fsync_path(folder.parent)
            fsync_path(folder.parent.parent)

    def set_torn_aside(self, table: str, pinned: Collection[int]) -> None:
        """Move torn versions out of the way."""
        set_torn_aside(self.folder(table), pinned=pinned)

    def prepare(self, table: str) -> None:
        """Make the folder above it."""
        self.folder(table).parent.mkdir(parents=True, exist_ok=True)

    def flush(self, table: str, names: Sequence[str], *, since_ns: int, is_new: bool = False) -> None:
        """Flush what changed in folders of a table since an instant, and the table's folder."""
        folder = self.folder(table)
        for name in names:
            (fsync_tree if name in _TREES else fsync_newer)(folder / name, since_ns=since_ns)
        fsync_path(folder)
        if is_new:
            fsync_folders(folder.parent, up_to=self._root)

    def _tag(self, table: str, name: str) -> Path:
        return self.folder(table) / TAGS / f"{name}.json"

    def failure(self, error: Exception) -> CalotypeError | None:
        """None: a disk is always reached."""
        return None


class BucketTables:
    """A place in a bucket. An object is safe when its PUT was answered, so there is nothing to flush."""

    def __init__(self, place: BucketPlace) -> None:
        self._place = place
        self._bucket = Bucket(place)

    @property
    def options(self) -> dict[str, str] | None:
        """Storage options for Lance, with the secrets of the environment."""
        return self._place.options()

    @property
    def tree(self) -> Tree:
        """The files of all tables."""
        return BucketTree(self._bucket)

    def uri(self, table: str) -> str:
        """The address of a table for Lance."""
        return f"{self._place.url}/{table}.lance"

    def whole_head(self, table: str) -> bool:
        """Whether the table has a version: objects are whole or not there. Raises: BucketFailed."""
        return next(self._bucket.entries(f"{table}.lance/_versions"), None) is not None

    def tag_names(self, table: str) -> list[str]:
        """All tags. Raises: BucketFailed."""
        names = (entry.name for entry in self._bucket.entries(f"{table}.lance/{TAGS}"))
        return [name.rpartition("/")[2].removesuffix(".json") for name in names if name.endswith(".json")]

    def tagged(self, table: str, name: str) -> int | None:
        """The version that a tag names. Raises: BucketFailed."""
        found = self._bucket.get(f"{table}.lance/{TAGS}/{name}.json")
        return None if found is None else _version_of(found)

    def untag(self, table: str, name: str) -> None:
        """Remove a tag where it is there. Raises: BucketFailed."""
        self._bucket.delete([f"{table}.lance/{TAGS}/{name}.json"])

    def listed(self, folder: str = "") -> list[Entry]:
        """All objects below a folder. Raises: BucketFailed."""
        return list(self._bucket.entries(folder))

    def remove(self, name: str) -> None:
        """Remove an object, or all below a folder. Raises: BucketFailed."""
        self._bucket.delete([name, *(entry.name for entry in self._bucket.entries(name))])

    def rename_tag(self, table: str, name: str, new: str) -> None:
        """Copy it over the other, then remove it. Raises: BucketFailed."""
        folder = f"{table}.lance/{TAGS}"
        self._bucket.copy(f"{folder}/{name}.json", f"{folder}/{new}.json")
        self._bucket.delete([f"{folder}/{name}.json"])

    def flush_tags(self, table: str) -> None:
        """Nothing."""

    def set_torn_aside(self, table: str, pinned: Collection[int]) -> None:
        """Nothing: objects are whole or not there."""

    def prepare(self, table: str) -> None:
        """Nothing: buckets have no folders."""

    def flush(self, table: str, names: Sequence[str], *, since_ns: int, is_new: bool = False) -> None:
        """Nothing."""

    def failure(self, error: Exception) -> CalotypeError | None:
        """Our error when the bucket could not be used."""
        if any(words in str(error).lower() for words in _GONE):
            return None
        return BucketFailed(url=self._place.url, detail=brief(error))


def _version_of(tag: bytes) -> int | None:
    try:
        return int(json.loads(tag)["version"])
    except (ValueError, KeyError, TypeError):
        return None


def tables_place(root: Path | BucketPlace) -> TablesPlace:
    """The place for a folder or for an address in a bucket. Raises: TeamExtraMissing."""
    return BucketTables(root) if isinstance(root, BucketPlace) else DiskTables(root)
