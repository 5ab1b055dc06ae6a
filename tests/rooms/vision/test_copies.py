"""Looks of images, their borders, and thumbnails that are close: quick ways give what the plain definitions give."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from calotype.vision import images, pixel_facts
from calotype.vision.looks.look import look

PLAIN, WIDEST = 6, 0.3


def border_by_definition(rgb):
    """Lines from the top in the median colour of the first, by NumPy's percentile."""
    lines = rgb[: int(len(rgb) * WIDEST), :: max(1, rgb.shape[1] // 128)].astype(float)
    colour = np.median(lines[0], axis=0)
    plain = np.percentile(np.abs(lines - colour).max(axis=2), 95, axis=1) <= PLAIN
    return 0 if plain.all() else int(np.argmin(plain))


@pytest.mark.parametrize("seed", range(60))
def test_plain_borders_are_cut_as_defined(seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(64, 300, 2)
    rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    colour, spread = rng.integers(10, 240, 3), seed % 9
    lines = int(rng.integers(0, height // 2))
    rgb[:lines] = colour + rng.integers(-spread, spread + 1, (lines, width, 3))
    if seed % 2:
        rgb[:, width - lines // 2 :] = colour
    sides = [rgb, rgb[::-1], rgb.transpose(1, 0, 2), rgb.transpose(1, 0, 2)[::-1]]
    top, bottom, left, right = map(border_by_definition, sides)
    inner = rgb[top : height - bottom, left : width - right]
    assert np.array_equal(look(rgb), look(np.ascontiguousarray(inner)))


def test_a_look_is_the_same_whether_the_reduced_image_is_given_or_made():
    rng = np.random.default_rng(0)
    rgb = np.asarray(Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize((1300, 900)))
    upright = images.decode_upright(images.encode_png(rgb))
    assert np.array_equal(look(rgb), look(rgb, upright.reduced))
    assert upright.reduced(2) is upright.reduced(2)
    assert upright.reduced(2).size == (650, 450)
    assert upright.reduced(1) is upright.image


def test_a_long_narrow_image_keeps_the_side_that_a_look_needs():
    rgb = np.random.default_rng(1).integers(0, 256, (60, 2400, 3), dtype=np.uint8)
    luma = Image.fromarray(rgb).convert("YCbCr").getchannel(0).resize((48, 48), Image.Resampling.BOX)
    assert np.array_equal(look(rgb)[: 48 * 48], np.asarray(luma).ravel())


def test_coarse_means_rule_out_no_pair_that_correlates():
    rng = np.random.default_rng(2)
    base = rng.integers(0, 256, (6, 32, 32)).astype(float)
    noise = rng.normal(0, 1, (60, 32, 32)) * np.linspace(1, 60, 60)[:, None, None]
    thumbs = np.clip(np.repeat(base, 10, axis=0) + noise, 0, 255).astype(np.uint8)
    thumbs[7] = 128
    pairs = np.stack(np.triu_indices(60, 1), axis=1)
    values = pixel_facts.centred(thumbs)
    scores = pixel_facts.correlation(values[pairs[:, 0]], values[pairs[:, 1]])
    fits = pixel_facts.misfit(thumbs[pairs[:, 0]], thumbs[pairs[:, 1]]) <= 0.4
    close, alike = pixel_facts.close_pairs(thumbs, pairs, min_correlation=0.9, max_misfit=0.4)
    expected = np.flatnonzero((scores >= 0.9) & fits)
    assert 20 < len(expected) < len(pairs) / 4
    assert close.tolist() == expected.tolist()
    assert np.array_equal(alike, scores[expected])


def test_without_thumbnails_no_pair_is_close():
    nothing = pixel_facts.close_pairs(
        np.zeros((0, 32, 32), np.uint8), np.zeros((0, 2), np.int64), min_correlation=0.9, max_misfit=0.4
    )
    assert [len(part) for part in nothing] == [0, 0]
