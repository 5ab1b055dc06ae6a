"""Cityscapes polygons, by the file formats and label definitions of its scripts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.support.exports import FEW, box, image_file, losses, sample, shape, text, there_and_back, warnings
from tests.support.labels import read_labels

from calotype.datasets.model import Annotation, Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable
from calotype.formats.survey import Survey
from calotype.vision import masks

CITY = registry.reader("cityscapes")
ROAD = {"label": "road", "polygon": [[0, 0], [64, 0], [64, 48], [0, 48]]}
CAR = {"label": "car", "polygon": [[10, 10], [20.5, 10], [20, 30]], "id": 7}
GROUP = {"label": "cargroup", "polygon": [[1, 1], [9, 1], [9, 9]]}


def labels_file(root: Path, place: str, objects: object, kind: str = "gtFine") -> Path:
    value = {"imgHeight": 48, "imgWidth": 64, "objects": objects}
    return text(root / kind / f"{place}_{kind}_polygons.json", json.dumps(value))


@pytest.fixture
def streets(tmp_path):
    for place in (
        "train/aachen/aachen_000000_000019",
        "train/bochum/bochum_000000_000019",
        "val/ulm/ulm_1_2",
    ):
        image_file(tmp_path / "leftImg8bit" / f"{place}_leftImg8bit.png")
    labels_file(tmp_path, "train/aachen/aachen_000000_000019", [ROAD, CAR, GROUP])
    labels_file(tmp_path, "train/bochum/bochum_000000_000019", [])
    image_file(tmp_path / "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png")
    return tmp_path


def test_a_set_in_its_own_layout(streets):
    found = registry.detect(streets)
    assert (found.format.name, found.sighting.evidence) == (
        "cityscapes",
        ("gtFine/train/aachen/aachen_000000_000019_gtFine_polygons.json",),
    )
    labels = read_labels(CITY, streets)
    assert not labels.problems
    road, car, group = labels.annotations
    assert [read.drawn.extra["draw_order"] for read in labels.annotations] == [0, 1, 2]
    assert (car.drawn.kind, car.drawn.rings_px, car.drawn.extra["id"]) == (
        Kind.POLYGON,
        ((10, 10, 20.5, 10, 20, 30),),
        7,
    )
    assert (group.class_name, group.drawn.iscrowd, car.drawn.iscrowd) == ("car", True, False)
    assert road.image == "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png"
    assert [(image.split, image.tags) for image in labels.images] == [
        ("train", ()),
        ("train", ("background",)),
        ("val", ()),
    ]
    assert warnings(CITY, streets) == {"image-empty": 1, "image-without-labels": 1}


def test_coarse_labels_are_read_where_there_are_no_fine_ones(streets):
    labels_file(streets, "train/aachen/aachen_000000_000019", [GROUP], "gtCoarse")
    labels_file(streets, "val/ulm/ulm_1_2", [ROAD], "gtCoarse")
    labels = read_labels(CITY, streets)
    images = [read.image.rpartition("/")[2] for read in labels.annotations if read.image]
    assert images.count("ulm_1_2_leftImg8bit.png") == 1
    assert len(labels.annotations) == 4
    assert warnings(CITY, streets)["label-not-used"] == 1


def test_images_given_apart_from_the_labels(streets, tmp_path_factory):
    apart = tmp_path_factory.mktemp("apart")
    (streets / "leftImg8bit").rename(apart / "leftImg8bit")
    labels = read_labels(CITY, streets, images=apart / "leftImg8bit")
    assert labels.annotations[0].image == "train/aachen/aachen_000000_000019_leftImg8bit.png"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"label": "car", "polygon": [[1, 1], [2, 2]]}, "needs 3"),
        ({"label": "car", "polygon": [[1, 1], [2, 2], [1e300, 1]]}, "point"),
        ({"label": "car", "polygon": [[1, 1], [2, 2], [float("nan"), 1]]}, "point"),
        ({"label": "car", "polygon": [[1, 1], [2, 2], [True, 1]]}, "point"),
        ({"label": "car", "polygon": [[1, 1], [2, 2], [3]]}, "point"),
        ({"label": ["car"], "polygon": ROAD["polygon"]}, "label"),
        ({"label": "car\ud800", "polygon": ROAD["polygon"]}, "Unicode"),
        ({"label": "car", "polygon": ROAD["polygon"], "more": 10**400}, "range of a float"),
        ("x", "not an object"),
    ],
)
def test_an_object_that_is_broken_costs_itself(streets, bad, reason):
    labels_file(streets, "train/aachen/aachen_000000_000019", [ROAD, bad])
    labels = read_labels(CITY, streets)
    assert len(labels.annotations) == 1
    (problem,) = labels.problems
    assert problem.where.endswith("_polygons.json objects[1]")
    assert reason in problem.reason


@pytest.mark.parametrize("content", ["{", "[]", '{"objects": 5}', "[" * 100_000, "\x00"])
def test_a_file_that_is_broken_costs_itself(streets, content):
    text(streets / "gtFine/train/bochum/bochum_000000_000019_gtFine_polygons.json", content)
    labels = read_labels(CITY, streets)
    assert len(labels.annotations) == 3
    assert [problem.kind for problem in labels.problems] == ["unreadable"]


def test_objects_marked_as_deleted_are_left_out_with_a_word(streets):
    labels_file(streets, "train/aachen/aachen_000000_000019", [ROAD, {**CAR, "deleted": 1}])
    assert len(read_labels(CITY, streets).annotations) == 1
    assert warnings(CITY, streets)["value-dropped"] == 1


def test_other_json_is_not_mistaken_for_it(tmp_path):
    text(tmp_path / "instances.json", '{"images": [], "objects": []}')
    assert CITY.recognise(Survey(tmp_path)) is None
    with pytest.raises(LabelFileUnreadable):
        CITY.open(tmp_path)


def test_what_it_cannot_keep_is_a_loss(tmp_path):
    ring = np.ones((48, 64), bool)
    ring[10:20, 10:20] = False
    rle = masks.encode(ring)
    mask = Annotation(
        "m",
        "s",
        Kind.MASK,
        0,
        bbox_xywh_px=(0, 0, 64, 48),
        mask_rle=masks.to_string(rle),
        mask_size_hw=(48, 64),
        extra={"draw_order": 0},
    )
    parts = shape(Kind.POLYGON, (0, 0, 5, 0, 5, 5), (9, 9, 12, 9, 12, 12), class_id=1, iscrowd=True)
    items = [
        (sample("ulm_1_leftImg8bit.png", split="val"), [parts, mask, box((1, 1, 4, 4))]),
        (sample("d/b.png"), [shape(Kind.ELLIPSE, (0, 0, 5, 0, 5, 5, 0, 5))]),
        (sample("c.png", split="train", tags=("background",)), []),
    ]
    written, back = there_and_back(CITY, tmp_path, items)
    assert written.n_annotations == 3
    assert losses(written) == {
        "annotation of kind ellipse": 1,
        "class that is none of Cityscapes (its polygons are in the JSON files only)": 1,
        "box (written as a polygon of its four corners)": 1,
        "folders and dots in the name of an image (replaced by `_`)": 1,
        "hole in a mask (filled)": 1,
        "mask (written as the outlines of its parts)": 1,
        "parts of a polygon (each becomes an object)": 1,
        "split of a sample other than train, val and test (train is written)": 1,
    }
    assert [(read.class_name, read.drawn.iscrowd) for read in back.annotations] == [
        ("car", False),
        ("dog", True),
        ("dog", True),
        ("car", False),
    ]
    assert {image.name: image.tags for image in back.images} == {
        "leftImg8bit/val/ulm/ulm_1_leftImg8bit.png": (),
        "leftImg8bit/train/images/c_leftImg8bit.png": ("background",),
        "leftImg8bit/train/d/d_b_leftImg8bit.png": (),
    }


point = st.floats(-100, 5_000, allow_nan=False)
rings = st.lists(st.tuples(point, point), min_size=3, max_size=7)


@FEW
@given(st.lists(st.tuples(rings, st.booleans()), max_size=4))
def test_polygons_survive_to_the_last_digit_in_their_order(tmp_path_factory, polygons):
    drawn = [
        shape(
            Kind.POLYGON,
            [v for p in ring for v in p],
            class_id=at % 2,
            iscrowd=crowd,
            extra={"draw_order": 9 - at},
        )
        for at, (ring, crowd) in enumerate(polygons)
    ]
    items = [(sample("a.png", split="train", tags=("background",)), drawn)]
    _, back = there_and_back(CITY, tmp_path_factory.mktemp("out"), items)
    assert not back.problems
    assert [read.drawn.rings_px for read in back.annotations] == [a.rings_px for a in reversed(drawn)]
    assert [read.drawn.iscrowd for read in back.annotations] == [a.iscrowd for a in reversed(drawn)]


def test_images_of_ids_are_drawn_as_the_scripts_of_cityscapes_draw_them(tmp_path):
    square = (10, 10, 19, 10, 19, 19, 10, 19)
    drawn = [
        shape(Kind.POLYGON, (0, 0, 63, 0, 63, 47, 0, 47), class_id=0),
        shape(Kind.POLYGON, square, class_id=1),
        shape(Kind.POLYGON, (30, 10, 39, 10, 39, 19, 30, 19), class_id=1),
        shape(Kind.POLYGON, (50, 10, 59, 10, 59, 19, 50, 19), class_id=1, iscrowd=True),
        shape(Kind.POLYGON, (1, 1, 5, 1, 5, 5), class_id=2, iscrowd=True),
    ]
    written, back = there_and_back(
        CITY, tmp_path, [(sample("a_0_1.png", split="train"), drawn)], ["road", "car", "pole"]
    )
    assert losses(written) == {"iscrowd of an annotation": 1}
    assert [read.class_name for read in back.annotations] == ["road", "car", "car", "car", "pole"]
    found = []
    for kind in ("labelIds", "instanceIds"):
        with Image.open(tmp_path / f"gtFine/train/a/a_0_1_gtFine_{kind}.png") as image:
            found.append(np.asarray(image))
    labels, instances = found
    assert labels.shape == instances.shape == (48, 64)
    assert [labels[y, x] for y, x in ((40, 5), (12, 12), (12, 32), (12, 52))] == [7, 26, 26, 26]
    assert [instances[y, x] for y, x in ((40, 5), (12, 12), (12, 32), (12, 52))] == [7, 26_000, 26_001, 26]
    assert len(list(tmp_path.rglob("*.png"))) == 3


def test_polegroup_is_a_class_of_its_own(streets):
    labels_file(streets, "val/ulm/ulm_1_2", [{**CAR, "label": "polegroup"}])
    read = read_labels(CITY, streets).annotations[-1]
    assert (read.class_name, read.drawn.iscrowd) == ("polegroup", False)
