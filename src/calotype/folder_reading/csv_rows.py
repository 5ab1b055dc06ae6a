"""Rows of a CSV text; a broken row costs itself only."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator


def csv_rows(
    file: str, text: str, refuse: Callable[[str, str], None], *, delimiter: str = ","
) -> Iterator[tuple[str, dict[str, str]]]:
    """The place of each row, and its cells by the columns of the first row.

    Args:
        refuse: Called with the place of a row that cannot be used, and the reason.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    head: list[str] = []
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            refuse(f"{file}:{rows.line_num}", f"its row is broken: {error}")
            continue
        where = f"{file}:{rows.line_num}"
        if not head:
            head = cells
        elif len(cells) == len(head):
            yield where, dict(zip(head, cells, strict=True))
        elif cells:
            refuse(where, f"it has {len(cells)} cells, the head of the file {len(head)}")
