"""The media keys of a version of the samples in little memory, to look single ones up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_DIGITS = np.zeros(256, np.uint8)
_DIGITS[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16, dtype=np.uint8)
_KEY_CHARACTERS = 64
_KEPT_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class MediaKeys:
    """The first 128 bits of N keys: nobody can make another medium that has the same.

    Attributes:
        first: (N,) ascending.
        second: (N,) the next 64 bits of each, inverted for the key of a reference.
    """

    first: npt.NDArray[np.uint64]
    second: npt.NDArray[np.uint64]

    @classmethod
    def of(cls, columns: Iterable[pa.Array]) -> MediaKeys:
        """The keys in some columns of text."""
        parts = [_bits(column) for column in columns if len(column)]
        bits = np.concatenate(parts) if parts else np.empty((0, 2), np.uint64)
        order = np.argsort(bits[:, 0])
        return cls(bits[order, 0], bits[order, 1])

    @property
    def nbytes(self) -> int:
        return int(self.first.nbytes + self.second.nbytes)

    def has(self, key: str) -> bool:
        """Whether a key of 64 characters is among them."""
        first, second = _bits(pa.array([key]))[0]
        start, end = np.searchsorted(self.first, first, "left"), np.searchsorted(self.first, first, "right")
        return bool((self.second[start:end] == second).any())


def _bits(column: pa.Array) -> npt.NDArray[np.uint64]:
    """(N, 2) the first 128 bits of keys; those that have no 64 characters are left out."""
    texts = column.filter(pc.equal(pc.binary_length(column), _KEY_CHARACTERS))
    start = _KEY_CHARACTERS * texts.offset
    data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[start : start + _KEY_CHARACTERS * len(texts)]
    characters = data.reshape(-1, _KEY_CHARACTERS)
    digits = _DIGITS[characters[:, :_KEPT_CHARACTERS]]
    pairs = np.ascontiguousarray((digits[:, ::2] << 4) | digits[:, 1::2]).view(">u8").astype(np.uint64)
    is_reference = characters[:, 0] == ord("r")
    pairs[is_reference, 1] = ~pairs[is_reference, 1]
    return pairs
