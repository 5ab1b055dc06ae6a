"""Media: image bytes, stored once under their SHA-256 and never changed.

Layout: `<root>/sha256/ab/<64 hex digits>`. Put-if-absent: bytes are written to a temporary file and synced; a hard link
then names them. If the name exists, the link fails, and the existing file has the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from calotype.foundation.durable import fsync_many, fsync_path, fsync_paths, write_new
from calotype.foundation.errors import External, Invalid, NotFound
from calotype.foundation.ids import uuid7

_SHA256 = re.compile(r"[0-9a-f]{64}")
TOUCH_PREFIX = "wanted-"
"""Prefix of marker files that stand for a touch of hard-linked media."""


class MediaMissing(NotFound):
    """There are no bytes with this hash."""

    code = "media-missing"
    what = "no media with SHA-256 {sha256}"
    fix = "add the file again, or run `calotype verify` to list everything that is missing"


class MediaDamaged(External):
    """Stored bytes do not match their hash."""

    code = "media-damaged"
    what = "the stored bytes of media {sha256} do not match their hash"
    fix = "restore the file from a backup, or add the original image again"


class MediaNameInvalid(Invalid):
    """Not a SHA-256."""

    code = "media-name-invalid"
    what = "a media name must have 64 lower-case hexadecimal digits, got {got!r}"
    fix = "use the media_sha256 of a sample"


@dataclass(frozen=True, slots=True)
class MediaEntry:
    """An entry of a listing; `at_us` is when the bytes were last put or touched."""

    sha256: str
    n_bytes: int
    at_us: int


@dataclass(frozen=True, slots=True)
class MediaObject:
    """Result of a put; `new` is False if the bytes were already stored."""

    sha256: str
    n_bytes: int
    new: bool


class StoredMedia(Protocol):
    """Media stored on a local disk (`Media`) or in a bucket (`BucketMedia`)."""

    def path(self, sha256: str) -> Path:
        """A readable local file with the bytes, if they exist."""

    def has(self, sha256: str) -> bool:
        """Whether the bytes are stored."""

    def n_bytes(self, sha256: str) -> int | None:
        """Size of the stored bytes; None if there are none."""

    def read(self, sha256: str, *, verify: bool = False) -> bytes:
        """The bytes."""

    def put(self, data: bytes) -> MediaObject:
        """Store bytes; durable on return."""

    def batch(self) -> AbstractContextManager[Batch]:
        """Store many objects; all are durable after the block."""

    def entries(self) -> Iterator[MediaEntry]:
        """All stored media."""

    def remove(self, sha256: str, *, untouched_since_us: int) -> int | None:
        """Remove bytes unless they were put or touched since. Returns the bytes freed; None if kept or already gone."""

    def sweep_incoming(self, *, older_than_s: float, now_s: float) -> int:
        """Remove the leftovers of dead writers. Returns how many."""


class Batch(Protocol):
    """Media being written. `put` is thread-safe."""

    def put(self, data: bytes, *, sha256: str | None = None, link: Path | None = None) -> MediaObject:
        """Store bytes, or hard-link a file that contains them if the disk supports it."""


class Media:
    """The media of a workspace on a local disk. Safe for concurrent threads and processes."""

    def __init__(self, root: Path) -> None:
        self._objects = root / "sha256"
        self._incoming = root / "incoming"
        self._objects.mkdir(parents=True, exist_ok=True)
        self._incoming.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """The path of the bytes, whether they exist or not.

        Raises: MediaNameInvalid.
        """
        return self._objects / object_name(sha256)

    def has(self, sha256: str) -> bool:
        """Whether the bytes are stored."""
        return self.path(sha256).is_file()

    def n_bytes(self, sha256: str) -> int | None:
        """Size of the stored bytes; None if there are none."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def entries(self) -> Iterator[MediaEntry]:
        """All stored media, sorted by hash."""
        for folder in sorted(self._objects.iterdir()):
            for file in sorted(folder.iterdir()):
                with suppress(FileNotFoundError):
                    stat = file.stat()
                    yield MediaEntry(file.name, stat.st_size, stat.st_mtime_ns // 1_000)

    def read(self, sha256: str, *, verify: bool = False) -> bytes:
        """The bytes.

        Raises: MediaMissing, MediaDamaged (only with `verify`).
        """
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise MediaMissing(sha256=sha256) from None
        if verify and hashlib.sha256(data).hexdigest() != sha256:
            raise MediaDamaged(sha256=sha256)
        return data

    def put(self, data: bytes) -> MediaObject:
        """Store bytes; durable on return."""
        with self.batch() as batch:
            put = batch.put(data)
        return replace(put, new=put.new and put.sha256 not in batch.already_stored)

    @contextmanager
    def batch(self) -> Iterator[MediaBatch]:
        """Store many objects: they are synced together and named at the end. Durable after the block."""
        batch = MediaBatch(self, self._incoming)
        try:
            yield batch
            batch.flush()
        finally:
            batch.discard()

    def touch(self, sha256: str) -> None:
        """Tell sweeps that the bytes are in use again. Raises: FileNotFoundError."""
        now_ns, target = time.time_ns(), self.path(sha256)
        if target.stat().st_nlink > 1:  # also a user's file, whose time must not change
            target = self._incoming / f"{TOUCH_PREFIX}{sha256}"
            target.touch()
        os.utime(target, ns=(now_ns, now_ns))

    def remove(self, sha256: str, *, untouched_since_us: int) -> int | None:
        """Remove bytes unless they were put or touched since. Returns the bytes freed; None if kept or already gone.

        They are first moved aside: a concurrent `put` either touches them before that (then they are moved back), or
        does not find them and writes them again.
        """
        target, aside = self.path(sha256), self._incoming / uuid7()
        try:
            target.rename(aside)
        except FileNotFoundError:
            return None
        stat, touched = aside.stat(), self._incoming / f"{TOUCH_PREFIX}{sha256}"
        times = [path.stat().st_mtime_ns for path in (aside, touched) if path.exists()]
        in_use = max(times) // 1_000 >= untouched_since_us
        if in_use:
            with suppress(FileExistsError):
                os.link(aside, target)
        aside.unlink()
        return None if in_use else stat.st_size

    def sweep_incoming(self, *, older_than_s: float, now_s: float) -> int:
        """Remove temporary files of dead writers. Returns how many."""
        removed = 0
        for file in self._incoming.iterdir():
            if now_s - file.stat().st_mtime > older_than_s:
                file.unlink(missing_ok=True)
                removed += 1
        return removed


class MediaBatch:
    """Media being written to disk. `put` is thread-safe."""

    def __init__(self, media: Media, incoming: Path) -> None:
        self._media = media
        self._incoming = incoming
        self._folders: set[Path] = set()
        self._waiting: dict[str, Path] = {}
        self.already_stored: set[str] = set()
        """Objects that another writer stored meanwhile."""
        self._lock = threading.Lock()

    def put(self, data: bytes, *, sha256: str | None = None, link: Path | None = None) -> MediaObject:
        """Store bytes; pass `sha256` if it is already computed.

        Args:
            link: A file with these bytes, which is hard-linked instead of copied if the disk supports it.
        """
        name = sha256 or hashlib.sha256(data).hexdigest()
        target = self._media.path(name)
        with self._lock:  # even if it exists: its writer may not have synced the folder yet
            self._folders |= {target.parent, target.parent.parent}
            if name in self._waiting:
                return MediaObject(name, len(data), new=False)
        with suppress(FileNotFoundError):
            self._media.touch(name)
            return MediaObject(name, len(data), new=False)
        temporary = self._incoming / uuid7()
        if link is None or not _try_link(link, temporary):
            write_new(temporary, data)
        with self._lock:
            winner = self._waiting.setdefault(name, temporary)
        if winner is not temporary:  # another thread put the same bytes meanwhile
            temporary.unlink()
        return MediaObject(name, len(data), new=winner is temporary)

    def flush(self) -> None:
        """Sync the new files, link them to their names, and sync the folders."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            folders, self._folders = self._folders, set()
        fsync_many(list(waiting.values()))
        for name, temporary in waiting.items():
            target = self._media.path(name)
            self._ensure_folder(target.parent)
            try:
                os.link(temporary, target)
            except FileExistsError:  # the existing file has the same bytes
                self.already_stored.add(name)
            temporary.unlink()
        fsync_paths(sorted(folders))

    def discard(self) -> None:
        """Remove unnamed files after a failed block."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)

    def _ensure_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            fsync_path(folder.parent)


def object_name(sha256: str) -> str:
    """The path of stored bytes relative to the media root. Raises: MediaNameInvalid."""
    if not _SHA256.fullmatch(sha256):
        raise MediaNameInvalid(got=sha256[:80])
    return f"{sha256[:2]}/{sha256}"


def _try_link(file: Path, target: Path) -> bool:
    """Whether the hard link was created; fails across disks and where links are not supported."""
    try:
        os.link(file, target)
    except OSError:
        return False
    return True
