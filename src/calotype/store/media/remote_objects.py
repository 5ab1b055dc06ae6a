"""Objects in external buckets that a workspace refers to; only ever read.

An address is a bucket and a key; endpoint and secrets come from the environment, as in `files.bucket`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from urllib.parse import quote, unquote, urlsplit

from calotype.foundation.ids import uuid7
from calotype.store.files.bucket import Bucket, BucketLocation, Entry

SCHEME = "s3"


def is_remote(address: str) -> bool:
    """Whether an address is in a bucket."""
    return address.startswith(f"{SCHEME}://")


class RemoteObjects:
    """Reads objects by address and keeps them in a disposable cache. Thread-safe."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._buckets: dict[str, Bucket] = {}
        self._lock = Lock()

    def list_objects(self, url: str) -> Iterator[tuple[str, Entry]]:
        """Address and entry of all objects below a bucket folder; the entry's name is relative to the folder.

        Raises: BucketUrlInvalid, BucketFailed.
        """
        prefix = BucketLocation(url).url.rstrip("/")
        for entry in Bucket(BucketLocation(prefix)).entries():
            yield f"{prefix}/{quote(entry.name)}", entry

    def etag(self, uri: str) -> str | None:
        """The present etag of an object; None if it does not exist. Raises: BucketFailed."""
        bucket, name = self._locate(uri)
        entry = bucket.head(name)
        return None if entry is None else entry.etag

    def read_head(self, uri: str, n_bytes: int) -> bytes | None:
        """The first bytes of an object; None if it does not exist. Raises: BucketFailed."""
        bucket, name = self._locate(uri)
        return bucket.get_range(name, 0, n_bytes)

    def file(self, uri: str, key: str, etag: str) -> tuple[Path, str | None]:
        """A local file with the registered bytes, and the present etag; None if the object does not exist.

        The file exists only if both etags are equal. Cached bytes are the registered ones and are returned without a
        request.

        Args:
            key: The media key, which names the cached file.
        Raises: BucketFailed.
        """
        file = self._cache / key[1:3] / key
        if file.is_file():
            return file, etag
        bucket, name = self._locate(uri)
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{uuid7()}.tmp")
        try:
            current_etag = bucket.fetch_with_etag(name, temporary)
            if current_etag == etag:
                temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
        return file, current_etag

    def _locate(self, uri: str) -> tuple[Bucket, str]:
        parts = urlsplit(uri)
        with self._lock:
            if parts.netloc not in self._buckets:
                self._buckets[parts.netloc] = Bucket(BucketLocation(f"{SCHEME}://{parts.netloc}"))
            return self._buckets[parts.netloc], unquote(parts.path.lstrip("/"))
