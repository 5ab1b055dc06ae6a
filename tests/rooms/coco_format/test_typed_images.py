"""Images that are decoded by the types of their keys are those that the reader of any row gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calotype.coco_format import reading
from calotype.coco_format.json_rows import JsonRows
from calotype.coco_format.typed_images import typed_images
from calotype.formats.image_tree import ImageTree

PLAIN = {"id": 1, "file_name": "a/b-1.jpg", "width": 640, "height": 480}
LICENCES = [{"id": 1, "name": "CC BY 4.0"}, {"id": "x", "name": "own"}]


def columns(folder: Path, images: str) -> tuple[Any, ...]:
    """Everything that is read of the images of a file."""
    file = folder / "instances_train.json"
    file.write_text(f'{{"images": {images}, "categories": [], "licenses": {json.dumps(LICENCES)}}}')
    source = reading.CocoFile(file, JsonRows(file), ImageTree(folder))
    images_read, index = source.images, source.index
    assert index is not None
    texts = ("names", "licences", "splits", "tags", "metadata", "extras")
    return (
        images_read.ids.tolist(),
        images_read.widths.tolist(),
        images_read.heights.tolist(),
        *(getattr(images_read, name).to_pylist() for name in texts),
        [images_read.place(at) for at in range(len(images_read))],
        (index.image_ids.tolist(), index.widths.tolist(), index.heights.tolist()),
        source.problems,
        source.notices.listed(),
    )


@pytest.mark.parametrize(
    ("rows", "is_typed"),
    [
        ([PLAIN, {**PLAIN, "id": 7, "file_name": "ü (2).png"}], True),
        ([{**PLAIN, "license": 1, "date_captured": "2013", "coco_url": "http://x/\u20ac", "b": True}], True),
        ([{**PLAIN, "license": "x"}, {**PLAIN, "id": 2, "license": "y"}], True),
        ([{"id": 3, "file_name": "b.jpg"}], True),
        ([{**PLAIN, "width": 0}, {**PLAIN, "id": 2, "height": 10**8}, {**PLAIN, "id": -3}], True),
        ([{**PLAIN, "frame": 2**63 - 1, "late": False}], True),
        ([{**PLAIN, "frame": 2**63}], False),
        ([PLAIN, {**PLAIN, "id": 2, "lens": "wide"}], False),
        ([{**PLAIN, "title": 'a "b"'}], False),
        ([{**PLAIN, "frame": 2**70}], False),
        ([{**PLAIN, "Lens": "wide"}], False),
        ([{**PLAIN, "lens": 1.5}], False),
        ([{**PLAIN, "lens": None}], False),
        ([{**PLAIN, "id": "1"}], False),
        ([{**PLAIN, "id": 2**63}, PLAIN], False),
        ([PLAIN, {**PLAIN, "id": True}], False),
        ([{**PLAIN, "width": 640.0}], False),
        *(
            [[{**PLAIN, "file_name": name}], False]
            for name in ("/a.jpg", "../a.jpg", "c:a.jpg", "a//b", "", ".")
        ),
        *(
            [[{**PLAIN, "file_name": name}], False]
            for name in ("a\\b.jpg", "a\0.jpg", "a/./b.jpg", "x" * 5_000)
        ),
    ],
)
def test_both_ways_give_the_same(tmp_path, monkeypatch, rows, is_typed):
    text = json.dumps(rows)
    assert (typed_images(text.encode()) is not None) == is_typed
    found = columns(tmp_path, text)
    monkeypatch.setattr(reading, "typed_images", lambda text: None)
    assert found == columns(tmp_path, text)


def test_a_key_that_occurs_twice(tmp_path):
    text = '[{"id": 1, "file_name": "a.jpg", "id" : 2}]'
    assert typed_images(text.encode()) is None
