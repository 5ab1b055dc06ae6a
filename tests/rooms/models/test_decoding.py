"""Outputs of detectors and classifiers as boxes, scores and classes."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.models import decoding


@pytest.mark.parametrize(
    ("written", "row"),
    [
        ("xyxy", [10, 20, 40, 60]),
        ("yxyx", [20, 10, 60, 40]),
        ("xywh", [10, 20, 30, 40]),
        ("cxcywh", [25, 40, 30, 40]),
    ],
)
def test_every_format_of_boxes_gives_the_same_corners(written, row):
    assert decoding.to_corners([row], written).tolist() == [[10, 20, 40, 60]]


def test_no_boxes_have_four_corners_too():
    assert decoding.to_corners(np.zeros((0, 4)), "cxcywh").shape == (0, 4)


def test_yolo_v8_takes_the_best_class_and_ignores_rows_of_masks():
    output = np.zeros((1, 4 + 2 + 3, 2), np.float32)
    output[0, :4, 1] = [5, 6, 2, 2]
    output[0, 4:6, 1] = [0.25, 0.75]
    output[0, 6:, 1] = 99
    second = decoding.yolo_v8(output, 2)[0].above(0.5)
    assert second.boxes.tolist() == [[5, 6, 2, 2]]
    assert (second.scores.tolist(), second.classes.tolist()) == ([0.75], [1])


def test_yolo_v5_multiplies_objectness_and_class():
    output = np.array([[[5, 6, 2, 2, 0.5, 0.5, 1.0]]], np.float32)
    only = decoding.yolo_v5(output, 2)[0]
    assert (only.scores.tolist(), only.classes.tolist()) == ([0.5], [1])


def test_end_to_end_lists_boxes_scores_and_classes():
    output = np.array([[[1, 2, 3, 4, 0.9, 2], [0, 0, 0, 0, 0, 0]]], np.float32)
    only = decoding.end_to_end(output)[0].above(0.5)
    assert (only.boxes.tolist(), only.classes.tolist()) == ([[1, 2, 3, 4]], [2])


def test_a_count_cuts_the_list_off():
    boxes = np.zeros((2, 3, 4), np.float32)
    scores, classes = np.ones((2, 3), np.float32), np.ones((2, 3), np.float32)
    counts = np.array([1, 5], np.float32)
    assert [len(each) for each in decoding.ssd_listed(boxes, scores, classes, counts)] == [1, 3]


def test_scores_by_class_are_candidates_each_without_the_background():
    boxes = np.arange(8, dtype=np.float32).reshape(1, 2, 4)
    scores = np.array([[[0.9, 0.1, 0.6], [0.2, 0.7, 0.8]]], np.float32)
    only = decoding.ssd_by_class(boxes, scores, background=0, activation="none", min_score=0.5)[0]
    assert only.classes.tolist() == [1, 0, 1]
    assert only.boxes[:, 0].tolist() == [0, 4, 4]


def test_activations_neither_overflow_nor_warn():
    huge = np.array([[1_000.0, -1_000.0]])
    assert decoding.activated(huge, "sigmoid").tolist() == [[1, 0]]
    assert decoding.activated(huge, "softmax").tolist() == [[1, 0]]
    assert decoding.activated([[0.0, 0.0]], "softmax").tolist() == [[0.5, 0.5]]


def test_boxes_that_are_not_finite_are_left_out():
    boxes = np.array([[0, 0, np.nan, 1], [0, 0, 1, 1]])
    candidates = decoding.Candidates(boxes, np.ones(2), np.zeros(2, np.int64))
    assert len(candidates.above(0.5)) == 1


def test_the_best_classes_of_an_image_come_first():
    first, second = decoding.top_classes([[0.1, 0.6, 0.3], [0.5, 0.4, 0.1]], 2, 0.2)
    assert (first.classes.tolist(), second.classes.tolist()) == ([1, 2], [0, 1])
