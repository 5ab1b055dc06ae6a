"""Each fault of an image lowers its own figure."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps
from tests.rooms.checks.test_near_duplicates import data, scene

from calotype.analysis.image_quality import METRICS
from calotype.checks import image_quality

GOOD = scene(3, (640, 480))


def moved(image, n=15):
    pixels = np.asarray(image, np.float32)
    return Image.fromarray(np.mean([np.roll(pixels, k, axis=1) for k in range(n)], axis=0).astype(np.uint8))


FAULTS = {
    "blurred": ("sharpness", lambda image: image.filter(ImageFilter.GaussianBlur(1.5))),
    "motion_blurred": ("motion", moved),
    "over_exposed": (
        "over_exposure",
        lambda image: image.point([min(255, round(v * 2.5)) for v in range(256)] * 3),
    ),
    "under_exposed": ("under_exposure", lambda image: image.point([v // 16 for v in range(256)] * 3)),
    "low_contrast": ("contrast", lambda image: image.point([100 + v // 6 for v in range(256)] * 3)),
    "letterboxed": ("border", lambda image: ImageOps.expand(image, border=(0, 80), fill=(0, 0, 0))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_flagged_and_shows_in_its_figure(fault):
    metric, spoil = FAULTS[fault]
    found = image_quality([data(GOOD), data(spoil(GOOD))])
    assert found.flags[fault].tolist() == [False, True]
    assert found[metric][1] < found[metric][0] - 0.05


def test_sharpness_does_not_depend_on_contrast():
    flat = GOOD.point([90 + v // 3 for v in range(256)] * 3)
    sharp = image_quality([data(GOOD), data(flat)])["sharpness"]
    assert sharp[1] > 0.8 * sharp[0]


def test_every_metric_is_named_and_documented():
    found = image_quality([data(GOOD)])
    assert list(found) == list(METRICS)
    assert all(found.directions[name] for name in found)


def test_what_cannot_be_read_is_told_not_raised(tmp_path):
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(data(GOOD)[:9_000])
    found = image_quality([cut, tmp_path / "missing.jpg", b"", tmp_path])
    assert sorted(found.unreadable) == [0, 1, 2, 3]
    assert found.flags["truncated"].tolist() == [True, False, False, False]
    assert np.isnan(found["sharpness"]).all()


def test_a_turned_file_is_measured_upright():
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    GOOD.save(out, "JPEG", exif=exif)
    found = image_quality([out.getvalue()])
    assert found.flags["turned"].tolist() == [True]
    assert found["aspect"][0] == pytest.approx(0.75)


@pytest.mark.parametrize("quality", [10, 50, 90])
def test_the_quality_of_a_jpeg_is_read_from_its_tables(quality):
    found = image_quality([data(GOOD, quality)])
    assert found["jpeg_quality"][0] == pytest.approx(quality, abs=1)
    assert found.flags["low_jpeg_quality"].tolist() == [quality == 10]


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (3, 200), (200, 3)])
def test_tiny_and_thin_images_are_measured(size):
    found = image_quality([np.full((size[1], size[0], 3), 90, np.uint8)])
    assert found.flags["single_tone"].all()
    assert not found.flags["blurred"].any()


def test_the_hash_and_the_digest_come_along(tmp_path):
    file = tmp_path / "a.jpg"
    file.write_bytes(data(GOOD))
    found = image_quality([file, data(GOOD, 60), data(scene(9, (640, 480))), b"no image"])
    first, again, other, none = (int(value) for value in found.difference_hash)
    assert (first ^ again).bit_count() <= 4 < (first ^ other).bit_count()
    assert none == 0
    assert found.sha256[0] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_jpeg_without_its_end_mark_counts_as_truncated():
    whole = data(GOOD)
    end = len(whole) - 2
    found = image_quality([whole, whole[:end] + b"\0\0", whole[: end // 2]])
    assert found.flags["truncated"].tolist() == [False, True, True]
    assert found["whole"].tolist() == [1, 0, 0]


def test_odd_sizes_and_grey_images_are_told():
    small = GOOD.resize((40, 30))
    found = image_quality(
        [data(GOOD)] * 4 + [data(small), data(GOOD.convert("L")), data(GOOD.resize((640, 60)))]
    )
    assert found.flags["odd_size"].tolist() == [False] * 4 + [True, False, False]
    assert found.flags["greyscale"].tolist() == [False] * 5 + [True, False]
    assert found.flags["odd_aspect"].tolist() == [False] * 6 + [True]
    assert found["size"][:2].tolist() == [1, 1]


def test_facts_are_notes_and_no_faults():
    framed = ImageOps.expand(GOOD.convert("L"), border=(0, 80), fill=0)
    blurred = GOOD.filter(ImageFilter.GaussianBlur(6))
    found = image_quality([data(GOOD), data(framed), data(blurred)])
    assert found.notes["greyscale"].tolist() == found.notes["letterboxed"].tolist() == [False, True, False]
    assert found.faulty.tolist() == [False, False, True]
    assert not set(found.notes) & set(found.flags)
    assert found.flags["greyscale"] is found.notes["greyscale"]
    with pytest.raises(KeyError):
        found.flags["nonsense"]


def test_blur_is_another_name_of_sharpness():
    found = image_quality([data(GOOD)])
    assert found["blur"].tolist() == found["sharpness"].tolist()
    assert "blur" in found and "blur" not in list(found)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_other_formats_are_measured(form):
    out = io.BytesIO()
    GOOD.save(out, form)
    found = image_quality([out.getvalue()])
    assert found.unreadable == {}
    assert np.isnan(found["jpeg_quality"][0]) and np.isfinite(found["sharpness"][0])


@pytest.mark.parametrize("mode", ["L", "CMYK", "I;16", "RGBA", "P"])
def test_other_modes_are_measured(mode):
    out = io.BytesIO()
    picture = GOOD.convert("L").convert("I;16") if mode == "I;16" else GOOD.convert(mode)
    picture.save(out, "JPEG" if mode in ("L", "CMYK") else "PNG")
    assert image_quality([out.getvalue()]).unreadable == {}


def test_a_large_photo_is_judged_at_a_smaller_size():
    large = GOOD.resize((2_400, 1_800), Image.Resampling.NEAREST)
    found = image_quality([data(large), data(large.filter(ImageFilter.GaussianBlur(8)))])
    assert found.flags["blurred"].tolist() == [False, True]


def test_no_images_have_no_figures():
    found = image_quality([])
    assert [len(found[name]) for name in found] == [0] * len(METRICS)
    assert found.flags["blurred"].shape == (0,)


@pytest.mark.timeout(600)
def test_odd_files_never_raise(dev_data):
    files = sorted(path for path in (dev_data / "odd-images").iterdir())
    found = image_quality(files)
    names = {file.name: at in found.unreadable for at, file in enumerate(files)}
    assert names["bomb_real_20000x20000.png"] and names["truncated.jpg"] and names["zero_bytes.jpg"]
    assert not names["cmyk.jpg"] and not names["gray16.png"] and not names["orientation_6.jpg"]
