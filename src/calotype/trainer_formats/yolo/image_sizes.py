"""The size of an upright image from its header; of a JPEG no more than its head is read."""

from __future__ import annotations

import os

from calotype.formats.image_files import MAX_IMAGE_BYTES
from calotype.foundation.durable import read_file
from calotype.vision import images as vision
from calotype.vision.jpeg_header import quick_size

_SHORT_HEAD = 4_096
_HEAD = 65_536
_LONG_HEAD = 1_000_000
"""EXIF, profiles and previews may fill many segments before the size."""
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)


def size_of(path: str) -> tuple[int, int]:
    """(width, height) in pixels of the upright image; 0, 0 where it cannot be read."""
    try:
        quick, head = _quick(path)
        if quick is not None:
            return quick
        if head[:2] == b"\xff\xd8" and len(head) == _HEAD:
            try:
                facts = vision.probe(_head(path, _LONG_HEAD))
                return facts.width_px, facts.height_px
            except vision.ImageUnreadable:
                pass  # the whole file may tell
        facts = vision.probe(head if len(head) < _HEAD else read_file(path, max_bytes=MAX_IMAGE_BYTES) or b"")
    except (OSError, vision.ImageUnreadable):
        return 0, 0
    return facts.width_px, facts.height_px


def _quick(path: str) -> tuple[tuple[int, int] | None, bytes]:
    """The size that the first kilobytes of a JPEG mostly give, and those of the file that were read."""
    handle = os.open(path, os.O_RDONLY | _NEVER_WAIT)
    try:
        head = os.read(handle, _SHORT_HEAD)
        quick = quick_size(head)
        if quick is None and len(head) == _SHORT_HEAD:
            head += os.read(handle, _HEAD - _SHORT_HEAD)
            quick = quick_size(head)
    finally:
        os.close(handle)
    return quick, head


def _head(path: str, n_bytes: int) -> bytes:
    handle = os.open(path, os.O_RDONLY | _NEVER_WAIT)
    try:
        return os.read(handle, n_bytes)
    finally:
        os.close(handle)
