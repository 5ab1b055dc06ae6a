"""Values of a label file, checked one by one: what cannot be used raises `BadItem`, which costs one item only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from calotype.formats.passthrough import Broken, shown, text_problem

LARGEST_PX = 1e7
"""Coordinates beyond it lie in none of the images that can be stored."""
LARGEST_SIDE_PX = 1_000_000


class BadItem(Exception):
    """An item that cannot be read; `collected.Collected.item` makes a problem of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """An object. Raises: BadItem."""
    if isinstance(value, dict):
        return value
    raise BadItem(_not(value, what, "an object"))


def listing(value: Any, what: str) -> Sequence[Any]:
    """A list. Raises: BadItem."""
    if isinstance(value, list):
        return value
    raise BadItem(_not(value, what, "a list"))


def text(value: Any, what: str) -> str:
    """A text that is not empty, without blanks around it. Raises: BadItem."""
    if isinstance(value, str) and value.strip():
        if text_problem(value):
            raise BadItem(f"its {what} cannot be used: {text_problem(value)}")
        return value.strip()
    raise BadItem(_not(value, what, "a text"))


def number(value: Any, what: str, *, most: float = LARGEST_PX) -> float:
    """A finite number, at most `most` on either side of 0. Raises: BadItem."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadItem(_not(value, what, "a number"))
    if not -most <= value <= most:  # also NaN
        raise BadItem(f"its {what} is {shown(value)}")
    return float(value)


def whole(value: Any, what: str, *, most: int = LARGEST_SIDE_PX) -> int:
    """A whole number from 0 to `most`; 5.0 is one too. Raises: BadItem."""
    found = number(value, what, most=most)
    if found < 0 or found != int(found):
        raise BadItem(f"its {what} is {shown(value)}, which is not a whole number of 0 or more")
    return int(found)


def written_number(value: str | None, what: str, *, most: float = LARGEST_PX) -> float:
    """A number given as a text. Raises: BadItem."""
    stripped = (value or "").strip()
    try:
        found = float(stripped if stripped.isascii() and "_" not in stripped else "not a number")
    except ValueError:
        raise BadItem(f"its {what} is {shown(value or '')}, which is not a number") from None
    return number(found, what, most=most)


def written_whole(value: str | None, what: str, *, most: int = LARGEST_SIDE_PX) -> int:
    """A whole number from 0 to `most` given as a text. Raises: BadItem."""
    return whole(written_number(value, what, most=most), what, most=most)


def numbers(value: Any, what: str) -> list[float]:
    """A list of numbers. Raises: BadItem."""
    return [number(part, what) for part in listing(value, what)]


def pairs(value: Any, what: str) -> list[tuple[float, float]]:
    """A list of points [x, y]. Raises: BadItem."""
    points = []
    for part in listing(value, what):
        one = numbers(part, what)
        if len(one) != 2:
            raise BadItem(f"its {what} holds {shown(part)}, which is not a point")
        points.append((one[0], one[1]))
    return points


def xy_objects(value: Any, what: str) -> list[tuple[float, float]]:
    """A list of points {"x": .., "y": ..}. Raises: BadItem."""
    points = (mapping(part, what) for part in listing(value, what))
    return [(number(point.get("x"), what), number(point.get("y"), what)) for point in points]


def size_or_none(width: Any, height: Any) -> tuple[int, int] | None:
    """Width and height in pixels; None where they are not stated or cannot be right."""
    for side in (width, height):
        if isinstance(side, bool) or not isinstance(side, int | float):
            return None
        if not 1 <= side <= LARGEST_SIDE_PX or side != int(side):
            return None
    return int(width), int(height)


def score_or_none(value: Any) -> float | None:
    """A score between 0 and 1; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= 1 else None


def _not(value: Any, what: str, wanted: str) -> str:
    if isinstance(value, Broken):
        return f"its {what} cannot be used: {value.reason}"
    if value is None:
        return f"it has no {what}"
    return f"its {what} is {shown(value)}, which is not {wanted}"
