"""Parts of looks: bars, codes, and the map of a part."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from calotype.vision.looks import bars, parts
from calotype.vision.looks.look import look, mirrored
from calotype.vision.looks.part_fit import fit_parts, roughly
from calotype.vision.looks.parts import REGIONS, Parts


def photo(seed, size=(480, 480)):
    """Soft noise of several scales."""
    rng = np.random.default_rng(seed)
    layers = [
        np.asarray(
            Image.fromarray(rng.integers(0, 256, (n, n, 3), dtype=np.uint8)).resize(
                size, Image.Resampling.BICUBIC
            )
        )
        for n in (4, 9, 20)
    ]
    return np.mean(layers, axis=0).astype(np.uint8)


def with_bar(rgb, top, bottom, colour):
    rgb = rgb.copy()
    rgb[top:bottom] = colour
    return rgb


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 40)], ids=["black", "white", "red"])
@pytest.mark.parametrize("top", [30, 200, 390])
def test_rows_below_a_bar_are_known_and_filled_from_beside_it(top, colour):
    rgb = photo(0)
    looks = np.stack([look(rgb), look(with_bar(rgb, top, top + 60, colour))])
    covered = bars.rows_of_bars(looks)
    assert not covered[0].any()
    assert covered[1, top // 10 : top // 10 + 6].all()
    assert covered[1].sum() <= 8
    luma = looks[:, : 48 * 48].reshape(2, 48, 48).astype(int)
    filled = bars.without_bars(looks, covered)[1, : 48 * 48].reshape(48, 48).astype(int)
    rows = covered[1]
    assert np.array_equal(filled[~rows], luma[1, ~rows])
    assert np.abs(filled - luma[0])[rows].mean() < np.abs(luma[1] - luma[0])[rows].mean()


def test_a_flat_sky_that_fades_into_the_ground_is_no_bar():
    ramp = np.clip(np.arange(480) - 60, 0, 200)[:, None, None]
    rgb = np.broadcast_to(ramp, (480, 480, 3)).astype(np.uint8)
    assert not bars.rows_of_bars(look(np.ascontiguousarray(rgb))[None]).any()


def test_the_odd_waves_of_a_mirrored_look_change_their_sign():
    looks = np.stack([look(photo(seed)) for seed in range(5)])
    even, odd = parts.codes(looks, REGIONS[0])
    even_turned, odd_turned = parts.codes(mirrored(looks), REGIONS[0])
    assert (even.shape, odd.shape) == ((5, 17), (5, 18))
    assert np.allclose(even, even_turned, atol=1e-5)
    assert np.allclose(odd, -odd_turned, atol=1e-5)
    length = np.sqrt((even**2).sum(axis=1) + (odd**2).sum(axis=1))
    assert ((length > 0.8) & (length < 1)).all()


@pytest.mark.parametrize("mirror", [False, True])
def test_a_part_is_mapped_to_its_place(mirror):
    rgb = photo(3)
    x, y, side = 100, 150, 270  # 0.208, 0.312, 0.562
    part = rgb[y : y + side, x : x + side]
    part = np.ascontiguousarray(part[:, ::-1] if mirror else part)
    a, b = parts.shown(look(part)[None]), parts.shown(look(rgb)[None])
    near = np.abs(np.asarray(REGIONS)[:, :3] - [x / 480, y / 480, side / 480]).sum(axis=1).argmin()
    pairs = Parts(*(np.asarray([value]) for value in (0, mirror, 0, near)))
    start, alike = roughly(a, b, pairs)
    found = fit_parts(a, b, pairs, start)
    assert alike[0] > 0.9
    assert found.fit.likeness[0] > 0.97
    assert found.fit.detail[0] > 0.9
    expected = [[side / 480, 0, x / 480], [0, side / 480, y / 480]]
    assert np.allclose(found.where[0], expected, atol=0.01)


def test_images_without_colour_are_known():
    rgb = photo(4)
    grey = np.repeat(rgb[:, :, :1], 3, axis=2)
    assert parts.shown(np.stack([look(rgb), look(grey)])).grey.tolist() == [False, True]
