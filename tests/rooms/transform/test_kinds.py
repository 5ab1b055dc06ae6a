"""Every kind follows the pixels through a recipe; pixels that were filled before are the judge."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.kinds import PUPIL, SHIP, SIZE_WH, WORDS, every_kind, make_kinds

from calotype.datasets import service as datasets
from calotype.datasets.model import CORNERED, Kind
from calotype.transform import service as transform
from calotype.transform.recipe import parse
from calotype.transform.recipe_apply import apply_recipe
from calotype.vision import corners, polygons
from calotype.vision.corners import Rectangle, corners_of, rectangle_of

FLIP = {"flip": {"axis": "horizontal"}}
TURN = {"rotate": {"degrees": 25, "expand": True}}
SQUEEZE = {"resize": {"width": 320, "height": 480}}
CROP = {"crop": {"x": 100, "y": 60, "w": 480, "h": 300}}
UPSIDE = {"flip": {"axis": "vertical"}}


def filled(kind, rings, size_wh=SIZE_WH):
    """The pixels of a shape; lines and points as small squares around their points."""
    if kind in (Kind.POLYLINE, Kind.POINT):
        dots = [corners_of(Rectangle(x, y, 8, 8, 0)) for ring in rings for x, y in np.reshape(ring, (-1, 2))]
        return polygons.rasterise(dots, size_hw=size_wh[::-1])
    return polygons.rasterise(corners.outline_rings(kind, rings), size_hw=size_wh[::-1])


def warped(steps, annotation, *, fill=None):
    """The pixels of the annotation after a recipe, and the annotation after it (None: dropped)."""
    image = filled(annotation.kind, annotation.rings_px) if fill is None else fill
    rgb = np.repeat(image[:, :, None] * np.uint8(255), 3, axis=2)
    recipe = parse({"name": "r", "steps": steps, "keep": {"min_visible": 0.05, "min_side_px": 2}})
    done = apply_recipe(recipe, rgb, {"a": [annotation]}, media_sha256="0" * 64)
    return done.rgb[:, :, 0] >= 128, next(iter(done.annotations["a"]), None)


def of(kind):
    return next(a for a in every_kind("s") if a.kind is kind)


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("steps", [[FLIP], [UPSIDE], [TURN], [SQUEEZE], [FLIP, TURN, SQUEEZE]])
@pytest.mark.parametrize("kind", [Kind.ROTATED_BOX, Kind.ELLIPSE, Kind.POLYGON, Kind.POINT, Kind.POLYLINE])
def test_shapes_follow_the_pixels(kind, steps):
    pixels, after = warped(steps, of(kind))
    assert after.kind is kind
    seen = filled(kind, after.rings_px, pixels.shape[::-1])
    if kind is Kind.ROTATED_BOX and SQUEEZE in steps:
        assert (seen & pixels).sum() >= 0.98 * pixels.sum()  # the smallest rectangle around a parallelogram
        assert overlap(seen, pixels) > 0.6
    elif kind in (Kind.POINT, Kind.POLYLINE):
        assert all(pixels[int(y), int(x)] for ring in after.rings_px for x, y in np.reshape(ring, (-1, 2)))
    else:
        assert overlap(seen, pixels) > 0.96
    assert after.bbox_xywh_px == pytest.approx(corners.bounds_of(kind, after.rings_px))
    if kind in CORNERED:
        assert corners.rectangle_gap_px(after.rings_px[0]) < 1e-3


def test_a_mirrored_rotated_box_keeps_its_first_side_and_states_its_new_angle():
    _, after = warped([FLIP], of(Kind.ROTATED_BOX))
    box = rectangle_of(after.rings_px[0])
    assert (box.w_px, box.h_px, box.angle_deg) == pytest.approx((SHIP.w_px, SHIP.h_px, -SHIP.angle_deg))
    assert after.attributes["angle_deg"] == pytest.approx(-30)
    assert after.attributes["track_id"] == 7
    _, moved = warped([{"letterbox": {"width": 640, "height": 640}}], of(Kind.ROTATED_BOX))
    assert moved.attributes["angle_deg"] == 30.0


def test_an_edge_leaves_a_rotated_box_its_direction_and_makes_an_ellipse_a_polygon():
    crop = {"crop": {"x": 150, "y": 0, "w": 180, "h": 300}}
    pixels, box = warped([crop], of(Kind.ROTATED_BOX))
    assert rectangle_of(box.rings_px[0]).angle_deg == pytest.approx(SHIP.angle_deg)
    assert rectangle_of(box.rings_px[0]).h_px == pytest.approx(SHIP.h_px)
    assert (filled(Kind.ROTATED_BOX, box.rings_px, (180, 300)) & pixels).sum() >= 0.98 * pixels.sum()
    assert box.attributes["truncated"] is True
    pixels, half = warped([crop], of(Kind.ELLIPSE))
    assert half.kind is Kind.POLYGON
    assert overlap(filled(Kind.POLYGON, half.rings_px, (180, 300)), pixels) > 0.97
    assert half.area_px == pytest.approx(np.pi / 8 * PUPIL.w_px * PUPIL.h_px, rel=0.01)


def test_lines_are_cut_points_fall_away_and_captions_stay():
    _, line = warped([{"crop": {"x": 260, "y": 200, "w": 170, "h": 200}}], of(Kind.POLYLINE))
    assert line.rings_px[0][-2:] == (140.0, 50.0)
    assert len(line.rings_px) == 2
    assert line.area_px is None
    _, seeds = warped([{"crop": {"x": 500, "y": 200, "w": 100, "h": 100}}], of(Kind.POINT))
    assert seeds.rings_px == ((20.0, 50.0, 60.0, 15.0),)
    _, one = warped([{"crop": {"x": 550, "y": 200, "w": 50, "h": 50}}], of(Kind.POINT))
    assert one.bbox_xywh_px == (10.0, 15.0, 0.0, 0.0)
    _, none = warped([{"crop": {"x": 0, "y": 0, "w": 50, "h": 50}}], of(Kind.POINT))
    assert none is None
    _, caption = warped([CROP], of(Kind.CAPTION), fill=np.zeros((480, 640), bool))
    assert caption.attributes["text"] == WORDS


def test_a_dataset_of_every_kind_is_augmented(workspace, owner):
    make_kinds(owner, workspace)
    recipe = {"name": "turned", "steps": [FLIP, TURN, SQUEEZE]}
    report = transform.augment(owner, "kinds", recipe, store=workspace)
    assert report.made == 1
    state = datasets.read(owner, "kinds", store=workspace)
    (made,) = state.ids('recipe = "turned"') or state.ids("parent != ''")
    assert {a.kind for a in state.annotations_of([made])[made]} == set(Kind)
