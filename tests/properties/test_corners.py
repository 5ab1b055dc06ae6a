"""Rotated boxes and ellipses keep their facts on the way to corners and back, and through linear maps."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from calotype.vision import corners, polygons
from calotype.vision.corners import Rectangle

CALM = settings(deadline=None)
NUMBER = st.floats(-2_000, 2_000)
SIDE = st.floats(0.5, 2_000)
RECTANGLES = st.builds(Rectangle, NUMBER, NUMBER, SIDE, SIDE, st.floats(-179.99, 180))
FACTOR = st.floats(-3, 3)
MAPS = st.tuples(FACTOR, FACTOR, FACTOR, FACTOR).filter(lambda m: abs(m[0] * m[3] - m[1] * m[2]) > 0.05)
POINTS = st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=12)


def mapped(ring, m):
    return (np.reshape(ring, (-1, 2)) @ np.array([[m[0], m[2]], [m[1], m[3]]])).ravel().tolist()


def contains(box, points, slack):
    rectangle = corners.rectangle_of(box)
    angle = math.radians(rectangle.angle_deg)
    u, v = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    off = np.reshape(points, (-1, 2)) - (rectangle.cx_px, rectangle.cy_px)
    return (abs(off @ u) <= rectangle.w_px / 2 + slack).all() and (
        abs(off @ v) <= rectangle.h_px / 2 + slack
    ).all()


@CALM
@given(RECTANGLES)
def test_a_rectangle_comes_back_from_its_corners(rectangle):
    ring = corners.corners_of(rectangle)
    back = corners.rectangle_of(ring)
    assert back.cx_px == pytest.approx(rectangle.cx_px, abs=1e-9)
    assert back.cy_px == pytest.approx(rectangle.cy_px, abs=1e-9)
    assert (back.w_px, back.h_px) == pytest.approx((rectangle.w_px, rectangle.h_px), rel=1e-9, abs=1e-9)
    turn = (back.angle_deg - rectangle.angle_deg + 180) % 360 - 180
    assert abs(turn) < 1e-6 and -180 < back.angle_deg <= 180
    assert corners.rectangle_gap_px(ring) < 1e-6
    assert corners.clockwise(ring) == ring
    assert corners.area_of("rotated_box", [ring]) == pytest.approx(rectangle.w_px * rectangle.h_px, rel=1e-6)


def test_an_unturned_rectangle_begins_top_left_and_runs_clockwise():
    assert corners.corners_of(Rectangle(3, 2, 4, 2, 0)) == (1, 1, 5, 1, 5, 3, 1, 3)
    turned = corners.corners_of(Rectangle(3, 2, 4, 2, 30))
    assert turned[3] > turned[1]  # clockwise: the second corner sinks below the first


@CALM
@given(RECTANGLES, MAPS)
@example(Rectangle(0, 0, 1, 2, 0), (3.0, 1e-5, 1e-5, -2.0))
def test_a_mapped_rectangle_is_a_clockwise_rectangle_around_its_corners(rectangle, m):
    after = mapped(corners.corners_of(rectangle), m)
    fitted = corners.fitted_rectangle(after)
    size = max(map(abs, after)) + 1
    assert corners.rectangle_gap_px(fitted) < 3e-6 * size  # 1e-6 of the longest side, at most 2.83 * size
    assert contains(fitted, after, 1e-5 * size)
    parallelogram = abs(m[0] * m[3] - m[1] * m[2]) * rectangle.w_px * rectangle.h_px
    area = polygons.ring_area(fitted)
    assert parallelogram * (1 - 1e-4) - 1e-3 <= area <= 2 * parallelogram * (1 + 1e-4) + 1e-3


@CALM
@given(RECTANGLES, st.floats(-180, 180), st.floats(0.2, 5), st.booleans())
def test_a_similarity_keeps_a_rotated_box_as_it_is(rectangle, degrees, scale, mirror):
    cos, sin = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    m = (-cos, -sin, -sin, cos) if mirror else (cos, -sin, sin, cos)
    fitted = corners.rectangle_of(corners.fitted_rectangle(mapped(corners.corners_of(rectangle), m)))
    assert (fitted.w_px, fitted.h_px) == pytest.approx(
        (scale * rectangle.w_px, scale * rectangle.h_px), rel=1e-5, abs=1e-5
    )


@CALM
@given(RECTANGLES, MAPS)
def test_a_mapped_ellipse_is_the_ellipse_through_its_mapped_points(rectangle, m):
    assume(max(rectangle.w_px, rectangle.h_px) < 200 * min(rectangle.w_px, rectangle.h_px))
    ring = corners.corners_of(rectangle)
    fitted = corners.fitted_ellipse(mapped(ring, m))
    assert corners.rectangle_gap_px(fitted) < 1e-5 * (max(map(abs, fitted)) + 1)
    after = np.reshape(mapped(corners.ellipse_outline(ring, 40), m), (-1, 2))
    box = corners.rectangle_of(fitted)
    angle = math.radians(box.angle_deg)
    off = after - (box.cx_px, box.cy_px)
    along = off @ (math.cos(angle), math.sin(angle)) / (box.w_px / 2)
    aside = off @ (-math.sin(angle), math.cos(angle)) / (box.h_px / 2)
    assert along**2 + aside**2 == pytest.approx(np.ones(40), abs=1e-3)
    det = abs(m[0] * m[3] - m[1] * m[2])
    assert corners.area_of("ellipse", [fitted]) == pytest.approx(
        det * corners.area_of("ellipse", [ring]), rel=1e-4, abs=1e-4
    )


@CALM
@given(RECTANGLES)
def test_the_bounds_of_an_ellipse_are_those_of_its_outline(rectangle):
    ring = corners.corners_of(rectangle)
    x, y, w, h = corners.bounds_of("ellipse", [ring])
    fine = np.reshape(corners.ellipse_outline(ring, 2_000), (-1, 2))
    size = max(rectangle.w_px, rectangle.h_px)
    assert fine.min(axis=0) == pytest.approx((x, y), abs=1e-4 * size)
    assert fine.max(axis=0) == pytest.approx((x + w, y + h), abs=1e-4 * size)
    assert (fine.min(axis=0) >= np.array((x, y)) - 1e-6 * size).all()
    usual = polygons.ring_area(corners.ellipse_outline(ring))
    assert usual == pytest.approx(math.pi / 4 * rectangle.w_px * rectangle.h_px, rel=2e-3)


@CALM
@given(POINTS, st.floats(0, 90))
def test_no_turned_rectangle_around_points_is_smaller(points, degrees):
    best = corners.smallest_rectangle(points)
    size = float(np.abs(points).max()) + 1
    assert contains(best, points, 1e-6 * size)
    other = corners.rectangle_around(points, like=corners.corners_of(Rectangle(0, 0, 2, 1, degrees)))
    assert contains(other, points, 1e-6 * size)
    areas = [polygons.ring_area(ring) for ring in (best, other)]
    assert areas[0] <= areas[1] + 1e-6 * size**2


def test_corners_that_are_no_rectangle_have_a_gap():
    assert corners.rectangle_gap_px((0, 0, 4, 0, 5, 2, 1, 2)) > 0.4  # a parallelogram
    assert corners.rectangle_gap_px((0, 0, 0, 2, 4, 2, 4, 0)) > 1  # counter-clockwise
    assert corners.rectangle_gap_px((0, 0, 4, 0, 4, math.nan, 0, 2)) == math.inf
    assert corners.clockwise((0, 0, 0, 2, 4, 2, 4, 0)) == (0, 2, 0, 0, 4, 0, 4, 2)


LINE = st.lists(st.tuples(st.integers(-8, 18), st.integers(-8, 18)), min_size=2, max_size=8)


@CALM
@given(LINE)
def test_a_clipped_line_is_what_lies_inside(points):
    line = [float(value) for point in points for value in point]
    window = (0.0, 0.0, 10.0, 10.0)
    parts = polygons.clip_lines([line], xyxy_px=window)
    for part in parts:
        assert len(part) >= 4
        assert all(-1e-9 <= value <= 10 + 1e-9 for value in part)
    n = 400  # the judge: short pieces of each side, counted where their middle lies inside
    inside = 0.0
    for (x, y), (u, v) in pairwise(points):
        t = (np.arange(n) + 0.5) / n
        middles = np.stack([x + t * (u - x), y + t * (v - y)])
        inside += float(((middles >= 0) & (middles <= 10)).all(axis=0).mean()) * math.hypot(u - x, v - y)
    assert polygons.lines_length(parts) == pytest.approx(inside, abs=0.15 * len(points))


def test_a_line_that_comes_back_is_two_and_one_that_stays_is_itself():
    window = (0.0, 0.0, 10.0, 10.0)
    assert polygons.clip_lines([(1, 1, 5, 1, 5, 9)], xyxy_px=window) == ((1, 1, 5, 1, 5, 9),)
    assert polygons.clip_lines([(1, 1, 1, 20, 9, 20, 9, 1)], xyxy_px=window) == ((1, 1, 1, 10), (9, 10, 9, 1))
    assert polygons.clip_lines([(-5, -5, -1, 20)], xyxy_px=window) == ()
    assert polygons.lines_length([(0, 0, 3, 4), (0, 0, 0, 2)]) == 7


@CALM
@given(RECTANGLES, RECTANGLES)
def test_the_overlap_of_outlines_is_that_of_points_inside_them(first, second):
    pair = [
        Rectangle(r.cx_px / 90, r.cy_px / 90, 8 + r.w_px / 60, 8 + r.h_px / 60, r.angle_deg)
        for r in (first, second)
    ]
    rings = [corners.corners_of(r) for r in pair]
    low, high = (edge(rings[0] + rings[1]) for edge in (min, max))
    steps = np.linspace(low, high, 300)
    points = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    a, b = (inside_of(r, points) for r in pair)
    iou, inside = corners.overlaps(*rings)
    assert iou == pytest.approx((a & b).sum() / (a | b).sum(), abs=0.05)
    assert inside == pytest.approx((a & b).sum() / min(a.sum(), b.sum()), abs=0.07)
    assert corners.overlaps(*rings[::-1]) == pytest.approx((iou, inside), abs=1e-9)


def inside_of(rectangle, points):
    angle = math.radians(rectangle.angle_deg)
    off = points - (rectangle.cx_px, rectangle.cy_px)
    along = abs(off @ (math.cos(angle), math.sin(angle))) <= rectangle.w_px / 2
    return along & (abs(off @ (-math.sin(angle), math.cos(angle))) <= rectangle.h_px / 2)


@pytest.mark.parametrize(
    ("shift", "iou"), [((0, 0), 1.0), ((5, 0), 1 / 3), ((0, 4), 3 / 7), ((10, 0), 0.0), ((30, 0), 0.0)]
)
def test_the_overlap_of_shifted_boxes_is_exact(shift, iou):
    other = corners.corners_of(Rectangle(shift[0], shift[1], 10, 10, 90))
    first = corners.corners_of(Rectangle(0, 0, 10, 10, 0))
    assert corners.overlaps(first, other)[0] == pytest.approx(iou)
