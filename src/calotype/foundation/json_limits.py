"""Limits on JSON that strangers send: depth, and values that the stores cannot hold.

Checked once, after parsing and before any model: numbers beyond 64 bits, not-a-number, NUL and half surrogate pairs
fail in different places of a database, a table or an answer, and nowhere with a good message.
"""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from typing import Any

from calotype.foundation.errors import Invalid

MAX_DEPTH = 50
MAX_INT = 2**63 - 1
EXACT_INT = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_Place = tuple["_Place | None", str | int]


class RequestInvalid(Invalid):
    """A request that the description of the API does not allow."""

    code = "request-invalid"
    what = "{detail}"
    fix = "see /api/v1/openapi.json"


def parse(text: bytes) -> Any:
    """The value of a JSON text within the limits. Raises: RequestInvalid."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise _too_deep(None) from None
    except json.JSONDecodeError as error:
        place = f"body line {error.lineno} column {error.colno}"
        raise RequestInvalid(where=place, detail=f"the body is not valid JSON: {error.msg}") from None
    except UnicodeDecodeError:
        raise RequestInvalid(where="body", detail="the body is not valid JSON: it is not UTF-8") from None
    except ValueError:
        raise RequestInvalid(where="body", detail="the body has a number with thousands of digits") from None
    check(value)
    return value


def read_list(file: str, key: str, *, max_bytes: int, refused: type[Invalid]) -> Any:
    """The JSON value in a file, or under `key` of an object that has nothing else; `-` reads standard input.

    Args:
        refused: The error for a file that cannot be read or is too large; it takes `where` and `detail`.
    Raises: RequestInvalid, and `refused`.
    """
    where = "standard input" if file == "-" else file
    try:
        if file == "-":
            data = sys.stdin.buffer.read(max_bytes + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(max_bytes + 1)
    except OSError as error:
        raise refused(where=where, detail=f"it cannot be read: {error.strerror}") from None
    if len(data) > max_bytes:
        raise refused(where=where, detail=f"it has more than {max_bytes:,} bytes")
    value = parse(data)
    return value[key] if isinstance(value, dict) and set(value) == {key} else value


def check(value: Any) -> None:
    """Check a parsed JSON value against the limits. Raises: RequestInvalid."""
    waiting: list[tuple[Any, int, _Place | None]] = [(value, 1, None)]
    while waiting:
        part, depth, place = waiting.pop()
        if isinstance(part, dict):
            for key, inner in part.items():
                waiting.append((inner, depth + 1, (place, key)))
                _check_text(key, place)
        elif isinstance(part, list):
            waiting += [(inner, depth + 1, (place, at)) for at, inner in enumerate(part)]
        else:
            _check_scalar(part, place)
        if depth > MAX_DEPTH:
            raise _too_deep(place)


def _check_scalar(value: Any, place: _Place | None) -> None:
    if isinstance(value, str):
        _check_text(value, place)
    elif isinstance(value, float) and not math.isfinite(value):
        raise RequestInvalid(where=_shown(place), detail="a number must be finite")
    elif isinstance(value, int) and abs(value) > MAX_INT:
        raise RequestInvalid(where=_shown(place), detail="an integer must fit into 64 bits")


def _check_text(text: str, place: _Place | None) -> None:
    if _UNSTORABLE.search(text):
        detail = "a text must not contain NUL or half a surrogate pair"
        raise RequestInvalid(where=_shown(place), detail=detail)


def _too_deep(place: _Place | None) -> RequestInvalid:
    return RequestInvalid(where=_shown(place), detail=f"it is nested deeper than {MAX_DEPTH} levels")


def _shown(place: _Place | None) -> str:
    parts: list[str] = []
    while place is not None and len(parts) < MAX_DEPTH:
        place, part = place
        parts.append(_UNSTORABLE.sub("\ufffd", str(part))[:80])
    return ".".join(["body", *reversed(parts)])[:400]
