"""Masks judged by the probabilities of their pixels."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.analysis.validation import InputsInvalid
from calotype.checks import mask_errors


def world():
    """A square of class 1 on class 0, and probabilities of a model that sees it."""
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 20:40] = 1
    probs = np.full((3, 40, 60), 0.05)
    for number in (0, 1):
        probs[number][mask == number] = 0.9
    return mask, probs


def test_a_mask_without_its_square_is_more_suspect_and_the_place_is_told():
    mask, probs = world()
    found = mask_errors([mask, np.zeros_like(mask)], [probs, probs])
    assert found.score[0] < 0.2 < 0.8 < found.score[1]
    assert found.regions == ((), (((20, 10, 20, 20), 1),))
    assert found.wrong_share[1] == pytest.approx((400 * 0.95 + 2_000 * 0.1) / 2_400, abs=1e-3)


def test_ignored_pixels_count_nowhere():
    mask, probs = world()
    wrong = np.zeros_like(mask)
    wrong[mask == 1] = 255
    assert mask_errors([wrong, np.full_like(mask, 255)], [probs, probs]).score.tolist() == pytest.approx(
        [0.1, 0.0], abs=1e-5
    )


@pytest.mark.parametrize(
    "shape, words", [((3, 9, 9), "its probabilities"), ((1, 40, 60), "holds class 1 of 1")]
)
def test_what_does_not_fit_is_refused(shape, words):
    with pytest.raises(InputsInvalid, match=words):
        mask_errors([world()[0]], [np.full(shape, 0.3)])
