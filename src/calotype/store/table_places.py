"""Where table files lie: a folder on a local disk, whose files have to be flushed, or a place in a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from calotype.foundation.errors import CalotypeError
from calotype.store.buckets import Bucket, BucketFailed, BucketPlace, brief
from calotype.store.durable import fsync_newer, fsync_path, fsync_tree

_TREES = ("_indices",)
_GONE = ("not found", "does not exist", "not exist")


class TablesPlace(Protocol):
    """What `Tables` has to know about the place."""

    @property
    def options(self) -> dict[str, str] | None:
        """Storage options for Lance; they may hold secrets."""

    def uri(self, table: str) -> str:
        """The address of a table for Lance."""

    def exists(self, table: str) -> bool:
        """Whether the table has a version."""

    def prepare(self, table: str) -> None:
        """Get ready for the first version."""

    def flush(self, table: str, names: Sequence[str], *, since_ns: int) -> None:
        """Make what changed in folders of a table since an instant survive a power cut."""

    def failure(self, error: Exception) -> CalotypeError | None:
        """Our error when the place could not be reached; None when it was, and the files themselves are wrong."""


class DiskTables:
    """A folder on a local disk."""

    options: dict[str, str] | None = None

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def folder(self, table: str) -> Path:
        """Where the files of a table lie."""
        return self._root / f"{table}.lance"

    def uri(self, table: str) -> str:
        """The address of a table for Lance."""
        return str(self.folder(table))

    def exists(self, table: str) -> bool:
        """Whether the table has a version."""
        return (self.folder(table) / "_versions").is_dir()

    def prepare(self, table: str) -> None:
        """Make the folder above it."""
        self.folder(table).parent.mkdir(parents=True, exist_ok=True)

    def flush(self, table: str, names: Sequence[str], *, since_ns: int) -> None:
        """Flush what changed in folders of a table since an instant, and the table's folder."""
        folder = self.folder(table)
        for name in names:
            (fsync_tree if name in _TREES else fsync_newer)(folder / name, since_ns=since_ns)
        fsync_path(folder)

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

    def uri(self, table: str) -> str:
        """The address of a table for Lance."""
        return f"{self._place.url}/{table}.lance"

    def exists(self, table: str) -> bool:
        """Whether the table has a version. Raises: BucketFailed."""
        return next(self._bucket.entries(f"{table}.lance/_versions"), None) is not None

    def prepare(self, table: str) -> None:
        """Nothing: buckets have no folders."""

    def flush(self, table: str, names: Sequence[str], *, since_ns: int) -> None:
        """Nothing."""

    def failure(self, error: Exception) -> CalotypeError | None:
        """Our error when the bucket could not be used."""
        if any(words in str(error).lower() for words in _GONE):
            return None
        return BucketFailed(url=self._place.url, detail=brief(error))


def tables_place(root: Path | BucketPlace) -> TablesPlace:
    """The place for a folder or for an address in a bucket. Raises: TeamExtraMissing."""
    return BucketTables(root) if isinstance(root, BucketPlace) else DiskTables(root)
