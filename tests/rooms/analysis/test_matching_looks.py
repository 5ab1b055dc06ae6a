"""Matching looks: what is held at once, and what is compared block by block, find the same copies."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from calotype.analysis import near_duplicates as methods
from calotype.vision.looks import codes
from calotype.vision.looks.look import look, mirrored

N_SCENES = 40


def scene(seed):
    """(160, 200, 3) pixels of a few blocks on a soft ground."""
    rng = np.random.default_rng(seed)
    ground = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    pixels = np.asarray(ground.resize((200, 160), Image.Resampling.BICUBIC)).copy()
    for _ in range(9):
        x, y, w, h = rng.integers((0, 0, 10, 10), (170, 130, 70, 60))
        pixels[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return pixels


@pytest.fixture
def looks():
    """Looks of scenes, of six crops and of four mirrored crops of them, in this order."""
    scenes = [scene(k) for k in range(N_SCENES)]
    crops = [scenes[k][8:150, 12:190] for k in range(6)]
    mirrored = [scenes[k][4:152, 190:6:-1] for k in range(6, 10)]
    images = [*scenes, *crops, *mirrored]
    return np.stack([look(np.ascontiguousarray(image)) for image in images])


EXPECTED = [[k, N_SCENES + k] for k in range(10)]


@pytest.mark.parametrize("strict", [False, True])
def test_crops_and_mirrored_crops_are_found_by_both_ways(looks, strict, monkeypatch):
    held = methods.match(looks, None, strict=strict)
    assert held.pairs[held.flagged].tolist() == EXPECTED
    monkeypatch.setattr(methods, "_MOST_HELD", 0)
    again = methods.match(looks, None, strict=strict)
    assert again.pairs[again.flagged].tolist() == EXPECTED
    assert np.allclose(held.score[held.flagged], again.score[again.flagged], atol=1e-3)


@pytest.mark.parametrize("strict", [False, True])
def test_scenes_of_their_own_have_no_copies(looks, strict):
    matches = methods.match(looks[:N_SCENES], None, strict=strict)
    assert not matches.flagged.any()
    assert len(matches.pairs) == len(matches.score) == len(matches.flagged) == len(matches.words())
    if not strict:
        assert set(matches.pairs.ravel().tolist()) == set(range(N_SCENES))


def test_a_part_of_one_is_as_like_another_as_that_one_is_like_the_part(looks):
    channels = methods._channels(len(looks) ** 2)
    for held, (start, best, _) in zip(
        methods._alike_both_ways(looks, channels, 16), methods._alike(looks, looks, channels, 16), strict=True
    ):
        assert held[0] == start
        assert np.allclose(held[1], best, atol=1e-5)


def test_descriptors_of_mirrored_looks_come_from_those_of_the_looks(looks):
    turned = codes.mirrored_descriptors(codes.descriptors(looks))
    assert np.allclose(turned, codes.descriptors(mirrored(looks)), atol=1e-6)
