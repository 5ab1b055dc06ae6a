"""Media in a bucket: `sha256/ab/<64 hex digits>` below one place, each put once and never changed.

Who needs a file gets a copy in a local cache, checked against its hash when it is fetched. A batch sends many at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Lock

from calotype.foundation.ids import uuid7
from calotype.store.files.bucket import Bucket
from calotype.store.files.durable import fsync_path
from calotype.store.media.objects import MediaDamaged, MediaEntry, MediaMissing, MediaObject, object_name

_AT_ONCE = 16
_UNSENT = 64
"""How many objects of a batch may wait in memory."""


class BucketMedia:
    """The media of a workspace in a bucket. Safe for many threads, processes and machines."""

    def __init__(self, bucket: Bucket, cache: Path) -> None:
        self._bucket = bucket
        self._cache = cache

    def path(self, sha256: str) -> Path:
        """A local file with the bytes, fetched when it is not in the cache.

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
            )  # else a power cut may leave a name without its bytes, and nobody checks it again
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
        return file

    def has(self, sha256: str) -> bool:
        """Whether the bytes are stored. Raises: BucketFailed."""
        return self.n_bytes(sha256) is not None

    def n_bytes(self, sha256: str) -> int | None:
        """How many bytes are stored; None when there are none. Raises: BucketFailed."""
        found = self._bucket.head(_name(sha256))
        return None if found is None else found.n_bytes

    def read(self, sha256: str, *, verify: bool = False) -> bytes:
        """The bytes.

        Raises: MediaMissing, BucketFailed, MediaDamaged (only with `verify`).
        """
        data = self._bucket.get(_name(sha256))
        if data is None:
            raise MediaMissing(sha256=sha256)
        if verify and hashlib.sha256(data).hexdigest() != sha256:
            raise MediaDamaged(sha256=sha256)
        return data

    def entries(self) -> Iterator[MediaEntry]:
        """All that is stored. Raises: BucketFailed."""
        for entry in self._bucket.entries("sha256"):
            yield MediaEntry(entry.name.rpartition("/")[2], entry.n_bytes, entry.at_us)

    def put(self, data: bytes) -> MediaObject:
        """Store bytes and return when the server has them. Raises: BucketFailed."""
        sha256 = hashlib.sha256(data).hexdigest()
        return MediaObject(sha256, len(data), new=self.send(sha256, data))

    @contextmanager
    def batch(self) -> Iterator[BucketBatch]:
        """Store many, several at once; the server has all of them after the block. Raises: BucketFailed."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="calotype-media") as pool:
            batch = BucketBatch(self, pool)
            yield batch
            batch.flush()

    def touch(self, sha256: str) -> None:
        """Tell sweeps that bytes are wanted again."""
        self._bucket.put(_wanted(sha256), b"")

    def remove(self, sha256: str, *, untouched_since_us: int) -> int | None:
        """Remove bytes that nobody put again since an instant. Returns how many, or None when they stay or are gone.

        A `put` in this moment either finds the bytes gone afterwards and sends them again, or its touch is seen here
        and the bytes go back from the copy that was set aside.
        """
        name, aside = _name(sha256), f"incoming/aside-{sha256}"
        untouched_since_us -= untouched_since_us % 1_000_000  # servers tell times in whole seconds
        found = self._bucket.head(name)
        if found is None or found.at_us >= untouched_since_us or self._touched(sha256, untouched_since_us):
            return None
        self._bucket.copy(name, aside)
        self._bucket.delete([name])
        wanted = self._touched(sha256, untouched_since_us)
        if wanted:
            self._bucket.copy(aside, name)
        self._bucket.delete([aside])
        if not wanted:
            (self._cache / object_name(sha256)).unlink(missing_ok=True)
        return None if wanted else found.n_bytes

    def sweep_incoming(self, *, older_than_s: float, now_s: float) -> int:
        """Clear up after sweeps that died, and old touches. Returns how many objects went."""
        removed = 0
        for entry in self._bucket.entries("incoming"):
            if now_s - entry.at_us / 1_000_000 <= older_than_s:
                continue
            kind, _, sha256 = entry.name.rpartition("/")[2].partition("-")
            if kind == "aside" and not self.has(sha256):  # somebody may want it; the next sweep sees to it
                self._bucket.copy(entry.name, _name(sha256))
            self._bucket.delete([entry.name])
            removed += 1
        return removed

    def _touched(self, sha256: str, since_us: int) -> bool:
        mark = self._bucket.head(_wanted(sha256))
        return mark is not None and mark.at_us >= since_us

    def replace(self, sha256: str, data: bytes) -> None:
        """Store the right bytes where wrong ones lie or none. Raises: BucketFailed."""
        self._bucket.put(_name(sha256), data)
        (self._cache / object_name(sha256)).unlink(missing_ok=True)

    def send(self, sha256: str, data: bytes) -> bool:
        """Store bytes of this hash. Returns whether they are new. Raises: BucketFailed."""
        name, new = _name(sha256), False
        while not (new := self._bucket.put_new(name, data)):
            self.touch(sha256)
            if self._bucket.head(name) is not None:  # else a sweep took it between our put and our touch
                break
        return new


class BucketBatch:
    """Media on their way to a bucket; `put` may be called from several threads."""

    def __init__(self, media: BucketMedia, pool: ThreadPoolExecutor) -> None:
        self._media = media
        self._pool = pool
        self._room = BoundedSemaphore(_UNSENT)
        self._lock = Lock()
        self._sent: dict[str, Future[bool]] = {}

    def put(self, data: bytes, *, sha256: str | None = None, link: Path | None = None) -> MediaObject:
        """Send bytes, or wait while many are under way. `new` says that this batch had not seen them before."""
        name = sha256 or hashlib.sha256(data).hexdigest()
        with self._lock:
            if name in self._sent:
                return MediaObject(name, len(data), new=False)
        self._room.acquire()
        future = self._pool.submit(self._media.send, name, data)
        future.add_done_callback(lambda _: self._room.release())
        with self._lock:
            self._sent[name] = future  # twice is as good as once
        return MediaObject(name, len(data), new=True)

    def flush(self) -> None:
        """Wait until the server has all. Raises: BucketFailed."""
        with self._lock:
            sent, self._sent = self._sent, {}
        for future in sent.values():
            future.result()


def _name(sha256: str) -> str:
    return f"sha256/{object_name(sha256)}"


def _wanted(sha256: str) -> str:
    return f"incoming/wanted-{sha256}"
