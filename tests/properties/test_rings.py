"""Rings judged all at once in arrays are judged as each alone; a plain loop over sides is the judge."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotype.datasets.annotation_columns import outlines_of
from calotype.vision import polygons, ring_arrays
from calotype.vision.ring_arrays import RingArrays

GRID = st.integers(0, 4).map(float)
ANY = GRID | st.floats(-50, 700, width=32) | st.sampled_from([math.nan, math.inf])
SQUARE = (0, 0, 4, 0, 4, 4, 0, 4)
BOW_TIE = (0, 0, 4, 4, 4, 0, 0, 4)
FIGURE_EIGHT = (2, 2, 0, 0, 0, 4, 2, 2, 4, 0, 4, 4)
"""Two triangles that share a corner: the ring touches itself there, no two sides cross."""


def rings_of(number):
    return st.lists(st.lists(number, max_size=17), max_size=6)


def arrays_of(rings):
    starts = np.append(0, np.cumsum([len(ring) for ring in rings], dtype=np.int64))
    return RingArrays(np.asarray([value for ring in rings for value in ring], np.float64), starts)


def read(*shapes):
    """The judgement of polygons whose annotations stand in rows 10, 11, ..."""
    column = pa.array(
        [[list(map(float, ring)) for ring in rings] for rings in shapes], pa.list_(pa.list_(pa.float64()))
    )
    return outlines_of("polygon", np.arange(10, 10 + len(shapes)), column)


def sides_cross(ring):
    """Whether two sides that do not join cross, side by side in Python."""
    points = list(zip(ring[::2], ring[1::2], strict=True))
    sides = list(zip(points, points[1:] + points[:1], strict=True))
    for i, j in combinations(range(len(sides)), 2):
        if j - i in (1, len(sides) - 1):
            continue
        (p, p_end), (q, q_end) = sides[i], sides[j]
        r, s = (p_end[0] - p[0], p_end[1] - p[1]), (q_end[0] - q[0], q_end[1] - q[1])
        across, gap = r[0] * s[1] - r[1] * s[0], (q[0] - p[0], q[1] - p[1])
        if across:
            t, u = (gap[0] * s[1] - gap[1] * s[0]) / across, (gap[0] * r[1] - gap[1] * r[0]) / across
            if 0 < t < 1 and 0 < u < 1:
                return True
    return False


@given(rings_of(ANY))
def test_problems_are_those_of_each_ring_alone(rings):
    arrays = arrays_of(rings)
    assert arrays.are_unusable.tolist() == [polygons.ring_problem(ring) is not None for ring in rings]
    assert [value for k in range(len(rings)) for value in arrays.ring(k)] == pytest.approx(
        [value for ring in rings for value in ring], nan_ok=True
    )


@given(rings_of(GRID) | rings_of(st.floats(0, 640, width=32)))
def test_areas_and_bounds_are_those_of_each_ring_alone(rings):
    rings = [ring[: len(ring) // 2 * 2] for ring in rings]
    arrays = arrays_of(rings)
    areas = [polygons.ring_area(ring) if ring else 0 for ring in rings]
    assert arrays.areas_px2.tolist() == pytest.approx(areas, rel=1e-9, abs=1e-9)
    assert (arrays.areas_px2 == 0).tolist() == [area == 0 for area in areas]
    for bounds, ring in zip(arrays.bounds_xyxy.tolist(), rings, strict=True):
        x, y, w, h = polygons.rings_bbox_xywh([ring]) if ring else [math.nan] * 4
        assert bounds == pytest.approx([x, y, x + w, y + h], nan_ok=True)


@given(rings_of(GRID) | rings_of(st.floats(0, 640, width=16)))
def test_rings_that_cross_themselves_are_those_whose_sides_cross(rings):
    rings = [ring[: len(ring) // 2 * 2] for ring in rings]
    crossing = arrays_of(rings).cross_themselves()
    assert crossing.tolist() == [len(ring) >= 8 and sides_cross(ring) for ring in rings]
    assert crossing.tolist() == [polygons.crosses_itself(ring) for ring in rings]


@pytest.mark.parametrize("at_once", [1, 8, 100])
def test_rings_are_compared_in_blocks_of_any_size(monkeypatch, at_once):
    monkeypatch.setattr(ring_arrays, "_POINTS_AT_ONCE", at_once)
    rings = [SQUARE, BOW_TIE, (0, 0, 1, 1), FIGURE_EIGHT, SQUARE, BOW_TIE]
    assert arrays_of(rings).cross_themselves().tolist() == [False, True, False, False, False, True]


def test_a_ring_of_many_sides():
    angle = np.linspace(0, 2 * np.pi, 700, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 100
    tangled = circle.copy()
    tangled[[40, 600]] = tangled[[600, 40]]
    rings = [circle.ravel().tolist(), tangled.ravel().tolist()]
    assert arrays_of(rings).cross_themselves().tolist() == [False, True]
    assert arrays_of(rings).cross_themselves(max_points=699).tolist() == [False, False]


def test_the_first_faulty_ring_of_a_polygon_is_named():
    judged = read([SQUARE], [SQUARE, BOW_TIE, (0, 0, 1, 1)], [(0, 0, 1, 1), BOW_TIE], [FIGURE_EIGHT], [])
    assert judged.rows.tolist() == [10, 11, 12, 13, 14]
    assert judged.invalid == {
        11: ("a ring of 4 points crosses itself", {"fault": "crosses-itself"}),
        12: ("a ring of the polygon is not valid: 2 points, a polygon needs 3", {"fault": "points"}),
    }


def test_a_polygon_without_area_is_explained():
    judged = read([SQUARE], [], [SQUARE, (1, 1, 2, 2, 1, 1)], [(0, 0, 0.1, 0.1, 0.3, 0.3)], [[]])
    assert judged.empty == {
        11: "the polygon has no ring",
        12: "a ring of the polygon has 2 distinct points, an area needs 3",
        13: "a ring of 3 points lies on one line and has no area",
        14: "a ring of the polygon has 0 distinct points, an area needs 3",
    }


def test_several_rings_are_parts_whose_bounds_are_joined():
    judged = read([(0, 0, 2, 0, 2, 2), (10, 5, 12, 5, 12, 9)], [SQUARE])
    assert judged.bounds_xyxy.tolist() == [[0, 0, 12, 9], [0, 0, 4, 4]]
    hole = read([SQUARE, (1, 1, 1, 3, 3, 3, 3, 1)])
    assert not hole.invalid and not hole.empty
