"""Wrong classes where derived samples repeat the label of their original."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.support.images import encode

from calotype.datasets.model import Kind

CONTRACT = "embedding: hog-colour"
N = 40
WRONG = 7


def picture(rgb: np.ndarray) -> bytes:
    """JPEG bytes."""
    return encode(Image.fromarray(rgb))


def striped(number: int, *, upright: bool) -> np.ndarray:
    """(96, 96, 3) uint8: stripes in one of two directions, each image with its own phase and noise."""
    rng = np.random.default_rng(number)
    wave = 127 + 100 * np.sin(np.arange(96) / 5 + rng.uniform(0, 6))
    rgb = np.repeat((wave[None, :] if upright else wave[:, None]) + np.zeros((96, 96)), 3).reshape(96, 96, 3)
    return np.clip(rgb + rng.normal(0, 8, rgb.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def originals(things):
    """Images of two classes, one with the class of the other; the label of each."""
    labels = []
    for number in range(N):
        sample = things.image(picture(striped(number, upright=number % 2 == 0)), label=False)
        given = number % 2 if number != WRONG else 1 - number % 2
        labels.append(things.box(sample, None, given, kind=Kind.CLASSIFICATION))
    return labels


def test_copies_of_a_wrong_label_do_not_confirm_it(things, originals):
    parent = things.samples[WRONG]
    for turn in range(14):
        copy = things.image(
            picture(np.roll(striped(WRONG, upright=False), turn, axis=0)),
            label=False,
            parent_id=parent.sample_id,
            recipe="roll@0123456789ab",
        )
        things.box(copy, None, originals[WRONG].class_id, kind=Kind.CLASSIFICATION)
    outcome = things.only("label-errors", CONTRACT)
    assert [finding.annotation_id for finding in outcome.findings] == [originals[WRONG].ann_id]


def test_a_derived_sample_without_its_original_is_judged_itself(things, originals):
    things.samples[WRONG] = replace(things.samples[WRONG], parent_id="0" * 32, recipe="roll@0123456789ab")
    outcome = things.only("label-errors", CONTRACT)
    assert [finding.annotation_id for finding in outcome.findings] == [originals[WRONG].ann_id]
