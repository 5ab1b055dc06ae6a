"""Exports of labelling services, read only: Create ML JSON, tables of classes, XML of the LabelMe web tool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.exports import image_file, text, warnings
from tests.support.labels import read_labels

import calotype as ct
from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable

CREATEML = registry.reader("createml")
TABLE = registry.reader("class-table")
WEB = registry.reader("labelme-xml")


def row(label: str, x: float, y: float, width: float, height: float, **more: Any) -> dict[str, Any]:
    return {"label": label, "coordinates": {"x": x, "y": y, "width": width, "height": height}, **more}


def createml(file: Path, *rows: Any) -> Path:
    return text(file, json.dumps(rows))


def roboflow(folder: Path) -> Path:
    """Two split folders, in each a JSON file beside its images; both have an `a.png`."""
    for split, x in (("train", 10), ("valid", 20)):
        image_file(folder / split / "a.png")
        image_file(folder / split / "b.png")
        createml(
            folder / split / "_annotations.createml.json",
            {"image": "a.png", "annotations": [row("cat", x, 12.5, 8, 5), row("dog", 30, 30, 2, 2)]},
            {"image": "b.png", "annotations": []},
        )
    text(folder / "README.roboflow.txt", "exported")
    return folder


def test_boxes_of_create_ml_are_centred_and_belong_to_the_image_beside(tmp_path):
    found = registry.detect(roboflow(tmp_path))
    assert (found.format.name, found.sighting.layout) == ("createml", "a JSON file in each split folder")
    assert found.evidence[0] == "train/_annotations.createml.json"
    labels = read_labels(CREATEML, tmp_path)
    boxes = {(a.image, a.class_name): a.drawn.bbox_xywh_px for a in labels.annotations}
    assert boxes["train/a.png", "cat"] == (6.0, 10.0, 8.0, 5.0)
    assert boxes["valid/a.png", "cat"] == (16.0, 10.0, 8.0, 5.0)
    assert {image.name: image.split for image in labels.images} == {
        "train/a.png": "train",
        "train/b.png": "train",
        "valid/a.png": "val",
        "valid/b.png": "val",
    }
    assert (len(labels.annotations), labels.problems) == (4, [])
    assert warnings(CREATEML, tmp_path) == {"image-empty": 2}


def test_older_keys_scores_and_further_keys_are_read(tmp_path):
    image_file(tmp_path / "photos/a.png")
    createml(
        tmp_path / "labels.json",
        {"imagefilename": "a.png", "annotation": [row("cat", 5, 5, 4, 4, confidence=0.5, note="x")]},
    )
    assert registry.detect(tmp_path).format.name == "createml"
    (cat,) = read_labels(CREATEML, tmp_path).annotations
    assert (cat.image, cat.drawn.score, cat.drawn.extra) == ("photos/a.png", 0.5, {"note": "x"})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"image": "a.png", "annotations": [row("cat", 1, 1, -1, 1)]}, "below 0"),
        ({"image": "a.png", "annotations": [{"label": "cat"}]}, "it has no coordinates"),
        ({"image": "a.png", "annotations": [{"coordinates": {}}]}, "it has no x"),
        ({"image": "a.png", "annotations": [row("cat", 1, 1, 1, 1) | {"label": 7}]}, "its label is 7"),
        ({"image": "a.png", "annotations": {}}, "not a list"),
        ({"image": "../../a.png", "annotations": []}, ".."),
        ({"annotations": []}, "it has no image"),
        ([], "not an object"),
    ],
)
def test_a_broken_item_costs_itself_only(tmp_path, given, reason):
    image_file(tmp_path / "a.png")
    image_file(tmp_path / "good.png")
    createml(
        tmp_path / "x.createml.json", {"image": "good.png", "annotations": [row("dog", 9, 9, 2, 2)]}, given
    )
    labels = read_labels(CREATEML, tmp_path)
    assert [a.class_name for a in labels.annotations] == ["dog"]
    (problem,) = labels.problems
    assert reason in problem.reason
    assert problem.where.startswith("x.createml.json [1]")


def test_a_name_that_two_images_have_is_a_problem_that_names_both(tmp_path):
    image_file(tmp_path / "one/a.png")
    image_file(tmp_path / "two/a.png")
    createml(tmp_path / "x.json", {"image": "a.png", "annotations": [row("dog", 9, 9, 2, 2)]})
    labels = read_labels(CREATEML, tmp_path)
    assert [p.reason for p in labels.problems] == ["its image could be one/a.png or two/a.png"]
    assert labels.annotations == []


def table(folder: Path) -> Path:
    for split, rows in (("train", "a.png, 1, 1\nb.png, 0, 0\n"), ("test", "a.png, 0, 1\n")):
        for name in ("a.png", "b.png"):
            image_file(folder / split / name)
        text(folder / split / "_classes.csv", f"filename, cat, wet floor\n{rows}")
    return folder


def test_a_table_of_classes_gives_an_image_several(tmp_path):
    found = registry.detect(table(tmp_path))
    assert (found.format.name, found.evidence[0]) == ("class-table", "test/_classes.csv")
    labels = read_labels(TABLE, tmp_path)
    assert sorted((a.image, a.class_name) for a in labels.annotations) == [
        ("test/a.png", "wet floor"),
        ("train/a.png", "cat"),
        ("train/a.png", "wet floor"),
    ]
    assert {a.drawn.kind for a in labels.annotations} == {Kind.CLASSIFICATION}
    assert [c.name for c in labels.classes] == ["cat", "wet floor"]
    assert {i.name: i.split for i in labels.images}["test/b.png"] == "test"
    assert warnings(TABLE, tmp_path) == {"image-empty": 1, "image-without-labels": 1}


def test_a_table_comes_in_by_the_command_and_goes_out_as_coco_with_its_losses(tmp_path):
    folder = table(tmp_path / "set")
    with ct.open(tmp_path / "ws") as ws:
        took = ws.create("shop").add_annotations(folder)
        assert (took.samples, took.annotations, took.skipped) == (4, 3, 0)
    done = ct.convert(roboflow(tmp_path / "boxes"), to="coco", out=tmp_path / "out")
    assert (done.source_format, done.samples, done.annotations) == ("createml", 4, 4)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("a.png,yes,0\n", "'yes' is neither 1 nor 0"),
        ("a.png,1\n", "it has 2 cells, the head of the file 3"),
        ("../a.png,1,0\n", ".."),
    ],
)
def test_a_broken_row_costs_itself_only(tmp_path, rows, reason):
    image_file(tmp_path / "a.png")
    image_file(tmp_path / "b.png")
    text(tmp_path / "_classes.csv", f"filename,cat,dog\nb.png,0,1\n{rows}")
    labels = read_labels(TABLE, tmp_path)
    assert [(a.image, a.class_name) for a in labels.annotations] == [("b.png", "dog")]
    (problem,) = labels.problems
    assert reason in problem.reason


@pytest.mark.parametrize("head", ["filename,cat,cat", "name,cat", "filename", "filename,,cat", ""])
def test_a_table_without_usable_columns_is_refused(tmp_path, head):
    image_file(tmp_path / "a.png")
    text(tmp_path / "_classes.csv", f"{head}\na.png,1,0\n")
    with pytest.raises(LabelFileUnreadable):
        TABLE.open(tmp_path)


def test_the_colours_of_a_mask_export_are_not_taken_for_a_table(tmp_path):
    image_file(tmp_path / "train/a.jpg")
    text(tmp_path / "train/_classes.csv", "Pixel Value, Class\n0, background\n1, cat\n")
    assert registry.detect(tmp_path).format.name != "class-table"


def web_object(name: str, *points: tuple[float, float], inside: str = "") -> str:
    listed = "".join(f"<pt><x>{x}</x><y>{y}</y><time>1</time></pt>" for x, y in points)
    return f"<object><name>{name}</name>{inside}<polygon><username>bo</username>{listed}</polygon></object>"


def web_file(file: Path, filename: str, *objects: str) -> Path:
    head = f"<filename>{filename}</filename><folder>street</folder><source><sourceImage/></source>"
    return text(file, f"<annotation>{head}{''.join(objects)}</annotation>")


TRIANGLE = ((2, 3), (12, 3), (12, 9))


def test_polygons_of_the_web_tool_belong_to_the_image_of_their_folder(tmp_path):
    for folder in ("street", "park"):
        image_file(tmp_path / f"Images/{folder}/a.jpg")
        known = "<deleted>0</deleted><verified>1</verified><id>4</id><attributes>red, old</attributes>"
        one = web_object("car", *TRIANGLE, inside=known)
        gone = web_object("car", *TRIANGLE, inside="<deleted>1</deleted>")
        web_file(tmp_path / f"Annotations/{folder}/a.xml", "\na.jpg\n", one, gone)
    assert registry.detect(tmp_path).format.name == "labelme-xml"
    labels = read_labels(WEB, tmp_path)
    assert [a.image for a in labels.annotations] == ["Images/park/a.jpg", "Images/street/a.jpg"]
    car = labels.annotations[0].drawn
    assert (car.kind, car.rings_px, car.area_px) == (Kind.POLYGON, ((2.0, 3.0, 12.0, 3.0, 12.0, 9.0),), 30.0)
    assert (car.source_id, car.attributes, car.extra) == (
        "4",
        {"description": "red, old"},
        {"verified": True},
    )
    assert (labels.problems, warnings(WEB, tmp_path)) == ([], {"value-dropped": 2})


def test_boxes_masks_and_attributes_as_cvat_exports_them(tmp_path):
    image_file(tmp_path / "a.png")
    known = "<deleted>0</deleted><occluded>yes</occluded><attributes>lane=2, dir=left</attributes>"
    box = web_object("car", (2, 3), (12, 3), (12, 9), (2, 9), inside=f"{known}<type>bounding_box</type>")
    sides = "<xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>8</ymax>"
    mask = f"<object><name>dog</name><segm><box>{sides}</box><mask>m.png</mask></segm></object>"
    web_file(tmp_path / "a.xml", "a.png", box, mask)
    car, dog = (a.drawn for a in read_labels(WEB, tmp_path).annotations)
    assert (car.kind, car.bbox_xywh_px) == (Kind.BOX, (2.0, 3.0, 10.0, 6.0))
    assert car.attributes == {"lane": "2", "dir": "left", "occluded": True}
    assert (dog.kind, dog.bbox_xywh_px) == (Kind.BOX, (1.0, 2.0, 4.0, 6.0))
    assert warnings(WEB, tmp_path) == {"shape-converted": 1}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (web_object("", *TRIANGLE), "it has no name"),
        (web_object("car", (1, 1), (2, 2)), "its polygon cannot be used"),
        (web_object("car", (1, 1), (2, 2), (float("nan"), 5)), "its x"),
        ("<object><name>car</name><deleted>0</deleted></object>", "its polygon cannot be used"),
    ],
)
def test_a_broken_object_of_the_web_tool_costs_itself_only(tmp_path, broken, reason):
    image_file(tmp_path / "a.png")
    web_file(tmp_path / "a.xml", "a.png", web_object("dog", *TRIANGLE), broken)
    labels = read_labels(WEB, tmp_path)
    assert [a.class_name for a in labels.annotations] == ["dog"]
    (problem,) = labels.problems
    assert (problem.where, reason in problem.reason) == ("a.xml object[1]", True)


def test_files_with_entities_and_names_that_climb_are_refused(tmp_path):
    image_file(tmp_path / "set/a.png")
    web_file(tmp_path / "set/a.xml", "../../a.png", web_object("dog", *TRIANGLE))
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb">]><annotation><filename>&b;</filename><deleted>0</deleted></annotation>'
    text(tmp_path / "set/b.xml", bomb)
    web_file(tmp_path / "set/c.xml", "a.png", web_object("dog", *TRIANGLE))
    labels = read_labels(WEB, tmp_path / "set")
    assert (len(labels.annotations), len(labels.problems)) == (1, 2)


def test_the_xml_of_pascal_voc_is_still_voc(tmp_path):
    image_file(tmp_path / "a.png")
    sides = "<xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>8</ymax>"
    polygon = "<polygon><x1>1</x1><y1>2</y1></polygon>"
    one = f"<object><name>dog</name><deleted>0</deleted><bndbox>{sides}</bndbox>{polygon}</object>"
    text(tmp_path / "a.xml", f"<annotation><filename>a.png</filename>{one}</annotation>")
    assert registry.detect(tmp_path).format.name == "voc"
