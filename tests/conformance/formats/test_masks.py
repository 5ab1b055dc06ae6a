"""Folders of mask images, by the VOC2012 development kit and the segmentation masks of CVAT."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from tests.support.exports import (
    FEW,
    box,
    image_file,
    losses,
    sample,
    shape,
    text,
    there_and_back,
    warnings,
    write,
)
from tests.support.labels import read_labels

from calotype.datasets.model import Annotation, Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable
from calotype.formats.survey import Survey
from calotype.public_formats.colour_maps import colour_of
from calotype.vision import masks

MASKS = registry.reader("masks")
NUMBERS = np.zeros((48, 64), np.uint8)
NUMBERS[5:10, 5:20], NUMBERS[30:40, 30:60], NUMBERS[0, :] = 1, 2, 255


def mask_file(file: Path, values: np.ndarray, palette: bool = False) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    if palette:
        height, width = values.shape
        image = Image.frombytes("P", (width, height), values.tobytes())
        image.putpalette([v for number in range(256) for v in colour_of(number)])
    image.save(file)
    return file


def mode_of(file: Path) -> str:
    with Image.open(file) as image:
        return image.mode


def in_colour(numbers: np.ndarray) -> np.ndarray:
    return np.asarray(np.array([colour_of(n) for n in range(256)], np.uint8)[numbers])


@pytest.mark.parametrize("folders", [("images", "masks"), ("train/JPEGImages", "train/SegmentationClass")])
@pytest.mark.parametrize("way", ["palette", "grey", "colour"])
def test_masks_with_a_palette_in_grey_and_in_colour(tmp_path, folders, way):
    image_file(tmp_path / folders[0] / "a.jpg")
    image_file(tmp_path / folders[0] / "b.jpg")
    values = in_colour(NUMBERS) if way == "colour" else NUMBERS
    mask_file(tmp_path / folders[1] / "a.png", values, way == "palette")
    text(
        tmp_path / "labelmap.txt",
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\ndog:0,128,0::\nedge:224,224,192::\n",
    )
    assert registry.detect(tmp_path).format.name == "masks"
    labels = read_labels(MASKS, tmp_path)
    assert not labels.problems
    found = {read.class_name: read.drawn.area_px for read in labels.annotations}
    edge = {} if way == "grey" else {"edge": 64}
    assert found == {"cat": 75, "dog": 300, **edge}
    cat = next(read.drawn for read in labels.annotations if read.class_name == "cat")
    assert (cat.kind, cat.bbox_xywh_px, cat.mask_size_hw) == (Kind.MASK, (5, 5, 15, 5), (48, 64))
    assert [c.name for c in labels.classes] == ["cat", "dog", "edge"]
    assert warnings(MASKS, tmp_path) == {
        "image-without-labels": 1,
        **({"value-dropped": 1} if way == "grey" else {}),
    }


def test_without_names_classes_are_named_after_numbers_and_black_and_white_is_one_class(tmp_path):
    image_file(tmp_path / "one/images/a.png")
    mask_file(tmp_path / "one/masks/a_mask.png", NUMBERS)
    labels = read_labels(MASKS, tmp_path / "one")
    assert [read.class_name for read in labels.annotations] == ["class-1", "class-2"]
    assert warnings(MASKS, tmp_path / "one") == {"class-unnamed": 2, "value-dropped": 1}
    image_file(tmp_path / "two/images/a.png")
    mask_file(tmp_path / "two/masks/a.png", (NUMBERS == 1).astype(np.uint8) * 255)
    assert [read.class_name for read in read_labels(MASKS, tmp_path / "two").annotations] == ["foreground"]
    text(tmp_path / "two/classes.txt", "background\npolyp\n")
    assert [read.class_name for read in read_labels(MASKS, tmp_path / "two").annotations] == ["polyp"]


def test_names_of_ade20k_and_of_the_camvid_of_fastai(tmp_path):
    """`objectInfo150.txt` has the number first; `codes.txt` counts from 0, and masks end in `_P`."""
    numbers = np.where(NUMBERS == 255, 0, NUMBERS)
    image_file(tmp_path / "ade/images/training/a.jpg")
    mask_file(tmp_path / "ade/annotations/training/a.png", numbers)
    rows = "Idx\tRatio\tTrain\tVal\tStuff\tName\n1\t0.1\t9\t1\t1\twall\n2\t0.1\t6\t6\t1\tbuilding, edifice\n"
    text(tmp_path / "ade/objectInfo150.txt", rows)
    labels = read_labels(MASKS, tmp_path / "ade")
    assert {one.class_name for one in labels.annotations} == {"wall", "building"}
    assert [image.split for image in labels.images] == ["train"]
    image_file(tmp_path / "camvid/images/a.png")
    mask_file(tmp_path / "camvid/labels/a_P.png", numbers)
    text(tmp_path / "camvid/codes.txt", "Animal\nArchway\nBicyclist\n")
    assert registry.detect(tmp_path / "camvid").format.name == "masks"
    labels = read_labels(MASKS, tmp_path / "camvid")
    assert {one.class_name for one in labels.annotations} == {"Animal", "Archway", "Bicyclist"}


@pytest.mark.parametrize(
    ("folders", "name"), [(("images", "masks"), "a.jpg"), (("train", "train_masks"), "a_mask.gif")]
)
def test_black_and_white_masks_as_jpeg_and_gif(tmp_path, folders, name):
    """Kvasir-SEG has JPEG masks, Carvana GIF: they used to be read as class folders of these names."""
    image_file(tmp_path / folders[0] / "a.jpg")
    (tmp_path / folders[1]).mkdir()
    inside = np.zeros((48, 64), np.uint8)
    inside[8:24, 16:48] = 255
    Image.fromarray(inside).save(tmp_path / folders[1] / name)
    assert registry.detect(tmp_path).format.name == "masks"
    labels = read_labels(MASKS, tmp_path)
    assert [one.drawn.area_px for one in labels.annotations] == [512]
    assert len(labels.images) == 1


def test_a_jpeg_of_many_values_is_not_a_mask(tmp_path):
    image_file(tmp_path / "images/a.jpg")
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))).save(tmp_path / "masks/a.jpg")
    labels = read_labels(MASKS, tmp_path)
    assert labels.annotations == []
    assert warnings(MASKS, tmp_path) == {"file-not-labels": 1, "image-without-labels": 1}


@pytest.mark.parametrize(
    ("classes", "objects"),
    [("SegmentationClass", "SegmentationObject"), ("SegmentationClassPNG", "SegmentationObjectPNG")],
)
def test_what_labelme_makes_of_its_labels(tmp_path, classes, objects):
    """`labelme2voc.py` of LabelMe: names in `class_names.txt`, images that show the labels, arrays beside."""
    image_file(tmp_path / "JPEGImages/a.jpg")
    for folder in (classes, objects):
        mask_file(tmp_path / folder / "a.png", NUMBERS, palette=True)
        image_file(tmp_path / f"{folder.removesuffix('PNG')}Visualization/a.jpg")
    text(tmp_path / "class_names.txt", "_background_\npotted plant\ntv/monitor\n")
    assert registry.detect(tmp_path).format.name == "masks"
    labels = read_labels(MASKS, tmp_path)
    assert [image.name for image in labels.images] == ["JPEGImages/a.jpg"]
    assert {read.class_name: read.drawn.area_px for read in labels.annotations} == {
        "potted plant": 75,
        "tv/monitor": 300,
    }
    assert warnings(MASKS, tmp_path) == {"value-dropped": 1, "file-not-labels": 2}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("classes.txt", "background\ncat\ndog\n"),
        ("class_dict.csv", "name,r,g,b\nvoid,0,0,0\ncat,128,0,0\ndog,0,128,0\n"),
        ("classes.json", json.dumps({"0": "background", "1": "cat", "2": "dog"})),
        ("classes.json", json.dumps({"cat": [128, 0, 0], "dog": "#008000"})),
        ("classes.json", json.dumps([{"name": "cat", "id": 1}, {"name": "dog", "color": [0, 128, 0]}])),
    ],
)
def test_lists_of_names(tmp_path, name, content):
    image_file(tmp_path / "images/a.png")
    mask_file(tmp_path / "masks/a.png", NUMBERS, palette=True)
    text(tmp_path / name, content)
    labels = read_labels(MASKS, tmp_path)
    assert not labels.problems
    assert [read.class_name for read in labels.annotations] == ["cat", "dog"]


def test_objects_are_separated_by_the_image_beside(tmp_path):
    image_file(tmp_path / "JPEGImages/a.jpg")
    values = np.zeros((48, 64), np.uint8)
    values[5:9, 5:9] = values[20:30, 20:30] = 1
    mask_file(tmp_path / "SegmentationClass/a.png", values, palette=True)
    objects = values.copy()
    objects[20:30, 20:30] = 2
    mask_file(tmp_path / "SegmentationObject/a.png", objects, palette=True)
    text(tmp_path / "labelmap.txt", "background:0,0,0::\ncat:128,0,0::\n")
    labels = read_labels(MASKS, tmp_path)
    assert [(read.class_name, read.drawn.area_px) for read in labels.annotations] == [
        ("cat", 16),
        ("cat", 100),
    ]
    assert [image.name for image in labels.images] == ["JPEGImages/a.jpg"]


def test_masks_of_a_turned_image_and_of_another_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "images/a.jpg", exif=exif)
    image_file(tmp_path / "images/b.png", (10, 10))
    mask_file(tmp_path / "masks/a.png", (NUMBERS == 1).astype(np.uint8))
    mask_file(tmp_path / "masks/b.png", NUMBERS)
    labels = read_labels(MASKS, tmp_path)
    (read,) = labels.annotations
    assert (read.drawn.mask_size_hw, read.drawn.bbox_xywh_px) == ((64, 48), (38, 5, 5, 15))
    assert warnings(MASKS, tmp_path)["size-turned"] == 1
    assert ["64x48 px, its image 10x10" in problem.reason for problem in labels.problems] == [True]


def test_files_that_are_no_masks_cost_themselves(tmp_path):
    for name in "abcd":
        image_file(tmp_path / f"images/{name}.png", (100, 100))
    rng = np.random.default_rng(1)
    mask_file(tmp_path / "masks/a.png", rng.integers(0, 255, (100, 100, 3), dtype=np.uint8))
    text(tmp_path / "masks/b.png", "no image")
    image_file(tmp_path / "masks/c.jpg")
    mask_file(tmp_path / "masks/d.png", np.ones((100, 100), np.uint8))
    image_file(tmp_path / "images/d.jpg")
    text(tmp_path / "labelmap.txt", "cat:1,2::\ndog:128,0,0::\ncow:128,0,0::\n")
    labels = read_labels(MASKS, tmp_path)
    assert labels.annotations == []
    assert sorted((p.what, p.where) for p in labels.problems) == [
        ("class", "labelmap.txt:1"),
        ("class", "labelmap.txt:3"),
        ("image", "masks/a.png"),
        ("image", "masks/b.png"),
        ("image", "masks/d.png"),
    ]
    assert warnings(MASKS, tmp_path)["file-not-labels"] == 1


def test_photos_in_two_folders_are_not_masks(tmp_path):
    image_file(tmp_path / "images/a.png")
    image_file(tmp_path / "masks/a.png")
    assert MASKS.recognise(Survey(tmp_path)) is None
    with pytest.raises(LabelFileUnreadable):
        MASKS.open(tmp_path / "images")


def drawn_mask(values: np.ndarray, class_id: int, **facts: Any) -> Annotation:
    rle = masks.encode(values)
    return Annotation(
        f"m{class_id}",
        "s",
        Kind.MASK,
        class_id,
        bbox_xywh_px=rle.bbox_xywh_px(),
        mask_rle=masks.to_string(rle),
        mask_size_hw=rle.size_hw,
        area_px=float(rle.area_px),
        **facts,
    )


def test_what_it_cannot_keep_is_a_loss(tmp_path):
    items = [
        (
            sample("d/a.jpg", split="val"),
            [
                drawn_mask(NUMBERS == 1, 0),
                drawn_mask(NUMBERS > 0, 1, source_id="4"),
                shape(Kind.POLYGON, (40, 1, 50, 1, 50, 9)),
                box((1, 1, 4, 4)),
            ],
        ),
        (sample("b.png", tags=("background",)), []),
        (sample("c.png"), []),
    ]
    written, back = there_and_back(MASKS, tmp_path, items, ["a:b", "background"])
    assert losses(written) == {
        "annotation of kind box": 1,
        "class name (`:` and line breaks are written as `_`)": 2,
        "id of an annotation": 1,
        "instances of a class (they are one mask)": 1,
        "pixels that another mask covers": 1,
        "shape of a polygon (drawn as pixels)": 1,
    }
    assert [read.class_name for read in back.annotations] == ["a_b", "_background"]
    assert {image.name: (image.split, image.tags) for image in back.images} == {
        "images/val/d/a.jpg": ("val", ()),
        "images/b.png": ("", ("background",)),
        "images/c.png": ("", ()),
    }
    assert mode_of(tmp_path / "masks/val/d/a.png") == "P"


def test_more_classes_than_a_palette_holds_are_written_in_colour(tmp_path):
    names = [f"class {at}" for at in range(300)]
    write(
        MASKS,
        tmp_path,
        [(sample("a.png"), [drawn_mask(NUMBERS == 1, 299), drawn_mask(NUMBERS == 2, 3)])],
        names,
    )
    assert mode_of(tmp_path / "masks/a.png") == "RGB"
    assert {read.class_name for read in read_labels(MASKS, tmp_path).annotations} == {"class 299", "class 3"}
    assert len({colour_of(number) for number in range(70_000)}) == 70_000


@FEW
@given(arrays(np.uint8, (6, 9), elements=st.integers(0, 3)))
def test_masks_that_do_not_overlap_survive_pixel_by_pixel(tmp_path_factory, values):
    drawn = [drawn_mask(values == n, n - 1) for n in (1, 2, 3) if (values == n).any()]
    items = [(sample("a.png", (9, 6), tags=("background",)), drawn)]
    _, back = there_and_back(MASKS, tmp_path_factory.mktemp("out"), items, ["a", "b", "c"])
    found = {read.class_name: read.drawn.mask_rle for read in back.annotations}
    assert found == {"abc"[a.class_id]: a.mask_rle for a in drawn}
