"""Labelbox NDJSON, by its pages on importing annotations of images and on the export of data rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.labels import ReadLabels, read_labels
from tests.support.written_labels import annotation, losses, notices, sample, write

from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable
from calotype.tool_formats import shapes
from calotype.tool_formats.mask_runs import mask_to_image

LABELBOX = registry.reader("labelbox")
BOX = {"left": 1, "top": 2, "width": 10, "height": 5}
TRIANGLE = [{"x": 1, "y": 1}, {"x": 9, "y": 1}, {"x": 9, "y": 9}]


def line(name: str = "cat", **more: Any) -> dict[str, Any]:
    return {"uuid": f"id {name}", "dataRow": {"globalKey": "a.png"}, "name": name, **more}


def read(folder: Path, *lines: Any, suffix: str = "ndjson") -> ReadLabels:
    for name in ("a.png", "b.png"):
        Image.new("L", (40, 30)).save(folder / name)
    (folder / f"labels.{suffix}").write_text("\n".join(json.dumps(one) for one in lines) + "\n")
    return read_labels(LABELBOX, folder)


def test_each_line_is_an_annotation(tmp_path):
    inside = np.zeros((30, 40), bool)
    inside[3, 4:9] = True
    labels = read(
        tmp_path,
        line(bbox=BOX, confidence=0.5),
        line(polygon=TRIANGLE),
        line(line=TRIANGLE[:2]),
        line(point=TRIANGLE[0]),
        line(mask={"png": mask_to_image(inside)}),
        line("weather", answer={"name": "rain"}),
        line("seen", answer=[{"name": "car"}, {"name": "bus"}]),
        line("caption", answer="a cat"),
    )
    drawn = [(found.class_name, str(found.drawn.kind)) for found in labels.annotations]
    shapes_of_cat = [("cat", kind) for kind in ("box", "polygon", "polyline", "point", "mask")]
    said = [(name, "classification") for name in ("rain", "car", "bus")]
    assert drawn == [*shapes_of_cat, *said, ("caption", "caption")]
    assert labels.annotations[0].drawn.bbox_xywh_px == (1, 2, 10, 5)
    assert (labels.annotations[0].drawn.score, labels.annotations[0].drawn.source_id) == (0.5, "id cat")
    assert labels.annotations[4].drawn.area_px == 5
    assert dict(labels.annotations[5].drawn.attributes) == {"question": "weather"}


def test_classifications_of_an_object_are_its_attributes(tmp_path):
    nested = [{"name": "reason", "answer": "rain"}]
    classifications = [
        {"name": "occluded", "answer": {"name": "true"}},
        {"name": "colour", "answer": {"name": "red", "classifications": nested}},
        {"name": "parts", "answer": [{"name": "a"}, {"name": "b"}]},
        {"name": "plate", "answer": "AB"},
    ]
    (found,) = read(tmp_path, line(bbox=BOX, classifications=classifications)).annotations
    known = {"occluded": True, "colour": "red", "reason": "rain", "parts": ["a", "b"], "plate": "AB"}
    assert dict(found.drawn.attributes) == known


def row(*labels: Any, **more: Any) -> dict[str, Any]:
    said = {"id": "cl1", "global_key": "key", "external_id": "a.png", "row_data": "https://x/y.png?z"}
    projects = {"p1": {"name": "p", "labels": list(labels)}}
    sides = {"width": 40, "height": 30}
    return {"data_row": said, "media_attributes": sides, "projects": projects, **more}


def label(*objects: Any, classifications: Any = (), **more: Any) -> dict[str, Any]:
    return {
        "id": "l",
        "annotations": {"objects": list(objects), "classifications": list(classifications)},
        **more,
    }


def thing(**more: Any) -> dict[str, Any]:
    return {"feature_id": "f1", "feature_schema_id": "s1", "name": "cat", "value": "cat", **more}


def test_a_line_may_be_a_data_row_as_it_is_exported(tmp_path):
    colour = {"name": "colour", "radio_answer": {"name": "red", "value": "red", "classifications": []}}
    weather = {"name": "weather", "checklist_answers": [{"name": "rain"}, {"name": "wind"}]}
    words = {"name": "caption", "text_answer": {"content": "a cat"}}
    said = label(
        thing(bounding_box=BOX, classifications=[colour]),
        thing(mask={"url": "https://x/m"}),
        classifications=[weather, words],
    )
    fields = [{"schema_name": "split", "value": ["train"]}, {"schema_name": "lux", "value": 3}]
    labels = read(tmp_path, row(said, metadata_fields=fields), suffix="json")
    assert [found.class_name for found in labels.annotations] == ["cat", "rain", "wind", "caption"]
    assert dict(labels.annotations[0].drawn.attributes) == {"colour": "red"}
    assert [(i.name, i.split, i.metadata) for i in labels.images] == [("a.png", "train", {"lux": 3})]
    assert "not fetched" in labels.problems[0].reason
    assert registry.detect(tmp_path).format.name == "labelbox"


def test_a_list_of_data_rows_is_read_too_and_skipped_labels_are_left_out(tmp_path):
    skipped = label(thing(bounding_box=BOX), performance_details={"skipped": True})
    benchmark = label(thing(point={"x": 1, "y": 2}), label_details={"is_benchmark_reference": True})
    Image.new("L", (40, 30)).save(tmp_path / "a.png")
    (tmp_path / "export.json").write_text(
        json.dumps([row(skipped, label(thing(bounding_box=BOX)), benchmark)])
    )
    (found,) = read_labels(LABELBOX, tmp_path).annotations
    assert found.drawn.kind is Kind.POINT
    assert notices(LABELBOX, tmp_path) == {"label-not-used": 2}


def test_an_image_is_found_by_its_key_without_an_ending(tmp_path):
    (found,) = read(tmp_path, {**line(bbox=BOX), "dataRow": {"globalKey": "b"}}).annotations
    assert found.image == "b.png"


BAD: list[Any] = [
    line(bbox={**BOX, "left": "1"}),
    line(bbox={**BOX, "width": -1}),
    line(bbox={**BOX, "width": float("nan")}),
    line(polygon=TRIANGLE[:2]),
    line(polygon=5),
    line(mask={"instanceURI": "https://x", "colorRGB": [1, 2, 3]}),
    line(mask={"png": mask_to_image(np.ones((2, 2)))}),
    line(mask={"png": "AAAA"}),
    line(answer=5),
    line(answer=""),
    line(),
    line(bbox=BOX, classifications=[{"name": "x"}]),
    line(frames=[]),
    {"uuid": "x", "name": "cat", "bbox": BOX},
    {**line(bbox=BOX), "name": None},
    {**line(bbox=BOX), "dataRow": {}},
    [1],
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_line_costs_itself_only(tmp_path, bad):
    labels = read(tmp_path, line(bbox=BOX), bad)
    assert [found.drawn.source_id for found in labels.annotations] == ["id cat"]
    (problem,) = labels.problems
    assert problem.where == "labels.ndjson line 2"


def test_a_line_that_is_not_json_costs_itself_and_a_file_of_none_is_refused(tmp_path):
    read(tmp_path, line(bbox=BOX))
    with (tmp_path / "labels.ndjson").open("a") as file:
        file.write('{"a": \n' + '{"b": ' + "[" * 90_000 + "\n")
    labels = read_labels(LABELBOX, tmp_path)
    assert len(labels.annotations) == 1
    assert [problem.where for problem in labels.problems] == ["labels.ndjson line 2", "labels.ndjson line 3"]
    (tmp_path / "other.ndjson").write_text("1\n2\n")
    with pytest.raises(LabelFileUnreadable):
        read_labels(LABELBOX, tmp_path / "other.ndjson")


def test_what_is_written_reads_by_the_rule_of_the_format(tmp_path):
    box = annotation(shapes.box(1, 2, 10, 5), attributes={"occluded": True, "n": 3}, score=0.5)
    written = write(LABELBOX, tmp_path, [(sample("sub/a.png", split="val"), [box]), (sample("b.png"), [])])
    assert losses(written) == {
        "keypoints of a class": 1,
        "number, list or object as value of an attribute (written as text)": 1,
    }
    rows = json.loads((tmp_path / "data_rows.json").read_text())
    assert [one["global_key"] for one in rows] == ["sub/a.png", "b.png"]
    assert rows[0]["metadata_fields"] == [{"name": "split", "value": "val"}]
    (said,) = map(json.loads, (tmp_path / "labels.ndjson").read_text().splitlines())
    assert said["bbox"] == {"top": 2, "left": 1, "height": 5, "width": 10}
    assert said["dataRow"] == {"globalKey": "sub/a.png"}
    assert said["classifications"] == [
        {"name": "occluded", "answer": {"name": "true"}},
        {"name": "n", "answer": "3"},
    ]
    assert [image.name for image in read_labels(LABELBOX, tmp_path).images] == ["sub/a.png", "b.png"]
