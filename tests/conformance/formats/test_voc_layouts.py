"""Pascal VOC as people have it: which image an XML file describes, lists of splits and classes, masks."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.labels import read_labels

import calotype as ct
from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.trainer_formats.voc.palette import colour_map
from calotype.vision import masks

VOC = registry.reader("voc")


def put_image(path: Path, level: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (level, 9, 9)).save(path)


def put_xml(
    path: Path, filename: str, *names: str, folder: str = "", inside: str = "", boxes: Sequence[str] = ()
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    corners = boxes or ["<xmin>5</xmin><ymin>6</ymin><xmax>25</xmax><ymax>36</ymax>"] * len(names)
    objects = "".join(
        f"<object><name>{name}</name>{inside}<bndbox>{box}</bndbox></object>"
        for name, box in zip(names, corners, strict=True)
    )
    size = "<size><width>64</width><height>48</height><depth>3</depth></size>"
    path.write_text(
        f"<annotation><folder>{folder}</folder><filename>{filename}</filename>{size}{objects}</annotation>"
    )


def pairs(path: Path, images: Path | None = None) -> dict[str, tuple[str | None, list[str]]]:
    """Sample name -> its file below the folder, and the classes of its annotations."""
    (source,) = VOC.open(path, images=images)
    listed = source.images.values(range(len(source.images)))
    labels = read_labels(VOC, path, images=images)
    root = (images or path).resolve()
    found = {}
    for image, file in zip(listed, source.locate(0, len(listed)), strict=True):
        classes = [a.class_name for a in labels.annotations if a.image == image.name]
        found[image.name] = (file and Path(file.path).relative_to(root).as_posix(), classes)
    return found


def notices(path: Path) -> dict[str, int]:
    (source,) = VOC.open(path)
    return {notice.code: notice.count for notice in source.warnings}


@pytest.mark.parametrize(
    ("xml", "stated", "image", "name"),
    [
        ("Annotations/a.xml", "a.png", "JPEGImages/a.png", "a.png"),
        ("annotations/a.xml", "a.png", "images/a.png", "a.png"),
        ("Annotations/cam1/a.xml", "a.png", "JPEGImages/cam1/a.png", "cam1/a.png"),
        ("Annotations/cam1/a.xml", "a.png", "JPEGImages/a.png", "a.png"),
        ("train/a.xml", "a.png", "train/a.png", "train/a.png"),
        ("train/Annotations/a.xml", "a.png", "train/images/a.png", "train/a.png"),
        ("VOC2012/Annotations/a.xml", "a.png", "VOC2012/JPEGImages/a.png", "VOC2012/a.png"),
        ("a.xml", "a.png", "a.png", "a.png"),
        ("Annotations/frame_1.25.xml", "frame_1.25", "JPEGImages/frame_1.25.png", "frame_1.25.png"),
        ("Annotations/a.xml", "a.jpg", "JPEGImages/a.png", "a.png"),
        ("Annotations/a.xml", "A.PNG", "JPEGImages/a.png", "a.png"),
        ("Annotations/a.xml", "C:\\old\\a.png", "JPEGImages/a.png", "a.png"),
        ("Annotations/a.xml", "", "JPEGImages/a.png", "a.png"),
        ("Annotations/renamed.xml", "old.png", "JPEGImages/renamed.png", "renamed.png"),
        ("Annotations/a.xml", "cam1\\a.png", "JPEGImages/cam1/a.png", "cam1/a.png"),
    ],
)
def test_an_xml_file_finds_its_image(tmp_path, xml, stated, image, name):
    put_image(tmp_path / image)
    put_xml(tmp_path / xml, stated, "cat")
    assert pairs(tmp_path) == {name: (image, ["cat"])}


def test_images_of_one_name_in_two_folders_get_their_own_labels(tmp_path):
    for at, cam in enumerate(("cam1", "cam2")):
        put_image(tmp_path / f"JPEGImages/{cam}/1.png", at)
        put_xml(tmp_path / f"Annotations/{cam}/1.xml", "1.png", ("cat", "dog")[at])
    assert pairs(tmp_path) == {
        "cam1/1.png": ("JPEGImages/cam1/1.png", ["cat"]),
        "cam2/1.png": ("JPEGImages/cam2/1.png", ["dog"]),
    }


def test_a_label_does_not_take_the_image_of_another_folder(tmp_path):
    put_image(tmp_path / "JPEGImages/cats/1.png")
    put_xml(tmp_path / "Annotations/dogs/1.xml", "1.png", "dog")
    assert pairs(tmp_path)["dogs/1.png"] == (None, ["dog"])


def test_a_stale_file_name_does_not_take_the_image_of_another_label_file(tmp_path):
    for name in ("a", "b"):
        put_image(tmp_path / f"JPEGImages/{name}.png")
        put_xml(tmp_path / f"Annotations/{name}.xml", "a.png", name)
    assert pairs(tmp_path) == {"a.png": ("JPEGImages/a.png", ["a"]), "b.png": ("JPEGImages/b.png", ["b"])}


def test_two_label_files_of_one_image_are_a_problem_that_names_both(tmp_path):
    put_image(tmp_path / "JPEGImages/a.png")
    for name in ("x", "y"):
        put_xml(tmp_path / f"Annotations/{name}.xml", "a.png", name)
    problems = read_labels(VOC, tmp_path).problems
    assert [problem.where for problem in problems if problem.what == "image"] == [
        "Annotations/x.xml",
        "Annotations/y.xml",
    ]
    assert "Annotations/y.xml" in problems[0].reason
    assert notices(tmp_path)["label-ambiguous"] == 2


def test_nothing_outside_is_opened(tmp_path):
    put_image(tmp_path / "private.png")
    put_image(tmp_path / "set/JPEGImages/other.png")
    put_xml(tmp_path / "set/Annotations/a.xml", "../../private.png", "cat")
    (tmp_path / "set/JPEGImages/a.png").symlink_to(tmp_path / "private.png")
    assert pairs(tmp_path / "set")["private.png"] == (None, ["cat"])
    assert notices(tmp_path / "set")["file-link"] == 1


def test_images_without_xml_come_in_as_not_labelled_and_lists_give_splits_and_classes(tmp_path):
    for name in ("a", "b", "c"):
        put_image(tmp_path / f"JPEGImages/{name}.png")
    put_xml(tmp_path / "Annotations/a.xml", "a.png", "cat")
    lists = tmp_path / "ImageSets/Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\nb\n")
    (lists / "val.txt").write_text("b\nc.png\n")
    (lists / "trainval.txt").write_text("a\nb\nc\n")
    (lists / "cat_train.txt").write_text("a  1\nb -1\n")
    (lists / "dog_train.txt").write_text("a  0\nb  1\n")
    labels = read_labels(VOC, tmp_path)
    assert {image.name: image.split for image in labels.images} == {
        "a.png": "train",
        "b.png": "train",
        "c.png": "val",
    }
    kinds = [(a.image, a.class_name, a.drawn.kind) for a in labels.annotations]
    assert kinds == [("a.png", "cat", Kind.BOX), ("b.png", "dog", Kind.CLASSIFICATION)]
    assert [dict(image.extra) for image in labels.images] == [
        {"difficult_classes": ["dog"]},
        {"negative_classes": ["cat"]},
        {},
    ]
    assert notices(tmp_path) == {"image-in-two-splits": 1, "image-without-labels": 1}


@pytest.mark.parametrize("lists", ["", "ImageSets/Layout", "ImageSets/Main"])
def test_a_set_without_lists_of_splits_comes_in_whole_and_without_splits(tmp_path, lists):
    for name in ("a", "b"):
        put_image(tmp_path / f"JPEGImages/{name}.png")
        put_xml(tmp_path / f"Annotations/{name}.xml", f"{name}.png", "cat")
    (tmp_path / lists).mkdir(parents=True, exist_ok=True)
    assert registry.detect(tmp_path).format.name == "voc"
    labels = read_labels(VOC, tmp_path)
    assert [(image.name, image.split) for image in labels.images] == [("a.png", ""), ("b.png", "")]
    assert len(labels.annotations) == 2
    assert notices(tmp_path) == {}


def test_lists_of_other_names_are_splits_where_they_share_no_image(tmp_path):
    for name in ("a", "b", "c", "d"):
        put_image(tmp_path / f"JPEGImages/{name}.png")
        put_xml(tmp_path / f"Annotations/{name}.xml", f"{name}.png", "cat")
    lists = tmp_path / "ImageSets/Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\n")
    (lists / "holdout.txt").write_text("b\nc.png\n")
    (lists / "hard.txt").write_text("a\nb\n")
    (lists / "default.txt").write_text("a\nb\nc\nd\n")
    (lists / "empty.txt").write_text("")
    splits = [image.split for image in read_labels(VOC, tmp_path).images]
    assert splits == ["train", "holdout", "holdout", ""]
    assert notices(tmp_path) == {"file-left-out": 1}


def test_a_split_of_any_name_survives_an_export(tmp_path):
    put_image(tmp_path / "in/JPEGImages/a.png")
    put_xml(tmp_path / "in/Annotations/a.xml", "a.png", "cat")
    (tmp_path / "in/ImageSets/Main").mkdir(parents=True)
    (tmp_path / "in/ImageSets/Main/night_drive.txt").write_text("a\n")
    ct.convert(tmp_path / "in", to="voc", out=tmp_path / "out")
    assert (tmp_path / "out/ImageSets/Main/night_drive.txt").read_text() == "a\n"
    assert [image.split for image in read_labels(VOC, tmp_path / "out").images] == ["night_drive"]


def test_attributes_parts_and_rotated_boxes_are_kept(tmp_path):
    inside = (
        "<pose>Left</pose><truncated>1</truncated><difficult>0</difficult>"
        "<attributes><attribute><name>colour</name><value>red</value></attribute></attributes>"
        "<part><name>head</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4</xmax><ymax>6</ymax></bndbox></part>"
    )
    put_xml(tmp_path / "a.xml", "a.png", "cat", inside=inside)
    (found,) = read_labels(VOC, tmp_path).annotations
    assert found.drawn.attributes == {"pose": "Left", "truncated": True, "difficult": False, "colour": "red"}
    assert found.drawn.extra == {"parts": [{"name": "head", "bbox": [1.0, 2.0, 3.0, 4.0]}]}
    turned = "<robndbox><cx>20</cx><cy>20</cy><w>10</w><h>4</h><angle>1.5707963267948966</angle></robndbox>"
    (tmp_path / "a.xml").write_text(
        f"<annotation><filename>a.png</filename><object><name>cat</name>{turned}</object></annotation>"
    )
    (found,) = read_labels(VOC, tmp_path).annotations
    assert found.drawn.kind is Kind.ROTATED_BOX
    assert np.allclose(found.drawn.rings_px[0], (22, 15, 22, 25, 18, 25, 18, 15))


def put_masks(folder: Path, objects: np.ndarray, classes: np.ndarray, *, coloured: bool) -> None:
    for name, numbers in (("SegmentationObject", objects), ("SegmentationClass", classes)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(numbers)
        image.putpalette(colour_map().ravel().tolist())
        (image.convert("RGB") if coloured else image).save(folder / name / "a.png")


@pytest.mark.parametrize("coloured", [False, True])
def test_masks_join_their_objects_and_void_belongs_to_none(tmp_path, coloured):
    objects = np.zeros((48, 64), np.uint8)
    objects[10:20, 5:25], objects[30:40, 40:60], objects[9, 5:25], objects[0:3, 0:3] = 1, 2, 255, 3
    classes = np.where(objects == 255, 255, np.array([0, 8, 15, 8] + [0] * 252)[objects]).astype(np.uint8)
    put_image(tmp_path / "JPEGImages/a.png")
    corners = [
        f"<xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax>"
        for a, b, c, d in ((5, 9, 25, 20), (40, 30, 60, 40))
    ]
    put_xml(tmp_path / "Annotations/a.xml", "a.png", "cat", "person", boxes=corners)
    put_masks(tmp_path, objects, classes, coloured=coloured)
    cat, person, third = read_labels(VOC, tmp_path).annotations
    assert (cat.class_name, cat.drawn.kind, cat.drawn.bbox_xywh_px) == ("cat", Kind.MASK, (5, 9, 20, 11))
    assert (person.class_name, third.class_name) == ("person", "cat")
    assert masks.decode(masks.from_string(cat.drawn.mask_rle, (48, 64))).sum() == 200
    assert third.drawn.bbox_xywh_px == (0, 0, 3, 3)


def test_an_export_holds_what_the_kit_asks_for(tmp_path):
    """Read by the rules of the kit: lists name images and XML files, value n of the mask is object n."""
    put_image(tmp_path / "in/JPEGImages/cam1/a.png")
    put_image(tmp_path / "in/JPEGImages/b.png", 5)
    put_xml(tmp_path / "in/Annotations/cam1/a.xml", "a.png", "cat", "dog", inside="<difficult>1</difficult>")
    corners = "<x1>10</x1><y1>10</y1><x2>20</x2><y2>10</y2><x3>20</x3><y3>20</y3><x4>10</x4><y4>20</y4>"
    box = "<xmin>10</xmin><ymin>10</ymin><xmax>20</xmax><ymax>20</ymax>"
    cow = f"<object><name>cow</name><polygon>{corners}</polygon><bndbox>{box}</bndbox></object>"
    file = tmp_path / "in/Annotations/cam1/a.xml"
    file.write_text(file.read_text().replace("</annotation>", f"{cow}</annotation>"))
    lists = tmp_path / "in/ImageSets/Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("cam1/a\nb\n")
    (lists / "bird_train.txt").write_text("b 1\ncam1/a -1\n")
    with ct.open(tmp_path / "ws") as ws:
        ds = ws.create("pets")
        ds.add_annotations(tmp_path / "in", format="voc")
        written = ds.where().export("voc", tmp_path / "out")
    out = tmp_path / "out"
    listed = (out / "ImageSets/Main/train.txt").read_text().split()
    assert sorted(listed) == ["b", "cam1/a"]
    assert (out / "ImageSets/Main/bird_train.txt").read_text() == "b  1\ncam1/a -1\n"
    for stem in listed:
        assert (out / f"JPEGImages/{stem}.png").is_file()
    root = Xml.parse(out / "Annotations/cam1/a.xml").getroot()
    assert root.findtext("filename") == "cam1/a.png"
    assert root.findtext("segmented") == "1"
    names = [item.findtext("name", "") for item in root.iter("object")]
    assert sorted(names) == ["cat", "cow", "dog"]
    cat = next(item for item in root.iter("object") if item.findtext("name") == "cat")
    assert (cat.findtext("difficult"), cat.findtext("bndbox/xmax")) == ("1", "25")
    numbers = np.asarray(Image.open(out / "SegmentationObject/cam1/a.png"))
    assert np.unique(numbers).tolist() == [0, names.index("cow") + 1]
    assert (numbers > 0).sum() == 100
    assert (out / "ImageSets/Segmentation/train.txt").read_text() == "cam1/a\n"
    assert {loss.what: loss.count for loss in written.losses} == {
        "shape of a polygon (its pixels are kept)": 1
    }
    again = read_labels(VOC, out)
    assert sorted((a.class_name, a.drawn.kind) for a in again.annotations) == [
        ("bird", Kind.CLASSIFICATION),
        ("cat", Kind.BOX),
        ("cow", Kind.MASK),
        ("dog", Kind.BOX),
    ]
