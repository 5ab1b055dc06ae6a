"""Masks of things held against those that a model sees: missing, of another class, of another outline."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.images import draw, encode

from calotype.analysis.masks.overlaps import Patch, mask_overlaps
from calotype.checks import service as checks
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Kind
from calotype.vision import masks
from calotype.vision.shape_patches import patch_of

CAR, DOG = 0, 1


def square(left, top, side, height=None):
    return (left, top, left + side, top, left + side, top + (height or side), left, top + (height or side))


def polygon(things, sample, ring, class_id=CAR, *, seen=False, **given):
    """A polygon of the labels, or of the model."""
    x, y = ring[::2], ring[1::2]
    box = (min(x), min(y), max(x) - min(x), max(y) - min(y))
    add = things.predict if seen else things.box
    return add(sample, box, class_id, kind=Kind.POLYGON, rings_px=(ring,), **given)


def picture(things):
    """A sample with a car that the model sees, and room for more."""
    sample = things.image(encode(draw(len(things.samples))), label=False)
    for seen in (False, True):
        polygon(things, sample, square(2, 2, 20), seen=seen)
    return sample


def test_masks_that_agree_are_silent(things):
    picture(things)
    report = things.only("mask-errors")
    assert (report.findings, report.checks[0].looked_at) == ((), 1)


def test_a_thing_without_a_mask_is_told_with_its_place_and_class(things):
    sample = picture(things)
    polygon(things, sample, square(40, 10, 30), DOG, seen=True, score=0.8)
    [finding] = things.only("mask-errors").findings
    assert finding.reason == "the model sees a dog that has no mask"
    assert (finding.sample, finding.fault, finding.annotation_id) == (sample.name, "missing", "")
    assert finding.facts == {"share": 1.0, "class": "dog", "score": 0.8, "regions": [[40, 10, 30, 30]]}


def test_several_missing_things_of_a_class_are_one_finding(things):
    sample = picture(things)
    for left in (40, 70):
        polygon(things, sample, square(left, 10, 20), DOG, seen=True)
    [finding] = things.only("mask-errors").findings
    assert finding.reason == "the model sees 2 of dog that have no mask"
    assert len(finding.facts["regions"]) == 2


def test_another_class_in_the_same_outline_is_told_with_its_repair(things):
    sample = picture(things)
    label = polygon(things, sample, square(40, 10, 30), CAR)
    polygon(things, sample, square(41, 10, 30), DOG, seen=True)
    [finding] = things.only("mask-errors").findings
    assert (finding.fault, finding.annotation_id) == ("swapped", label.ann_id)
    assert finding.facts["repair"] == {"do": "set-class", "class": "dog"}


def test_half_an_outline_is_told_with_the_part_that_lacks(things):
    sample = picture(things)
    label = polygon(things, sample, square(40, 10, 20, 40))
    polygon(things, sample, square(40, 10, 40), seen=True)
    [finding] = things.only("mask-errors").findings
    assert (finding.fault, finding.annotation_id) == ("shape", label.ann_id)
    assert finding.reason == "the model sees more than this outline of car: 45% of both differ"
    assert finding.facts["regions"] == [[62, 10, 18, 40]]


def test_a_rim_is_forgiven(things):
    sample = picture(things)
    polygon(things, sample, square(40, 10, 40))
    polygon(things, sample, square(42, 12, 36), seen=True)
    assert things.only("mask-errors").findings == ()


def test_what_the_model_does_not_see_or_is_not_sure_of_is_not_told(things):
    sample = picture(things)
    polygon(things, sample, square(40, 10, 20))
    polygon(things, sample, square(70, 10, 20), DOG, seen=True, score=0.4)
    assert things.only("mask-errors").findings == ()
    asked = "checks: {mask-errors: {parameters: {min_score: 0.3}}}"
    assert len(things.only("mask-errors", asked).findings) == 1


def test_a_thing_that_has_a_box_has_a_place_too(things):
    sample = picture(things)
    things.box(sample, (40, 10, 30, 30), DOG)
    polygon(things, sample, square(40, 10, 30), DOG, seen=True)
    assert things.only("mask-errors").findings == ()


def test_a_crowd_in_one_mask_and_in_many_agree(things):
    sample = picture(things)
    polygon(things, sample, square(30, 10, 60, 20))
    for left in (30, 50, 70):
        polygon(things, sample, square(left, 10, 20), seen=True)
    assert things.only("mask-errors").findings == ()


def test_a_crowd_covers_its_place_and_is_not_judged(things):
    sample = picture(things)
    polygon(things, sample, square(30, 10, 60, 40), iscrowd=True)
    polygon(things, sample, square(30, 10, 20), seen=True)
    report = things.only("mask-errors")
    assert (report.findings, report.checks[0].looked_at) == ((), 1)


def test_run_lengths_and_polygons_meet(things):
    sample = picture(things)
    drawn = np.zeros((64, 96), bool)
    drawn[10:40, 40:70] = True
    text = masks.to_string(masks.encode(drawn))
    things.box(sample, (40, 10, 30, 30), DOG, kind=Kind.MASK, mask_rle=text, mask_size_hw=(64, 96))
    polygon(things, sample, square(40, 10, 30), DOG, seen=True)
    report = things.only("mask-errors")
    assert (report.findings, report.checks[0].looked_at) == ((), 2)


@pytest.mark.parametrize("boxes_only", [False, True])
def test_without_predicted_masks_nothing_is_looked_at(things, boxes_only):
    sample = things.image(label=False)
    polygon(things, sample, square(40, 10, 20))
    if boxes_only:
        things.predict(sample, (40, 10, 20, 20))
    assert things.only("mask-errors").checks[0].looked_at == 0


def test_a_later_run_looks_at_changed_samples_and_at_all_when_the_model_says_otherwise(things, owner):
    samples = [picture(things) for _ in range(8)]
    things.write()

    def again(label_set="", annotation=None):
        if annotation is not None:
            change = Change(put_annotations={label_set: [annotation]})
            datasets.apply(owner, "things", change, store=things.store)
        report = checks.check(owner, "things", store=things.store, only=["mask-errors"])
        return report.checks[0].measured_again, len(report.findings)

    dog = square(40, 10, 30)
    assert again() == (None, 0)
    assert again("ground_truth", polygon(things, samples[0], dog, DOG)) == (1, 0)
    assert again("model:x", polygon(things, samples[1], dog, DOG, seen=True)) == (None, 1)
    assert again("ground_truth", polygon(things, samples[1], dog, DOG)) == (1, 0)


def test_a_mask_is_drawn_small_as_it_is_large():
    drawn = np.zeros((400, 600), bool)
    drawn[100:300, 200:500] = True
    rle = masks.to_string(masks.encode(drawn))
    values = {"kind": "mask", "mask_rle": rle, "mask_h": 400, "mask_w": 600}
    ring = [200.0, 100.0, 500.0, 100.0, 500.0, 300.0, 200.0, 300.0]
    for shape in (
        values,
        {"kind": "polygon", "rings": [ring]},
        {"kind": "box", "x": 200, "y": 100, "w": 300, "h": 200},
    ):
        found = patch_of(shape, (600, 400), (40, 60))
        assert found is not None
        assert found[:2] == (20, 10)
        assert np.array_equal(found[2], np.ones((20, 30), bool))


@pytest.mark.parametrize(
    "shape",
    [
        {"kind": "mask", "mask_rle": "!", "mask_h": 4, "mask_w": 4},
        {"kind": "mask", "mask_rle": None, "mask_h": None, "mask_w": None},
        {"kind": "polygon", "rings": [[1.0, 2.0, 3.0]]},
        {"kind": "polygon", "rings": [[1e300, 1e300, 2e300, 1e300, 2e300, 2e300]]},
        {"kind": "polygon", "rings": None},
        {"kind": "box", "x": None, "y": 1, "w": 1, "h": 1},
        {"kind": "box", "x": -9, "y": -9, "w": 5, "h": 5},
    ],
)
def test_what_cannot_be_drawn_is_left_out(shape):
    assert patch_of(shape, (60, 40), (40, 60)) is None


def test_of_predictions_that_cover_each_other_one_is_missing():
    seen = [Patch(10, 10, np.ones((20, 20), bool)), Patch(11, 10, np.ones((20, 20), bool))]
    found = mask_overlaps([], np.zeros(0, np.int64), seen, np.asarray([3, 3]), size_hw=(50, 50))
    assert [(one.fault, one.seen) for one in found] == [("missing", 0)]
