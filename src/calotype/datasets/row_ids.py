"""Creates ids for millions of rows with NumPy, in the same formats as `foundation.ids`.

An id is 128 bits, written as 32 hexadecimal digits; here it is a pair of uint64 in a row of shape (n, 2), or an Arrow
string array. Mixing uses the finaliser of SplitMix64 (Steele, Lea, Flood 2014): two inputs that differ in one bit give
ids that differ in about half of their bits.
"""

from __future__ import annotations

import hashlib
import os
import time

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.foundation.ids import uuid8

Pairs = npt.NDArray[np.uint64]

_DIGITS = np.frombuffer(b"".join(b"%02x" % value for value in range(256)), np.uint16)
"""The two digits of each byte as one uint16, which halves the number of look-ups."""
_VALUES = np.zeros(256, np.uint8)
_VALUES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16, dtype=np.uint8)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def new_ids(n: int) -> pa.Array:
    """`n` new ids (UUIDv7: 48 bits of time in milliseconds, then random bits)."""
    return NewIds().part(0, n)


class NewIds:
    """Numbered new ids (UUIDv7, as from `new_ids`): the same number always gives the same id."""

    def __init__(self) -> None:
        self._seed = np.frombuffer(os.urandom(16), np.uint64).reshape(1, 2)
        self._millis = np.uint64(time.time_ns() // 1_000_000 << 16)

    def part(self, start: int, n: int) -> pa.Array:
        """`n` ids, starting with number `start`."""
        pairs = mixed(self._seed, np.arange(start, start + n, dtype=np.uint64))
        pairs[:, 0] = (pairs[:, 0] & np.uint64(0xFFFF)) | self._millis
        return to_text(_stamped(pairs, version=7))


def id_in_copy(sample_id: str, label_set: str, ann_id: str) -> str:
    """The id that an annotation of an original has on a derived sample; the label set and the parent's id decide."""
    return uuid8(sample_id, label_set, ann_id)


def salt(*words: str) -> Pairs:
    """A pair derived from some strings, shape (1, 2)."""
    digest = hashlib.blake2b("\x1f".join(words).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return np.frombuffer(digest, ">u8").astype(np.uint64).reshape(1, 2)


def mixed(first: Pairs, *rest: npt.NDArray[np.uint64]) -> Pairs:
    """Pairs that depend on every bit of the inputs: pairs of shape (n, 2) or (1, 2), then columns of shape (n,)."""
    high, low = first[:, 0].copy(), first[:, 1].copy()
    with np.errstate(over="ignore"):
        for position, column in enumerate(rest, start=1):
            step = np.uint64(position) * _GOLDEN
            high = _mix(high + column + step)
            low = _mix((low ^ column) * _GOLDEN + high)
    return np.stack([high, low], axis=1)


def derived_ids(pairs: Pairs) -> pa.Array:
    """Deterministic ids of mixed pairs (UUIDv8)."""
    return to_text(_stamped(pairs, version=8))


def to_text(pairs: Pairs) -> pa.Array:
    """Pairs as 32 hexadecimal digits each."""
    n = len(pairs)
    digits = _DIGITS.take(np.ascontiguousarray(pairs.astype(">u8")).view(np.uint8))
    offsets = np.arange(0, (n + 1) * 32, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(digits)))


def from_text(ids: pa.Array) -> Pairs:
    """Ids of 32 hexadecimal digits as pairs."""
    array = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    array = array.cast(pa.string())
    start = array.offset
    offsets = np.frombuffer(array.buffers()[1], np.int32)[start : start + len(array) + 1]
    text = np.frombuffer(array.buffers()[2], np.uint8)[offsets[0] : offsets[-1]].reshape(len(array), 32)
    nibbles = _VALUES[text]
    raw = (nibbles[:, ::2] << 4) | nibbles[:, 1::2]
    return np.ascontiguousarray(raw).view(">u8").astype(np.uint64)


def _mix(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed_: npt.NDArray[np.uint64] = value ^ (value >> np.uint64(31))
    return mixed_


def _stamped(pairs: Pairs, *, version: int) -> Pairs:
    high = (pairs[:, 0] & ~np.uint64(0xF000)) | np.uint64(version << 12)
    low = (pairs[:, 1] & ~np.uint64(0xC000000000000000)) | np.uint64(0x8000000000000000)
    return np.stack([high, low], axis=1)
