"""DOTA, by the page of its annotation format."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.exports import FEW, box, image_file, losses, sample, shape, text, there_and_back, warnings
from tests.support.labels import read_labels

from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.formats.survey import Survey
from calotype.public_formats.dota import rectangle

DOTA = registry.reader("dota")
HEAD = "imagesource:GoogleEarth\ngsd:0.146343590398\n"
SHIP = "10.0 10.0 30.0 10.0 30.0 20.0 10.0 20.0 ship 0"
TILTED = "20 5 35 20 30 25 15 10 small-vehicle 1"
SKEWED = "0 0 40 5 45 40 5 20 plane 0"


@pytest.fixture
def aerial(tmp_path):
    for split, name in (("train", "P0001"), ("train", "P0002"), ("val", "P0003"), ("val", "P0004")):
        image_file(tmp_path / split / "images" / f"{name}.png")
    text(tmp_path / "train/labelTxt/P0001.txt", f"{HEAD}{SHIP}\n{TILTED}\n")
    text(tmp_path / "train/labelTxt/P0002.txt", "imagesource:GF\ngsd:null\n")
    text(tmp_path / "val/labelTxt-v1.5/DOTA-v1.5_val/P0003.txt", f"{SKEWED}\r\n")
    return tmp_path


def test_tiles_that_mmrotate_split(tmp_path):
    """`tools/data/dota/split` of MMRotate writes `images/` and `annfiles/`; read as a class folder before."""
    image_file(tmp_path / "trainval/images/P0000__1024__0___0.png")
    text(tmp_path / "trainval/annfiles/P0000__1024__0___0.txt", f"{SKEWED}\n")
    assert registry.detect(tmp_path).format.name == "dota"
    labels = read_labels(DOTA, tmp_path)
    assert ([image.name for image in labels.images], len(labels.annotations)) == (
        ["trainval/images/P0000__1024__0___0.png"],
        1,
    )


def test_a_set_with_splits(aerial):
    found = registry.detect(aerial)
    assert (found.format.name, found.sighting.evidence) == ("dota", ("train/labelTxt/P0001.txt",))
    labels = read_labels(DOTA, aerial)
    assert not labels.problems
    ship, tilted, plane = labels.annotations
    assert (ship.drawn.kind, ship.drawn.rings_px) == (Kind.ROTATED_BOX, ((10, 10, 30, 10, 30, 20, 10, 20),))
    assert (ship.drawn.bbox_xywh_px, ship.drawn.area_px) == ((10, 10, 20, 10), 200)
    assert (tilted.class_name, tilted.drawn.attributes) == ("small-vehicle", {"difficult": True})
    assert tilted.drawn.kind == Kind.ROTATED_BOX
    assert (plane.drawn.kind, plane.image) == (Kind.POLYGON, "val/images/P0003.png")
    facts = {image.name: (image.split, image.tags, dict(image.metadata)) for image in labels.images}
    assert facts == {
        "train/images/P0001.png": ("train", (), {"imagesource": "GoogleEarth", "gsd": 0.146343590398}),
        "train/images/P0002.png": ("train", ("background",), {"imagesource": "GF"}),
        "val/images/P0003.png": ("val", (), {}),
        "val/images/P0004.png": ("val", (), {}),
    }
    assert warnings(DOTA, aerial) == {"image-empty": 1, "image-without-labels": 1}


@pytest.mark.parametrize(
    ("row", "reason"),
    [("1 2 3 4 ship 0", "columns"), (SHIP.replace("30.0", "inf", 1), "corners"), (f"{SHIP} more", "columns")],
)
def test_a_line_that_is_no_object_costs_itself(aerial, row, reason):
    text(aerial / "train/labelTxt/P0001.txt", f"{HEAD}{row}\n{SHIP}\n")
    labels = read_labels(DOTA, aerial)
    assert len(labels.annotations) == 2
    assert [problem.where for problem in labels.problems] == ["train/labelTxt/P0001.txt:3"]
    assert reason in labels.problems[0].reason


def test_rotated_boxes_of_yolo_are_not_mistaken_for_it(tmp_path):
    image_file(tmp_path / "images" / "a.png")
    text(tmp_path / "labelTxt" / "a.txt", "0 .1 .1 .2 .1 .2 .2 .1 .2\n0 .1 .1 .2 .1 .2 .2 .1 .2 .9\n")
    assert DOTA.recognise(Survey(tmp_path)) is None


def test_corners_the_other_way_round_are_turned_and_rounded_ones_are_rectangles():
    assert rectangle([0, 0, 0, 10, 20, 10, 20, 0]) == (0, 0, 20, 0, 20, 10, 0, 10)
    assert rectangle([0, 0, 20, 1, 19, 11, 0, 10]) is not None
    assert rectangle([0, 0, 20, 0, 15, 10, 0, 10]) is None
    assert rectangle([5, 5] * 4) == (5,) * 8


def test_what_it_cannot_keep_is_a_loss(tmp_path):
    triangle = shape(Kind.POLYGON, (0, 0, 10, 0, 0, 10), class_id=1)
    items = [
        (
            sample("d/a.png", split="train", metadata={"gsd": 0.5, "light": "day"}),
            [box((1, 2, 3, 4)), triangle],
        ),
        (sample("b.png", split="train", tags=("background",)), []),
        (sample("c.png", split="train"), []),
    ]
    written, back = there_and_back(DOTA, tmp_path, items, ["small vehicle", "7"])
    assert {
        "upright box (written as its four corners)": 1,
        "shape of a polygon (its rectangle is kept)": 1,
        "metadata of a sample": 1,
        "class name (blanks are written as `-`, a number with a `_` before it)": 2,
    }.items() <= losses(written).items()
    assert [read.class_name for read in back.annotations] == ["small-vehicle", "_7"]
    facts = {i.name: (i.tags, dict(i.metadata)) for i in back.images}
    assert facts["train/images/d_a.png"] == ((), {"gsd": 0.5})
    assert facts["train/images/b.png"] == (("background",), {})
    assert not (tmp_path / "train/labelTxt/c.txt").exists()


sides = st.floats(1, 500, allow_nan=False)


@FEW
@given(
    st.lists(st.tuples(sides, sides, sides, sides, st.floats(-math.pi, math.pi)), max_size=4), st.booleans()
)
def test_rotated_boxes_survive_to_the_last_digit(tmp_path_factory, boxes, difficult):
    rings = []
    for cx, cy, w, h, angle in boxes:
        cos, sin = math.cos(angle), math.sin(angle)
        around = ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))
        rings.append(tuple(v for x, y in around for v in (cx + x * cos - y * sin, cy + x * sin + y * cos)))
    drawn = [shape(Kind.ROTATED_BOX, ring, attributes={"difficult": difficult}) for ring in rings]
    items = [(sample("a.png", tags=("background",)), drawn)]
    _, back = there_and_back(DOTA, tmp_path_factory.mktemp("out"), items)
    assert [read.drawn.kind for read in back.annotations] == [Kind.ROTATED_BOX] * len(rings)
    assert [read.drawn.rings_px[0] for read in back.annotations] == rings
    assert all(read.drawn.attributes == {"difficult": difficult} for read in back.annotations)


def test_a_folder_whose_first_row_is_broken_or_each_is_still_dota(tmp_path):
    image_file(tmp_path / "images" / "P1.png")
    for row in ("1 1 20 1 20 10 1 10 plane 0\n", ""):
        text(tmp_path / "labelTxt" / "P1.txt", "imagesource:x\n1 1 20 1 20 10 1 x plane 0\n" + row)
        assert registry.detect(tmp_path).format.name == "dota"
