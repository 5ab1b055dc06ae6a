"""JSON files of annotation tools, read whole within limits; one value that nothing can hold costs only its item.

What JSON can spell but nothing can hold stands as `Broken` in its place: NaN, numbers of hundreds of digits, a key that
occurs twice, a nest of hundreds of levels. Source: RFC 8259.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from calotype.formats.base import LabelFileUnreadable
from calotype.formats.passthrough import Broken, shown
from calotype.foundation.durable import read_file

MAX_BYTES = 1_000_000_000
_MAX_DIGITS = 300
_MAX_DEPTH = 100
_DEEP_KEY = "\0nested too deep"
_DEEP = b'{"\\u0000nested too deep":0}'
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]')
_HINT = "export the file again; it is broken as a whole"


def refused(file: Path, title: str, detail: str, hint: str = _HINT) -> LabelFileUnreadable:
    """The error for a file that cannot be read as a whole."""
    return LabelFileUnreadable(where=file.name, file=file.name, format=title, detail=detail, hint=hint)


def file_bytes(file: Path, title: str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of a label file without a byte order mark. Raises: LabelFileUnreadable."""
    try:
        data = read_file(file, max_bytes=max_bytes)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise refused(file, title, f"it cannot be read: {reason}", "check the path") from None
    if data is None:
        raise refused(file, title, f"it is larger than {max_bytes // 1_000_000} MB", "export it in parts")
    return data.removeprefix(b"\xef\xbb\xbf")


def load(file: Path, title: str) -> Any:
    """The value of a JSON file. Raises: LabelFileUnreadable."""
    value = parsed(file_bytes(file, title))
    if isinstance(value, Broken):
        raise refused(file, title, value.reason)
    return value


def rows(file: Path, title: str) -> Iterator[tuple[int, Any]]:
    """Line number, counted from 1, and value of each line that is not empty; `Broken` where it is not JSON.

    Raises: LabelFileUnreadable.
    """
    for at, line in enumerate(file_bytes(file, title).split(b"\n"), 1):
        if line.strip():
            yield at, parsed(line)


def parsed(data: bytes) -> Any:
    """The value of a JSON text, `Broken` with the reason where it is none."""
    try:
        return _decoded(data)
    except RecursionError:
        pass
    try:
        return _decoded(_flattened(data))
    except RecursionError:
        return Broken(f"it is nested deeper than {_MAX_DEPTH} levels")


def _decoded(data: bytes) -> Any:
    try:
        text = data.decode("utf-8")
        return json.loads(text, parse_int=_whole, parse_constant=_constant, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        return Broken(f"it is not UTF-8 text (byte {error.start})")
    except json.JSONDecodeError as error:
        return Broken(f"it is not JSON: {error.msg} (line {error.lineno} column {error.colno})")


def _whole(digits: str) -> Any:
    return int(digits) if len(digits) <= _MAX_DIGITS else Broken(f"it holds a number of {len(digits)} digits")


def _constant(name: str) -> Broken:
    return Broken(f"it holds {name}, which is not a number")


def _object(found: list[tuple[str, Any]]) -> Any:
    value = dict(found)
    if _DEEP_KEY in value:
        return Broken(f"it is nested deeper than {_MAX_DEPTH} levels")
    if len(value) != len(found):
        names = [name for name, _ in found]
        twice = next(name for name in names if names.count(name) > 1)
        return Broken(f"its key {shown(twice)} occurs twice")
    return value


def _flattened(data: bytes) -> bytes:
    """The text with every value that lies deeper than the limit replaced by a mark."""
    parts: list[bytes] = []
    depth, kept_from = 0, 0
    for token in _TOKEN.finditer(data):
        first = token.group()[:1]
        if first in b"[{":
            depth += 1
            if depth == _MAX_DEPTH:
                parts += [data[kept_from : token.start()], _DEEP]
        elif first in b"]}":
            depth -= 1
            if depth == _MAX_DEPTH - 1:
                kept_from = token.end()
    return b"".join([*parts, data[kept_from:]]) if depth < _MAX_DEPTH else data
