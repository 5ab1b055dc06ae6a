"""LabelMe JSON, by the label file of the LabelMe project."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.labels import ReadLabels, read_labels
from tests.support.written_labels import annotation, losses, notices, pixels, sample, write

from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable
from calotype.tool_formats import shapes

LABELME = registry.reader("labelme")


def shape(kind: str, points: Any, **more: Any) -> dict[str, Any]:
    return {"label": "cat", "shape_type": kind, "points": points, "group_id": None, "flags": {}, **more}


BOX = shape("rectangle", [[1, 2], [11, 7]])


def read(folder: Path, *listed: Any, image: bool = True, name: str = "a.json", **more: Any) -> ReadLabels:
    if image:
        Image.new("L", (40, 30)).save(folder / "a.png")
    said: dict[str, Any] = {
        "version": "5.5.0",
        "flags": {},
        "shapes": list(listed),
        "imagePath": "a.png",
        "imageData": None,
    }
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps({**said, "imageHeight": 30, "imageWidth": 40, **more}))
    return read_labels(LABELME, folder)


def test_each_shape(tmp_path):
    labels = read(
        tmp_path,
        shape("polygon", [[1, 1], [5, 1], [5, 4.5]]),
        shape("rectangle", [[11, 7], [1, 2]]),
        shape("circle", [[20, 15], [23, 19]]),
        shape("line", [[1, 1], [2, 2]]),
        shape("linestrip", [[1, 1], [2, 2], [3, 1]]),
        shape("point", [[3, 4]]),
        shape("oriented_rectangle", [[17, 7], [17, 17], [13, 17], [13, 7]]),
    )
    drawn = [found.drawn for found in labels.annotations]
    kinds = ["polygon", "box", "ellipse", "polyline", "polyline", "point", "rotated_box"]
    assert [one.kind for one in drawn] == kinds
    assert drawn[1].bbox_xywh_px == (1, 2, 10, 5)
    assert drawn[2].bbox_xywh_px == (15, 10, 10, 10)


def test_a_file_that_names_itself_is_about_the_image_of_its_name(tmp_path):
    """As `examples/tutorial/apc2016_obj3.json` of the LabelMe project does."""
    labels = read(tmp_path, BOX, imagePath="a.json")
    assert [image.name for image in labels.images] == ["a.png"]
    assert labels.problems == []
    assert len(labels.annotations) == 1


def test_a_mask_is_a_png_in_a_box(tmp_path):
    inside = np.array([[0, 1, 1], [1, 0, 1]], np.uint8)
    out = io.BytesIO()
    Image.fromarray(inside * 255).save(out, "PNG")
    encoded = base64.b64encode(out.getvalue()).decode()
    (found,) = read(tmp_path, shape("mask", [[5, 6], [7, 7]], mask=encoded)).annotations
    assert pixels(found.drawn)[6:8, 5:8].tolist() == inside.astype(bool).tolist()
    assert found.drawn.area_px == 4


def test_flags_group_and_what_other_tools_add(tmp_path):
    more = {"group_id": 3, "flags": {"wet": True}, "description": "old", "difficult": True, "score": 0.5}
    labels = read(
        tmp_path, {**BOX, **more, "attributes": {"n": 1}, "kie": [1]}, flags={"night": True, "day": False}
    )
    by_kind = {found.drawn.kind: found for found in labels.annotations}
    known = {"n": 1, "wet": True, "group_id": 3, "description": "old", "difficult": True}
    assert dict(by_kind[Kind.BOX].drawn.attributes) == known
    assert (by_kind[Kind.BOX].drawn.score, dict(by_kind[Kind.BOX].drawn.extra)) == (0.5, {"kie": [1]})
    assert by_kind[Kind.CLASSIFICATION].class_name == "night"


def test_polygons_of_a_group_are_parts_of_one_object(tmp_path):
    def part(x: int, **more: Any) -> dict[str, Any]:
        return shape("polygon", [[x, 0], [x + 2, 0], [x, 2]], **more)

    labels = read(tmp_path, part(0, group_id=1), part(5), part(10, group_id=1), part(20, group_id=2))
    assert [len(found.drawn.rings_px) for found in labels.annotations] == [2, 1, 1]
    assert labels.annotations[0].drawn.bbox_xywh_px == (0, 0, 12, 2)


@pytest.mark.parametrize("stated", ["a.png", "..\\photos\\a.png", "../photos/a.png", "C:\\old\\a.png"])
def test_the_image_is_found_relative_to_the_label_file(tmp_path, stated):
    (tmp_path / "photos").mkdir()
    Image.new("L", (40, 30)).save(tmp_path / "photos/a.png")
    labels = read(tmp_path, BOX, image=False, name="labels/a.json", imagePath=stated)
    assert [image.name for image in labels.images] == ["photos/a.png"]


def test_the_same_name_in_two_folders_is_decided_by_the_place_of_the_label_file(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        Image.new("L", (40, 30)).save(tmp_path / folder / "a.png")
    labels = read(tmp_path, BOX, image=False, name="y/a.json")
    assert labels.annotations[0].image == "y/a.png"
    assert notices(LABELME, tmp_path) == {"image-without-labels": 1}


def test_an_embedded_image_is_ignored_where_the_file_is_there_and_reported_where_not(tmp_path):
    labels = read(tmp_path, BOX, imageData="AAAA")
    assert notices(LABELME, tmp_path) == {}
    (tmp_path / "a.png").unlink()
    assert notices(LABELME, tmp_path) == {"value-dropped": 1}
    assert labels.problems == []


BAD: list[Any] = [
    shape("rectangle", [[1, 2]]),
    shape("rectangle", [[1, "2"], [3, 4]]),
    shape("rectangle", [[1, float("nan")], [3, 4]]),
    shape("polygon", [[1, 2], [3, 4]]),
    shape("circle", [[1, 2]]),
    shape("mask", [[1, 2], [3, 4]], mask="%%"),
    shape("mask", [[1, 2], [3, 4]], mask="AAAA"),
    shape("mask", [[1, 2], [3, 4]]),
    shape("oval", [[1, 2], [3, 4]]),
    shape("rectangle", [[1, 2], [3, 4]], label=None),
    shape("rectangle", [[1, 2], [3, 4]], flags=[1]),
    shape("rectangle", [[1, 2], [3, 4]], note="\ud800"),
    5,
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_shape_costs_itself_only(tmp_path, bad):
    labels = read(tmp_path, bad, BOX)
    assert [found.drawn.bbox_xywh_px for found in labels.annotations] == [(1, 2, 10, 5)]
    (problem,) = labels.problems
    assert problem.where == "a.json shapes[0]"


def test_a_bad_file_costs_itself_only_and_alone_is_refused(tmp_path):
    read(tmp_path, BOX)
    (tmp_path / "b.json").write_text('{"shapes": [')
    (tmp_path / "c.json").write_text('{"other": 1}')
    labels = read_labels(LABELME, tmp_path)
    assert len(labels.annotations) == 1
    assert [problem.where for problem in labels.problems] == ["b.json", "c.json"]
    with pytest.raises(LabelFileUnreadable):
        read_labels(LABELME, tmp_path / "b.json")


def test_what_is_written_reads_by_the_rule_of_the_format(tmp_path):
    parts = shapes.polygon([[(1, 1), (5, 1), (5, 5)], [(11, 11), (15, 11), (15, 15)]])
    labels = [
        annotation(shapes.box(1, 2, 10, 5), attributes={"occluded": True, "group_id": 4}),
        annotation(parts, at=1),
        annotation(shapes.whole_image(), at=2, class_id=1),
        annotation(shapes.Shape(Kind.CAPTION), at=3, attributes={"text": "x"}),
    ]
    written = write(LABELME, tmp_path, [(sample("a.png", split="train"), labels), (sample("b.png"), [])])
    assert set(written.files) == {"train/a.json", "train/a.png", "b.png"}
    assert (written.n_annotations, losses(written)) == (
        3,
        {"annotation of kind caption": 1, "keypoints of a class": 1},
    )
    content = json.loads((tmp_path / "train/a.json").read_text())
    assert (content["imagePath"], content["imageData"], content["flags"]) == ("a.png", None, {"dog": True})
    box, first, second = content["shapes"]
    assert (box["points"], box["group_id"], box["flags"]) == ([[1, 2], [11, 7]], 4, {"occluded": True})
    assert first["group_id"] == second["group_id"] is not None


def test_groups_of_several_polygons_stay_several_annotations(tmp_path):
    ring = shapes.polygon([[(1, 1), (5, 1), (5, 5)]])
    labels = [annotation(ring, at=at, attributes={"group_id": 4}) for at in range(2)]
    write(LABELME, tmp_path, [(sample("a.png"), labels)])
    found = read_labels(LABELME, tmp_path).annotations
    assert [read.drawn.attributes["group_id"] for read in found] == [4, 4]


def test_two_images_of_one_stem_keep_their_own_label_files(tmp_path):
    items = [(sample(name), [annotation(shapes.box(1, 1, 2, 2), of=name)]) for name in ("a.jpg", "a.png")]
    write(LABELME, tmp_path, items)
    assert {found.image for found in read_labels(LABELME, tmp_path).annotations} == {"a.jpg", "a.png"}
