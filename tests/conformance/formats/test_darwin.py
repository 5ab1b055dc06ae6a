"""Darwin JSON 2.0 of V7, by its schema."""

from __future__ import annotations

import json
import math
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

DARWIN = registry.reader("darwin")
SQUARE = [{"x": 1, "y": 1}, {"x": 9, "y": 1}, {"x": 9, "y": 9}, {"x": 1, "y": 9}]
HOLE = [{"x": 3, "y": 3}, {"x": 5, "y": 3}, {"x": 5, "y": 5}, {"x": 3, "y": 5}]
SLOT = {
    "type": "image",
    "slot_name": "0",
    "width": 40,
    "height": 30,
    "source_files": [{"file_name": "a.png"}],
}


def one(name: str = "cat", **more: Any) -> dict[str, Any]:
    return {"id": more.pop("id", name), "name": name, "slot_names": ["0"], "properties": [], **more}


BOX = one(id="box", bounding_box={"x": 1, "y": 2, "w": 10, "h": 5})


def read(folder: Path, *listed: Any, path: str = "/", file: str = "a.png", **slot: Any) -> ReadLabels:
    place = folder / "images" / path.strip("/") / file
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (40, 30)).save(place)
    (folder / "annotations").mkdir(exist_ok=True)
    item = {"name": file, "path": path, "slots": [{**SLOT, **slot}]}
    content = {"version": "2.0", "schema_ref": "https://x", "item": item, "annotations": list(listed)}
    (folder / "annotations/a.json").write_text(json.dumps(content))
    return read_labels(DARWIN, folder)


def test_each_shape(tmp_path):
    labels = read(
        tmp_path,
        BOX,
        one(polygon={"paths": [SQUARE]}, bounding_box={"x": 0, "y": 0, "w": 1, "h": 1}),
        one(ellipse={"center": {"x": 20, "y": 10}, "radius": {"x": 6, "y": 3}, "angle": math.pi / 2}),
        one(keypoint={"x": 3, "y": 4}),
        one(line={"path": SQUARE[:3]}),
        one(tag={}),
    )
    drawn = [found.drawn for found in labels.annotations]
    assert [d.kind for d in drawn] == ["box", "polygon", "ellipse", "point", "polyline", "classification"]
    assert drawn[0].bbox_xywh_px == (1, 2, 10, 5)
    assert drawn[1].bbox_xywh_px == (1, 1, 8, 8)
    assert drawn[2].bbox_xywh_px == pytest.approx((17, 4, 6, 12))


def test_paths_beside_each_other_are_parts_and_one_inside_another_is_a_hole(tmp_path):
    far = [{"x": p["x"] + 20, "y": p["y"]} for p in SQUARE]
    labels = read(tmp_path, one(polygon={"paths": [SQUARE, far]}), one(polygon={"paths": [SQUARE, HOLE]}))
    parts, holed = (found.drawn for found in labels.annotations)
    assert (parts.kind, len(parts.rings_px)) == (Kind.POLYGON, 2)
    assert (holed.kind, holed.area_px) == (Kind.MASK, 60)
    assert notices(DARWIN, tmp_path) == {"shape-converted": 1}


def test_the_masks_of_an_image_share_one_layer_of_rows(tmp_path):
    runs = [0, 40 * 2 + 5, 1, 3, 2, 2, 0, 40 * 30 - 40 * 2 - 10]
    layer = {"dense_rle": runs, "mask_annotation_ids_mapping": {"m1": 1, "m2": 2}, "total_pixels": 1200}
    raster = one("__raster_layer__", raster_layer=layer)
    listed = (one(id="m1", mask={"sparse_rle": None}), one(id="m2", mask={}), one(id="m3", mask={}), raster)
    labels = read(tmp_path, *listed)
    first, second = (pixels(found.drawn) for found in labels.annotations)
    assert np.argwhere(first).tolist() == [[2, 5], [2, 6], [2, 7]]
    assert np.argwhere(second).tolist() == [[2, 8], [2, 9]]
    assert "does not list it" in labels.problems[0].reason


def test_an_eye_has_nodes_like_a_skeleton(tmp_path):
    """As the importer of darwin-py takes them (`e2e_tests/data/import/image_annotations_with_eye`)."""
    nodes = [
        {"name": name, "x": at, "y": 5, "occluded": name == "lower"}
        for at, name in enumerate(("inner", "outer", "upper", "lower"), 1)
    ]
    labels = read(tmp_path, one("eye", eye={"nodes": nodes}))
    assert labels.annotations[0].drawn.keypoints_xyv == (1, 5, 2, 2, 5, 2, 3, 5, 2, 4, 5, 1)
    assert labels.classes[0].keypoints == ("inner", "outer", "upper", "lower")


