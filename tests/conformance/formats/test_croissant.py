"""Croissant descriptions, by its format specification."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.exports import FEW, box, image_file, losses, sample, shape, text, there_and_back, warnings
from tests.support.labels import read_labels

from calotype.datasets.model import Annotation, Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable
from calotype.formats.survey import Survey

CROISSANT = registry.reader("croissant")
CONTEXT = {"cr": "http://mlcommons.org/croissant/", "sc": "https://schema.org/"}


def field(table: str, column: str, name: str = "") -> dict[str, Any]:
    source = {"fileObject": {"@id": table}, "extract": {"column": column}}
    return {"@type": "cr:Field", "@id": f"set/{name or column}", "source": source}


def description(folder: Path, distribution: Any, record_sets: Any) -> Path:
    value = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "distribution": distribution,
        "recordSet": record_sets,
    }
    text(folder / "croissant.json", json.dumps(value))
    return folder


@pytest.fixture
def described(tmp_path):
    for name in ("pics/a.png", "pics/b.png", "pics/c.png"):
        image_file(tmp_path / name)
    table = "img,x1,y1,x2,y2,kind,split\na.png,1,2,4,6.5,cat,train\npics/b.png,0,0,9,9,dog,valid\n"
    text(tmp_path / "boxes.csv", table)
    columns = [field("boxes", "img", "image"), field("boxes", "kind", "class"), field("boxes", "split")]
    columns += [field("boxes", column) for column in ("x1", "y1", "x2", "y2")]
    sha256 = hashlib.sha256(table.encode()).hexdigest()
    return description(
        tmp_path,
        [
            {"@type": "cr:FileObject", "@id": "boxes", "contentUrl": "boxes.csv", "sha256": sha256},
            {"@type": "cr:FileObject", "@id": "zip", "contentUrl": "https://example.org/a.zip"},
            {"@type": "cr:FileSet", "@id": "pics", "includes": "pics/*.png"},
        ],
        [{"@id": "set", "field": columns}, {"@id": "more", "field": [field("zip", "a")]}],
    )


def test_a_table_beside_the_description_is_read(described):
    assert registry.detect(described).format.name == "croissant"
    labels = read_labels(CROISSANT, described)
    assert not labels.problems
    facts = [(r.image, r.class_name, r.drawn.bbox_xywh_px) for r in labels.annotations]
    assert facts == [("pics/a.png", "cat", (1, 2, 3, 4.5)), ("pics/b.png", "dog", (0, 0, 9, 9))]
    assert {i.name: i.split for i in labels.images} == {
        "pics/a.png": "train",
        "pics/b.png": "val",
        "pics/c.png": "",
    }
    assert warnings(CROISSANT, described) == {"file-not-labels": 1, "image-without-labels": 1}


def test_a_description_of_files_that_are_not_there_is_refused_with_what_it_lists(described):
    (described / "boxes.csv").unlink()
    with pytest.raises(
        LabelFileUnreadable, match=r"3 files of which 2 are not beside it \(boxes, zip\).*set, more"
    ):
        CROISSANT.open(described)


@pytest.mark.parametrize(
    "content", ['{"@context": "http://mlcommons.org/croissant/"', '["mlcommons.org/croissant"]']
)
def test_a_broken_description_is_refused(tmp_path, content):
    text(tmp_path / "croissant.json", content)
    assert CROISSANT.recognise(Survey(tmp_path)) is not None
    with pytest.raises(LabelFileUnreadable):
        CROISSANT.open(tmp_path)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.png,5,2,4,6,cat,train", "box"),
        ("a.png,nan,2,4,6,cat,train", "box"),
        ("../../a.png,1,2,4,6,cat,train", "leads out"),
        (",1,2,4,6,cat,train", "image"),
        ("a.png,1,2,4,6,,train", "class"),
        ("a.png,1,2", "cells"),
        (f"a.png,1,2,4,6,{'x' * 200_000},train", "broken"),
    ],
)
def test_a_row_that_is_broken_costs_itself(described, row, reason):
    text(described / "boxes.csv", f"img,x1,y1,x2,y2,kind,split\nb.png,0,0,9,9,dog,valid\n{row}\n")
    labels = read_labels(CROISSANT, described)
    assert len(labels.annotations) == 1
    (problem,) = labels.problems
    assert problem.where == "boxes.csv:3"
    assert reason in problem.reason
    assert warnings(CROISSANT, described)["checksum-differs"] == 1


def test_an_image_that_two_files_could_be_is_a_problem(described):
    image_file(described / "more/a.png")
    labels = read_labels(CROISSANT, described)
    assert [r.class_name for r in labels.annotations] == ["dog"]
    assert "more/a.png or pics/a.png" in labels.problems[0].reason


def test_what_it_writes_is_described_with_checksums(tmp_path):
    whole = Annotation("c", "s", Kind.CLASSIFICATION, 1)
    items = [
        (sample("d/a.png", split="val"), [box((1, 2, 3, 4), 0, iscrowd=True, score=0.5), whole]),
        (sample("b.png"), [shape(Kind.POLYGON, (0, 0, 9, 0, 0, 9))]),
        (sample("c.png", licence="x"), []),
    ]
    written, back = there_and_back(CROISSANT, tmp_path, items, ["a,b", 'c"d'])
    assert losses(written) == {
        "licence of a sample": 1,
        "score of an annotation": 1,
        "shape of a polygon (its box is kept)": 1,
    }
    assert written.n_annotations == 3
    facts = sorted((r.class_name, r.drawn.kind, r.drawn.iscrowd) for r in back.annotations)
    assert facts == [("a,b", Kind.BOX, False), ("a,b", Kind.BOX, True), ('c"d', Kind.CLASSIFICATION, False)]
    assert {i.name: i.split for i in back.images} == {
        "images/val/d/a.png": "val",
        "images/b.png": "",
        "images/c.png": "",
    }
    value = json.loads((tmp_path / "croissant.json").read_text())
    for one in value["distribution"]:
        if one["@type"] == "cr:FileObject":
            data = (tmp_path / one["contentUrl"]).read_bytes()
            assert one["sha256"] == hashlib.sha256(data).hexdigest()
    fields = {f["@id"] for record_set in value["recordSet"] for f in record_set["field"]}
    assert {"samples/file_name", "boxes/x", "labels/class"} <= fields


sides = st.floats(0, 9_000, allow_nan=False)


@FEW
@given(boxes=st.lists(st.tuples(sides, sides, sides, sides, st.integers(0, 1)), max_size=5))
def test_boxes_survive_to_the_last_digit(tmp_path_factory, boxes):
    drawn = [box(at, number) for *at, number in boxes]
    _, back = there_and_back(
        CROISSANT, tmp_path_factory.mktemp("out"), [(sample("a.png", split="train"), drawn)]
    )
    assert not back.problems
    assert [read.drawn.bbox_xywh_px for read in back.annotations] == [a.bbox_xywh_px for a in drawn]
    assert [read.class_name for read in back.annotations] == [("car", "dog")[a.class_id] for a in drawn]
