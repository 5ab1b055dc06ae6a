"""Copies in grey, below a bar and heavily cropped are found; other images below the same bar are not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from calotype.analysis.copies import parts
from calotype.analysis.validation import InputsInvalid
from calotype.checks import near_duplicates

SIZE = (400, 300)


def scene(seed):
    """Shapes of many sizes on a soft ground, so that each part shows something."""
    rng = np.random.default_rng(seed)
    ground = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize(
        SIZE, Image.Resampling.BICUBIC
    )
    draw = ImageDraw.Draw(ground)
    for _ in range(60):
        x, y, w, h = rng.integers((0, 0, 12, 12), (SIZE[0], SIZE[1], 70, 70)).tolist()
        draw.ellipse((x - w, y - h, x, y), fill=tuple(rng.integers(0, 256, 3).tolist()))
    return ground


def barred(image, top, colour, text=""):
    """A bar of 12 % of the height."""
    image, height = image.copy(), round(0.12 * SIZE[1])
    draw, y = ImageDraw.Draw(image), round(top * (SIZE[1] - height))
    draw.rectangle((0, y, SIZE[0], y + height - 1), fill=colour)
    draw.text((30, y + 7), text, fill="white", font=ImageFont.load_default(size=18))
    return image


def cropped(image, x, y, side=0.55):
    """A part of 55 % a side."""
    w, h = (round(side * length) for length in SIZE)
    left, top = round(x * (SIZE[0] - w)), round(y * (SIZE[1] - h))
    return image.crop((left, top, left + w, top + h))


COPIES = {
    "in grey": (lambda image: image.convert("L"), "in grey"),
    "with a bar at the top": (lambda image: barred(image, 0.1, "red"), "with a bar"),
    "with a bar in the middle": (lambda image: barred(image, 0.5, (255, 255, 255)), "with a bar"),
    "with a bar near the bottom": (lambda image: barred(image, 0.85, "black", "FOR SALE"), "with a bar"),
    "cropped at a corner": (lambda image: cropped(image, 0, 1), "cropped"),
    "cropped in the middle": (lambda image: cropped(image, 0.45, 0.6), "cropped"),
    "cropped, of another size": (lambda image: cropped(image, 0.8, 0.3).resize((330, 250)), "cropped"),
    "cropped and mirrored": (
        lambda image: ImageOps.mirror(cropped(image, 0.3, 0.2, 0.6)),
        "mirrored, cropped",
    ),
    "cropped in grey": (lambda image: cropped(image, 0.2, 0.7, 0.7).convert("L"), "cropped, in grey"),
}
OTHERS = [np.asarray(scene(seed)) for seed in range(30)]


@pytest.mark.parametrize("how", COPIES)
def test_a_changed_copy_is_found_and_what_was_changed_is_named(how):
    change, words = COPIES[how]
    copy = np.asarray(change(scene(7)))
    found = near_duplicates([copy], OTHERS)
    assert found.pairs[found.flagged].tolist() == [[0, 7]]
    assert [found.changes[k] for k in np.flatnonzero(found.flagged)] == [words]
    back = near_duplicates(OTHERS, [copy])
    assert back.pairs[back.flagged].tolist() == [[7, 0]]
    among = near_duplicates([*OTHERS, copy])
    assert among.pairs[among.flagged].tolist() == [[7, 30]]


def test_other_images_below_the_same_bar_or_all_in_grey_are_no_copies():
    images = [np.asarray(barred(scene(seed), 0.5, "black", "FOR SALE")) for seed in range(30, 50)]
    images += [np.asarray(scene(seed).convert("L")) for seed in range(50, 70)]
    assert not near_duplicates(images).flagged.any()


def test_candidates_are_the_same_whether_all_looks_are_described_at_once_or_in_parts(monkeypatch):
    copy = np.asarray(cropped(scene(7), 0.4, 0.4))
    whole = near_duplicates([*OTHERS, copy])
    monkeypatch.setattr(parts, "_CHUNK", 9)
    monkeypatch.setattr(parts, "_ROWS", 4)
    monkeypatch.setattr(parts, "_TILE", 4)
    small = near_duplicates([*OTHERS, copy])
    assert small.pairs.tolist() == whole.pairs.tolist()
    assert np.allclose(small.score, whole.score, atol=1e-4)


@pytest.mark.parametrize(
    "form",
    [
        lambda rgb: rgb.astype(np.float64) / 255,
        lambda rgb: np.asarray(Image.fromarray(rgb).convert("L")),
        lambda rgb: np.asarray(Image.fromarray(rgb).convert("L"), np.float32)[:, :, None] / 255,
    ],
    ids=["floats", "grey", "grey floats"],
)
def test_floats_and_grey_arrays_are_images_too(form):
    found = near_duplicates([form(OTHERS[3])], OTHERS)
    assert found.pairs[found.flagged].tolist() == [[0, 3]]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 2), np.uint8),
        np.zeros(4, np.uint8),
        np.full((4, 4), 2.0),
        np.full((4, 4), np.nan),
        np.zeros((4, 4), int),
    ],
    ids=["two channels", "a row", "beyond 1", "not a number", "long integers"],
)
def test_other_arrays_are_refused(array):
    with pytest.raises(InputsInvalid, match="floats from 0 to 1"):
        near_duplicates([array])