def test_the_image_of_an_item_without_an_ending_is_found(tmp_path):
    """Names of items are free; `storage_key` has the ending (`image_annotations_with_subtypes` of darwin-py)."""
    read(tmp_path, BOX)
    (tmp_path / "annotations/a.json").write_text(
        (tmp_path / "annotations/a.json").read_text().replace('"name": "a.png"', '"name": "a"')
    )
    labels = read_labels(DARWIN, tmp_path)
    assert [image.name for image in labels.images] == ["a.png"]
    assert labels.problems == []


def clip(folder: Path, *listed: Any, n_frames: int = 4) -> ReadLabels:
    """The labels of a video of frames of 40x30 pixels."""
    (folder / "clip").mkdir(exist_ok=True)
    for at in range(n_frames):
        Image.new("L", (40, 30)).save(folder / f"clip/{at:04d}.png")
    slot = {"type": "video", "slot_name": "0", "width": 40, "height": 30, "frame_count": 4}
    item = {"name": "clip.mp4", "path": "/", "slots": [slot]}
    (folder / "clip.json").write_text(
        json.dumps({"version": "2.0", "item": item, "annotations": list(listed)})
    )
    return read_labels(DARWIN, folder)


def test_the_annotations_of_a_video_go_to_its_frames(tmp_path):
    """A release lists each frame of a range, also those between keyframes, and a raster layer for each frame."""
    boxes = {
        str(at): {"bounding_box": {"x": at, "y": 2, "w": 5, "h": 6}, "keyframe": at != 2} for at in (1, 2, 3)
    }
    properties = [
        {"frame_index": 1, "name": "side", "value": "left"},
        {"frame_index": 3, "name": "side", "value": "back"},
    ]
    layer = {
        "dense_rle": [0, 41, 1, 3, 0, 1156],
        "mask_annotation_ids_mapping": {"m": 1},
        "total_pixels": 1200,
    }
    labels = clip(
        tmp_path,
        one("car", id="b", frames=boxes, ranges=[[1, 4]], properties=properties),
        one("road", id="m", frames={"0": {"mask": {}, "keyframe": True}}),
        one("__raster_layer__", id="r", frames={"0": {"raster_layer": layer, "keyframe": True}}),
    )
    assert labels.problems == []
    cars = [found for found in labels.annotations if found.class_name == "car"]
    assert [(found.image, found.drawn.bbox_xywh_px) for found in cars] == [
        (f"clip/000{at}.png", (at, 2, 5, 6)) for at in (1, 2, 3)
    ]
    sides = [found.drawn.attributes.get("side") for found in cars]
    assert (sides, {found.drawn.attributes["track_id"] for found in cars}) == (["left", None, "back"], {"b"})
    (road,) = [found.drawn for found in labels.annotations if found.class_name == "road"]
    assert (road.kind, road.bbox_xywh_px) == (Kind.MASK, (1, 1, 3, 1))
    assert {image.metadata["video"] for image in labels.images} == {"clip.mp4"}


def test_a_frame_without_its_image_costs_itself_only(tmp_path):
    boxes = {at: {"bounding_box": {"x": 1, "y": 2, "w": 5, "h": 6}} for at in ("0", "3", "x")}
    labels = clip(tmp_path, one("car", frames=boxes), n_frames=2)
    assert [found.image for found in labels.annotations] == ["clip/0000.png"]
    assert len(labels.problems) == 2


def test_nodes_of_all_skeletons_of_a_class_are_its_keypoints(tmp_path):
    def node(name: str, occluded: bool = False) -> dict[str, Any]:
        return {"name": name, "occluded": occluded, "x": 3, "y": 4}

    first = one(skeleton={"nodes": [node("head"), node("foot", True)]})
    labels = read(tmp_path, first, one(skeleton={"nodes": [node("tail"), node("head")]}))
    assert [found.drawn.keypoints_xyv for found in labels.annotations] == [
        (3, 4, 2, 3, 4, 1, 0, 0, 0),
        (3, 4, 2, 0, 0, 0, 3, 4, 2),
    ]
    assert labels.classes[0].keypoints == ("head", "foot", "tail")


