"""One view of a workspace's media: stored bytes and references."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from calotype.store.media.objects import Batch, MediaDamaged, MediaMissing, MediaObject, StoredMedia
from calotype.store.media.references import PRESENT, MediaChanged, ReferenceGone, References, is_reference
from calotype.vision.images import ImageUnreadable

MEDIA_ERRORS = (MediaMissing, MediaDamaged, MediaChanged, ReferenceGone)
"""Why one medium cannot be read; the others can, so work on many of them passes over it."""
NOT_DECODED = (ImageUnreadable, *MEDIA_ERRORS)
"""Why the pixels of one medium are not there."""


class AllMedia:
    """Media by key: the SHA-256 of stored bytes, or the key of a reference (`references`)."""

    elsewhere: Any = None
    """What fetches bytes that are not here yet, with `place`, `read_first` and `prepare`; None, since all are here."""

    def __init__(self, stored: StoredMedia, references: References) -> None:
        self.stored = stored
        self.references = references

    def path(self, key: str) -> Path:
        """A readable file with the bytes. Raises: MediaNameInvalid, ReferenceGone, MediaChanged."""
        return self.references.path(key) if is_reference(key) else self.stored.path(key)

    def has(self, key: str) -> bool:
        """Whether the bytes exist and, for a reference, are unchanged."""
        if is_reference(key):
            return self.references.states([key])[key] == PRESENT
        return self.stored.has(key)

    def read(self, key: str, *, verify: bool = False) -> bytes:
        """The bytes.

        Raises: MediaMissing, ReferenceGone, MediaChanged; MediaDamaged (only with `verify`).
        """
        if not is_reference(key):
            return self.stored.read(key, verify=verify)
        path = self.references.path(key)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ReferenceGone(uri=path.as_uri(), detail=error.strerror or "unreadable") from None
        if verify and hashlib.sha256(data).hexdigest() != self.references.sha256(key):
            raise MediaDamaged(sha256=key)
        return data

    def sha256(self, key: str) -> str:
        """The SHA-256 of the bytes behind a key; computed on demand for a reference."""
        return self.references.sha256(key) if is_reference(key) else key

    def put(self, data: bytes) -> MediaObject:
        """Store bytes; durable on return."""
        return self.stored.put(data)

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """Store many objects; see `Media.batch`."""
        with self.stored.batch() as batch:
            yield batch

    def sweep_incoming(self, *, older_than_s: float, now_s: float) -> int:
        """Remove temporary files of dead writers. Returns how many."""
        return self.stored.sweep_incoming(older_than_s=older_than_s, now_s=now_s)
