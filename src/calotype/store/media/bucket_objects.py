"""Media in a bucket: `sha256/ab/<64 hex digits>` below one prefix, each written once and never changed.

Readers that need a file get a copy from a local cache, verified when it is downloaded. Batches upload in parallel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Lock

from calotype.foundation.durable import fsync_path
from calotype.foundation.ids import uuid7
from calotype.store.files.bucket import Bucket
from calotype.store.media.objects import MediaDamaged, MediaEntry, MediaMissing, MediaObject, object_name

_UPLOAD_THREADS = 16
_MAX_PENDING = 64
"""Maximum number of pending objects in memory."""


class BucketMedia:
    """The media of a workspace in a bucket. Safe for concurrent threads, processes and machines."""

    def __init__(self, bucket: Bucket, cache: Path) -> None:
        self._bucket = bucket
        self._cache = cache

    def path(self, sha256: str) -> Path:
        """A local file with the bytes, downloaded unless it is in the cache.

        Raises: MediaNameInvalid, MediaMissing, MediaDamaged, BucketFailed.
        """
        file = self._cache / object_name(sha256)
        if file.is_file():
            return file
        data = self.read(sha256, verify=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{uuid7()}.tmp")
        try:
            temporary.write_bytes(data)
            fsync_path(
                temporary
            )  # otherwise a power failure could leave an empty file, and cached files are not verified again
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
        return file

    def has(self, sha256: str) -> bool:
        """Whether the bytes are stored. Raises: BucketFailed."""
        return self.n_bytes(sha256) is not None

    def n_bytes(self, sha256: str) -> int | None:
        """Size of the stored bytes; None if there are none. Raises: BucketFailed."""
        entry = self._bucket.head(_object_path(sha256))
        return None if entry is None else entry.n_bytes

    def read(self, sha256: str, *, verify: bool = False) -> bytes:
        """The bytes.

        Raises: MediaMissing, BucketFailed, MediaDamaged (only with `verify`).
        """
        data = self._bucket.get(_object_path(sha256))
        if data is None:
            raise MediaMissing(sha256=sha256)
        if verify and hashlib.sha256(data).hexdigest() != sha256:
            raise MediaDamaged(sha256=sha256)
        return data

    def entries(self) -> Iterator[MediaEntry]:
        """All stored media. Raises: BucketFailed."""
        for entry in self._bucket.entries("sha256"):
            yield MediaEntry(entry.name.rpartition("/")[2], entry.n_bytes, entry.at_us)

    def put(self, data: bytes) -> MediaObject:
        """Store bytes; durable on return. Raises: BucketFailed."""
        sha256 = hashlib.sha256(data).hexdigest()
        return MediaObject(sha256, len(data), new=self.send(sha256, data))

    @contextmanager
    def batch(self) -> Iterator[BucketBatch]:
        """Store many objects in parallel; all are durable after the block. Raises: BucketFailed."""
        with ThreadPoolExecutor(_UPLOAD_THREADS, thread_name_prefix="calotype-media") as pool:
            batch = BucketBatch(self, pool)
            yield batch
            batch.flush()

    def touch(self, sha256: str) -> None:
        """Tell sweeps that the bytes are in use again."""
        self._bucket.put(_touch_name(sha256), b"")

    def remove(self, sha256: str, *, untouched_since_us: int) -> int | None:
        """Remove bytes unless they were put or touched since. Returns the bytes freed; None if kept or already gone.

        A concurrent `put` either finds the bytes gone and uploads them again, or its touch is seen here
        and the bytes are restored from a backup copy.
        """
        name, backup = _object_path(sha256), f"incoming/aside-{sha256}"
        untouched_since_us -= untouched_since_us % 1_000_000  # servers report whole seconds
        entry = self._bucket.head(name)
        if entry is None or entry.at_us >= untouched_since_us or self._touched(sha256, untouched_since_us):
            return None
        self._bucket.copy(name, backup)
        self._bucket.delete([name])
        touched = self._touched(sha256, untouched_since_us)
        if touched:
            self._bucket.copy(backup, name)
        self._bucket.delete([backup])
        if not touched:
            (self._cache / object_name(sha256)).unlink(missing_ok=True)
        return None if touched else entry.n_bytes

    def sweep_incoming(self, *, older_than_s: float, now_s: float) -> int:
        """Clean up after interrupted sweeps, and remove old touches. Returns the number of objects removed."""
        removed = 0
        for entry in self._bucket.entries("incoming"):
            if now_s - entry.at_us / 1_000_000 <= older_than_s:
                continue
            kind, _, sha256 = entry.name.rpartition("/")[2].partition("-")
            if kind == "aside" and not self.has(sha256):  # it may be in use; leave it to the next sweep
                self._bucket.copy(entry.name, _object_path(sha256))
            self._bucket.delete([entry.name])
            removed += 1
        return removed

    def _touched(self, sha256: str, since_us: int) -> bool:
        mark = self._bucket.head(_touch_name(sha256))
        return mark is not None and mark.at_us >= since_us

    def replace(self, sha256: str, data: bytes) -> None:
        """Replace damaged or missing bytes with the correct ones. Raises: BucketFailed."""
        self._bucket.put(_object_path(sha256), data)
        (self._cache / object_name(sha256)).unlink(missing_ok=True)

    def send(self, sha256: str, data: bytes) -> bool:
        """Upload bytes that have this hash. Returns whether they are new. Raises: BucketFailed."""
        name, new = _object_path(sha256), False
        while not (new := self._bucket.put_new(name, data)):
            self.touch(sha256)
            if (
                self._bucket.head(name) is not None
            ):  # otherwise a sweep removed it between our put and our touch
                break
        return new


class BucketBatch:
    """Media being uploaded to a bucket. `put` is thread-safe."""

    def __init__(self, media: BucketMedia, pool: ThreadPoolExecutor) -> None:
        self._media = media
        self._pool = pool
        self._room = BoundedSemaphore(_MAX_PENDING)
        self._lock = Lock()
        self._sent: dict[str, Future[bool]] = {}

    def put(self, data: bytes, *, sha256: str | None = None, link: Path | None = None) -> MediaObject:
        """Upload bytes in the background; blocks while too many are pending. `new`: first time in this batch."""
        name = sha256 or hashlib.sha256(data).hexdigest()
        with self._lock:
            if name in self._sent:
                return MediaObject(name, len(data), new=False)
        self._room.acquire()
        future = self._pool.submit(self._media.send, name, data)
        future.add_done_callback(lambda _: self._room.release())
        with self._lock:
            self._sent[name] = future  # uploading twice does no harm
        return MediaObject(name, len(data), new=True)

    def flush(self) -> None:
        """Wait for all uploads. Raises: BucketFailed."""
        with self._lock:
            sent, self._sent = self._sent, {}
        for future in sent.values():
            future.result()


def _object_path(sha256: str) -> str:
    return f"sha256/{object_name(sha256)}"


def _touch_name(sha256: str) -> str:
    return f"incoming/wanted-{sha256}"
