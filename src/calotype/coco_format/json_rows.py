"""Large JSON files whose top level is an object of lists of rows: read in windows, so that memory stays small.

The top level is split without building anything (`msgspec.Raw` points into the file's bytes); each list is then decoded
some thousand rows at a time. What the fast decoder cannot check (repeated keys) or rejects (NaN, half a surrogate pair)
is decoded again by the strict one of the standard library; a row that it cannot read becomes `Broken`, the others stay.
Source: RFC 8259.
"""

from __future__ import annotations

import json
import math
import mmap
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from calotype.coco_format.files import refused
from calotype.formats.passthrough import Broken, shown, value_problem
from calotype.foundation.collector import collector_paused

WINDOW_BYTES = 1_000_000
"""Rows of so much text stay in the caches of a processor while their columns are made."""
MAX_ROW_BYTES = 32_000_000
"""Limit of what is decoded at once: a row, or a value of the top level beside the lists of rows."""
_MAPPED_FROM = 16_000_000
_MEASURED_FROM = 1_000_000
_MAX_VALUES_BESIDE = 1_000_000
_BETWEEN_ROWS = re.compile(rb"\}\s*,\s*\{")
_DIGITS = 300
_KEY = re.compile(rb'[\s,{]*"(?:[^"\\]|\\.)*"\s*:\s*')
_ANY = msgspec.json.Decoder()
_Typed = TypeVar("_Typed")
_TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Lists(msgspec.Struct):
    """The lists of rows; the decoder passes over everything else without keeping it."""

    images: msgspec.Raw = msgspec.Raw()
    annotations: msgspec.Raw = msgspec.Raw()
    categories: msgspec.Raw = msgspec.Raw()


_LISTS = msgspec.json.Decoder(_Lists)


