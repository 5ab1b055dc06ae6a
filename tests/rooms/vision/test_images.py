"""Images are refused from their header, checked whole, and shown upright."""

from __future__ import annotations

import csv
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from tests.support import images as drawn

from calotype.vision import images
from calotype.vision.images import ImageUnreadable


def saved(picture, form, **options):
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width, height, *chunks):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(9) * 8))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + rows + chunk(b"IEND", b"")


def gif_of(n_frames):
    one = saved(Image.new("L", (4, 4)), "GIF")
    at = one.index(b"\x2c")
    return one[:at] + one[at:-1] * n_frames + b";"


PICTURE = drawn.draw(1, size_wh=(96, 64))
CORNERS = Image.fromarray(np.kron(np.array([[250, 5, 5], [5, 5, 5]], np.uint8), np.ones((32, 32), np.uint8)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_and_size_are_upright(orientation):
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
    stored = CORNERS if undo is None else CORNERS.transpose(Image.Transpose(undo))
    data = drawn.encode(stored, "image/png", orientation=orientation)
    facts = images.verify(data)
    assert (facts.width_px, facts.height_px, facts.orientation) == (96, 64, orientation)
    assert (images.decode_rgb(data)[..., 0] == np.asarray(CORNERS)).all()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_the_six_types_are_read(form):
    facts = images.verify(saved(PICTURE, form))
    assert (facts.width_px, facts.height_px, facts.n_frames) == (96, 64, 1)
    assert facts.mime == images.MIMES[form]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_file_that_was_cut_off_is_refused(form):
    data = saved(PICTURE, form)
    with pytest.raises(ImageUnreadable):
        images.verify(data[: len(data) * 6 // 10])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\xff\xd8\xff\xe0" + bytes(16),
        saved(PICTURE, "ICO"),
        png_of(60_000, 60_000),
        png_of(10_001, 10_000),
        png_of(0, 8),
        png_of(8, 8, chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000)))),
        gif_of(10_000),
        png_of(8, 8)[:-16] + b"\0\0\0\1" + png_of(8, 8)[-12:],
    ],
    ids=[
        "empty",
        "text",
        "svg",
        "postscript",
        "only-header",
        "ico",
        "bomb",
        "one-column-over",
        "no-width",
        "text-bomb",
        "ten-thousand-frames",
        "wrong-check-sum",
    ],
)
@pytest.mark.timeout(120)
def test_hostile_bytes_are_refused(data):
    with pytest.raises(ImageUnreadable):
        images.verify(data)


def test_frames_are_counted_and_the_first_one_is_the_image():
    frames = [drawn.draw(seed) for seed in range(4)]
    for form in ("GIF", "WEBP", "PNG", "TIFF"):
        data = saved(frames[0], form, save_all=True, append_images=frames[1:])
        assert images.verify(data).n_frames == 4
    assert (images.decode_rgb(data) == np.asarray(frames[0])).all()


def test_sixteen_bits_are_scaled_not_clipped():
    ramp = np.linspace(0, 65_535, 256).astype(np.uint16)[None].repeat(4, axis=0)
    grey = images.decode_rgb(saved(Image.fromarray(ramp), "PNG"))
    assert np.abs(grey[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_floats_are_scaled_by_their_range():
    ramp = np.linspace(-3.0, 7.0, 256, dtype=np.float32)[None]
    grey = images.decode_rgb(saved(Image.fromarray(ramp), "TIFF"))
    assert (grey[0, 0, 0], grey[0, -1, 0]) == (0, 255)


def test_transparency_lies_on_white():
    clear = Image.new("RGBA", (2, 2), (10, 20, 30, 0))
    assert (images.decode_rgb(saved(clear, "PNG")) == 255).all()


def test_four_inks_become_three_channels():
    rgb = images.decode_rgb(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))
    assert rgb.shape == (8, 8, 3)
    assert rgb[0, 0, 0] > 200 and rgb[0, 0, 1] < 60


@pytest.mark.parametrize("size_wh", [(4_000, 1), (1, 4_000), (300, 200)])
def test_a_thumbnail_has_pixels_and_no_metadata(size_wh):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "secret place")
    small = images.thumbnail(saved(Image.new("RGB", size_wh), "PNG", pnginfo=notes), max_side_px=64)
    with Image.open(io.BytesIO(small)) as image:
        assert max(image.size) == 64 and min(image.size) >= 1
        assert not image.getexif()
    assert b"secret" not in small


def test_a_jpeg_decodes_small_to_the_wanted_size():
    rgb = images.decode_rgb(saved(drawn.draw(2, size_wh=(1_000, 500)), "JPEG"), max_side_px=100)
    assert rgb.shape == (50, 100, 3)


def test_the_extension_is_compared_with_the_content():
    assert images.matches_extension("a/b.c/UPPER.JPG", "image/jpeg")
    assert not images.matches_extension("inside.jpg", "image/png")
    assert images.matches_extension("no-extension", "image/png")


def test_png_bytes_give_the_pixels_back():
    rgb = np.asarray(PICTURE)
    assert (images.decode_rgb(images.encode_png(rgb)) == rgb).all()


@pytest.mark.timeout(300)
def test_every_odd_image_is_judged_as_listed(dev_data):
    folder = dev_data / "odd-images"
    wrong = []
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 50
    for row in rows:
        try:
            facts = images.verify((folder / row["file"]).read_bytes())
            fits = images.matches_extension(row["file"], facts.mime)
            got = [str(facts.width_px), str(facts.height_px), str(facts.n_frames)] if fits else None
        except ImageUnreadable:
            got = None
        listed = [row["width"], row["height"], row["frames"]] if row["expected"] == "accept" else None
        if got != listed:
            wrong.append((row["file"], listed, got))
    assert wrong == []


def test_boxes_are_cut_out_with_a_margin_and_never_empty():
    rgb = np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    boxes = [(10.0, 20.0, 50.0, 25.0), (90.0, 50.0, 40.0, 40.0), (200.0, 5.0, 9.0, 9.0), None]
    inside, at_the_edge, outside, whole = images.decode_cuts(images.encode_png(rgb), boxes, min_side_px=8)
    assert np.array_equal(inside, rgb[18:47, 6:64])
    assert np.array_equal(at_the_edge, rgb[46:, 86:])
    assert outside.tolist() == [[[0, 0, 0]]]
    assert np.array_equal(whole, rgb)


def test_a_jpeg_without_boxes_is_decoded_at_a_fraction_of_its_size():
    data = images.encode_jpeg(np.zeros((400, 800, 3), np.uint8))
    (cut,) = images.decode_cuts(data, [None], min_side_px=200)
    assert cut.shape == (100, 200, 3)
