"""Where a model's errors concentrate is told by conditions that stay the same when data are added."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.images import draw, encode

from calotype.analysis.model_errors import cluster_p_value, named_classes, overlapped_boxes
from calotype.datasets.model import Kind

PICTURE = encode(draw(1))
CAR, DOG = 0, 1


def classified(things, light, given, said, n, **more):
    """Samples under one light, labelled as one class; the model says another or the same."""
    for _ in range(n):
        sample = things.image(PICTURE, label=False, metadata={"light": light, **more})
        things.box(sample, None, given, kind=Kind.CLASSIFICATION)
        things.predict(sample, None, said)


def boxed(things, light, hit, n, *, per_image=4, **given):
    """Samples with boxes that the model finds, or not."""
    for _ in range(n):
        sample = things.image(PICTURE, label=False, metadata={"light": light}, **given)
        for k in range(per_image):
            box = (20.0 * k, 5.0, 15.0, 15.0)
            things.box(sample, box, k % 2)
            things.predict(sample, box if hit else (20.0 * k, 45.0, 15.0, 15.0), k % 2)


@pytest.fixture
def night(things):
    """Wrong on most of 40 night samples, hardly ever on 160 day samples."""
    classified(things, "night", CAR, DOG, 30)
    classified(things, "night", CAR, CAR, 10)
    classified(things, "day", CAR, DOG, 8)
    classified(things, "day", CAR, CAR, 152)
    return things


def test_a_condition_under_which_the_model_errs_is_told_with_its_figures(night):
    report = night.only("error-slices")
    [finding] = report.findings
    assert finding.reason == "where light is night, the model is wrong on 75% of 40 labels, elsewhere on 5%"
    facts = finding.facts
    assert (facts["conditions"], facts["n"], facts["n_errors"]) == ({"light": "night"}, 40, 30)
    assert (facts["error_rate"], facts["usual_rate"]) == (0.75, 0.05)
    assert facts["interval"] == [0.5981, 0.8581]
    assert facts["q_value"] < 1e-6
    assert (report.checks[0].looked_at, report.checks[0].reference["error_rate"]) == (200, 0.19)


def test_the_finding_keeps_its_key_when_samples_are_added(night):
    [first] = night.only("error-slices").findings
    classified(night, "day", CAR, CAR, 30)
    classified(night, "night", CAR, DOG, 5)
    [second] = night.only("error-slices").findings
    assert second.key == first.key
    assert second.facts["n"] == 45


def test_a_number_is_told_by_its_fifth_and_its_range(things):
    for speed in range(100):
        classified(things, "day", CAR, DOG if speed >= 80 else CAR, 2, speed=speed + 0.5)
    [finding] = things.only("error-slices").findings
    assert finding.facts["conditions"] == {"speed": "highest fifth"}
    assert finding.facts["ranges"] == {"speed": [80.5, 99.5]}


def test_boxes_without_a_prediction_of_their_class_at_their_place_are_errors(things):
    boxed(things, "night", False, 15)
    boxed(things, "day", True, 60)
    [finding] = things.only("error-slices").findings
    assert finding.facts["conditions"] == {"light": "night"}
    assert (finding.facts["n"], finding.facts["n_errors"]) == (60, 60)


def test_classes_and_sizes_are_conditions_and_the_same_labels_are_told_once(things):
    for _ in range(60):
        sample = things.image(PICTURE, label=False)
        for box, class_id, seen in (
            ((5.0, 5.0, 10.0, 10.0), DOG, False),
            ((30.0, 10.0, 40.0, 40.0), CAR, True),
        ):
            things.box(sample, box, class_id)
            things.predict(sample, box if seen else (80.0, 50.0, 9.0, 9.0), class_id)
    found = things.only("error-slices").findings
    assert [f.facts["conditions"] for f in found] == [{"class": "dog"}]
    assert found[0].facts["same_as"] == [{"box size": "small"}]


def test_what_another_slice_explains_is_not_told(things):
    for k in range(120):
        light = "night" if k < 40 else "day"
        lens = "old" if k < 30 or k >= 110 else "new"
        classified(things, light, CAR, DOG if k < 40 and k % 5 else CAR, 1, lens=lens)
    assert [f.facts["conditions"] for f in things.only("error-slices").findings] == [{"light": "night"}]


def test_a_few_pictures_with_many_errors_are_no_slice(things):
    boxed(things, "fog", False, 3, per_image=12)
    boxed(things, "day", True, 60)
    assert things.only("error-slices").findings == ()


def test_even_errors_give_no_slice(things):
    rng = np.random.default_rng(5)
    for wrong, light in zip(rng.random(300) < 0.2, rng.choice(["day", "night", "dusk"], 300), strict=True):
        classified(things, str(light), CAR, DOG if wrong else CAR, 1)
    assert things.only("error-slices").findings == ()


def test_a_split_without_predictions_was_not_asked(things):
    boxed(things, "day", True, 20, split="val")
    for _ in range(20):
        things.box(things.image(PICTURE, label=False, split="train"), (5.0, 5.0, 15.0, 15.0))
    report = things.only("error-slices")
    assert (report.findings, report.checks[0].looked_at) == ((), 80)


def test_crowds_and_fields_without_a_value_are_no_trouble(things):
    boxed(things, "day", True, 20)
    for _ in range(20):
        sample = things.image(PICTURE, label=False)
        things.box(sample, (5.0, 5.0, 15.0, 15.0), iscrowd=True)
        things.box(sample, (40.0, 5.0, 15.0, 15.0))
        things.box(sample, (60.0, 5.0, 15.0, 15.0))
        things.predict(sample, (5.0, 40.0, 15.0, 15.0))
    report = things.only("error-slices")
    assert report.checks[0].looked_at == 120
    assert [f.facts["conditions"] for f in report.findings] == [{"light": "(none)"}]


def test_without_predictions_nothing_is_looked_at(things):
    things.image()
    [summary] = things.only("error-slices").checks
    assert (summary.looked_at, summary.n_findings) == (0, 0)


@pytest.mark.parametrize(
    "asked, n", [("times: 20", 0), ("min_n: 41", 0), ("max_q: 1.0e-30", 0), ("times: 10", 1)]
)
def test_limits_are_those_of_the_contract(night, asked, n):
    contract = f"checks: {{error-slices: {{parameters: {{{asked}}}}}}}"
    assert len(night.only("error-slices", contract).findings) == n


def test_the_label_set_of_the_contract_is_the_one_held_against(night):
    assert night.only("error-slices", "predictions: model:other").checks[0].looked_at == 0
    assert night.only("error-slices", "predictions: model:x").checks[0].looked_at == 200


def test_a_box_is_found_by_one_of_its_group_that_overlaps_by_half():
    box = np.asarray([[0, 0, 10, 10]], float)
    half, less = (box + np.asarray([0, 0, 0, more]) for more in (10, 10.5))
    one, two = np.asarray([1]), np.asarray([2])
    assert overlapped_boxes(box, one, half, one).tolist() == [True]
    assert overlapped_boxes(box, one, less, one).tolist() == [False]
    assert overlapped_boxes(box, one, box, two).tolist() == [False]
    assert overlapped_boxes(box, one, box[:0], one[:0]).tolist() == [False]


def test_as_many_predicted_classes_count_as_there_are_labelled():
    samples, classes = np.asarray([0, 1, 1]), np.asarray([4, 4, 5])
    seen_of, seen, scores = (
        np.asarray([0, 0, 1, 1, 1]),
        np.asarray([3, 4, 5, 5, 4]),
        np.asarray([0.6, 0.4, 0.5, 0.4, 0.1]),
    )
    assert named_classes(samples, classes, seen_of, seen, scores).tolist() == [False, True, True]


def test_errors_of_one_picture_count_together():
    wrong, inside = np.repeat([True, False], [20, 180]), np.arange(200) < 60
    alone, together = np.arange(200), np.arange(200) // 10
    assert cluster_p_value(wrong, inside, alone) < 1e-4 < 0.02 < cluster_p_value(wrong, inside, together)
