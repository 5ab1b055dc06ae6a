"""Width and height of an ordinary JPEG from its first bytes, for registering files by the hundred thousand.

Source: ITU-T T.81, annex B (markers); JPEG markers are two bytes, 0xFF and a code, then a length.
"""

from __future__ import annotations

_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_WITH_STORIES = frozenset({0xE1, 0xE2})  # EXIF may turn the image, MPF may hold several


def quick_size(head: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels; None where it takes a closer look: no JPEG, EXIF, several pictures, cut short."""
    if head[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(head):
        if head[at] != 0xFF:
            return None
        code = head[at + 1]
        if code == 0xFF:
            at += 1
            continue
        if code in _FRAMES:
            height, width = int.from_bytes(head[at + 5 : at + 7]), int.from_bytes(head[at + 7 : at + 9])
            return (width, height) if width and height else None
        if code in _WITH_STORIES or code == 0xDA:
            return None
        at += 2 + int.from_bytes(head[at + 2 : at + 4])
    return None
