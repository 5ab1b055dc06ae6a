"""Large JSON files that are broken as a whole are refused in little memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from calotype.coco_format.json_rows import MAX_ROW_BYTES, JsonRows
from calotype.formats.base import LabelFileUnreadable

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
        (b'{"images": [], "info": "', b"a", b'"}', "beside its lists"),
        (b'{"images": [], "x":1', b',"y":1', b"}", "beside its lists"),
        (b'{"images": [{"id": "', b"a", b'"}]}', "a row of more than"),
        (b"[1", b",1", b"]", "a row of more than"),
        (b'{"images": [], "images": ["', b"a", b'"]}', "occurs twice"),
    ],
    ids=["letters", "zeros", "text", "value", "keys", "row", "numbers", "twice"],
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


def test_a_file_with_a_million_keys_beside_its_lists(tmp_path):
    file = tmp_path / "labels.json"
    file.write_text('{"images": [], ' + ",".join(f'"{number}":1' for number in range(1_000_100)) + "}")
    with pytest.raises(LabelFileUnreadable, match="beside its lists"):
        opened(file)


def test_a_large_file_with_keys_of_its_own_is_read(tmp_path):
    file = tmp_path / "labels.json"
    row = '{"id": 1, "file_name": "a.png"}'
    rows = ",".join([row] * 60_000)
    file.write_text(f'{{"x": {{"y": [1, 2]}}, "images": [{rows}], "z": 3, "annotations": []}}')
    read = JsonRows(file)
    assert read.keys == ["x", "images", "z", "annotations"]
    assert (read.value("x"), read.value("z")) == ({"y": [1, 2]}, 3)
    assert sum(map(len, read.rows("images"))) == 60_000
