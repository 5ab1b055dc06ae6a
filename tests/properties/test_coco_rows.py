"""Rows of COCO that are decoded by their types give the same windows as rows that are decoded one by one."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.coco_format import windows as coco_windows
from calotype.coco_format.ids import Ids
from calotype.coco_format.json_rows import decoded
from calotype.coco_format.typed_rows import typed_annotations
from calotype.formats.notices import Notices
from calotype.formats.windows import LabelIndex, Window

few = settings(deadline=None, max_examples=80)
INDEX = LabelIndex(
    "a.json", np.array([1, 2, 4]), np.array([640, 0, 64]), np.array([480, 0, 48]), {1: "car", 7: "tree"}
)
numbers = st.one_of(
    st.integers(-3, 700),
    st.floats(-3, 700).map(lambda number: round(number, 2)),
    st.sampled_from([0, -0.0, 1e-320, 2**53 + 1, 2**63, 10**25, 1e8, 1e299, 1e305]),
)
whole = st.sampled_from([1, 2, 3, 4, 7, 0, -1, 2**63, -(2**63), 2**63 - 1, 2**70])
rings = st.lists(st.one_of(*(st.lists(numbers, min_size=n, max_size=n) for n in (6, 8))), max_size=2)
usual = {
    "id": whole,
    "image_id": whole,
    "category_id": whole,
    "bbox": st.lists(numbers, min_size=4, max_size=4),
    "area": numbers,
    "iscrowd": st.one_of(st.integers(0, 1), st.booleans()),
    "score": numbers,
    "segmentation": rings,
}
odd: st.SearchStrategy[Any] = st.sampled_from([None, "1", 1.0, True, [], {}, [1, 2], [[]], {"counts": "1"}])


@st.composite
def lists_of_rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    required = ["image_id", "category_id", "bbox"]
    optional = st.lists(st.sampled_from(sorted(usual.keys() - set(required))), unique=True)
    keys = draw(st.permutations([*required, *draw(optional)]))
    return draw(st.lists(st.fixed_dictionaries({key: usual[key] for key in keys}), min_size=1, max_size=5))


def by_mappings(text: bytes) -> Window:
    reading = coco_windows.RowReading(Ids(), Notices())
    return coco_windows._window(decoded(text), 3, INDEX, reading)


def check_same(text: bytes) -> bool:
    """Check that both ways give one window; False where the text is not for the typed decoder."""
    typed = typed_annotations(text)
    if typed is None:
        return False
    found, expected = coco_windows._typed_window(typed, 3, INDEX), by_mappings(text)
    assert found.problems == expected.problems
    assert found.image.tolist() == expected.image.tolist()
    assert found.category.tolist() == expected.category.tolist()
    assert found.source_id.equals(expected.source_id)
    assert found.columns.keys() == expected.columns.keys()
    for name, column in expected.columns.items():
        assert str(found.columns[name].to_pylist()) == str(column.to_pylist())  # also -0.0
        assert found.columns[name].type == column.type
    return True


@few
@given(lists_of_rows())
def test_rows_of_usual_types(rows):
    assert check_same(json.dumps(rows).encode())


@few
@given(lists_of_rows(), st.data())
def test_rows_of_which_one_has_an_odd_value(rows, data):
    row = data.draw(st.sampled_from(rows))
    row[data.draw(st.sampled_from([*usual, "lens"]))] = data.draw(odd)
    check_same(json.dumps(rows).encode())


BOX = '{"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]'


@pytest.mark.parametrize(
    "rows",
    [
        f'{BOX}, "id": 1, "id": 2}}',
        f'{BOX}, "id": 1, "id" : 2}}',
        f'{BOX}, "id": 1, "\\u0069d": 2}}',
        f'{BOX}}}, {BOX}, "area": 3}}',
        f'{BOX}, "area": 3}}, {BOX}}}',
        f'{BOX}, "segmentation": []}}, {BOX}, "segmentation": {{"size": [1, 1], "counts": [1]}}}}',
        f'{BOX}, "segmentation": [[1, 2, 3]]}}',
        f'{BOX}, "lens": {{"image_id": 1}}}}',
        f"{BOX}}}, null",
        "",
    ],
)
def test_rows_that_are_not_for_the_typed_decoder(rows):
    assert typed_annotations(f"[{rows}]".encode()) is None


def test_spaces_and_rings_beside_boxes():
    text = f'[ {BOX}, "segmentation" : []}},\n{BOX}, "segmentation":[[1,2,3,4,5,6]] }} ]'
    assert check_same(text.encode())
    assert check_same(re.sub(" ", "", text).encode())
