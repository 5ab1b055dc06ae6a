"""Objects in other people's buckets that a workspace refers to: looked at and read, never written.

An address holds bucket and key; server and secrets come from the environment, as for `buckets`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from urllib.parse import quote, unquote, urlsplit

from calotype.foundation.ids import uuid7
from calotype.store.files.bucket import Bucket, BucketPlace, Entry

SCHEME = "s3"


def is_far(address: str) -> bool:
    """Whether an address names something in a bucket."""
    return address.startswith(f"{SCHEME}://")


class FarObjects:
    """Reads objects by address; what was fetched stays in a cache that may be deleted. Safe for many threads."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._buckets: dict[str, Bucket] = {}
        self._lock = Lock()

    def listed(self, url: str) -> Iterator[tuple[str, Entry]]:
        """Address and state of all objects below a folder of a bucket; the entry's name is below the folder.

        Raises: BucketUrlInvalid, BucketFailed.
        """
        prefix = BucketPlace(url).url.rstrip("/")
        for entry in Bucket(BucketPlace(prefix)).entries():
            yield f"{prefix}/{quote(entry.name)}", entry

    def etag(self, uri: str) -> str | None:
        """What the bucket calls the object's present bytes; None when it is gone. Raises: BucketFailed."""
        bucket, name = self._at(uri)
        found = bucket.head(name)
        return None if found is None else found.etag

    def beginning(self, uri: str, n_bytes: int) -> bytes | None:
        """The first bytes of an object; None when it is gone. Raises: BucketFailed."""
        bucket, name = self._at(uri)
        return bucket.get_range(name, 0, n_bytes)

    def file(self, uri: str, key: str, etag: str) -> tuple[Path, str | None]:
        """A local file with the registered bytes, and the etag of what is there now; None when it is gone.

        Where the two etags differ there is no file. Bytes fetched before are those that were registered and are
        answered without asking again.

        Args:
            key: The media key, under which the bytes are kept.
        Raises: BucketFailed.
        """
        file = self._cache / key[1:3] / key
        if file.is_file():
            return file, etag
        bucket, name = self._at(uri)
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{uuid7()}.tmp")
        try:
            found = bucket.fetch_tagged(name, temporary)
            if found == etag:
                temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
        return file, found

    def _at(self, uri: str) -> tuple[Bucket, str]:
        parts = urlsplit(uri)
        with self._lock:
            if parts.netloc not in self._buckets:
                self._buckets[parts.netloc] = Bucket(BucketPlace(f"{SCHEME}://{parts.netloc}"))
            return self._buckets[parts.netloc], unquote(parts.path.lstrip("/"))
