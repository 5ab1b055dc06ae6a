"""Exports of labelling services that are read only: Create ML JSON and tables of classes, as Roboflow lays them."""

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
