"""Pixels and annotations stay together, whatever the recipe does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.recipes import shape

from calotype.datasets.model import Kind
from calotype.transform.recipe import parse
from calotype.transform.recipe_apply import apply_recipe
from calotype.transform.recipe_sampling import resolve
from calotype.vision import masks, polygons

SHA = "ab" * 32
OPERATIONS = {
    "resize-up": [{"resize": {"width": 400, "height": 333}}],
    "resize-down": [{"resize": {"width": 91}}],
    "letterbox": [{"letterbox": {"width": 200, "height": 200}}],
    "crop": [{"crop": {"x": 30, "y": 20, "w": 90, "h": 70}}],
    "crop-cuts": [{"crop": {"x": 60, "y": 20, "w": 90, "h": 90}}],
    "flip-horizontal": [{"flip": {"axis": "horizontal"}}],
    "flip-vertical": [{"flip": {"axis": "vertical"}}],
    "rotate": [{"rotate": {"degrees": 20}}],
    "rotate-90": [{"rotate": {"degrees": 90, "expand": True}}],
    "rotate-back": [{"rotate": {"degrees": -90, "expand": True}}],
    "rotate-expand": [{"rotate": {"degrees": 33, "expand": True}}],
    "chain": [
        {"crop": {"x": 20, "y": 10, "w": 120, "h": 90}},
        {"rotate": {"degrees": -15}},
        {"letterbox": {"width": 256, "height": 256}},
        {"flip": {"axis": "horizontal"}},
    ],
    "colour": [{"colour": {"brightness": 1.1, "contrast": 1.1}}, {"blur": {"sigma_px": 0.4}}],
}


def apply(kind, steps, **more):
    rgb, annotation = shape(kind)
    recipe = parse({"name": "r", "steps": steps, **more})
    applied = apply_recipe(recipe, rgb, {"gt": [annotation]}, media_sha256=SHA, swaps={1: (0, 2, 1)})
    return applied, annotation


def red(rgb):
    """Pixels of the shape."""
    levels = rgb.astype(int)
    return levels[..., 0] - levels[..., 2] > 50


def overlap(a, b):
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("kind", [Kind.POLYGON, Kind.MASK], ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_outline_covers_the_shape_after(operation, kind):
    applied, _ = apply(kind, OPERATIONS[operation])
    (moved,) = applied.annotations["gt"]
    size_hw = applied.rgb.shape[:2]
    if kind is Kind.MASK:
        assert moved.mask_size_hw == size_hw
        drawn = masks.decode(masks.from_string(moved.mask_rle, size_hw))
    else:
        drawn = polygons.rasterise(moved.rings_px, size_hw=size_hw)
    assert overlap(drawn, red(applied.rgb)) > 0.95
    assert moved.area_px == pytest.approx(red(applied.rgb).sum(), rel=0.05)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_box_holds_the_shape_after(operation):
    applied, _ = apply(Kind.BOX, OPERATIONS[operation])
    (moved,) = applied.annotations["gt"]
    x, y, w, h = moved.bbox_xywh_px
    rows, columns = np.nonzero(red(applied.rgb))
    tight = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert np.abs(np.subtract(tight, (x, y, x + w, y + h))).max() <= 1.5
    assert moved.area_px == pytest.approx(w * h)
    assert moved.attributes["colour"] == "red"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_keypoints_stay_on_the_shape_after(operation):
    applied, _ = apply(Kind.KEYPOINTS, OPERATIONS[operation])
    (moved,) = applied.annotations["gt"]
    for x, y, v in np.reshape(moved.keypoints_xyv, (-1, 3)):
        assert v == 0 or red(applied.rgb)[int(y), int(x)]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_classification_is_kept_after(operation):
    applied, annotation = apply(Kind.CLASSIFICATION, OPERATIONS[operation])
    assert applied.annotations["gt"] == (annotation,)
    assert applied.dropped == {}


@pytest.mark.parametrize(
    "axis, expected",
    [
        ("horizontal", (90, 50, 2, 70, 40, 1, 110, 40, 2)),
        ("vertical", (70, 70, 2, 90, 80, 1, 50, 80, 2)),
    ],
)
def test_left_and_right_change_places_in_a_mirror(axis, expected):
    applied, _ = apply(Kind.KEYPOINTS, [{"flip": {"axis": axis}}])
    assert applied.annotations["gt"][0].keypoints_xyv == expected


def test_two_mirrors_leave_left_left():
    applied, annotation = apply(
        Kind.KEYPOINTS, [{"flip": {"axis": "horizontal"}}, {"flip": {"axis": "horizontal"}}]
    )
    assert applied.annotations["gt"][0].keypoints_xyv == annotation.keypoints_xyv


@pytest.mark.parametrize(
    "window, min_visible, outcome",
    [
        ((100, 0, 60, 120), 0.3, {"outside": 1}),
        ((85, 0, 75, 120), 0.3, {"barely-visible": 1}),
        ((85, 0, 75, 120), 0.2, {}),
        ((99, 0, 61, 120), 0.0, {"too-small": 1}),
    ],
    ids=["outside", "a quarter, a third wanted", "a quarter, a fifth wanted", "less than 2 px"],
)
def test_what_is_hardly_seen_goes_with_a_reason(window, min_visible, outcome):
    x, y, w, h = window
    keep = {"min_visible": min_visible, "min_side_px": 2}
    applied, _ = apply(Kind.BOX, [{"crop": {"x": x, "y": y, "w": w, "h": h}}], keep=keep)
    assert applied.dropped == outcome
    assert [a.attributes["truncated"] for a in applied.annotations["gt"]] == ([] if outcome else [True])


def test_a_box_that_stays_whole_is_not_truncated():
    applied, _ = apply(Kind.BOX, OPERATIONS["letterbox"])
    assert "truncated" not in applied.annotations["gt"][0].attributes


def test_geometric_steps_are_one_resampling_unless_a_cropped_area_would_reappear():
    moves = [{"resize": {"width": 300}}, {"flip": {"axis": "vertical"}}, {"rotate": {"degrees": 9}}]
    recipe = parse({"name": "r", "steps": [*moves, {"resize": {"height": 99}}]})
    assert len(resolve(recipe, media_sha256=SHA, copy=0, size_wh=(160, 120)).segments) == 1


def test_what_a_crop_cut_off_does_not_come_back_in_the_bars():
    steps = [{"crop": {"x": 0, "y": 0, "w": 160, "h": 25}}, {"letterbox": {"width": 160, "height": 160}}]
    applied, _ = apply(Kind.BOX, steps)
    assert not red(applied.rgb).any()
    assert applied.dropped == {"outside": 1}
    assert applied.rgb[0, 0].tolist() == [114, 114, 114]


def test_whole_pixel_moves_are_exact():
    rgb = np.random.default_rng(1).integers(0, 256, (50, 70, 3), dtype=np.uint8)

    def moved(step):
        return apply_recipe(parse({"name": "r", "steps": [step]}), rgb, {}, media_sha256=SHA).rgb

    assert np.array_equal(moved({"flip": {"axis": "horizontal"}}), rgb[:, ::-1])
    assert np.array_equal(moved({"flip": {"axis": "vertical"}}), rgb[::-1])
    assert np.array_equal(moved({"crop": {"x": 5, "y": 7, "w": 20, "h": 30}}), rgb[7:37, 5:25])
    assert np.array_equal(moved({"rotate": {"degrees": 90, "expand": True}}), np.rot90(rgb))
    assert np.array_equal(moved({"rotate": {"degrees": 180}}), rgb[::-1, ::-1])


MOVES = st.one_of(
    st.builds(lambda w: {"resize": {"width": w}}, st.integers(120, 400)),
    st.builds(
        lambda w, h: {"letterbox": {"width": w, "height": h}}, st.integers(150, 400), st.integers(150, 400)
    ),
    st.builds(lambda s: {"crop": {"random": {"min_scale": s}}}, st.floats(0.6, 1.0)),
    st.builds(lambda a: {"flip": {"axis": a, "p": 0.5}}, st.sampled_from(["horizontal", "vertical"])),
    st.builds(lambda d: {"rotate": {"degrees": [-d, d]}}, st.floats(1, 30)),
    st.builds(lambda d: {"rotate": {"degrees": d, "expand": True}}, st.sampled_from([90, 180, 270, 45])),
)


@settings(deadline=None, max_examples=40)
@given(
    steps=st.lists(MOVES, min_size=1, max_size=4), seed=st.integers(0, 999), kind=st.sampled_from(list(Kind))
)
def test_any_chain_keeps_annotations_on_the_pixels(steps, seed, kind):
    applied, _ = apply(kind, steps, seed=seed)
    height, width = applied.rgb.shape[:2]
    seen = red(applied.rgb)
    for moved in applied.annotations["gt"]:
        if moved.bbox_xywh_px is None:
            continue
        x, y, w, h = moved.bbox_xywh_px
        assert min(x, y) >= -1e-6
        assert x + w <= width + 1e-6 and y + h <= height + 1e-6
        assert moved.area_px > 0
        outside = seen.copy()
        outside[
            max(0, math.floor(y) - 2) : math.ceil(y + h) + 2, max(0, math.floor(x) - 2) : math.ceil(x + w) + 2
        ] = 0
        assert not outside.any()
        if kind is Kind.POLYGON and seen.sum() > 900:
            assert overlap(polygons.rasterise(moved.rings_px, size_hw=(height, width)), seen) > 0.9
        if kind is Kind.MASK and seen.sum() > 900:
            assert overlap(masks.decode(masks.from_string(moved.mask_rle, (height, width))), seen) > 0.9


@settings(deadline=None, max_examples=30)
@given(steps=st.lists(MOVES, min_size=1, max_size=4), seed=st.integers(0, 999), copy=st.integers(0, 3))
def test_the_same_recipe_gives_the_same_bytes(steps, seed, copy):
    rgb, annotation = shape(Kind.BOX)
    steps = [
        *steps,
        {"colour": {"hue": [-20, 20]}},
        {"noise": {"sigma": [1, 9]}},
        {"jpeg": {"quality": [40, 90]}},
    ]
    value = {"name": "r", "steps": steps, "seed": seed}

    def made():
        recipe = parse(parse(value).to_dict())
        return apply_recipe(recipe, rgb, {"gt": [annotation]}, media_sha256=SHA, copy=copy)

    one, two = made(), made()
    assert one.encode("image/jpeg") == two.encode("image/jpeg")
    assert one.annotations == two.annotations


def test_seed_parent_and_copy_change_what_is_drawn():
    steps = [{"rotate": {"degrees": [-30, 30]}}]
    plain, seeded = parse({"name": "r", "steps": steps}), parse({"name": "r", "steps": steps, "seed": 1})
    drawn = [
        resolve(recipe, media_sha256=sha, copy=copy, size_wh=(160, 120)).segments[0].affine.a
        for recipe, sha, copy in [(plain, SHA, 0), (seeded, SHA, 0), (plain, "cd" * 32, 0), (plain, SHA, 1)]
    ]
    assert len(set(drawn)) == 4


def test_noise_has_the_strength_that_was_asked_for():
    grey = np.full((200, 200, 3), 128, np.uint8)
    recipe = parse({"name": "r", "steps": [{"noise": {"sigma": 10}}]})
    noisy = apply_recipe(recipe, grey, {}, media_sha256=SHA).rgb.astype(float)
    assert noisy.mean() == pytest.approx(128, abs=0.2)
    assert noisy.std() == pytest.approx(10, rel=0.03)
