"""Figures of quality answer to one fault each, whatever else a picture shows."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from calotype.vision import images
from calotype.vision.jpeg_header import read_head
from calotype.vision.quality import edges as quality_edges
from calotype.vision.quality import files as file_quality
from calotype.vision.quality import light as quality_light
from calotype.vision.quality import measures as quality


def texture(seed=1, size_wh=(640, 480)):
    """A picture with detail of every size and in every direction, as photographs have."""
    rng = np.random.default_rng(seed)
    width, height = size_wh
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    falling = 1 / np.maximum(np.hypot(fy, fx), 1 / width)
    waves = falling * np.exp(2j * np.pi * rng.random(falling.shape))
    pixels = np.fft.irfft2(waves, s=(height, width))
    pixels = 128 + 50 * (pixels - pixels.mean()) / pixels.std()
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert("RGB")


def smeared(picture, dx, dy, n=15):
    pixels = np.asarray(picture, np.float32)
    steps = [np.roll(pixels, (round(k * dy), round(k * dx)), axis=(0, 1)) for k in range(n)]
    return Image.fromarray(np.mean(steps, axis=0).astype(np.uint8))


def saved(picture, form="JPEG", **options):
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def saved_and_read(picture):
    return Image.open(io.BytesIO(saved(picture, quality=90)))


def figure(picture, name):
    values = quality.figures(np.asarray(picture))
    return float(values[list(quality.METRICS).index(name)])


GOOD = texture()


@pytest.mark.parametrize("radius_px", [1.5, 3])
def test_blur_lowers_the_sharpness_and_leaves_motion_alone(radius_px):
    blurred = GOOD.filter(ImageFilter.GaussianBlur(radius_px))
    assert figure(blurred, "sharpness") < 0.7 * figure(GOOD, "sharpness")
    assert figure(blurred, "motion") > 0.8


def test_sharpness_falls_with_the_radius_up_to_20_px():
    radii = (1.5, 3, 6, 12, 20)
    sharpness = [
        figure(saved_and_read(GOOD.filter(ImageFilter.GaussianBlur(r))), "sharpness") for r in (0, *radii)
    ]
    assert sharpness == sorted(sharpness, reverse=True)
    assert sharpness[1] < 0.7 * sharpness[0] and sharpness[-1] < 0.15


@pytest.mark.parametrize("radius_px", [6, 12, 20])
def test_strong_blur_is_lack_of_focus_and_not_motion(radius_px):
    values = quality.figures(np.asarray(GOOD.filter(ImageFilter.GaussianBlur(radius_px))))[None]
    faults = quality.faults(values, quality.Limits())
    assert faults["blurred"].all() and not faults["motion_blurred"].any()


@pytest.mark.parametrize("n", [15, 30])
def test_a_long_smear_is_motion_and_not_lack_of_focus(n):
    values = quality.figures(np.asarray(smeared(GOOD, 1, 0, n)))[None]
    faults = quality.faults(values, quality.Limits())
    assert faults["motion_blurred"].all() and not faults["blurred"].any()


@pytest.mark.parametrize(
    "image", [Image.new("RGB", (300, 200), (90, 80, 70)), GOOD.resize((24, 24))], ids=["flat", "tiny"]
)
def test_where_nothing_can_be_judged_sharpness_is_nan_and_no_fault(image):
    values = quality.figures(np.asarray(image))
    assert np.isnan(values[:2]).all()
    faults = quality.faults(values[None], quality.Limits())
    assert not faults["blurred"].any() and not faults["motion_blurred"].any()


@pytest.mark.parametrize("dx, dy", [(1, 0), (0, 1), (1, 1), (1, -1), (1, 0.5)])
def test_a_smear_in_any_direction_lowers_motion(dx, dy):
    assert figure(GOOD, "motion") > 0.8
    assert figure(smeared(GOOD, dx, dy), "motion") < 0.5


@pytest.mark.parametrize("name", ["sharpness", "motion"])
def test_contrast_does_not_change_the_figures_of_edges(name):
    flat = GOOD.point([100 + v // 5 for v in range(256)] * 3)
    assert figure(flat, name) == pytest.approx(figure(GOOD, name), abs=0.06)


def test_noise_is_told_from_sharpness():
    pixels = np.asarray(GOOD, np.float32) + np.random.default_rng(2).normal(0, 25, (480, 640, 3))
    noisy = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    assert figure(noisy, "noise") < 0.28
    assert figure(GOOD.filter(ImageFilter.GaussianBlur(2)), "noise") > 0.8


def test_an_enlarged_picture_lacks_the_finest_detail():
    small = GOOD.resize((320, 240), Image.Resampling.BOX)
    assert (
        figure(small.resize((640, 480), Image.Resampling.BICUBIC), "detail") < 0.48 < figure(GOOD, "detail")
    )


@pytest.mark.parametrize(
    "value, expected", [((255, 90, 40), 0.0), ((253, 253, 253), 1.0), ((0, 0, 255), 0.0)], ids=str
)
def test_one_clipped_channel_is_enough(value, expected):
    assert figure(Image.new("RGB", (40, 30), value), "over_exposure") == expected


@pytest.mark.parametrize(
    "box, share",
    [
        ((0, 40, 320, 200), 2 / 3),
        ((0, 0, 320, 180), 0.75),
        ((40, 0, 280, 240), 0.75),
        ((0, 0, 320, 240), 1.0),
    ],
    ids=["top and bottom", "bottom", "sides", "none"],
)
def test_black_bars_are_left_out(box, share):
    framed = Image.new("RGB", (320, 240))
    framed.paste(texture(3, (box[2] - box[0], box[3] - box[1])), box[:2])
    assert figure(framed, "border") == pytest.approx(share, abs=0.01)


def test_a_thing_on_a_white_ground_has_no_bars():
    shown = Image.new("RGB", (320, 240), (255, 255, 255))
    shown.paste(texture(4, (100, 120)), (110, 60))
    assert figure(shown, "border") == 1.0


@pytest.mark.parametrize("size_wh", [(1, 1), (8, 8), (1, 3_000), (3_000, 1), (19, 21), (70, 17), (599, 3)])
@pytest.mark.parametrize("seed", [None, 5])
def test_figures_of_any_size_are_finite_save_those_of_edges(size_wh, seed):
    low, high = (77, 78) if seed is None else (0, 256)
    shape = (size_wh[1], size_wh[0], 3)
    pixels = np.random.default_rng(seed).integers(low, high, shape, dtype=np.uint8)
    figures = dict(zip(quality.METRICS, quality.figures(pixels).tolist(), strict=True))
    assert np.isnan([figures.pop("sharpness"), figures.pop("motion")]).all()
    assert np.isfinite(list(figures.values())).all()


@pytest.mark.parametrize(
    "size_wh, scale",
    [((599, 10), 1), ((600, 400), 2), ((480, 2_047), 2), ((2_048, 9), 4), ((8_000, 6_000), 8)],
)
def test_large_pictures_are_judged_smaller(size_wh, scale):
    assert quality.working_scale(size_wh) == scale


@pytest.mark.parametrize("form, options", [("JPEG", {"quality": 95}), ("PNG", {}), ("WEBP", {"quality": 95})])
def test_a_file_is_measured_alike_from_its_bytes_and_from_its_pixels(form, options):
    data = saved(GOOD, form, **options)
    upright = images.decode_upright(data)
    quick = file_quality.measure(data)
    assert quick.pixels == pytest.approx(file_quality.pixel_part(data, upright), abs=0.08)
    assert quick.file == pytest.approx(file_quality.file_part(data, upright), nan_ok=True)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_hash_is_of_the_upright_picture(orientation):
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
    stored = GOOD if back is None else GOOD.transpose(Image.Transpose(back))
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = file_quality.measure(saved(stored, "PNG", exif=exif)).difference_hash
    assert (turned ^ file_quality.measure(saved(GOOD, "PNG")).difference_hash).bit_count() <= 6


def with_thumbnail(picture, thumbnail, orientation=1):
    """A JPEG whose EXIF holds that thumbnail: an empty first directory with an orientation, then one for it."""
    small = saved(thumbnail, quality=80)
    first = (
        (1).to_bytes(2, "big") + bytes.fromhex("0112000300000001") + orientation.to_bytes(2, "big") + b"\0\0"
    )
    second = b"\0\x02" + bytes.fromhex("0201000400000001") + (8 + 18 + 30).to_bytes(4, "big")
    second += bytes.fromhex("0202000400000001") + len(small).to_bytes(4, "big") + bytes(4)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + first + (8 + 18).to_bytes(4, "big") + second + small
    return saved(picture, exif=exif)


@pytest.mark.parametrize(
    "thumbnail, low, high",
    [
        (GOOD, 0.9, 1.0),
        (GOOD.transpose(Image.Transpose.ROTATE_180), -2.0, 0.0),
        (texture(9), -0.7, 0.7),
    ],
    ids=["the same", "turned", "another"],
)
def test_the_thumbnail_in_exif_is_compared(thumbnail, low, high):
    data = with_thumbnail(GOOD, thumbnail.resize((160, 120)))
    agrees = float(file_quality.measure(data).file[3])
    assert low <= agrees <= high


@pytest.mark.parametrize(
    "exif", [b"", b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"]
)
def test_a_broken_exif_block_is_no_thumbnail(exif):
    data = saved(texture(2, (64, 48)))
    block = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    assert file_quality.measure(data[:2] + block + data[2:]).file[3] == 1.0


def test_a_jpeg_without_its_end_mark_is_told():
    head = read_head(saved(GOOD)[:-2])
    assert head is not None and not head.has_end
    assert read_head(saved(GOOD, "PNG")) is None


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 5, 20, 100, 300, 600])
def test_the_head_of_a_cut_file_is_read_without_an_error(cut):
    read_head(saved(texture(2, (64, 48)))[:cut])


def test_a_flat_picture_has_nothing_to_judge_edges_by():
    flat = np.full((100, 100), 90, np.uint8)
    assert quality_edges.edges(flat).gradient == 0
    assert quality_light.bars(flat) == (0, 0, 0, 0)