def test_what_is_said_beside_the_shape(tmp_path):
    properties = [
        {"name": "colour", "value": "red"},
        {"name": "part", "value": "a"},
        {"name": "part", "value": "b"},
    ]
    more = {
        "properties": properties,
        "attributes": ["wet"],
        "instance_id": {"value": 4},
        "text": {"text": "AB"},
    }
    (found,) = read(tmp_path, {**BOX, **more, "inference": {"confidence": 0.5}}).annotations
    known = {"colour": "red", "part": ["a", "b"], "wet": True, "track_id": 4, "text": "AB"}
    assert (dict(found.drawn.attributes), found.drawn.score, found.drawn.source_id) == (known, 0.5, "box")


def test_the_folder_of_an_item_is_part_of_its_name_and_may_be_its_split(tmp_path):
    (image,) = read(tmp_path, BOX, path="/train/day").images
    assert (image.name, image.split) == ("train/day/a.png", "train")


BAD: list[Any] = [
    one(bounding_box={"x": 1, "y": 2, "w": -1, "h": 5}),
    one(bounding_box={"x": float("nan"), "y": 2, "w": 1, "h": 5}),
    one(bounding_box={"x": "1", "y": 2, "w": 1, "h": 5}),
    one(polygon={"paths": [SQUARE[:2]]}),
    one(polygon={"paths": 5}),
    one(polygon={}),
    one(mask={}),
    one(ellipse={"center": {"x": 20, "y": 10}}),
    one(skeleton={"nodes": [{"name": "a", "x": 1, "y": 2}, {"name": "a", "x": 1, "y": 2}]}),
    one(cuboid={"front": {}}),
    one(line={"path": SQUARE[:1]}),
    {**BOX, "name": ""},
    {**BOX, "properties": [{"name": "x", "value": "\ud800"}]},
    5,
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_annotation_costs_itself_only(tmp_path, bad):
    labels = read(tmp_path, bad, BOX)
    assert [found.drawn.source_id for found in labels.annotations] == ["box"]
    (problem,) = labels.problems
    assert problem.where == "annotations/a.json annotations[0]"


def test_a_video_is_a_problem_and_a_bad_file_alone_is_refused(tmp_path):
    with pytest.raises(LabelFileUnreadable, match="video"):
        read(tmp_path, BOX, type="video", frame_count=9)
    (tmp_path / "annotations/b.json").write_text("{")
    read(tmp_path, BOX)
    assert notices(DARWIN, tmp_path) == {"file-not-labels": 1}


def test_what_is_written_reads_by_the_rule_of_the_format(tmp_path):
    def square(x: int) -> shapes.Shape:
        inside = np.zeros((30, 40), bool)
        inside[3:5, x : x + 4] = True
        return shapes.mask(inside, (0, 0), (40, 30))

    labels = [
        annotation(shapes.box(1, 2, 10, 5), attributes={"track_id": 4, "colour": ["red", "blue"]}),
        annotation(square(4), at=1),
        annotation(square(7), at=2),
    ]
    written = write(DARWIN, tmp_path, [(sample("a.png", split="train"), labels)])
    assert losses(written) == {"mask that overlaps another (the later one covers it)": 1}
    content = json.loads((tmp_path / "annotations/train/a.png.json").read_text())
    assert (content["item"]["name"], content["item"]["path"]) == ("a.png", "/train")
    box, first, second, layer = content["annotations"]
    assert box["bounding_box"] == {"x": 1, "y": 2, "w": 10, "h": 5}
    assert box["instance_id"] == {"value": 4}
    assert [said["value"] for said in box["properties"]] == ["red", "blue"]
    raster = layer["raster_layer"]
    assert raster["dense_rle"][:8] == [0, 124, 1, 3, 2, 4, 0, 33]
    assert sum(raster["dense_rle"][1::2]) == raster["total_pixels"] == 1200
    assert raster["mask_annotation_ids_mapping"] == {first["id"]: 1, second["id"]: 2}


def test_a_mask_that_overlaps_none_comes_back(tmp_path):
    inside = np.zeros((30, 40), bool)
    inside[3:5, 4:9] = True
    inside[4, 5] = False
    shape = shapes.mask(inside, (0, 0), (40, 30))
    write(DARWIN, tmp_path, [(sample("a.png"), [annotation(shape)])])
    (found,) = read_labels(DARWIN, tmp_path).annotations
    assert np.array_equal(pixels(found.drawn), inside)
