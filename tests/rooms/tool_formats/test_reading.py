"""What the readers of tools share: JSON within limits, values, which file an entry means, masks."""

from __future__ import annotations

import base64
import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from calotype.formats import fields, json_text
from calotype.formats.fields import BadItem
from calotype.formats.image_finder import ImageFinder, stated_path
from calotype.formats.passthrough import Broken
from calotype.tool_formats import mask_runs, shapes


@pytest.mark.parametrize(
    "text", ["NaN", "-Infinity", "9" * 400, '{"a": 1, "a": 2}', "[" * 90_000 + "]" * 90_000]
)
def test_one_value_that_nothing_can_hold_stands_broken_in_its_place(text):
    value = json_text.parsed(f'[{{"x": {text}}}, {{"x": 2}}]'.encode())
    broken = value[0]["x"]
    while isinstance(broken, list):
        broken = broken[0]
    assert isinstance(broken, Broken)
    assert value[1] == {"x": 2}


@pytest.mark.parametrize("value", [True, "1", None, float("inf"), 10**400, 1e8, [1], Broken("x")])
def test_what_is_not_a_number_is_refused_in_few_words(value):
    with pytest.raises(BadItem) as bad:
        fields.number(value, "width")
    assert len(bad.value.reason) < 120


@pytest.mark.parametrize(
    ("stated", "path"),
    [
        ("a\\b.png", "a/b.png"),
        ("C:\\x\\b.png", "x/b.png"),
        ("../../b.png", "b.png"),
        ("s3://bucket/in/b%20c.png?sig=1", "in/b c.png"),
        ("/data/b.png", "data/b.png"),
    ],
)
def test_a_stated_path_never_leads_outside(stated, path):
    assert stated_path(stated) == path


def _images(folder: Path, *names: str) -> ImageFinder:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(folder / name)
    return ImageFinder(folder)


def test_an_image_is_found_by_the_longest_end_of_its_path(tmp_path):
    search = _images(tmp_path, "images/dogs/2.png", "images/cats/2.png", "images/cats/3.png")
    assert search.find("elsewhere/dogs/2.png") == tmp_path.resolve() / "images/dogs/2.png"
    assert search.find("elsewhere/3.png") == tmp_path.resolve() / "images/cats/3.png"
    assert search.find("4.png") is None
    with pytest.raises(BadItem, match="several files"):
        search.find("birds/2.png")


def test_a_name_without_an_ending_is_that_of_the_file_without_its_ending(tmp_path):
    search = _images(tmp_path, "images/a/1.png", "images/b/1.png", "images/v2.0.png")
    assert search.find("elsewhere/b/1") == tmp_path.resolve() / "images/b/1.png"
    assert search.find("v2.0") == tmp_path.resolve() / "images/v2.0.png"
    assert search.find("1.jpg") is None
    with pytest.raises(BadItem, match="several files"):
        search.find("1")


def test_an_image_outside_the_folder_is_not_found(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "outside.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link.png").symlink_to(tmp_path / "outside.png")
    search = ImageFinder(tmp_path / "in")
    assert search.find("../outside.png") is None
    assert search.find("link.png") is None


@st.composite
def _masks(draw):
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    return np.array(draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))).reshape(
        height, width
    )


@given(_masks())
def test_masks_survive_each_way_of_writing_them(mask):
    size = (mask.shape[1], mask.shape[0])
    assert np.array_equal(mask_runs.rows_to_mask(mask_runs.mask_to_rows(mask), size), mask)
    assert np.array_equal(mask_runs.bits_to_mask(mask_runs.mask_to_bits(mask), size), mask)
    assert np.array_equal(mask_runs.array_values(mask_runs.mask_to_array(mask)), mask)
    assert np.array_equal(mask_runs.image_to_grey(mask_runs.mask_to_image(mask)) > 0, mask)
    values = mask.astype(np.int64) * 7
    assert np.array_equal(mask_runs.rows_to_values(mask_runs.values_to_rows(values), size), values)


def test_an_array_of_objects_is_refused_and_a_bomb_is_not_unpacked():
    out = io.BytesIO()
    np.save(out, np.array([[{}]], object), allow_pickle=True)
    header = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '|b1', 'fortran_order': False, 'shape': (99999, 99999), }".ljust(118)
    )
    for data in (out.getvalue(), header, b"", b"\x93NUMPY\x01\x00\xff\xff", out.getvalue()[:20]):
        with pytest.raises(BadItem):
            mask_runs.array_values(base64.b64encode(zlib.compress(data)).decode())


@given(st.binary(max_size=60))
def test_bits_of_any_kind_are_a_mask_or_refused(data):
    try:
        assert mask_runs.bits_to_mask(data, (3, 2)).shape == (2, 3)
    except BadItem as bad:
        assert bad.reason.startswith("its mask")


@given(st.floats(0, 359.99), st.floats(0.5, 50), st.floats(0.5, 50))
def test_a_rectangle_is_measured_as_it_was_drawn(angle, width, height):
    found = shapes.turned(shapes.corners(shapes.Turned(20, 10, width, height, angle)))
    assert (found.x, found.y) == pytest.approx((20, 10))
    assert (found.width, found.height) == pytest.approx((width, height))
    assert abs((found.angle_deg - angle + 180) % 360 - 180) < 1e-6
