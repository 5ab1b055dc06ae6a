"""Files on their way to a remote workspace: sent in pieces, resumed where a connection broke, then read as a folder.

An upload is a list of relative names and sizes, and one stream with the bytes of all of them in that order. What came
is what lies on the disk, so that a server that restarts goes on where it was. The same person who sends the same place
again gets the same upload, also after a crash of the client. Uploads belong to whoever opened them, and end by
themselves.
"""

from __future__ import annotations

import bisect
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from calotype.acquire.model import (
    UploadInvalid,
    UploadNotFound,
    UploadOutOfStep,
    UploadsFull,
    UploadTooLarge,
)
from calotype.datasets import refs
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.ids import sha256_json
from calotype.foundation.os_errors import StorageFailed
from calotype.foundation.verbs import verb
from calotype.foundation.verbs.values import CallInvalid
from calotype.store import Store

MAX_FILES = 1_000_000
MAX_BYTES = 1_000_000_000_000
MAX_OPEN = 16
MAX_PIECE_BYTES = 16_000_000
KEPT_S = 3 * 86_400.0
"""An upload that nobody touched for this time is removed."""
RESERVE_BYTES = 1_000_000_000
"""Space on the disk that no upload may take."""
_LIST, _FILES = "upload.json", "files"
_MAX_DEPTH, _MAX_PART_BYTES, _MAX_PATH_BYTES = 64, 255, 4_000
File = tuple[str, int]
"""A relative name with `/`, and a size in bytes."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload: its id, how many bytes came, and how many there are."""

    id: str
    received_bytes: int
    total_bytes: int


@verb
def open_upload(actor: Actor, name: str, origin: str, files: Sequence[File], *, store: Store) -> Upload:
    """Begin to send files for a dataset, or go on with an upload of the same place and files.

    Args:
        origin: Where the files come from: machine and place. The same origin is the same source when it is read.
    Raises: NotPermitted, DatasetNotFound, UploadInvalid, UploadTooLarge, UploadsFull, StorageFailed.
    """
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
    total = _checked_total(files)
    uploads = store.folder / "uploads"
    mine = sha256_json({"actor": actor.id})[:16]
    upload_id = f"{mine}-{sha256_json({'dataset': info.id, 'origin': origin[:4_000]})[:16]}"
    folder = uploads / upload_id
    listed = json.dumps({"files": files}, ensure_ascii=False)
    if not (folder / _LIST).is_file() or (folder / _LIST).read_text("utf-8") != listed:
        _remove_old(uploads)
        if sum(1 for other in uploads.glob(f"{mine}-*") if other != folder) >= MAX_OPEN:
            raise UploadsFull(limit=MAX_OPEN)
        _begin(folder, listed, total, [path for path, size in files if not size])
    return Upload(upload_id, _List.at(folder).received(), total)


