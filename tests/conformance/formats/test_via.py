"""VGG Image Annotator 2, by its page on annotation file formats."""

from __future__ import annotations

import json
import math
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

VIA = registry.reader("via")
RECT = {"name": "rect", "x": 1, "y": 2, "width": 10, "height": 5}


def region(shape: Any, **attributes: Any) -> dict[str, Any]:
    return {"shape_attributes": shape, "region_attributes": attributes}


def read(folder: Path, regions: Any, *, attributes: Any = None, project: Any = None) -> ReadLabels:
    Image.new("L", (40, 30)).save(folder / "a.png")
    said = {"filename": "a.png", "size": 9, "regions": regions, "file_attributes": attributes or {}}
    content: Any = {"a.png9": said}
    if project is not None:
        content = {"_via_settings": {}, "_via_img_metadata": content, "_via_attributes": project}
    (folder / "via.json").write_text(json.dumps(content))
    return read_labels(VIA, folder)


def test_each_shape(tmp_path):
    labels = read(
        tmp_path,
        [
            region(RECT, label="cat"),
            region({"name": "circle", "cx": 10, "cy": 10, "r": 4.5}, label="cat"),
            region(
                {"name": "ellipse", "cx": 20, "cy": 10, "rx": 6, "ry": 3, "theta": math.pi / 2}, label="cat"
            ),
            region({"name": "polygon", "all_points_x": [1, 5, 5], "all_points_y": [1, 1, 5]}, label="cat"),
            region({"name": "polyline", "all_points_x": [1, 5], "all_points_y": [1, 1]}, label="cat"),
            region({"name": "point", "cx": 3, "cy": 4}, label="cat"),
        ],
    )
    drawn = [found.drawn for found in labels.annotations]
    assert [one.kind for one in drawn] == ["box", "ellipse", "ellipse", "polygon", "polyline", "point"]
    assert drawn[0].bbox_xywh_px == (1, 2, 10, 5)
    assert drawn[2].bbox_xywh_px == pytest.approx((17, 4, 6, 12))


def test_regions_may_be_an_object_as_in_version_1(tmp_path):
    assert (
        len(read(tmp_path, {"0": region(RECT, label="cat"), "1": region(RECT, label="cat")}).annotations) == 2
    )


def test_a_region_without_attributes_gets_a_name_and_a_notice(tmp_path):
    (found,) = read(tmp_path, [region(RECT)]).annotations
    assert found.class_name == "region"
    assert notices(VIA, tmp_path) == {"class-unnamed": 1}


def test_the_class_is_the_list_that_the_project_declares(tmp_path):
    declared = {
        "region": {
            "colour": {"type": "text"},
            "animal": {"type": "dropdown", "options": {"cat": "", "dog": "", "cow": ""}},
        }
    }
    listed = [region(RECT, colour="red", animal="dog"), region(RECT, animal={"cat": True, "cow": False})]
    labels = read(tmp_path, listed, project=declared)
    assert [found.class_name for found in labels.annotations] == ["dog", "cat"]
    assert dict(labels.annotations[0].drawn.attributes) == {"colour": "red"}
    assert [one.name for one in labels.classes] == ["cat", "dog", "cow"]


def test_what_is_said_of_an_image(tmp_path):
    labels = read(
        tmp_path, [], attributes={"split": "train", "caption": "a cat", "class": {"x": True}, "lux": "3"}
    )
    assert (labels.images[0].split, labels.images[0].metadata) == ("train", {"lux": "3"})
    assert {(found.drawn.kind, found.class_name) for found in labels.annotations} == {
        (Kind.CAPTION, "caption"),
        (Kind.CLASSIFICATION, "x"),
    }


def test_csv(tmp_path):
    Image.new("L", (40, 30)).save(tmp_path / "a.png")
    head = "#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
    good = 'a.png,9,"{}",2,0,"{""name"":""rect"",""x"":1,""y"":2,""width"":10,""height"":5}","{""label"":""cat""}"\n'
    bad = 'a.png,9,"{}",2,1,"{""name"":","{}"\n'
    empty = 'b.png,9,"{}",0,0,"{}","{}"\n'
    (tmp_path / "via.csv").write_text(head + good + bad + empty)
    labels = read_labels(VIA, tmp_path)
    assert [found.drawn.bbox_xywh_px for found in labels.annotations] == [(1, 2, 10, 5)]
    assert [image.name for image in labels.images] == ["a.png", "b.png"]
    assert [problem.where for problem in labels.problems] == ["via.csv row 3"]
    assert registry.detect(tmp_path).format.name == "via"


BAD: list[Any] = [
    region({**RECT, "x": "1"}, label="cat"),
    region({**RECT, "width": -1}, label="cat"),
    region({**RECT, "x": float("inf")}, label="cat"),
    region({"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 2]}, label="cat"),
    region({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1, 2]}, label="cat"),
    region({"name": "star"}, label="cat"),
    region({}, label="cat"),
    region(RECT, label="x" * 600),
    region(RECT, label="cat", note="\ud800"),
    {"shape_attributes": RECT, "region_attributes": 5},
    5,
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_region_costs_itself_only(tmp_path, bad):
    labels = read(tmp_path, [bad, region(RECT, label="cat")])
    assert [found.drawn.bbox_xywh_px for found in labels.annotations] == [(1, 2, 10, 5)]
    (problem,) = labels.problems
    assert problem.where.endswith("regions[0]")


def test_a_broken_file_is_refused(tmp_path):
    for text in ("[]", "{", '{"_via_img_metadata": 5}'):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(LabelFileUnreadable):
            read_labels(VIA, tmp_path / "a.json")


def test_what_is_written_reads_by_the_rule_of_the_format(tmp_path):
    inside = np.zeros((30, 40), bool)
    inside[3:5, 4:7] = True
    labels = [
        annotation(shapes.box(1, 2, 10, 5), attributes={"occluded": True, "n": 3}),
        annotation(shapes.mask(inside, (0, 0), (40, 30)), at=1),
    ]
    written = write(VIA, tmp_path, [(sample("sub/a.png", split="val"), labels)])
    assert losses(written) == {
        "keypoints of a class": 1,
        "mask (written as polygons, holes filled)": 1,
        "number, list or object as value of an attribute (written as text)": 1,
    }
    project = json.loads((tmp_path / "via_project.json").read_text())
    (image,) = project["_via_img_metadata"].values()
    assert project["_via_image_id_list"] == list(project["_via_img_metadata"]) == ["sub/a.png1"]
    assert (image["filename"], image["file_attributes"]) == ("sub/a.png", {"split": "val"})
    first, second = image["regions"]
    assert first["shape_attributes"] == {**RECT, "x": 1.0}
    assert first["region_attributes"] == {"class": "cat", "occluded": "true", "n": "3"}
    assert sorted(second["shape_attributes"]["all_points_x"]) == [4, 4, 7, 7]
