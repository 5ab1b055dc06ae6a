"""Identifiers: UUIDv7 for new objects, UUIDv8 for ids that are derived from content; canonical JSON and its hash."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import Any


def uuid7() -> str:
    """A new time-ordered id, 32 hexadecimal digits. Source: RFC 9562, section 5.7."""
    millis = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10), "big")
    value = (millis << 80) | tail
    return _stamp(value, version=7)


def uuid8(*parts: str) -> str:
    """The id derived from these strings; the same input gives the same id. Source: RFC 9562, section 5.8."""
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return _stamp(int.from_bytes(digest, "big"), version=8)


def _stamp(value: int, *, version: int) -> str:
    value &= ~(0xF << 76) & ~(0x3 << 62) & ((1 << 128) - 1)
    return f"{value | (version << 76) | (0x2 << 62):032x}"


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: the text that hashes are computed over. Rejects NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_json(value: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()
