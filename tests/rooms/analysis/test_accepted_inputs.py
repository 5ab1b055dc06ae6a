"""Images may be grey or floats, classes may be names, truth values may be numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from calotype.analysis.validation import InputsInvalid
from calotype.checks import box_errors, embed, find_slices, image_quality, mask_errors, near_duplicates

GREY = (
    np.random.default_rng(3).integers(0, 256, (12, 16), dtype=np.uint8).repeat(10, axis=0).repeat(10, axis=1)
)
AS_RGB = GREY[:, :, None].repeat(3, axis=2)
FORMS: dict[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]] = {
    "grey": (GREY, AS_RGB),
    "grey with an axis": (GREY[:, :, None], AS_RGB),
    "grey floats": (GREY / 255, AS_RGB),
    "float32": (AS_RGB.astype(np.float32) / 255, AS_RGB),
    "booleans": (GREY > 127, (AS_RGB > 127) * np.uint8(255)),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_image_has_the_same_quality_in_any_form(form):
    given, rgb = FORMS[form]
    quality = image_quality([given, rgb])
    for name in quality:
        assert quality[name][0] == pytest.approx(quality[name][1], nan_ok=True), name


@pytest.mark.parametrize("form", FORMS)
def test_an_image_has_the_same_vector_in_any_form(form):
    vectors = embed(list(FORMS[form]))
    assert vectors[0] == pytest.approx(vectors[1])


@pytest.mark.parametrize("form", FORMS)
def test_an_image_is_a_copy_of_itself_in_any_form(form):
    pairs = near_duplicates(list(FORMS[form])).pairs
    assert np.asarray(pairs).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    "image", [GREY.astype(np.float64), GREY.astype(np.int64), np.zeros((4, 4, 2), np.uint8)]
)
def test_other_ranges_types_and_shapes_are_refused(image):
    with pytest.raises(InputsInvalid):
        image_quality([image])


def boxes(class_ids):
    return [{"boxes_xyxy_px": [[10, 10, 60, 60], [80, 80, 120, 120]], "class_ids": class_ids}]


def test_classes_of_boxes_may_be_names():
    seen = [{**boxes(["cat", "dog"])[0], "scores": [0.9, 0.9]}]
    named = box_errors(boxes(["cat", "cat"]), seen)
    numbered = box_errors(boxes([0, 0]), [{**boxes([0, 1])[0], "scores": [0.9, 0.9]}])
    assert named.suggested_class.tolist()[1] == "dog"
    assert named.box_swapped.tolist() == numbered.box_swapped.tolist()
    assert numbered.suggested_class.tolist()[1] == 1


def test_classes_of_boxes_are_names_on_both_sides_or_on_none():
    with pytest.raises(InputsInvalid, match="names classes"):
        box_errors(boxes(["cat", "dog"]), [{**boxes([0, 1])[0], "scores": [0.9, 0.9]}])


@pytest.mark.parametrize("kind", [bool, np.float32, np.int64])
def test_a_mask_of_two_classes_may_be_of_any_type(kind):
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 1
    probs = np.stack([np.where(mask == number, 0.9, 0.1) for number in (0, 1)])
    errors = mask_errors([mask.astype(kind)], [probs])
    assert errors.score.tolist() == mask_errors([mask], [probs]).score.tolist()


@pytest.mark.parametrize("kind", [bool, np.float64, np.int8])
def test_errors_of_rows_may_be_of_any_type(kind):
    light = np.asarray(["night", "day", "day", "dusk"] * 100)
    wrong = (light == "night").astype(kind)
    assert [dict(s.conditions) for s in find_slices({"light": light}, wrong)] == [{"light": "night"}]


def test_errors_of_rows_are_not_shares():
    with pytest.raises(InputsInvalid, match="is_error"):
        find_slices({"light": ["day", "night"]}, [0.5, 1.0])
