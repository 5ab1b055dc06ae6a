"""Boxes judged by a detector, also by a weak one."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.analysis.validation import InputsInvalid
from calotype.checks import box_errors


def world(n=120, seed=0):
    """Images with three boxes each, and predictions that are a little off and sometimes absent."""
    rng = np.random.default_rng(seed)
    truth, seen = [], []
    for _ in range(n):
        xy = rng.uniform(0, 400, (3, 2))
        boxes = np.hstack([xy, xy + rng.uniform(60, 150, (3, 2))])
        classes = rng.integers(0, 4, 3)
        kept = rng.random(3) < 0.8
        off = boxes[kept] + rng.normal(0, 4, (kept.sum(), 4))
        scores = rng.uniform(0.3, 0.95, kept.sum())
        false = np.asarray([[10, 430, 50, 470]], float)
        truth.append({"boxes_xyxy_px": boxes, "class_ids": classes})
        seen.append(
            {
                "boxes_xyxy_px": np.vstack([off, false]),
                "class_ids": np.append(classes[kept], 0),
                "scores": np.append(scores, rng.uniform(0.05, 0.3)),
            }
        )
    return truth, seen


@pytest.fixture
def spoilt():
    """The last image lacks a box, the one before has a moved one, the one before that a wrong class; all well seen."""
    truth, seen = world()
    for at in (-1, -2, -3):
        seen[at] = {**truth[at], "scores": np.full(3, 0.95)}
        truth[at] = {name: value.copy() for name, value in truth[at].items()}
    truth[-1] = {name: value[1:] for name, value in truth[-1].items()}
    truth[-2]["boxes_xyxy_px"][0] += 45
    truth[-3]["class_ids"][0] = (truth[-3]["class_ids"][0] + 1) % 4
    return truth, seen


@pytest.mark.parametrize("kind, at", [("missing", -1), ("moved", -2), ("swapped", -3)])
def test_each_error_leads_its_own_ranking(spoilt, kind, at):
    scores = getattr(box_errors(*spoilt), kind)
    assert scores.argmax() == len(scores) + at


def test_suggestions_are_where_and_what_the_detector_sees(spoilt):
    truth, seen = spoilt
    found = box_errors(truth, seen)
    moved, swapped = (int(np.argmax(one)) for one in (found.box_moved, found.box_swapped))
    assert found.suggested_box_xyxy_px[moved].tolist() == pytest.approx(
        seen[-2]["boxes_xyxy_px"][0].tolist(), abs=1e-3
    )
    assert found.suggested_class[swapped] == seen[-3]["class_ids"][0]
    assert found.candidate_image[found.candidate_missing.argmax()] == len(truth) - 1


def test_tuples_say_the_same_as_mappings(spoilt):
    truth, seen = spoilt
    plain = box_errors([tuple(t.values()) for t in truth], [tuple(s.values()) for s in seen])
    assert (plain.image == box_errors(truth, seen).image).all()


def test_images_without_boxes_or_predictions_are_calm():
    nothing = {"boxes_xyxy_px": np.zeros((0, 4)), "class_ids": [], "scores": []}
    found = box_errors([nothing, nothing], [nothing, nothing])
    assert found.image.tolist() == [0, 0]
    assert box_errors([], []).image.shape == (0,)


def test_labels_without_any_prediction_are_not_judged():
    truth, _ = world(n=40)
    nothing = {"boxes_xyxy_px": np.zeros((0, 4)), "class_ids": [], "scores": []}
    found = box_errors(truth, [nothing] * 40)
    assert found.image.tolist() == [0] * 40
    assert found.box_moved.tolist() == [0] * 120
    assert found.suggested_class.tolist() == [-1] * 120


def test_a_handful_of_boxes_is_judged_without_learning(spoilt):
    truth, seen = (side[-6:] for side in spoilt)
    found = box_errors(truth, seen)
    assert set(np.argsort(-found.image)[:3]) == {3, 4, 5}


@pytest.mark.parametrize(
    "seen, words",
    [
        ([], "truth has 1 images"),
        ([{"boxes_xyxy_px": [[0, 0, 1, 1]], "class_ids": [0], "scores": [2]}], r"\[0, 1\]"),
        ([{"class_ids": [0]}], "no boxes_xyxy_px"),
        ([{"boxes_xyxy_px": [[0, 0, np.nan, 1]], "class_ids": [0], "scores": [1]}], "NaN"),
    ],
)
def test_what_does_not_fit_is_refused(seen, words):
    with pytest.raises(InputsInvalid, match=words):
        box_errors([{"boxes_xyxy_px": [[0, 0, 1, 1]], "class_ids": [0]}], seen)
