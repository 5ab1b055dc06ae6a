"""Open Images CSV files, by the page of data formats."""

from __future__ import annotations

import csv

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
from calotype.vision.ontology import Class

OI = registry.reader("open-images")
HEAD = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
MASK_HEAD = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks\n"


@pytest.fixture
def release(tmp_path):
    for split, name in (("train", "0001"), ("train", "0002"), ("validation", "0001b")):
        image_file(tmp_path / split / f"{name}.jpg", (200, 100))
    rows = (
        "0001,xclick,/m/0cat,1,0.1,0.5,0.2,0.6,0,1,0,-1,0\n"
        "0001,activemil,/m/0dog,1,0,1,0,1,-1,-1,1,-1,-1\n"
        "ffff,xclick,/m/0dog,1,0,1,0,1,0,0,0,0,0\n"
    )
    text(tmp_path / "csv/oidv6-train-annotations-bbox.csv", HEAD + rows)
    text(
        tmp_path / "csv/validation-annotations-human-imagelabels-boxable.csv",
        "ImageID,Source,LabelName,Confidence\n0001b,verification,/m/0cat,1\n0001b,verification,/m/0dog,0\n"
        "0001b,machine,/m/0who,0.7\n",
    )
    text(tmp_path / "csv/class-descriptions-boxable.csv", '/m/0cat,Cat\n/m/0dog,"Dog, large"\n')
    text(tmp_path / "csv/other.csv", "a,b,c\n1,2,3\n")
    return tmp_path


def test_names_of_classes_where_fiftyone_keeps_them(tmp_path):
    """Its Open Images in the zoo and its exports: `labels/detections.csv` and `metadata/classes.csv`."""
    image_file(tmp_path / "data/0001.jpg", (200, 100))
    text(tmp_path / "labels/detections.csv", HEAD + "0001,xclick,/m/0cat,1,0.1,0.5,0.2,0.6,0,1,0,-1,0\n")
    text(tmp_path / "metadata/classes.csv", "/m/0cat,Cat\n")
    assert registry.detect(tmp_path).format.name == "open-images"
    assert [found.class_name for found in read_labels(OI, tmp_path).annotations] == ["Cat"]


def test_a_release_with_boxes_and_labels(release):
    found = registry.detect(release)
    assert (found.format.name, found.sighting.evidence[0]) == (
        "open-images",
        "csv/oidv6-train-annotations-bbox.csv",
    )
    labels = read_labels(OI, release)
    assert not labels.problems
    cat, dog, whole, machine = labels.annotations
    assert (cat.class_name, cat.image) == ("Cat", "train/0001.jpg")
    assert cat.drawn.bbox_xywh_px == pytest.approx((20, 20, 80, 40))
    assert cat.drawn.attributes == {"occluded": False, "truncated": True, "inside": False}
    assert (dog.class_name, dog.drawn.iscrowd, dog.drawn.extra) == (
        "Dog, large",
        True,
        {"Source": "activemil"},
    )
    assert (whole.drawn.kind, whole.class_name, whole.drawn.score) == (Kind.CLASSIFICATION, "Cat", None)
    assert (machine.class_name, machine.drawn.score) == ("/m/0who", 0.7)
    images = {image.name: (image.split, dict(image.extra)) for image in labels.images}
    assert images == {
        "train/0001.jpg": ("train", {}),
        "validation/0001b.jpg": ("val", {"negative_classes": ["Dog, large"]}),
        "train/0002.jpg": ("train", {}),
    }
    assert {c.name: dict(c.extra) for c in labels.classes} == {
        "Cat": {"mid": "/m/0cat"},
        "Dog, large": {"mid": "/m/0dog"},
        "/m/0who": {},
    }
    assert warnings(OI, release) == {
        "class-unnamed": 1,
        "file-not-labels": 1,
        "image-without-labels": 1,
        "label-without-image": 1,
    }


def test_a_mask_and_its_box_are_one_annotation(release):
    Image.fromarray(np.array([[0, 255], [0, 255]], np.uint8)).save(release / "mask.png")
    (release / "train-masks").mkdir()
    (release / "mask.png").rename(release / "train-masks" / "0001_m0cat_ab.png")
    text(
        release / "csv/train-annotations-object-segmentation.csv",
        f"{MASK_HEAD}0001_m0cat_ab.png,0001,/m/0cat,ab,0.1000001,0.5,0.2,0.6,0.9,\n"
        "gone.png,0001,/m/0cat,cd,0,1,0,1,0.9,\n../../secret.png,0001,/m/0cat,ef,0,1,0,1,0.9,\n",
    )
    labels = read_labels(OI, release)
    cat = labels.annotations[0]
    assert (cat.drawn.kind, cat.drawn.source_id, cat.drawn.mask_size_hw) == (Kind.MASK, "ab", (100, 200))
    assert (cat.drawn.area_px, cat.drawn.bbox_xywh_px) == (10_000, (100, 0, 100, 100))
    assert cat.drawn.attributes["truncated"] is True
    assert len(labels.annotations) == 4
    assert ["is not there" in problem.reason for problem in labels.problems] == [True, True]
    assert "train-masks/0001_m0cat_ab.png" not in [image.name for image in labels.images]


