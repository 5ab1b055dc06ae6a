"""Fitting images into a model's input and back, and suppression of boxes: for every input."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from calotype.vision.boxes import iou_matrix
from calotype.vision.framing import frame, framed
from calotype.vision.suppression import suppress

SIDES = st.integers(1, 3_000)
INPUTS = st.tuples(st.integers(8, 700), st.integers(8, 700))


@given(
    st.tuples(SIDES, SIDES),
    INPUTS,
    st.sampled_from(["letterbox", "stretch", "crop"]),
    st.booleans(),
    st.data(),
)
def test_a_box_comes_back_to_where_it_was(image_wh, input_wh, fit, centred, data):
    framing = frame(image_wh, input_wh, fit, centred=centred)
    share = st.floats(0, 1)
    corners = [data.draw(share) for _ in range(4)]
    x1, x2 = sorted(corners[:2])
    y1, y2 = sorted(corners[2:])
    box = np.array([[x1, y1, x2, y2]]) * np.tile(image_wh, 2)
    back = framing.to_image(framing.to_input(box))
    assert np.abs(back - box).max() <= 1e-6 * max(image_wh)
    assert (back >= 0).all() and (back[:, 2:] <= image_wh).all()


@given(st.tuples(SIDES, SIDES), INPUTS, st.booleans())
@example((1, 3_000), (8, 8), True)
def test_a_letterbox_holds_the_whole_image_on_whole_pixels(image_wh, input_wh, centred):
    framing = frame(image_wh, input_wh, "letterbox", centred=centred)
    box = framing.to_input([[0, 0, *image_wh]])[0]
    assert np.allclose(box, np.rint(box), atol=1e-6)
    assert (box[:2] >= 0).all() and (box[2:] <= np.add(input_wh, 1e-6)).all()
    assert any(abs(box[2 + at] - box[at] - input_wh[at]) < 1e-6 for at in (0, 1))


@given(st.tuples(SIDES, SIDES), INPUTS, st.floats(0.2, 1))
def test_a_crop_is_filled_by_the_image_and_cuts_the_middle(image_wh, input_wh, share):
    framing = frame(image_wh, input_wh, "crop", share=share)
    left, top, right, bottom = framing.to_input([[0, 0, *image_wh]])[0]
    assert left <= 1e-6 and top <= 1e-6 and right >= input_wh[0] - 1e-6 and bottom >= input_wh[1] - 1e-6
    assert abs(left + right - input_wh[0]) < 1e-6 * max(abs(left), 1) + 1e-6


@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.tuples(st.integers(8, 60), st.integers(8, 60)),
    st.sampled_from(["letterbox", "stretch", "crop"]),
    st.sampled_from([1, 2]),
)
def test_the_pixels_lie_where_the_framing_says(image_wh, input_wh, fit, reduced):
    framing = frame(image_wh, input_wh, fit)
    small = [max(1, side // reduced) for side in image_wh]  # as a decoder gives it
    placed = framed(np.full((small[1], small[0], 3), 200, np.uint8), framing, pad=7)
    assert placed.shape == (input_wh[1], input_wh[0], 3)
    left, top, right, bottom = np.rint(
        np.clip(framing.to_input([[0, 0, *image_wh]])[0], 0, np.tile(input_wh, 2))
    )
    inside = np.zeros(placed.shape[:2], bool)
    inside[int(top) : int(bottom), int(left) : int(right)] = True
    assert (placed[inside] == 200).all() and (placed[~inside] == 7).all()


def by_hand(boxes, scores, classes, max_iou, limit):
    """Suppression as its definition reads, one box after the other."""
    kept: list[int] = []
    overlaps = iou_matrix(boxes, boxes)
    for at in sorted(range(len(scores)), key=lambda at: (-scores[at], at)):
        if all(classes[k] != classes[at] or overlaps[k, at] <= max_iou for k in kept):
            kept.append(at)
    return kept[:limit]


@given(
    st.integers(0, 25),
    st.integers(1, 3),
    st.floats(0.05, 0.95),
    st.integers(1, 30),
    st.integers(0, 2**32 - 1),
)
def test_suppression_is_what_its_definition_says(n, n_classes, max_iou, limit, seed):
    rng = np.random.default_rng(seed)
    corners = np.round(rng.uniform(0, 12, (n, 2, 2)))
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    scores, classes = np.round(rng.uniform(size=n), 1), rng.integers(0, n_classes, n)
    kept = suppress(boxes, scores, classes, max_iou=max_iou, limit=limit)
    assert kept.tolist() == by_hand(boxes, scores, classes, max_iou, limit)
    assert (
        suppress(boxes, scores, classes, max_iou=None, limit=100).tolist()
        == np.argsort(-scores, kind="stable").tolist()
    )


def test_a_photo_in_a_letterbox_has_bars_on_both_sides_or_at_the_end():
    both, end = (frame((640, 480), (320, 320), "letterbox", centred=c) for c in (True, False))
    assert (both.scale_xy, both.offset_xy) == ((0.5, 0.5), (0.0, 40.0))
    assert end.offset_xy == (0.0, 0.0)
    assert both.to_image([[0, 0, 320, 320], [10, 50, 20, 60]]).tolist() == [
        [0, 0, 640, 480],
        [20, 20, 40, 40],
    ]


def test_a_crop_of_a_share_is_what_torchvision_calls_resize_and_centre_crop():
    framing = frame((500, 256), (224, 224), "crop", share=224 / 256)
    assert framing.scale_xy == (1.0, 1.0)
    assert framing.offset_xy == (-138.0, -16.0)


def test_an_image_is_decoded_no_smaller_than_the_input_needs():
    assert frame((4_000, 1_000), (640, 640), "letterbox").min_side_px == 640
    assert frame((4_000, 1_000), (640, 640), "stretch").min_side_px == 2_560
    assert frame((40, 10), (640, 640), "letterbox").min_side_px == 40


def test_suppression_is_per_class_and_keeps_the_first_of_equals():
    boxes = [[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [20, 0, 30, 10]]
    assert suppress(boxes, [0.5, 0.5, 0.4, 0.1], [0, 0, 1, 0], max_iou=0.5, limit=9).tolist() == [0, 2, 3]
    assert suppress(boxes, [0.5, 0.5, 0.4, 0.1], [0, 0, 1, 0], max_iou=0.5, limit=1).tolist() == [0]
    assert suppress(np.zeros((0, 4)), [], [], max_iou=0.5, limit=9).tolist() == []


def test_boxes_without_area_never_suppress():
    assert suppress([[5, 5, 5, 5], [5, 5, 5, 5]], [0.9, 0.8], [0, 0], max_iou=0.5, limit=9).tolist() == [0, 1]
