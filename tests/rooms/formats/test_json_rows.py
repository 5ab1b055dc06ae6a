"""Large JSON files that are broken as a whole are refused in little memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from calotype.formats.base import LabelFileUnreadable
from calotype.formats.json_rows import MAX_ROW_BYTES, JsonRows

SIZE = MAX_ROW_BYTES + 8_000_000


def opened(file: Path) -> None:
    rows = JsonRows(file)
    rows.value("info")
    for _ in rows.rows("images"):
        pass


@pytest.mark.parametrize(
    ("start", "filling", "end", "detail"),
    [
        (b"", b"a", b"", "malformed"),
        (b"", b"\x00", b"", "malformed"),
        (b'"', b"a", b'"', "Expected"),
        (b'{"images": [], "info": "', b"a", b'"}', "`info` is larger"),
        (b'{"images": [{"id": "', b"a", b'"}]}', "a row of more than"),
        (b"[1", b",1", b"]", "a row of more than"),
        (b'{"images": [], "images": ["', b"a", b'"]}', "occurs twice"),
    ],
    ids=["letters", "zeros", "text", "value", "row", "numbers", "twice"],
)
def test_a_large_file_that_is_broken_as_a_whole(tmp_path, start, filling, end, detail):
    file = tmp_path / "labels.json"
    with file.open("wb") as out:
        out.write(start)
        for _ in range(SIZE // 1_000_000):
            out.write(filling * (1_000_000 // len(filling)))
        out.write(end)
    tracemalloc.start()
    try:
        with pytest.raises(LabelFileUnreadable, match=detail):
            opened(file)
        assert tracemalloc.get_traced_memory()[1] < 5 * MAX_ROW_BYTES
    finally:
        tracemalloc.stop()
