"""Numbers in text files, strictly: what only Python reads as a number (`1_0`, other digits, `nan`) is none."""

from __future__ import annotations

import math
import re

LIMIT_PX = 1e7
"""No coordinate of an image is larger."""
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)


def number(text: str) -> float | None:
    """The number that a text spells; None where it spells none, or one that is not finite."""
    if len(text) > 60 or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def whole(text: str) -> int | None:
    """The whole number that a text spells, also as `3.0`; None where it spells none."""
    if _WHOLE.fullmatch(text):
        return int(text)
    value = number(text)
    return int(value) if value is not None and value == int(value) and abs(value) < 2**53 else None


def pixels(texts: list[str]) -> list[float] | None:
    """Coordinates in pixels; None where one of them is not a number, or far beyond any image."""
    values = [number(text) for text in texts]
    usable = [value for value in values if value is not None and abs(value) <= LIMIT_PX]
    return usable if len(usable) == len(texts) else None


def shortest(value: float) -> str:
    """The shortest text that reads as the same number, without exponent where that is short."""
    value = float(value)
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)
