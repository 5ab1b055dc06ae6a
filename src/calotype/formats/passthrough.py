"""Values of label files that are kept as they are: which can be stored, and what a name may look like.

What cannot be stored does not stop an import: the row that holds it is a `Problem`, a file-level key a `Loss`.
"""

from __future__ import annotations

import math
import os
from typing import Any

MAX_DEPTH = 50
MAX_NAME = 4_096
MAX_CLASS_NAME = 500
_LARGEST = 10**300
_SHOWN = 60


class Broken:
    """Stands for a value that JSON can spell but nothing can hold; says why."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


def value_problem(value: Any) -> str:
    """Why a value as read from JSON or YAML cannot be stored; empty where it can."""
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        kind = type(one)
        if kind is bool or one is None:
            continue
        if kind is str:
            problem = text_problem(one)
        elif kind is int:
            problem = "" if -_LARGEST < one < _LARGEST else "it holds a number beyond the range of a float"
        elif kind is float:
            problem = "" if math.isfinite(one) else f"it holds {one}, which is not a number"
        elif depth > MAX_DEPTH:
            problem = f"it is nested deeper than {MAX_DEPTH} levels"
        elif kind is dict:
            waiting += [(part, depth + 1) for pair in one.items() for part in pair]
            continue
        elif kind in (list, tuple):
            waiting += [(part, depth + 1) for part in one]
            continue
        else:
            problem = one.reason if kind is Broken else f"it holds a {kind.__name__}"
        if problem:
            return problem
    return ""


def text_problem(text: str) -> str:
    """Why a text cannot be stored: half a surrogate pair."""
    if text.isascii():
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"it holds {shown(text)}, which is not valid Unicode"
    return ""


def image_name_problem(name: str) -> str:
    """Why this cannot be the name of a sample; empty where it can."""
    if len(name) > MAX_NAME:
        return f"its name has {len(name):,} characters, more than {MAX_NAME:,}"
    return "its name holds a NUL character" if "\0" in name else text_problem(name)


def class_name_problem(name: str) -> str:
    """Why this cannot be the name of a class; empty where it can."""
    if not name or len(name) > MAX_CLASS_NAME:
        return f"its name has {len(name):,} characters; 1 to {MAX_CLASS_NAME} are possible"
    return "its name holds a NUL character" if "\0" in name else text_problem(name)


def escaped(name: str) -> str:
    """A name from the file system with bytes that are not UTF-8 escaped, so that different names stay different."""
    if name.isascii():
        return name
    try:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a surrogate pair that no byte of a file name stands for
        return name.encode("utf-8", "backslashreplace").decode()


def shown(value: Any) -> str:
    """A value for a message: never long, whatever it is."""
    try:
        text = ascii(value) if isinstance(value, str | bytes) else repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a deep nest
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
