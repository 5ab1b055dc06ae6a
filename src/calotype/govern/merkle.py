"""The Merkle tree over audit events (RFC 6962, section 2.1), which only grows.

A leaf is SHA-256 of 0x00 and the 32 bytes of an event's hash; a node is SHA-256 of 0x01 and its two children.
"""

from __future__ import annotations

import hashlib

_LEAF, _NODE = b"\x00", b"\x01"


def _hash(prefix: bytes, *parts: bytes) -> bytes:
    return hashlib.sha256(prefix + b"".join(parts)).digest()


class Tree:
    """The roots of a growing list of leaves, in memory that grows with the logarithm of its length."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []
        """Roots of the perfect subtrees, one for each bit that is set in `size`, largest first."""

    def append(self, leaf: bytes) -> None:
        """Add the 32 bytes of the next event's hash."""
        node = _hash(_LEAF, leaf)
        merged = self.size
        while merged & 1:
            node = _hash(_NODE, self._peaks.pop(), node)
            merged >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far; of none, SHA-256 of nothing."""
        if not self._peaks:
            return hashlib.sha256().digest()
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = _hash(_NODE, peak, root)
        return root
