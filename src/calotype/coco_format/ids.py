"""Ids that a file writes as texts (`"1"`, `"img-7"`) or as `1.0`, as the whole numbers that COCO asks for."""

from __future__ import annotations

import re
from typing import Any

from calotype.formats.notices import Notices

_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
MADE_UP = -(2**62)
"""Ids up to this one stand for texts that are not numbers."""
_REFERENCES = ("image_id", "category_id")


class Ids:
    """The numbers of one file. A text that is not a number gets one of its own when an image or class has it as id."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, int]] = {"image_id": {}, "category_id": {}}

    def declare(self, of: str, value: Any) -> int | None:
        """The number of the id of an image or class (`of`: `image_id` or `category_id`); None where it is not one."""
        number = whole(value)
        if number is None and type(value) is str and value:
            number = self._texts[of].setdefault(value, MADE_UP - len(self._texts[of]))
        return number

    def numbered(self, rows: list[Any], notices: Notices, place: str) -> list[Any]:
        """Rows of annotations with numbers wherever a text or 1.0 stands for one."""
        return [self._numbered(row, notices, place) if type(row) is dict else row for row in rows]

    def _numbered(self, row: dict[str, Any], notices: Notices, place: str) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        for key in _REFERENCES:
            value = row.get(key)
            if type(value) in (str, float):
                number = whole(value)
                number = self._texts[key].get(value) if number is None and type(value) is str else number
                if number is not None:
                    changes[key] = number
        value = row.get("id")
        if type(value) in (str, float):
            number = whole(value)
            if number is not None:
                changes["id"] = number
            elif type(value) is str:
                changes |= {"id": None, "source_id": value}
        if not changes:
            return row
        notices.add("id-as-text", f"{place} {next(iter(changes))} {row.get(next(iter(changes)))!r}"[:200])
        return {**row, **changes}


def whole(value: Any) -> int | None:
    """A whole number as a number, a float or a text; None for anything else."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if type(value) is str and _NUMBER.fullmatch(value):
        return int(value)
    return None
