"""Copies that were changed are found beside pictures that only look alike."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from calotype.analysis.validation import InputsInvalid
from calotype.checks import near_duplicates


def scene(seed, size=(320, 240)):
    """A picture of its own: a few shapes on a gradient."""
    rng = np.random.default_rng(seed)
    noise = Image.fromarray(rng.integers(0, 255, (7, 9, 3), dtype=np.uint8)).resize(
        size, Image.Resampling.BICUBIC
    )
    pixels = np.asarray(noise).copy()
    for _ in range(14):
        x, y, w, h = (int(v) for v in rng.integers((0, 0, 15, 15), (size[0] - 20, size[1] - 20, 80, 80)))
        pixels[y : y + h, x : x + w] = rng.integers(0, 255, 3)
    return Image.fromarray(pixels)


def data(image, quality=90):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


CHANGES = {
    "saved again": lambda image: data(image, 20),
    "smaller": lambda image: data(image.resize((100, 75))),
    "mirrored": lambda image: data(ImageOps.mirror(image)),
    "cropped": lambda image: data(image.crop((40, 10, 310, 220))),
    "mirrored and cropped": lambda image: data(ImageOps.mirror(image).crop((20, 20, 300, 230))),
    "framed": lambda image: data(ImageOps.expand(image, border=24, fill=(0, 0, 0))),
    "lighter": lambda image: data(ImageEnhance.Brightness(image).enhance(1.25)),
}
OTHERS = [data(scene(k)) for k in range(24)]


@pytest.mark.parametrize("how", CHANGES)
def test_a_changed_copy_is_found_and_nothing_else(how):
    found = near_duplicates([CHANGES[how](scene(5))], OTHERS)
    assert found.pairs[found.flagged].tolist() == [[0, 5]]
    assert found.score.argmax() == found.pairs[:, 1].tolist().index(5)


def test_pictures_of_their_own_have_a_best_partner_and_no_flag():
    found = near_duplicates(OTHERS)
    assert not found.flagged.any()
    assert set(found.pairs.ravel().tolist()) == set(range(24))
    assert (found.pairs[:, 0] < found.pairs[:, 1]).all()


def test_a_file_that_cannot_be_read_is_told_and_left_out():
    found = near_duplicates([OTHERS[0], b"no picture", OTHERS[0]])
    assert list(found.unreadable) == [1]
    assert found.pairs[found.flagged].tolist() == [[0, 2]]


def test_nothing_has_no_pairs_and_one_path_is_no_list():
    assert near_duplicates([]).pairs.shape == (0, 2)
    with pytest.raises(InputsInvalid, match="one path"):
        near_duplicates("picture.jpg")


def bird(wide, slope, shade, seed):
    """32 x 32: a dark shape with a pattern on white, as many small pictures of things on white are."""
    y, x = np.mgrid[0:32, 0:32]
    body = ((x - 15) / wide) ** 2 + ((y - 14) / 6) ** 2 < 1
    head = (x - 7) ** 2 + (y - 8) ** 2 < 12
    back = (abs(x - 24) < 5) & (abs(y - 13 - (x - 24) * slope) < 3)
    pattern = np.random.default_rng(seed).integers(-75, 75, (8, 8)).repeat(4, axis=0).repeat(4, axis=1)
    grey = np.where(body | head | back, shade + pattern, 250)
    return Image.fromarray(np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8))


def test_small_pictures_of_one_shape_are_no_copies_but_one_saved_again_is():
    one, other = bird(8, 0.5, 80, 0), bird(7, -0.3, 90, 10)
    found = near_duplicates([np.asarray(one)], [np.asarray(other)])
    assert found.score[0] > 0.5
    assert not found.flagged.any()
    again = near_duplicates([np.asarray(one)], [data(one, 60)])
    assert again.flagged.tolist() == [True]
