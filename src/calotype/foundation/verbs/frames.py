"""The answer of a call over HTTP: a stream of frames, each four bytes of length and a packed mapping.

`progress` frames come while the verb runs, `item` frames for a result that is an iterator, and at last one `result` or
`error`. Empty frames keep the connection open while the verb is silent.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from calotype.foundation.errors import Bug, CalotypeError, External
from calotype.foundation.verbs.values import Hooks, to_plain

MEDIA_TYPE = "application/vnd.calotype.frames"
MAX_FRAME_BYTES = 4_000_000_000
_LENGTH_BYTES = 4
_PACKAGE = "calotype."


class AnswerUnreadable(External):
    """What came is not the answer of a Calotype server."""

    code = "answer-unreadable"
    what = "the answer of {server} cannot be read: {detail}"
    fix = "check the address, and that server and client have the same version"


class ErrorElsewhere(CalotypeError):
    """An error of a server that this version of Calotype does not know."""

    code = "internal"
    what = "{said}"
    fix = "{remedy_there}"


def frame(value: Any) -> bytes:
    """One frame."""
    packed = msgspec.msgpack.encode(value)
    return len(packed).to_bytes(_LENGTH_BYTES, "big") + packed


KEEP_ALIVE = frame({})


def frames(chunks: Iterable[bytes], server: str) -> Iterator[dict[str, Any]]:
    """The mappings in a stream that comes in chunks. Raises: AnswerUnreadable."""
    buffer = bytearray()
    wanted = 0
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= (wanted or _LENGTH_BYTES):
            if not wanted:
                wanted = _LENGTH_BYTES + int.from_bytes(buffer[:_LENGTH_BYTES], "big")
                if wanted > MAX_FRAME_BYTES:
                    raise AnswerUnreadable(server=server, detail="a frame is too long")
                continue
            with memoryview(buffer) as view:
                value = unpacked(view[_LENGTH_BYTES:wanted], server)
            del buffer[:wanted]
            wanted = 0
            if not isinstance(value, dict):
                raise AnswerUnreadable(server=server, detail="a frame is not a mapping")
            yield value
    if buffer:
        raise AnswerUnreadable(server=server, detail="it ended early")


def unpacked(data: Any, server: str) -> Any:
    """A packed value. Raises: AnswerUnreadable."""
    try:
        return msgspec.msgpack.decode(data)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise AnswerUnreadable(server=server, detail=str(error)) from None


def error_to_plain(error: CalotypeError) -> dict[str, Any]:
    """An error with its class and fields, so that a client raises the same one."""
    fields = {}
    for name, value in error.fields.items():
        try:
            fields[name] = to_plain(value, Hooks())
        except TypeError:
            fields[name] = str(value)
    kind = type(error)
    return {**error.to_dict(), "module": kind.__module__, "class": kind.__qualname__, "fields": fields}


def error_from_plain(value: dict[str, Any]) -> CalotypeError:
    """The error that a server answered: of its own class where this version has it."""
    kind = _class(str(value.get("module", "")), str(value.get("class", "")))
    where, fields = str(value.get("where", "")), value.get("fields", {})
    if kind is not None and isinstance(fields, dict):
        error = kind.__new__(kind)
        try:
            CalotypeError.__init__(error, where=where, **{str(name): item for name, item in fields.items()})
            if error.message == value.get("what"):
                return error
        except (KeyError, IndexError, AttributeError, TypeError, ValueError):
            pass  # another version gives it other fields
    unknown = ErrorElsewhere(
        where=where, said=str(value.get("what", "")), remedy_there=str(value.get("fix", ""))
    )
    unknown.code = str(value.get("code") or Bug.code)  # type: ignore[misc]
    return unknown


def _class(module: str, name: str) -> type[CalotypeError] | None:
    """A class of errors of this package; None for anything else."""
    if not module.startswith(_PACKAGE):
        return None
    try:
        found: Any = getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
    return found if isinstance(found, type) and issubclass(found, CalotypeError) else None