class JsonRows:
    """One file: `values` holds its small top-level values, `rows(key)` yields the rows of a list window by window."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._map: mmap.mmap | None = None
        self._whole: Any = None
        data = self._bytes()
        self.is_list = bytes(data[:64]).lstrip()[:1] == b"["
        """The top level is a list of rows instead of an object."""
        if self.is_list:
            start, end = bytes(data[:64]).index(b"["), _end_of_list(file, data)
            self._raw = {"": memoryview(data)[start : end + 1]}
            self._forget()
            return
        try:
            lists, beside = self._without_lists(data)
            others = {key: memoryview(raw) for key, raw in _TOP.decode(beside).items()}
            self._raw = others | lists
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            self._raw = {}
            # raises with the reason, or finds only rows that are wrong
            self._whole = self._strictly_whole(data, str(error))
        else:
            if not _only_keys_between(beside, list(others.values())):
                self._whole = self._strictly_whole(data, "a key of the top level occurs twice")
            self._forget()

    @property
    def keys(self) -> list[str]:
        """The keys of the top level."""
        return list(self._whole if isinstance(self._whole, dict) else self._raw)

    def value(self, key: str, default: Any = None) -> Any:
        """One top-level value, decoded whole."""
        if isinstance(self._whole, dict):
            return self._whole.get(key, default)
        raw = self._raw.get(key)
        if raw is not None and len(raw) > MAX_ROW_BYTES:
            raise refused(
                self.file, f"`{key}` is larger than {MAX_ROW_BYTES:,} bytes", "remove it from the file"
            )
        return default if raw is None else strictly(self.file, bytes(raw))

    def start_of(self, key: str, n_bytes: int = 20_000) -> bytes:
        """The first bytes of a top-level value; nothing where it is missing or the file needs the strict reader."""
        raw = self._raw.get("" if self.is_list else key)
        return b"" if raw is None else bytes(raw[:n_bytes])

    def _without_lists(self, data: memoryview | bytes) -> tuple[dict[str, memoryview], memoryview | bytes]:
        """The lists of rows of a large file, and its text with null for each.

        Raises: LabelFileUnreadable for a file whose other keys and values would not fit into memory.
        """
        if len(data) < _MEASURED_FROM:
            return {}, data
        found = _LISTS.decode(data)
        raws = {key: memoryview(getattr(found, key)) for key in found.__struct_fields__}
        raws = {key: raw for key, raw in raws.items() if len(raw)}
        places = _places(data, list(raws.values()))
        ends = [0, *(start + length for start, length in places)]
        beside = list(zip(ends, [*(start for start, _ in places), len(data)], strict=True))
        n_bytes = sum(stop - start for start, stop in beside)
        if n_bytes <= MAX_ROW_BYTES:
            text = b"null".join(bytes(data[start:stop]) for start, stop in beside)
        if n_bytes > MAX_ROW_BYTES or text.count(b",") > _MAX_VALUES_BESIDE:
            most = f"{MAX_ROW_BYTES:,} bytes or {_MAX_VALUES_BESIDE:,} values"
            detail = f"it has more than {most} beside its lists of rows"
            raise refused(self.file, detail, "remove what is neither an image nor an annotation")
        return raws, text

    def _strictly_whole(self, data: memoryview | bytes, reason: str) -> Any:
        """The whole file by the strict reader; of a large file only the reason why it is refused."""
        if len(data) > MAX_ROW_BYTES:
            self._forget()
            raise refused(self.file, reason[:200], "export the file again; it is broken as a whole")
        whole = strictly(self.file, bytes(data))
        if isinstance(whole, Broken):
            raise refused(self.file, whole.reason, "export the file again; it is broken as a whole")
        return whole

    def rows(self, key: str) -> Iterator[list[Any]]:
        """The rows of a top-level list, some thousand at a time (`key` is ignored where the file is a list).

        Raises: LabelFileUnreadable.
        """
        return self.typed_rows(key, lambda _: None)

    def typed_rows(self, key: str, typed: Callable[[bytes], _Typed | None]) -> Iterator[list[Any] | _Typed]:
        """The rows as `rows` gives them, or what a faster decoder makes of their text.

        Args:
            typed: Decodes the text of a list; None where not all of its rows are what it knows. Raises DecodeError for
                a text that is not JSON.
        Raises: LabelFileUnreadable.
        """
        if self._whole is not None:
            listed = self._whole.get(key, []) if isinstance(self._whole, dict) else None
            if not isinstance(listed, list):
                raise refused(self.file, f"`{key}` is not a list", "export the file again")
            for start in range(0, len(listed), 10_000):
                yield [_checked(row) for row in listed[start : start + 10_000]]
            return
        raw = self._raw.get("" if self.is_list else key)
        if raw is None:
            return
        if bytes(raw[:1]) != b"[":
            raise refused(self.file, f"`{key}` is not a list", "export the file again")
        yield from self._windows(raw[1:-1], typed)

    def _windows(
        self, body: memoryview, typed: Callable[[bytes], _Typed | None]
    ) -> Iterator[list[Any] | _Typed]:
        at = 0
        while at < len(body):
            end, rows = self._window(body, at, typed)
            at = end
            self._forget()
            yield rows

    def _window(
        self, body: memoryview, at: int, typed: Callable[[bytes], _Typed | None]
    ) -> tuple[int, list[Any] | _Typed]:
        """Rows from `at` to the last place before the window's end that is between two rows, and where it is."""
        size = WINDOW_BYTES
        while at + size < len(body):
            piece = bytes(body[at : at + size])
            for gap in reversed(_last_gaps(piece)):
                # a wrong guess (inside a text or a nested list) leaves brackets open and cannot be decoded
                with suppress(msgspec.DecodeError, ValueError, RecursionError):
                    text = b"[%b]" % piece[: gap.start() + 1]
                    return at + piece.index(b",", gap.start()) + 1, _either(text, typed)
            size *= 2
            if size > MAX_ROW_BYTES:
                detail = f"it has a row of more than {MAX_ROW_BYTES:,} bytes"
                raise refused(self.file, detail, "export the file again; it is broken as a whole")
        text = b"[%b]" % bytes(body[at:])
        try:
            return len(body), _either(text, typed)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return len(body), [_checked(row) for row in strictly(self.file, text)]

    def _bytes(self) -> memoryview | bytes:
        try:
            if self.file.stat().st_size < _MAPPED_FROM:
                return self.file.read_bytes().removeprefix(b"\xef\xbb\xbf")
            with self.file.open("rb") as handle:
                self._map = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise refused(self.file, str(error)[:200], "check the path and its permissions") from None
        start = 3 if self._map[:3] == b"\xef\xbb\xbf" else 0
        return memoryview(self._map)[start:]

    def _forget(self) -> None:
        """Release pages of the file; they are read again when needed."""
        if self._map is not None:
            self._map.madvise(mmap.MADV_DONTNEED)


