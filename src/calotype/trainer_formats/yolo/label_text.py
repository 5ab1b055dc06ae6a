"""The text of label files as numbers in columns: many files at once, and no object for a row.

Text that holds anything but plain numbers is taken apart line by line first; a line that cannot be numbers becomes a
problem and an empty line, so that both ways number lines alike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.formats.passthrough import shown
from calotype.formats.windows import Problem

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_PLAIN = b"0123456789. \t\r\n-+"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NEARLY_NUMBER = re.compile(r"[+-]?(?:[\d.,_eE+-]*\d[\d.,_eE+-]*|nan|inf|infinity)", re.IGNORECASE)
_AT_ONCE = 8_000_000
"""Bytes of text that are parsed together."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of many files.

    Attributes:
        values: (V,) all numbers, row after row.
        starts: (R + 1,) where the numbers of each row start.
        files: (R,) index of the file of each row, ascending.
        lines: (R,) line of each row in its file, from 1.
    """

    values: Floats
    starts: Ints
    files: npt.NDArray[np.int32]
    lines: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.files)

    def row(self, at: int) -> list[float]:
        """The numbers of one row."""
        values: list[float] = self.values[self.starts[at] : self.starts[at + 1]].tolist()
        return values


class TextCollector:
    """Collects files and gives their rows at the end. `not_labels` has the files that hold no row at all."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems
        self._waiting: list[tuple[int, str, bytes]] = []
        self._n_waiting = 0
        self._parts: list[Rows] = []
        self.not_labels: list[int] = []

    def add(self, file: int, name: str, data: bytes) -> None:
        """The bytes of a file. Raises: UnicodeDecodeError (also for a NUL)."""
        if data.startswith(b"\xef\xbb\xbf"):
            data = data[3:]
        if data.translate(None, _PLAIN):
            if b"\0" in data:
                raise UnicodeDecodeError("utf-8", data, data.index(b"\0"), data.index(b"\0") + 1, "NUL")
            self._add_judged(file, name, data.decode())
            return
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._waiting.append((file, name, data))
        self._n_waiting += len(data)
        if self._n_waiting >= _AT_ONCE:
            self._flush()

    def rows(self) -> Rows:
        """All rows, in the order of the files."""
        self._flush()
        parts = self._parts
        values = np.concatenate([part.values for part in parts]) if parts else np.empty(0)
        lengths = np.concatenate([np.diff(part.starts) for part in parts]) if parts else np.empty(0, np.int64)
        files = np.concatenate([part.files for part in parts]) if parts else np.empty(0, np.int32)
        lines = np.concatenate([part.lines for part in parts]) if parts else np.empty(0, np.int32)
        rows = Rows(values, _starts(lengths), files, lines)
        return rows if np.all(files[1:] >= files[:-1]) else _sorted(rows)

    def _flush(self) -> None:
        """Parse what waits. Where a plain text is not a list of numbers (`1-2`, `.`), each file is parsed by itself."""
        waiting, self._waiting, self._n_waiting = self._waiting, [], 0
        if not waiting:
            return
        parsed = _parsed([(file, data) for file, _, data in waiting], is_plain=True)
        if parsed is not None:
            self._parts.append(parsed)
        elif len(waiting) > 1:
            half = len(waiting) // 2
            for part in (waiting[:half], waiting[half:]):
                self._waiting = part
                self._flush()
        else:
            file, name, data = waiting[0]
            self._add_judged(file, name, data.decode())

    def _add_judged(self, file: int, name: str, text: str) -> None:
        judged = list(_judged(text))
        if judged and not any(fields and _is_row(fields) for fields, _ in judged):
            self.not_labels.append(file)
            return
        kept = []
        for line, (fields, reason) in enumerate(judged, start=1):
            kept.append("" if reason else " ".join(fields))
            if reason:
                self._problems.append(Problem("invalid", "annotation", f"{name}:{line}", reason))
        parsed = _parsed([(file, "\n".join(kept).encode())], is_plain=False)
        if parsed is not None:
            self._parts.append(parsed)


def _judged(text: str) -> Iterator[tuple[list[str], str]]:
    """The fields of each line, and why they are not all numbers."""
    for line in text.splitlines():
        fields = line.split()
        reason = ""
        for field in fields:
            if _NUMBER.fullmatch(field):
                if math.isfinite(float(field)):
                    continue
                reason = "it has a number that is not finite"
            elif field.lower().lstrip("+-") in ("nan", "inf", "infinity"):
                reason = "it has a number that is not finite"
            else:
                reason = f"it has a field that is not a number: {shown(line.strip())}"
            break
        yield fields, reason


def _is_row(fields: Sequence[str]) -> bool:
    """Whether a line was meant as a row: numbers, or mostly numbers."""
    numbers = sum(_NEARLY_NUMBER.fullmatch(field) is not None for field in fields)
    return numbers * 2 >= len(fields) and numbers > 0


def _parsed(files: Sequence[tuple[int, bytes]], *, is_plain: bool) -> Rows | None:
    """The rows of texts of numbers; None where they are something else."""
    data = b"\n".join(text for _, text in files) + b"\n"
    buffer = np.frombuffer(data, np.uint8)
    is_field = buffer > 32
    begins = is_field.copy()
    begins[1:] &= ~is_field[:-1]
    at = np.flatnonzero(begins)
    if is_plain and not _has_plain_fields(buffer, begins):
        return None
    values = np.fromstring(data, np.float64, sep=" ") if len(at) else np.empty(0)
    if len(values) != len(at):
        return None
    ends = np.flatnonzero(buffer == 10)
    line = np.searchsorted(ends, at)
    first = np.flatnonzero(np.diff(line, prepend=-1))
    n_lines = np.array([text.count(b"\n") + 1 for _, text in files])
    before = np.append(0, np.cumsum(n_lines))
    line = line[first]
    file = np.searchsorted(before, line, side="right") - 1
    numbers = np.array([number for number, _ in files], np.int32)
    return Rows(
        values,
        np.append(first, len(values)),
        numbers[file],
        (line - before[file] + 1).astype(np.int32),
    )


def _has_plain_fields(buffer: npt.NDArray[np.uint8], begins: npt.NDArray[np.bool_]) -> bool:
    """Whether each field is one number: a sign at its start at most, one point at most, a digit at least."""
    is_digit = (buffer >= 48) & (buffer <= 57)
    signs = np.flatnonzero((buffer == 43) | (buffer == 45))
    points = np.flatnonzero(buffer == 46)
    if not begins[signs].all() or not (is_digit[signs + 1] | (buffer[signs + 1] == 46)).all():
        return False
    if not (
        is_digit[points + 1] | is_digit[points - 1]
    ).all():  # the text ends with a line end, so + 1 is inside
        return False
    field = np.cumsum(begins, dtype=np.int32)[points]
    return not (field[1:] == field[:-1]).any()


def _starts(lengths: Ints) -> Ints:
    return np.append(0, np.cumsum(lengths)).astype(np.int64)


def _sorted(rows: Rows) -> Rows:
    """The rows in the order of their files: those of files with odd text were parsed before the others."""
    order = np.lexsort((rows.lines, rows.files))
    lengths = np.diff(rows.starts)[order]
    starts = _starts(lengths)
    place = np.arange(len(rows.values)) + np.repeat(rows.starts[:-1][order] - starts[:-1], lengths)
    return Rows(rows.values[place], starts, rows.files[order], rows.lines[order])
