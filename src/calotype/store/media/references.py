"""Media by reference: images that stay where they are, known by address, size and etag.

A reference has a key of 64 characters like a SHA-256, but beginning with `r`, made of address, size and etag: the same
object gives the same key, and an object that was overwritten gives another. Its SHA-256 is computed when somebody first
needs it. Every read compares what is there now with what was registered, so that changed bytes are never taken for
the old ones.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import sqlalchemy as sa

from calotype.foundation.clock import now_us
from calotype.foundation.errors import Conflict, NotFound
from calotype.store.catalog import schema
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.upserts import insert
from calotype.store.media.remote_objects import FarObjects, is_far

PRESENT, CHANGED, MISSING = "present", "changed", "missing"
_TABLE = schema.media_references
_CHUNK = 500
_LOOKS_AT_ONCE = 16
_ROWS_AT_ONCE = 20_000


class MediaChanged(Conflict):
    """The object behind a reference is another one now."""

    code = "media-changed"
    what = "{uri} is not the object that was registered: it had {was}, it has {now}"
    fix = "put the old bytes back, or add the folder again: the sample then gets the new bytes as a change"


class ReferenceGone(NotFound):
    """The object behind a reference is no longer there, or its place cannot be read."""

    code = "media-gone"
    what = "{uri} is not there any more ({detail})"
    fix = "put the file back, mount the folder, or remove the samples; `calotype verify` lists all that are gone"


@dataclass(frozen=True, slots=True)
class Reference:
    """An object where it lies. `etag` is of the bucket, or of a local file its modification time and size."""

    key: str
    uri: str
    n_bytes: int
    etag: str
    sha256: str | None = None
    state: str = PRESENT


def is_reference(key: str) -> bool:
    """Whether a media key names a reference and not stored bytes."""
    return key.startswith("r")


def reference(uri: str, n_bytes: int, etag: str) -> Reference:
    """The reference of an object that was looked at just now."""
    digest = hashlib.blake2b(f"{uri}\0{n_bytes}\0{etag}".encode("utf-8", "surrogatepass"), digest_size=32)
    return Reference("r" + digest.hexdigest()[:63], uri, n_bytes, etag)


def file_reference(path: Path | str, found: os.stat_result) -> Reference:
    """The reference of a local file with an absolute path."""
    return reference(f"file://{quote(str(path))}", found.st_size, _file_etag(found))


def _file_etag(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"


class References:
    """All references of a workspace, in its catalog."""

    def __init__(self, catalog: Catalog, far: FarObjects) -> None:
        self.far = far
        self._catalog = catalog
        self._known: dict[str, Reference] = {}

    def register(self, conn: sa.Connection, found: Iterable[Reference]) -> None:
        """Write references in the caller's transaction; known ones stay as they are."""
        names = ("media_key", "uri", "n_bytes", "etag", "sha256", "state")
        statement = f"INSERT INTO {_TABLE.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        rows = [(one.key, one.uri, one.n_bytes, one.etag, one.sha256, one.state) for one in found]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            if conn.dialect.name == "sqlite":  # the driver itself is twice as fast
                conn.exec_driver_sql(f"{statement} ON CONFLICT DO NOTHING", some)
            else:
                named = [dict(zip(names, row, strict=True)) for row in some]
                conn.execute(insert(conn, _TABLE).on_conflict_do_nothing(), named)

    def find(self, key: str) -> Reference:
        """The reference of a key. Raises: ReferenceGone."""
        known = self._known.get(key)
        if known is not None:
            return known
        with self._catalog.read() as conn:
            row = conn.execute(sa.select(_TABLE).where(_TABLE.c.media_key == key)).mappings().first()
        if row is None:
            raise ReferenceGone(uri=f"media {key[:16]}", detail="it was never registered")
        found = _reference(row)
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[key] = found
        return found

    def path(self, key: str) -> Path:
        """A local file with the bytes that were registered: the file itself, or a copy of an object in a bucket.

        Raises: ReferenceGone, MediaChanged, BucketFailed.
        """
        one = self.find(key)
        if is_far(one.uri):
            path, now = self.far.file(one.uri, key, one.etag)
            if now is None:
                raise ReferenceGone(uri=one.uri, detail="no such object")
            if now != one.etag:
                raise MediaChanged(uri=one.uri, was=one.etag, now=now)
            return path
        path = local_path(one.uri)
        now = _look(one, path)
        if now != one.etag:
            raise MediaChanged(uri=one.uri, was=one.etag, now=now)
        return path

    def sha256(self, key: str) -> str:
        """The SHA-256 of the bytes, computed once. Raises: ReferenceGone, MediaChanged."""
        one = self.find(key)
        if one.sha256:
            return one.sha256
        digest = hashlib.sha256(self.path(key).read_bytes()).hexdigest()
        with self._catalog.bookkeeping() as conn:
            conn.execute(_TABLE.update().where(_TABLE.c.media_key == key).values(sha256=digest))
        self._known.pop(key, None)
        return digest

    def states(self, keys: Sequence[str]) -> dict[str, str]:
        """Look at each object again: present, changed or missing; what was found is written down.

        Raises: BucketFailed (a server that does not answer makes nothing missing).
        """
        found: dict[str, str] = {}
        with self._catalog.read() as conn:
            for start in range(0, len(keys), _CHUNK):
                query = sa.select(_TABLE).where(_TABLE.c.media_key.in_(keys[start : start + _CHUNK]))
                looked_up = [_reference(row) for row in conn.execute(query).mappings()]
                with ThreadPoolExecutor(_LOOKS_AT_ONCE) as pool:
                    states = list(pool.map(self._state, looked_up))
                found |= {one.key: state for one, state in zip(looked_up, states, strict=True)}
        at = now_us()
        with self._catalog.bookkeeping() as conn:
            for state in (PRESENT, CHANGED, MISSING):
                named = [key for key, is_ in found.items() if is_ == state]
                for start in range(0, len(named), _CHUNK):
                    chosen = _TABLE.c.media_key.in_(named[start : start + _CHUNK])
                    conn.execute(_TABLE.update().where(chosen).values(state=state, checked_at_us=at))
        return {key: found.get(key, MISSING) for key in keys}

    def _state(self, one: Reference) -> str:
        try:
            now = self.far.etag(one.uri) if is_far(one.uri) else _look(one, local_path(one.uri))
        except ReferenceGone:
            now = None
        return MISSING if now is None else PRESENT if now == one.etag else CHANGED


def local_path(uri: str) -> Path:
    """The path of a `file://` address. Raises: ReferenceGone for another kind of place."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        raise ReferenceGone(uri=uri, detail="neither a local file nor in a bucket")
    return Path(unquote(parts.path))


def _look(one: Reference, path: Path) -> str:
    try:
        return _file_etag(path.stat())
    except OSError as error:
        raise ReferenceGone(uri=one.uri, detail=error.strerror or type(error).__name__) from None


def _reference(row: Any) -> Reference:
    return Reference(row["media_key"], row["uri"], row["n_bytes"], row["etag"], row["sha256"], row["state"])
