"""The header of a JPEG: size, quantisation steps, EXIF. Nothing is decoded.

Source: ITU-T T.81, annex B (markers); JPEG markers are two bytes, 0xFF and a code, then a length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_WITH_STORIES = frozenset({0xE1, 0xE2})  # EXIF may turn the image, MPF may hold several
_TABLES, _SCAN, _EXIF = 0xDB, 0xDA, 0xE1


def quick_size(head: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels; None where the header is not enough: not a JPEG, EXIF, several images, truncated."""
    if head[:2] != b"\xff\xd8":
        return None
    offset = 2
    while offset + 9 <= len(head):
        if head[offset] != 0xFF:
            return None
        code = head[offset + 1]
        if code == 0xFF:
            offset += 1
            continue
        if code in _FRAMES:
            height, width = (
                int.from_bytes(head[offset + 5 : offset + 7]),
                int.from_bytes(head[offset + 7 : offset + 9]),
            )
            return (width, height) if width and height else None
        if code in _WITH_STORIES or code == 0xDA:
            return None
        offset += 2 + int.from_bytes(head[offset + 2 : offset + 4])
    return None


@dataclass(frozen=True, slots=True)
class JpegHead:
    """The 64 steps of luma in the file's order (none where it gives none), the EXIF block with its first six bytes, and
    whether an end mark follows the first scan."""

    luma_steps: tuple[int, ...]
    exif: bytes
    has_end: bool


def read_head(data: bytes) -> JpegHead | None:
    """The head of a JPEG; None for other files."""
    if data[:2] != b"\xff\xd8":
        return None
    steps: tuple[int, ...] = ()
    exif, scan = b"", len(data)
    for code, start, end in _segments(data):
        if code == _TABLES and not steps:
            steps = _luma_steps(data[start:end])
        elif code == _EXIF and not exif and data[start : start + 6] == b"Exif\0\0":
            exif = data[start:end]
        elif code == _SCAN:
            scan = end
    return JpegHead(steps, exif, data.rfind(b"\xff\xd9", scan) >= 0)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of what lies between a JPEG's start and its first scan."""
    offset = 2
    while offset + 4 <= len(data) and data[offset] == 0xFF:
        code = data[offset + 1]
        if code == 0xFF:
            offset += 1
            continue
        end = offset + 2 + max(2, int.from_bytes(data[offset + 2 : offset + 4]))
        yield code, offset + 4, end
        if code == _SCAN:
            return
        offset = end


def _luma_steps(tables: bytes) -> tuple[int, ...]:
    """Table 0 of a segment; empty if it is not there."""
    offset = 0
    while offset < len(tables):
        wide, number = tables[offset] >> 4, tables[offset] & 15
        size = 128 if wide else 64
        body = tables[offset + 1 : offset + 1 + size]
        if number == 0 and len(body) == size:
            return tuple(int.from_bytes(body[k : k + 2]) for k in range(0, 128, 2)) if wide else tuple(body)
        offset += 1 + size
    return ()
