"""Files compressed with gzip, unpacked to a temporary file within limits. Source: RFC 1952."""

from __future__ import annotations

import os
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

MAGIC = b"\x1f\x8b"
LEAST_LIMIT = 64_000_000
"""Bytes that a file may always have unpacked."""
MAX_RATIO = 100
"""A larger file may unpack to that many times its size: images hardly shrink, and their labels about ten times."""
_GZIP = 31
_BLOCK = 64_000
_STEP = 1_000_000
_MAX_MEMBERS = 200_000
"""A file may hold that many gzip members, one behind another, as bgzip writes them."""


class UnpackError(ValueError):
    """Why a file cannot be unpacked; never leaves the formats."""


class Unpacked:
    """An unpacked file at `path`. It is removed with the object."""

    def __init__(self, source: Path) -> None:
        """Unpack a file. Raises: UnpackError, OSError."""
        handle, name = tempfile.mkstemp(prefix="calotype-")
        self.path = Path(name)
        weakref.finalize(self, _remove, name)
        with open(handle, "wb") as target, source.open("rb") as file:
            limit = max(LEAST_LIMIT, MAX_RATIO * os.fstat(file.fileno()).st_size)
            n_bytes = 0
            for part in _parts(file):
                n_bytes += len(part)
                if n_bytes > limit:
                    raise UnpackError(f"it unpacks to more than {limit:,} bytes")
                target.write(part)


def unpacked_head(head: bytes, n_bytes: int) -> bytes:
    """At most `n_bytes` of what the head of a file unpacks to; nothing where it is not gzip."""
    try:
        return zlib.decompressobj(_GZIP).decompress(head, n_bytes)
    except zlib.error:
        return b""


def _parts(file: BinaryIO) -> Iterator[bytes]:
    """The unpacked bytes, at most a megabyte at a time. Raises: UnpackError."""
    data, n_members = file.read(_BLOCK), 0
    while data:
        if not data.startswith(MAGIC) and n_members and len(data) > 1:
            return  # padding behind the last member, which gzip ignores too
        n_members += 1
        if n_members > _MAX_MEMBERS:
            raise UnpackError(f"it has more than {_MAX_MEMBERS:,} compressed parts")
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            try:
                part = member.decompress(data, _STEP)
            except zlib.error as error:
                raise UnpackError(f"its compressed data are broken: {str(error)[:100]}") from None
            if part:
                yield part
            data = member.unconsumed_tail
            if not data and not member.eof:
                data = file.read(_BLOCK)
                if not data and not part:
                    raise UnpackError("its compressed data end too early")
        data = member.unused_data
        data += file.read(_BLOCK) if len(data) < len(MAGIC) else b""


def _remove(name: str) -> None:
    with suppress(OSError):
        os.unlink(name)
