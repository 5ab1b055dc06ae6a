"""Media by reference: images that stay where they are, identified by address, size and etag.

The key of a reference has 64 characters like a SHA-256 but starts with `r`. It is derived from address, size and etag:
an unchanged object keeps its key and an overwritten one gets another. The SHA-256 is computed on demand. Every read
compares the present object with the registered one, so changed bytes are never mistaken for the old ones.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import sqlalchemy as sa

from calotype.foundation.clock import now_us
from calotype.foundation.errors import Conflict, NotFound
from calotype.store.catalog import schema
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.errors import CatalogNotWritable
from calotype.store.catalog.upserts import insert
from calotype.store.media.remote_objects import RemoteObjects, is_remote

PRESENT, CHANGED, MISSING = "present", "changed", "missing"
_TABLE = schema.media_references
_CHUNK = 500
_STAT_THREADS = 16
_INSERT_CHUNK = 20_000
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/-]*")
"""Paths that are the same in an address."""


class MediaChanged(Conflict):
    """The object behind a reference has changed."""

    code = "media-changed"
    what = "{uri} is not the object that was registered: it was {was}, it is now {now}"
    fix = "restore the old bytes, or add the folder again: the sample then gets the new bytes as a change"


class ReferenceGone(NotFound):
    """The object behind a reference does not exist or cannot be read."""

    code = "media-gone"
    what = "{uri} cannot be read ({detail})"
    fix = (
        "restore the file, mount its folder, or remove the samples; `calotype verify` lists all missing files"
    )


class Reference(NamedTuple):
    """A referenced object. `etag` comes from the bucket; for a local file it combines modification time and size."""

    key: str
    uri: str
    n_bytes: int
    etag: str
    sha256: str | None = None
    state: str = PRESENT


def is_reference(key: str) -> bool:
    """Whether a media key is the key of a reference."""
    return key.startswith("r")


def reference(uri: str, n_bytes: int, etag: str) -> Reference:
    """The reference for an object in its present state."""
    digest = hashlib.blake2b(f"{uri}\0{n_bytes}\0{etag}".encode("utf-8", "surrogatepass"), digest_size=32)
    return Reference("r" + digest.hexdigest()[:63], uri, n_bytes, etag)


def file_reference(path: Path | str, stat: os.stat_result) -> Reference:
    """The reference for a local file with an absolute path."""
    text = str(path)
    address = text if _PLAIN_PATH.fullmatch(text) else quote(text)
    return reference(f"file://{address}", stat.st_size, _file_etag(stat))


def _file_etag(stat: os.stat_result) -> str:
    return f"{stat.st_mtime_ns:x}-{stat.st_size:x}"


class References:
    """All references of a workspace, stored in its catalog."""

    def __init__(self, catalog: Catalog, remote: RemoteObjects) -> None:
        self.remote = remote
        self._catalog = catalog
        self._known: dict[str, Reference] = {}

    def register(self, conn: sa.Connection, references: Iterable[Reference]) -> None:
        """Insert references in the caller's transaction; existing ones are left unchanged."""
        names = ("media_key", "uri", "n_bytes", "etag", "sha256", "state")
        statement = f"INSERT INTO {_TABLE.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        rows = sorted(map(tuple, references), key=itemgetter(0))  # what comes in order is written faster
        for start in range(0, len(rows), _INSERT_CHUNK):
            chunk = rows[start : start + _INSERT_CHUNK]
            if conn.dialect.name == "sqlite":  # calling the driver directly is twice as fast
                conn.exec_driver_sql(f"{statement} ON CONFLICT DO NOTHING", chunk)
            else:
                named_rows = [dict(zip(names, row, strict=True)) for row in chunk]
                conn.execute(insert(conn, _TABLE).on_conflict_do_nothing(), named_rows)

    def find(self, key: str) -> Reference:
        """The reference of a key. Raises: ReferenceGone."""
        known = self._known.get(key)
        if known is not None:
            return known
        with self._catalog.read() as conn:
            row = conn.execute(sa.select(_TABLE).where(_TABLE.c.media_key == key)).mappings().first()
        if row is None:
            raise ReferenceGone(uri=f"media {key[:16]}", detail="never registered")
        reference = _from_row(row)
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[key] = reference
        return reference

    def path(self, key: str) -> Path:
        """A local file with the registered bytes: the file itself, or a cached copy of a bucket object.

        Raises: ReferenceGone, MediaChanged, BucketFailed.
        """
        reference = self.find(key)
        if is_remote(reference.uri):
            path, current_etag = self.remote.file(reference.uri, key, reference.etag)
            if current_etag is None:
                raise ReferenceGone(uri=reference.uri, detail="no such object")
            if current_etag != reference.etag:
                raise MediaChanged(uri=reference.uri, was=reference.etag, now=current_etag)
            return path
        path = local_path(reference.uri)
        current_etag = _current_etag(reference, path)
        if current_etag != reference.etag:
            raise MediaChanged(uri=reference.uri, was=reference.etag, now=current_etag)
        return path

    def sha256(self, key: str) -> str:
        """The SHA-256 of the bytes, computed on first use. Raises: ReferenceGone, MediaChanged."""
        reference = self.find(key)
        if reference.sha256:
            return reference.sha256
        digest = hashlib.sha256(self.path(key).read_bytes()).hexdigest()
        with suppress(CatalogNotWritable), self._catalog.bookkeeping() as conn:
            conn.execute(_TABLE.update().where(_TABLE.c.media_key == key).values(sha256=digest))
        self._known.pop(key, None)
        return digest

    def states(self, keys: Sequence[str]) -> dict[str, str]:
        """Check each object: present, changed or missing. Stores the result in the catalog.

        Raises: BucketFailed (if a server does not answer, its objects do not count as missing).
        """
        states_by_key: dict[str, str] = {}
        with self._catalog.read() as conn:
            for start in range(0, len(keys), _CHUNK):
                query = sa.select(_TABLE).where(_TABLE.c.media_key.in_(keys[start : start + _CHUNK]))
                references = [_from_row(row) for row in conn.execute(query).mappings()]
                with ThreadPoolExecutor(_STAT_THREADS) as pool:
                    chunk_states = list(pool.map(self._check_state, references))
                states_by_key |= {
                    reference.key: state for reference, state in zip(references, chunk_states, strict=True)
                }
        checked_at_us = now_us()
        with suppress(CatalogNotWritable), self._catalog.bookkeeping() as conn:
            for state in (PRESENT, CHANGED, MISSING):
                keys_in_state = [key for key, key_state in states_by_key.items() if key_state == state]
                for start in range(0, len(keys_in_state), _CHUNK):
                    chosen = _TABLE.c.media_key.in_(keys_in_state[start : start + _CHUNK])
                    conn.execute(
                        _TABLE.update().where(chosen).values(state=state, checked_at_us=checked_at_us)
                    )
        return {key: states_by_key.get(key, MISSING) for key in keys}

    def _check_state(self, reference: Reference) -> str:
        try:
            current_etag = (
                self.remote.etag(reference.uri)
                if is_remote(reference.uri)
                else _current_etag(reference, local_path(reference.uri))
            )
        except ReferenceGone:
            current_etag = None
        return MISSING if current_etag is None else PRESENT if current_etag == reference.etag else CHANGED


def local_path(uri: str) -> Path:
    """The path of a `file://` address. Raises: ReferenceGone for any other scheme."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        raise ReferenceGone(uri=uri, detail="neither a local file nor in a bucket")
    return Path(unquote(parts.path))


def _current_etag(reference: Reference, path: Path) -> str:
    try:
        return _file_etag(path.stat())
    except OSError as error:
        raise ReferenceGone(uri=reference.uri, detail=error.strerror or type(error).__name__) from None


def _from_row(row: Any) -> Reference:
    return Reference(row["media_key"], row["uri"], row["n_bytes"], row["etag"], row["sha256"], row["state"])