@verb
def append_upload(actor: Actor, name: str, upload: str, offset: int, data: bytes, *, store: Store) -> Upload:
    """Add a piece of the stream of an upload at its end.

    Raises: NotPermitted, UploadNotFound, UploadOutOfStep (says how much came), UploadTooLarge, StorageFailed.
    """
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset)
    if len(data) > MAX_PIECE_BYTES:
        raise UploadTooLarge(where=upload[:80], limit_mb=MAX_PIECE_BYTES // 1_000_000)
    listed = _List.at(_folder(actor, upload, store))
    if not 0 <= offset <= listed.total or offset + len(data) > listed.total or not listed.is_next(offset):
        raise UploadOutOfStep(got=offset, received=listed.received())
    listed.write(offset, data)
    os.utime(listed.folder)
    return Upload(upload, offset + len(data), listed.total)


@verb
def discard_upload(actor: Actor, name: str, upload: str, *, store: Store) -> None:
    """Remove the files of an upload. Raises: NotPermitted, UploadNotFound."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset)
    shutil.rmtree(_folder(actor, upload, store))


def hooks(actor: Actor, store: Store) -> Mapping[type, Callable[[Any], Any]]:
    """How paths of a call are built: each names a file or folder of an upload that is complete, and nothing else."""

    def path(value: Any) -> Path:
        if not isinstance(value, dict) or set(value) != {"upload", "path"}:
            raise CallInvalid(name="path", detail="files of the server cannot be named; send them")
        upload, inner = value["upload"], value["path"]
        if not isinstance(upload, str) or not isinstance(inner, str) or not _is_name(inner):
            raise CallInvalid(name="path", detail="is not a place in an upload")
        listed = _List.at(_folder(actor, upload, store))
        received = listed.received()
        if received != listed.total:
            raise UploadOutOfStep(got=received, received=received)
        return listed.folder / _FILES / inner

    return {Path: path}


def _folder(actor: Actor, upload: str, store: Store) -> Path:
    """The folder of an upload of this actor. Raises: UploadNotFound."""
    mine = sha256_json({"actor": actor.id})[:16]
    folder = store.folder / "uploads" / upload
    is_mine = len(upload) == 33 and upload.startswith(f"{mine}-") and upload[17:].isalnum()
    if not is_mine or not (folder / _LIST).is_file():
        raise UploadNotFound(upload=upload[:80])
    return folder


def _begin(folder: Path, listed: str, total: int, empty: Sequence[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder.parent).free < total + RESERVE_BYTES:
        raise StorageFailed(
            detail=f"the disk of the server has no space for {total:,} bytes",
            remedy_text="free disk space there",
        )
    (folder / _FILES).mkdir(parents=True)
    for name in empty:
        _create(folder / _FILES, name)
    new = folder / f"{_LIST}.new"
    new.write_text(listed, "utf-8")
    os.replace(new, folder / _LIST)


def _remove_old(uploads: Path) -> None:
    for folder in uploads.glob("*"):
        try:
            is_old = time.time() - folder.stat().st_mtime > KEPT_S
        except FileNotFoundError:
            continue
        if is_old:
            shutil.rmtree(folder, ignore_errors=True)


def _checked_total(files: Sequence[File]) -> int:
    """The sum of the sizes. Raises: UploadInvalid, UploadTooLarge."""
    if not 0 < len(files) <= MAX_FILES:
        raise UploadInvalid(detail=f"an upload has 1 to {MAX_FILES:,} files, not {len(files):,}")
    seen: set[str] = set()
    for path, size in files:
        if not _is_name(path) or path in seen:
            raise UploadInvalid(detail=f"{path[:200]!r} cannot be the name of a file in an upload")
        if size < 0:
            raise UploadInvalid(detail=f"{path[:200]!r} has a size below 0")
        seen.add(path)
    total = sum(size for _, size in files)
    if total > MAX_BYTES:
        raise UploadTooLarge(where="", limit_mb=MAX_BYTES // 1_000_000)
    return total


def _is_name(path: str) -> bool:
    """Whether a relative name stays below its folder, on every system."""
    parts = path.split("/")
    if len(parts) > _MAX_DEPTH or not path.isprintable():
        return False
    try:
        n_bytes = [len(os.fsencode(part)) for part in parts]
    except UnicodeEncodeError:
        return False
    is_short = sum(n_bytes) <= _MAX_PATH_BYTES and all(0 < n <= _MAX_PART_BYTES for n in n_bytes)
    return is_short and not any(part in (".", "..") or "\\" in part for part in parts)


@dataclass(frozen=True)
class _List:
    """The files of an upload that are not empty, with the place of each in the stream."""

    folder: Path
    paths: tuple[str, ...]
    starts: tuple[int, ...]

    @classmethod
    def at(cls, folder: Path) -> _List:
        """Read the list of an upload."""
        return _listed(folder, (folder / _LIST).stat().st_mtime_ns)

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return self.starts[-1]

    def received(self) -> int:
        """Bytes that came: whole files in their order, and the beginning of one."""
        low, high = 0, len(self.paths)
        while low < high:  # files are written in order: search for the first that is not whole
            middle = (low + high) // 2
            if self._size(middle) == self.starts[middle + 1] - self.starts[middle]:
                low = middle + 1
            else:
                high = middle
        return self.starts[low] + (self._size(low) if low < len(self.paths) else 0)

    def is_next(self, offset: int) -> bool:
        """Whether the stream ends at an offset."""
        place = self._place(offset)
        if place == len(self.paths):
            return self.received() == offset
        n_before = self.starts[place] - self.starts[place - 1] if place else 0
        is_before_whole = place == 0 or self._size(place - 1) == n_before
        return is_before_whole and self._size(place) == offset - self.starts[place]

    def write(self, offset: int, data: bytes) -> None:
        """Write a piece of the stream into its files. Raises: UploadInvalid."""
        left = memoryview(data)
        while len(left):
            place = self._place(offset)
            piece = left[: self.starts[place + 1] - offset]
            file = self.folder / _FILES / self.paths[place]
            if offset == self.starts[place]:
                _create(self.folder / _FILES, self.paths[place])
            with file.open("r+b") as out:
                out.seek(offset - self.starts[place])
                out.write(piece)
            offset, left = offset + len(piece), left[len(piece) :]

    def _place(self, offset: int) -> int:
        """The file that the byte at an offset belongs to."""
        return bisect.bisect_right(self.starts, offset) - 1

    def _size(self, place: int) -> int:
        """Bytes of a file on the disk."""
        try:
            return (self.folder / _FILES / self.paths[place]).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return 0


def _create(files: Path, name: str) -> None:
    """An empty file and its folders. Raises: UploadInvalid."""
    try:
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        (files / name).touch()
    except (FileExistsError, NotADirectoryError):
        raise UploadInvalid(detail=f"{name[:200]!r} is a file and a folder") from None


@lru_cache(maxsize=32)
def _listed(folder: Path, _changed_ns: int) -> _List:
    files = [(path, size) for path, size in json.loads((folder / _LIST).read_text("utf-8"))["files"] if size]
    starts = tuple(itertools.accumulate((size for _, size in files), initial=0))
    return _List(folder, tuple(path for path, _ in files), starts)