def _only_keys_between(data: memoryview | bytes, values: list[memoryview]) -> bool:
    """Whether between two values of the top level there is one key and nothing else."""
    at = 0
    for start, length in _places(data, values):
        if not _KEY.fullmatch(bytes(data[at:start])):
            return False
        at = start + length
    return bytes(data[at:]).strip() in (b"}", b"{}")


def _places(data: memoryview | bytes, values: list[memoryview]) -> list[tuple[int, int]]:
    """Start and length of values that point into the data, in order."""
    begin = np.frombuffer(data, np.uint8).ctypes.data
    return sorted((np.frombuffer(raw, np.uint8).ctypes.data - begin, len(raw)) for raw in values)


def _end_of_list(file: Path, data: memoryview | bytes) -> int:
    tail = bytes(data[-64:]).rstrip()
    if not tail.endswith(b"]"):
        raise refused(file, "its list does not end", "export the file again; it is truncated")
    return max(0, len(data) - 64) + len(tail) - 1


def _last_gaps(piece: bytes) -> list[re.Match[bytes]]:
    """Up to 20 places near the end of a piece that look like the end of a row and the start of another."""
    near = list(_BETWEEN_ROWS.finditer(piece, max(0, len(piece) - 10_000)))
    return (near or list(_BETWEEN_ROWS.finditer(piece, max(0, len(piece) - 100_000))))[-20:]


def _either(text: bytes, typed: Callable[[bytes], _Typed | None]) -> list[Any] | _Typed:
    with collector_paused():
        rows = typed(text)
    return decoded(text) if rows is None else rows


def decoded(text: bytes) -> list[Any]:
    """The rows of a list; a row with a repeated key is `Broken`.

    Raises: msgspec.DecodeError, ValueError, RecursionError.
    """
    with collector_paused():
        rows: list[Any] = _ANY.decode(text)
    n_keys = text.count(b'":')
    with suppress(TypeError):  # a value without a length is not a row; the caller reports it
        if sum(map(len, rows)) == n_keys:
            return rows
    if sum(map(_n_keys, rows)) == n_keys:
        return rows
    return [_checked(row) for row in _strict(text)]


def strictly(file: Path, text: bytes) -> Any:
    """A text decoded by the strict reader; what cannot be held is `Broken`. Raises: LabelFileUnreadable."""
    try:
        return _strict(text)
    except UnicodeDecodeError:
        raise refused(file, "it is not UTF-8 text", "save it again as UTF-8") from None
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        detail = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise refused(file, detail, "export the file again; it is broken as a whole") from None


def _strict(text: bytes) -> Any:
    return json.loads(
        text.decode("utf-8"),
        parse_constant=lambda name: Broken(f"it holds {name}, which is not a JSON number"),
        parse_float=_float,
        parse_int=_int,
        object_pairs_hook=_unique_keys,
    )


def _checked(row: Any) -> Any:
    """The row, or `Broken` where any part of it is or holds what cannot be stored."""
    problem = value_problem(row)
    return Broken(problem) if problem else row


def _float(text: str) -> float | Broken:
    number = float(text)
    return number if math.isfinite(number) else Broken(f"it holds {text[:40]}, a number beyond a float")


def _int(text: str) -> int | Broken:
    return int(text) if len(text) <= _DIGITS else Broken(f"it holds a number of {len(text):,} digits")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Broken:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    repeated = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
    return Broken(f"the key {shown(repeated)} occurs twice in one object")


def _n_keys(row: Any) -> int:
    """How many keys a row has, with those of objects directly in it."""
    if type(row) is not dict:
        return 0
    nested = [value for value in row.values() if type(value) is dict]
    return len(row) + sum(map(len, nested)) if nested else len(row)