@pytest.mark.parametrize(
    "row",
    [
        "0001,x,/m/0cat,1,0.5,0.1,0.2,0.6,0,0,0,0,0",
        "0001,x,/m/0cat,1,nan,0.1,0.2,0.6,0,0,0,0,0",
        "0001,x,/m/0cat",
        "0001,x,,1,0.1,0.5,0.2,0.6,0,0,0,0,0",
        "0001,x,/m/0cat,1,0.1,1e9,0.2,0.6,0,0,0,0,0",
        "0001,x,/m/\udc80,1,0.1,0.5,0.2,0.6,0,0,0,0,0",
        f"0001,{'x' * 200_000},/m/0cat,1,0,1,0,1,0,0,0,0,0",
    ],
)
def test_a_row_that_is_broken_costs_itself(release, row):
    text(
        release / "csv/oidv6-train-annotations-bbox.csv",
        f"{HEAD}{row}\n0001,xclick,/m/0cat,1,0,1,0,1,0,0,0,0,0\n",
    )
    labels = read_labels(OI, release)
    assert len(labels.annotations) == 3
    (problem,) = labels.problems
    assert problem.where.startswith("csv/oidv6-train-annotations-bbox.csv:")
    assert len(problem.reason) < 250


def test_an_image_that_two_files_could_be_is_a_problem(release):
    image_file(release / "train" / "more" / "0001.jpg")
    labels = read_labels(OI, release)
    assert len(labels.annotations) == 2
    assert "train/0001.jpg or train/more/0001.jpg" in labels.problems[0].reason


def test_other_tables_are_not_mistaken_for_it(tmp_path):
    text(tmp_path / "metadata.csv", "file_name,label\na.png,1\n")
    assert OI.recognise(Survey(tmp_path)) is None
    with pytest.raises(LabelFileUnreadable):
        OI.open(tmp_path)


def test_masks_negatives_and_ids_of_classes_survive(tmp_path):
    pixels = np.zeros((48, 64), bool)
    pixels[3:9, 5:20] = True
    rle = masks.encode(pixels)
    mask = Annotation(
        "m",
        "s",
        Kind.MASK,
        0,
        bbox_xywh_px=rle.bbox_xywh_px(),
        mask_rle=masks.to_string(rle),
        mask_size_hw=rle.size_hw,
        area_px=90.0,
        source_id="b1",
        iscrowd=True,
    )
    whole = Annotation("c", "s", Kind.CLASSIFICATION, 1, score=0.25)
    items = [
        (sample("d/a.png", split="val", extra={"negative_classes": ["dog", "gone"]}), [mask, whole]),
        (
            sample("b.png", split="train"),
            [
                shape(Kind.POLYGON, (0, 0, 9, 0, 0, 9)),
                Annotation("t", "s", Kind.CAPTION, 1, attributes={"text": "a"}),
            ],
        ),
    ]
    classes = [Class(0, "Cat", extra={"mid": "/m/0cat"}), Class(1, "dog")]
    written, back = there_and_back(OI, tmp_path, items, classes)
    assert written.n_annotations == 3
    assert (
        losses(written)["annotation of kind caption"]
        == losses(written)["shape of a polygon (its box is kept)"]
        == 1
    )
    by_kind = {read.drawn.kind: read for read in back.annotations}
    read = by_kind[Kind.MASK].drawn
    assert (read.mask_rle, read.source_id, read.iscrowd, read.area_px) == (mask.mask_rle, "b1", True, 90)
    assert (by_kind[Kind.CLASSIFICATION].class_name, by_kind[Kind.CLASSIFICATION].drawn.score) == (
        "dog",
        0.25,
    )
    images = {i.name: (i.split, dict(i.extra)) for i in back.images}
    assert images["images/validation/d_a.png"] == ("val", {"negative_classes": ["dog", "gone"]})
    with (tmp_path / "annotations/validation-annotations-bbox.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["LabelName"], float(row["XMin"]) * 64, float(row["XMax"]) * 64) == ("/m/0cat", 5, 20)


parts = st.floats(0, 1, allow_nan=False)


@FEW
@given(st.lists(st.tuples(parts, parts, parts, parts, st.sampled_from([None, True, False])), max_size=5))
def test_boxes_survive(tmp_path_factory, boxes):
    drawn = [
        box((x * 64, y * 48, w * 64, h * 48), attributes={} if flag is None else {"occluded": flag})
        for x, y, w, h, flag in boxes
    ]
    _, back = there_and_back(OI, tmp_path_factory.mktemp("out"), [(sample("a.png"), drawn)])
    assert not back.problems
    for read, a in zip(back.annotations, drawn, strict=True):
        assert read.drawn.bbox_xywh_px == pytest.approx(a.bbox_xywh_px, abs=1e-9)
        assert read.drawn.attributes == a.attributes
