"""EXIF blocks of any kind: what is accepted can be decoded by everything, upright, in the size that was promised."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.support.images import draw, encode

from calotype.vision import images
from calotype.vision.quality import files as file_quality


def with_exif(data: bytes, block: bytes) -> bytes:
    """The JPEG with this EXIF block first."""
    return data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2) + block + data[2:]


def read_all_ways(data: bytes) -> None:
    """Verify, then decode and measure in every way; only the first may refuse."""
    try:
        facts = images.verify(data)
    except images.ImageUnreadable:
        return
    upright = images.decode_upright(data)
    assert upright.image.size == (facts.width_px, facts.height_px)
    assert images.decode_rgb(data).shape == (facts.height_px, facts.width_px, 3)
    file_quality.pixel_part(data, upright)
    file_quality.file_part(data, upright)
    file_quality.measure(data)
    images.thumbnail(data, max_side_px=16)


@pytest.mark.parametrize("length", range(4, 20))
def test_a_short_block_stops_nothing(length):
    block = (b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHIH", 1, 0x0112, 3, 1, 6))[:length]
    data = with_exif(encode(draw(1)), block)
    images.verify(data)
    read_all_ways(data)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60))
def test_no_block_stops_what_was_accepted(block):
    read_all_ways(with_exif(encode(draw(1)), b"Exif\0\0" + block))


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([0, 1, 3, 6, 8, 9]),
    st.lists(st.tuples(st.integers(0, 65_535), st.integers(0, 13), st.integers(0, 2**32 - 1)), max_size=4),
)
def test_a_turned_image_has_the_size_that_was_promised_whatever_else_its_block_says(turn, entries):
    rows = [struct.pack("<HHIHH", 0x0112, 3, 1, turn, 0)]
    rows += [struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries]
    block = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(rows)) + b"".join(rows) + bytes(4)
    read_all_ways(with_exif(encode(draw(1)), block))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_type_is_turned_upright_once(format, orientation):
    stored = Image.new("RGB", (32, 16), "black")
    stored.paste("white", (0, 0, 8, 8))  # a mark in the corner that EXIF calls row 0, column 0
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    stored.save(out, format, exif=exif)
    facts = images.verify(out.getvalue())
    rgb = images.decode_rgb(out.getvalue())
    assert rgb.shape[:2] == (facts.height_px, facts.width_px)
    assert rgb.shape[:2] == ((32, 16) if orientation >= 5 else (16, 32))
    top, left = {1: (1, 1), 2: (1, 0), 3: (0, 0), 4: (0, 1), 5: (1, 1), 6: (1, 0), 7: (0, 0), 8: (0, 1)}[
        orientation
    ]
    corner = rgb[2 if top else -3, 2 if left else -3]
    assert np.all(corner > 200)
