"""Media: the bytes of images, each stored once under its SHA-256 and never changed.

Layout: `<root>/sha256/ab/<64 hex digits>`. Put-if-absent: bytes go to a temporary file, are flushed, and a hard link
gives them their name; the link fails when the name exists, which then holds the same bytes.
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

from calotype.foundation.errors import External, Invalid, NotFound
from calotype.foundation.ids import uuid7
from calotype.store.files.durable import fsync_many, fsync_path, fsync_paths, write_new

_SHA256 = re.compile(r"[0-9a-f]{64}")
WANTED = "wanted-"
"""How the names of files begin that stand for a touch of linked media."""


class MediaMissing(NotFound):
    """No bytes are stored under this hash."""

    code = "media-missing"
    what = "no media with SHA-256 {sha256}"
    fix = "add the file again, or run `calotype verify` to see what else is missing"


class MediaDamaged(External):
    """The stored bytes are not the ones that were put."""

    code = "media-damaged"
    what = "the stored bytes of media {sha256} do not match their hash"
    fix = "restore the file from a backup, or add the original image again"


class MediaNameInvalid(Invalid):
    """Not a SHA-256."""

    code = "media-name-invalid"
    what = "media are named by 64 lower-case hexadecimal digits, got {got!r}"
    fix = "use the media_sha256 of a sample"


@dataclass(frozen=True, slots=True)
class MediaEntry:
    """Bytes as a listing shows them; `at_us` is when they were put or wanted again."""

    sha256: str
    n_bytes: int
    at_us: int


@dataclass(frozen=True, slots=True)
class MediaObject:
    """Bytes that are stored."""

    sha256: str
    n_bytes: int
    new: bool


class StoredMedia(Protocol):
    """Media that are stored by us, on a local disk (`Media`) or in a bucket (`BucketMedia`)."""

    def path(self, sha256: str) -> Path:
        """A readable local file with the bytes, where there are any."""

    def has(self, sha256: str) -> bool:
        """Whether the bytes are stored."""

    def n_bytes(self, sha256: str) -> int | None:
        """How many bytes are stored; None when there are none."""

    def read(self, sha256: str, *, verify: bool = False) -> bytes:
        """The bytes."""

    def put(self, data: bytes) -> MediaObject:
        """Store bytes and return when they are safe."""

    def batch(self) -> AbstractContextManager[Batch]:
        """Store many; all are safe after the block."""

    def entries(self) -> Iterator[MediaEntry]:
        """All that is stored."""

    def remove(self, sha256: str, *, untouched_since_us: int) -> int | None:
        """Remove bytes that nobody put again since an instant. Returns how many, or None when they stay or are gone."""

    def sweep_incoming(self, *, older_than_s: float, now_s: float) -> int:
        """Remove what dead writers left. Returns how many."""


class Batch(Protocol):
    """Media on their way; `put` may be called from several threads."""

    def put(self, data: bytes, *, sha256: str | None = None, link: Path | None = None) -> MediaObject:
        """Store bytes, or give a file with these bytes a second name where the disk allows it."""


class Media:
    """The media of a workspace on a local disk. Safe for many threads and processes."""

    def __init__(self, root: Path) -> None:
        self._objects = root / "sha256"
        self._incoming = root / "incoming"
        self._objects.mkdir(parents=True, exist_ok=True)
        self._incoming.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the bytes lie (whether they are there or not).

        Raises: MediaNameInvalid.
        """
        return self._objects / object_name(sha256)

    def has(self, sha256: str) -> bool:
        """Whether the bytes are stored."""
        return self.path(sha256).is_file()

    def n_bytes(self, sha256: str) -> int | None:
        """How many bytes are stored; None when there are none."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def entries(self) -> Iterator[MediaEntry]:
        """All that is stored, in the order of the hashes."""
        for folder in sorted(self._objects.iterdir()):
            for file in sorted(folder.iterdir()):
                with suppress(FileNotFoundError):
                    found = file.stat()
                    yield MediaEntry(file.name, found.st_size, found.st_mtime_ns // 1_000)

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
        """Store bytes and return when they are safe on the disk."""
        with self.batch() as batch:
            put = batch.put(data)
        return replace(put, new=put.new and put.sha256 not in batch.beaten)

    @contextmanager
    def batch(self) -> Iterator[MediaBatch]:
        """Store many: files are flushed together and get their names at the end. Safe on the disk after the block."""
        batch = MediaBatch(self, self._incoming)
        try:
            yield batch
            batch.flush()
        finally:
            batch.discard()

    def touch(self, sha256: str) -> None:
        """Tell sweeps that bytes are wanted again. Raises: FileNotFoundError."""
        now, target = time.time_ns(), self.path(sha256)
        if target.stat().st_nlink > 1:  # also a file of the user's, whose time is not ours to change
            target = self._incoming / f"{WANTED}{sha256}"
            target.touch()
        os.utime(target, ns=(now, now))

    def remove(self, sha256: str, *, untouched_since_us: int) -> int | None:
        """Remove bytes that nobody put again since an instant. Returns how many, or None when they stay or are gone.

        They are first moved aside, so that a `put` in this moment either finds and touches them (then they go back) or
        does not find them and writes them anew.
        """
        target, aside = self.path(sha256), self._incoming / uuid7()
        try:
            target.rename(aside)
        except FileNotFoundError:
            return None
        stat, touched = aside.stat(), self._incoming / f"{WANTED}{sha256}"
        times = [one.stat().st_mtime_ns for one in (aside, touched) if one.exists()]
        wanted = max(times) // 1_000 >= untouched_since_us
        if wanted:
            with suppress(FileExistsError):
                os.link(aside, target)
        aside.unlink()
        return None if wanted else stat.st_size

    def sweep_incoming(self, *, older_than_s: float, now_s: float) -> int:
        """Remove temporary files that dead writers left. Returns how many."""
        removed = 0
        for file in self._incoming.iterdir():
            if now_s - file.stat().st_mtime > older_than_s:
                file.unlink(missing_ok=True)
                removed += 1
        return removed


class MediaBatch:
    """Media on their way to the disk; `put` may be called from several threads."""

    def __init__(self, media: Media, incoming: Path) -> None:
        self._media = media
        self._incoming = incoming
        self._folders: set[Path] = set()
        self._waiting: dict[str, Path] = {}
        self.beaten: set[str] = set()
        """What somebody else brought meanwhile."""
        self._lock = threading.Lock()

    def put(self, data: bytes, *, sha256: str | None = None, link: Path | None = None) -> MediaObject:
        """Store bytes (their SHA-256 may be handed in when the caller computed it).

        Args:
            link: A file with these bytes, which gets a second name in place of a copy, where the disk allows it.
        """
        name = sha256 or hashlib.sha256(data).hexdigest()
        target = self._media.path(name)
        with self._lock:  # also when it is there: whoever put it may not have flushed its folder yet
            self._folders |= {target.parent, target.parent.parent}
            if name in self._waiting:
                return MediaObject(name, len(data), new=False)
        with suppress(FileNotFoundError):
            self._media.touch(name)
            return MediaObject(name, len(data), new=False)
        temporary = self._incoming / uuid7()
        if link is None or not _linked(link, temporary):
            write_new(temporary, data)
        with self._lock:
            twin = self._waiting.setdefault(name, temporary)
        if twin is not temporary:  # another thread brought the same bytes meanwhile
            temporary.unlink()
        return MediaObject(name, len(data), new=twin is temporary)

    def flush(self) -> None:
        """Flush the new files, give them their names, and flush the folders that hold these."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            folders, self._folders = self._folders, set()
        fsync_many(list(waiting.values()))
        for name, temporary in waiting.items():
            target = self._media.path(name)
            self._ensure_folder(target.parent)
            try:
                os.link(temporary, target)
            except FileExistsError:  # theirs are as good
                self.beaten.add(name)
            temporary.unlink()
        fsync_paths(sorted(folders))

    def discard(self) -> None:
        """Remove what was not given its name: the block failed."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)

    def _ensure_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            fsync_path(folder.parent)


def object_name(sha256: str) -> str:
    """The name of stored bytes below the folder of all. Raises: MediaNameInvalid."""
    if not _SHA256.fullmatch(sha256):
        raise MediaNameInvalid(got=sha256[:80])
    return f"{sha256[:2]}/{sha256}"


def _linked(file: Path, target: Path) -> bool:
    """Whether the file has the second name now; not so across disks, or where links are not allowed."""
    try:
        os.link(file, target)
    except OSError:
        return False
    return True
