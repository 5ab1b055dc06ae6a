"""Every kind of annotation is put as a table: with its box, without one, and as it was read."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from tests.support.kinds import LANE, PUPIL, SEEDS, SHIP, WORDS, make_kinds

from calotype.acquire.labels.model import RowsInvalid
from calotype.acquire.labels.put_annotations import put_annotations
from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.datasets.model import Kind
from calotype.vision.corners import corners_of

ELSEWHERE = "model:v1"


@pytest.fixture
def kinds(workspace, owner):
    make_kinds(owner, workspace)
    return workspace


def state(kinds, owner):
    return datasets.read(owner, "kinds", store=kinds)


def put(kinds, owner, *values):
    """Put rows of one sample without a box of their own."""
    sample_id = state(kinds, owner).ids()[0]
    names = sorted({name for value in values for name in value})
    columns = {name: [value.get(name) for value in values] for name in names}
    table = pa.table({"sample_id": [sample_id] * len(values), "class_id": [0] * len(values), **columns})
    put_annotations(owner, "kinds", table, store=kinds, label_set=ELSEWHERE, replace="samples")
    return state(kinds, owner).annotations_of([sample_id], ELSEWHERE)[sample_id]


def test_what_was_read_is_put_back_as_it_was(kinds, owner):
    before = state(kinds, owner).annotations()
    put_annotations(owner, "kinds", before, store=kinds)
    after = state(kinds, owner).annotations()
    same = [name for name in rows.ANNOTATION_SCHEMA.names if name not in ("author", "created_at_us")]
    assert after.select(same).sort_by("ann_id").equals(before.select(same).sort_by("ann_id"))


def test_shapes_without_a_box_get_the_one_around_them_and_their_area(kinds, owner):
    put_rows = put(
        kinds,
        owner,
        {"kind": "rotated_box", "rings": [list(corners_of(SHIP))]},
        {"kind": "ellipse", "rings": [list(corners_of(PUPIL))]},
        {"kind": "polyline", "rings": [list(part) for part in LANE]},
        {"kind": "polyline", "rings": [[5.0, 9.0, 50.0, 9.0]]},
        {"kind": "point", "rings": [[7.0, 8.0]]},
        {"kind": "point", "rings": [list(SEEDS[0])]},
        {"kind": "caption", "attributes": f'{{"text":"{WORDS}"}}'},
        {"kind": "classification"},
    )
    of = {(a.kind, a.rings_px): a for a in put_rows}
    ship, pupil = of[Kind.ROTATED_BOX, (corners_of(SHIP),)], of[Kind.ELLIPSE, (corners_of(PUPIL),)]
    assert ship.area_px == pytest.approx(6_000)
    assert pupil.area_px == pytest.approx(math.pi / 4 * 130 * 70)
    assert pupil.bbox_xywh_px[2] < max(pupil.rings_px[0][0::2]) - min(pupil.rings_px[0][0::2])
    assert of[Kind.POLYLINE, LANE].bbox_xywh_px == (230, 240, 210, 90)
    assert of[Kind.POLYLINE, ((5, 9, 50, 9),)].bbox_xywh_px == (5, 9, 45, 0)
    assert of[Kind.POINT, ((7, 8),)].bbox_xywh_px == (7, 8, 0, 0)
    assert {a.area_px for a in put_rows if a.kind in (Kind.POINT, Kind.POLYLINE)} == {None}
    (caption,) = [a for a in put_rows if a.kind is Kind.CAPTION]
    assert (caption.attributes["text"], caption.bbox_xywh_px) == (WORDS, None)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"kind": "polyline", "rings": [[1.0, 2.0]]}, "two points or more"),
        ({"kind": "point", "rings": [[]]}, "one point or more|box"),
        ({"kind": "point"}, "box"),
        ({"kind": "caption"}, "caption without a text"),
        ({"kind": "rotated_box", "rings": [[0.0, 0.0, 9.0, 0.0, 9.0, 9.0]]}, "box|four corners"),
        ({"kind": "rotated_box", "rings": [[0.0, 0.0, 60.0, 0.0, 90.0, 60.0, 30.0, 60.0]]}, "rectangle"),
        ({"kind": "ellipse", "rings": [[0.0, 0.0, 0.0, 60.0, 60.0, 60.0, 60.0, 0.0]]}, "clockwise"),
        ({"kind": "polyline", "rings": [[1.0, 2.0, math.nan, 4.0]]}, "finite"),
        ({"kind": "box"}, "box"),
    ],
)
def test_shapes_that_are_none_are_refused_with_their_row(kinds, owner, row, said):
    with pytest.raises(RowsInvalid, match=said) as caught:
        put(kinds, owner, {"kind": "classification"}, row)
    assert "row 1" in str(caught.value)
    assert ELSEWHERE not in state(kinds, owner).label_sets
