"""Label Studio JSON, by its pages on export formats, units of image annotations, and pre-annotations."""

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
from calotype.tool_formats.mask_runs import mask_to_bits

LS = registry.reader("label-studio")
SIDES = {"original_width": 40, "original_height": 30, "image_rotation": 0}


def region(
    kind: str, value: dict[str, Any], *, name: str = "car", id: str = "r1", **more: Any
) -> dict[str, Any]:
    value = {**value, f"{kind}labels": [name]}
    said = {"id": id, "from_name": kind, "to_name": "image", "type": f"{kind}labels", "value": value}
    return {**said, **SIDES, **more}


RECTANGLE = {"x": 10, "y": 20, "width": 50, "height": 10, "rotation": 0}


def task(*results: Any, image: str = "/data/upload/1/a.png", **more: Any) -> dict[str, Any]:
    said = {"id": 5, "completed_by": 1, "was_cancelled": False, "result": list(results)}
    return {"id": 1, "data": {"image": image}, "annotations": [said], **more}


def read(folder: Path, *tasks: Any, files: tuple[str, ...] = ("a.png",)) -> ReadLabels:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (40, 30)).save(folder / name)
    (folder / "export.json").write_text(json.dumps(list(tasks)))
    return read_labels(LS, folder)


def test_a_rectangle_is_percent_of_the_image(tmp_path):
    (found,) = read(tmp_path, task(region("rectangle", RECTANGLE))).annotations
    assert found.drawn.bbox_xywh_px == (4, 6, 20, 3)
    assert (found.class_name, found.image, found.drawn.source_id) == ("car", "a.png", "r1")


def test_a_rectangle_turns_about_its_top_left_corner_and_an_ellipse_about_its_centre(tmp_path):
    turned = region("rectangle", {**RECTANGLE, "x": 50, "rotation": 90})
    oval = region("ellipse", {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10, "rotation": 90}, id="r2")
    labels = read(tmp_path, task(turned, oval))
    assert labels.annotations[0].drawn.rings_px[0] == pytest.approx((20, 6, 20, 26, 17, 26, 17, 6))
    assert labels.annotations[1].drawn.kind is Kind.ELLIPSE
    assert labels.annotations[1].drawn.bbox_xywh_px == pytest.approx((17, 7, 6, 16))


def test_a_brush_stroke_is_the_opacity_of_a_stream_of_pixels(tmp_path):
    inside = np.zeros((30, 40), bool)
    inside[3:9, 5:20] = True
    brush = region("brush", {"format": "rle", "rle": list(mask_to_bits(inside))})
    (found,) = read(tmp_path, task(brush)).annotations
    assert np.array_equal(pixels(found.drawn), inside)


def test_a_stream_with_single_values_is_read_too(tmp_path):
    bits = f"{2 * 1 * 4:032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in (3, 4, 8, 16))
    bits += "0" + "00" + f"{7:03b}" + "".join(f"{v:08b}" for v in (9, 9, 9, 0, 9, 9, 9, 255))
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    brush = region("brush", {"format": "rle", "rle": list(data)}, original_width=2, original_height=1)
    (found,) = read(tmp_path, task(brush)).annotations
    assert pixels(found.drawn).tolist() == [[False, True]]


def test_keypoints_of_a_rectangle_are_one_pose_in_the_order_of_the_configuration(tmp_path):
    config = """<View><Image name="image" value="$image"/><KeyPointLabels name="k" toName="image">
    <Label value="foot" model_index="1"/><Label value="head" model_index="0"/></KeyPointLabels></View>"""
    (tmp_path / "label_config.xml").write_text(config)
    foot = region("keypoint", {"x": 50, "y": 50, "width": 1}, name="foot", id="k1", parentID="r1")
    loose = region("keypoint", {"x": 0, "y": 50, "width": 1}, name="dot", id="k2")
    labels = read(tmp_path, task(region("rectangle", RECTANGLE), foot, loose))
    drawn = {found.class_name: found.drawn for found in labels.annotations}
    assert drawn["car"].keypoints_xyv == (0, 0, 0, 20, 15, 2)
    assert drawn["car"].bbox_xywh_px == (4, 6, 20, 3)
    assert (drawn["dot"].kind, drawn["dot"].rings_px) == (Kind.POINT, ((0, 15),))
    assert labels.classes[0].keypoints == ("head", "foot")


def test_what_is_said_of_a_region_or_of_the_image(tmp_path):
    def control(kind: str, value: Any, **more: Any) -> dict[str, Any]:
        return {"from_name": f"my {kind}", "to_name": "image", "type": kind, "value": {kind: value}, **more}

    def texts(value: list[str], **more: Any) -> dict[str, Any]:
        return {
            "from_name": "plate",
            "to_name": "image",
            "type": "textarea",
            "value": {"text": value},
            **more,
        }

    labels = read(
        tmp_path,
        task(
            region("rectangle", RECTANGLE),
            control("choices", ["true"], id="r1"),
            control("number", 4, id="r1"),
            texts(["AB 12"], id="r1"),
            control("choices", ["night"], id="c1"),
            control("rating", 3, id="c2"),
            texts(["a car at night"], id="c3"),
            {"type": "relation", "from_id": "r1", "to_id": "r1"},
        ),
    )
    found = {read.drawn.kind: read for read in labels.annotations}
    known = {"my choices": True, "my number": 4, "plate": "AB 12"}
    assert dict(found[Kind.BOX].drawn.attributes) == known
    assert found[Kind.CLASSIFICATION].class_name == "night"
    assert dict(found[Kind.CAPTION].drawn.attributes) == {"text": "a car at night"}
    assert labels.images[0].extra == {"my rating": 3}
    assert notices(LS, tmp_path)["value-aside"] == 1
    assert notices(LS, tmp_path)["value-dropped"] == 1


def test_polygons_lines_and_labels_beside_a_shape(tmp_path):
    corners = {"points": [[0, 0], [50, 0], [50, 50]]}
    shape = {"id": "r3", "type": "rectangle", "value": RECTANGLE, **SIDES}
    named = {"id": "r3", "type": "labels", "value": {**RECTANGLE, "labels": ["bus"]}, **SIDES}
    labels = read(
        tmp_path,
        task(
            region("polygon", corners),
            region("polygon", {**corners, "closed": False}, id="r2"),
            shape,
            named,
        ),
    )
    seen = [(found.class_name, found.drawn.kind) for found in labels.annotations]
    assert seen == [("car", Kind.POLYGON), ("car", Kind.POLYLINE), ("bus", Kind.BOX)]


MINIMAL = {
    "image": "/data/upload/1/a.png",
    "id": 7,
    "boxes": [{**RECTANGLE, "rectanglelabels": ["car"], "original_width": 40, "original_height": 30}],
    "outlines": [{"points": [[0, 0], [50, 0], [50, 50]], "closed": True, "polygonlabels": ["road"]}],
    "weather": "sunny",
    "seen": {"choices": ["bus", "bike"]},
    "note": "a quiet street",
    "count": [{"number": 3}],
    "annotator": 1,
    "annotation_id": 22,
    "lead_time": 8.6,
}
"""As `convert_to_json_min` of the Label Studio converter writes a record."""


@pytest.mark.parametrize("with_config", [True, False])
def test_the_short_form_is_read_too(tmp_path, with_config):
    if with_config:
        area = '<TextArea name="note" toName="image"/>'
        block = '<RectangleLabels name="boxes"><Label value="car"/></RectangleLabels>'
        (tmp_path / "label_config.xml").write_text(f"<View>{area}{block}</View>")
    unlabelled = {"image": "b.png", "id": 8, "annotator": "", "annotation_id": "", "lead_time": ""}
    labels = read(tmp_path, MINIMAL, unlabelled, files=("a.png", "b.png"))
    assert registry.detect(tmp_path).sighting.layout == "a JSON file of annotations (JSON_MIN)"
    found = {one.class_name: one.drawn for one in labels.annotations}
    named = {"caption"} if with_config else {"a quiet street"}
    assert set(found) == {"car", "road", "sunny", "bus", "bike"} | named
    assert found["car"].bbox_xywh_px == (4, 6, 20, 3)
    assert found["road"].rings_px == ((0, 0, 20, 0, 20, 15),)
    if with_config:
        assert found["caption"].attributes == {"text": "a quiet street"}
    assert labels.images[0].metadata["count"] == 3
    assert notices(LS, tmp_path) == {
        "image-without-labels": 1,
        **({} if with_config else {"value-unknown": 1}),
    }
    assert labels.problems == []


def video_task(
    *keys: tuple[int, float, bool], video: str = "/data/upload/1/0a1b2c3d-drive.mp4"
) -> dict[str, Any]:
    sequence = [
        {
            "frame": frame,
            "x": x,
            "y": 20,
            "width": 10,
            "height": 10,
            "rotation": 0,
            "enabled": enabled,
            "time": 0.1,
        }
        for frame, x, enabled in keys
    ]
    value = {"labels": ["car"], "framesCount": 6, "sequence": sequence}
    result = {"id": "t1", "type": "videorectangle", "from_name": "box", "to_name": "video", "value": value}
    said = {"id": 5, "completed_by": 1, "was_cancelled": False, "result": [result]}
    return {"id": 1, "data": {"video": video}, "annotations": [said]}


def at_frames(labels: ReadLabels) -> dict[str, float]:
    return {str(one.image): one.drawn.bbox_xywh_px[0] for one in labels.annotations if one.drawn.bbox_xywh_px}


FRAMES = tuple(f"frames/{at:04d}.png" for at in range(1, 7))


def test_a_rectangle_of_a_video_goes_on_between_its_keyframes(tmp_path):
    """`extract_key_frames` of the Label Studio tools: a keyframe that is not enabled is the last that is shown."""
    labels = read(tmp_path, video_task((1, 0, True), (3, 20, False), (5, 50, True)), files=FRAMES)
    assert labels.problems == []
    assert at_frames(labels) == {FRAMES[0]: 0, FRAMES[1]: 4, FRAMES[2]: 8, FRAMES[4]: 20, FRAMES[5]: 20}
    assert {one.drawn.attributes["track_id"] for one in labels.annotations} == {"t1"}
    frames = {image.name: image.metadata for image in labels.images}
    assert frames[FRAMES[4]] == {"video": "data/upload/1/0a1b2c3d-drive.mp4", "frame": 4}


def test_frames_that_count_from_0(tmp_path):
    labels = read(tmp_path, video_task((1, 0, False), (2, 10, False)), files=("f/000.png", "f/001.png"))
    assert at_frames(labels) == {"f/000.png": 0, "f/001.png": 4}


def test_videos_are_told_apart_by_the_folders_of_their_frames(tmp_path):
    tasks = [video_task((1, at, False), video=f"{name}.mp4") for at, name in ((0, "one"), (10, "two"))]
    labels = read(tmp_path, *tasks, files=("one/1.png", "two/1.png"))
    assert at_frames(labels) == {"one/1.png": 0, "two/1.png": 4}
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    labels = read(mixed, *tasks, files=("1.png",))
    assert at_frames(labels) == {"1.png": 0}
    assert "are not kept apart" in labels.problems[0].reason


def test_a_video_without_its_frames_is_one_problem(tmp_path):
    (problem,) = read(tmp_path, video_task((1, 0, True)), files=()).problems
    assert "not there as images" in problem.reason


def test_cancelled_annotations_are_left_out_and_ground_truth_comes_first(tmp_path):
    def opinion(x: int, **more: Any) -> dict[str, Any]:
        return {"id": x, "result": [region("rectangle", {**RECTANGLE, "x": x})], **more}

    cancelled = {**task(), "annotations": [opinion(1, was_cancelled=True), opinion(2)]}
    marked = {**task(image="b.png"), "annotations": [opinion(3), opinion(4, ground_truth=True)]}
    several = {**task(image="c.png"), "annotations": [opinion(5, completed_by=1), opinion(6, completed_by=2)]}
    labels = read(tmp_path, cancelled, marked, several, files=("a.png", "b.png", "c.png"))
    left = [found.drawn.bbox_xywh_px[0] * 2.5 for found in labels.annotations if found.drawn.bbox_xywh_px]
    assert left == [2, 4, 5, 6]
    assert labels.annotations[2].drawn.extra == {"annotation_id": 5, "completed_by": 1}
    assert notices(LS, tmp_path) == {"label-not-used": 2, "value-unknown": 1}


def test_predictions_are_read_with_their_score_where_nothing_is_annotated(tmp_path):
    guess = {"score": 0.75, "result": [region("rectangle", RECTANGLE)]}
    alone = {"id": 1, "data": {"image": "a.png"}, "annotations": [], "predictions": [guess]}
    (found,) = read(tmp_path, alone).annotations
    assert found.drawn.score == 0.75
    assert read(tmp_path, alone, task(image="b.png"), files=("a.png", "b.png")).annotations == []
    assert notices(LS, tmp_path)["label-not-used"] == 1


def test_looked_at_and_empty_is_kept_apart_from_not_labelled(tmp_path):
    waiting = {"id": 2, "data": {"image": "b.png"}, "annotations": []}
    labels = read(tmp_path, task(), waiting, files=("a.png", "b.png"))
    assert [image.tags for image in labels.images] == [("background",), ()]
    assert notices(LS, tmp_path) == {"image-empty": 1, "image-without-labels": 1}


@pytest.mark.parametrize(
    ("stated", "file"),
    [
        ("/data/upload/3/0a1b2c3d-my_photo_1.png", "in/my photo 1.png"),
        ("/data/upload/3/0a1b2c3d-a.png", "in/0a1b2c3d-a.png"),
        ("/data/local-files/?d=sets/in/a%20b.png", "in/a b.png"),
        ("s3://bucket/deep/in/a.png", "in/a.png"),
        ("https://host/x/a.png?sig=1", "in/a.png"),
        ("/tasks/1/resolve/?fileuri=czM6Ly9iL2luL2EucG5n", "in/a.png"),
    ],
)
def test_the_image_of_a_task_is_found_below_the_folder(tmp_path, stated, file):
    labels = read(tmp_path, task(image=stated), files=(file,))
    assert [image.name for image in labels.images] == [file]
    assert labels.problems == []


BAD: list[Any] = [
    region("rectangle", {**RECTANGLE, "x": "1"}),
    region("rectangle", {**RECTANGLE, "width": -5}),
    region("rectangle", {**RECTANGLE, "x": 1e300}),
    region("rectangle", {**RECTANGLE, "rotation": float("nan")}),
    region("polygon", {"points": [[1, 2], [3]]}),
    region("polygon", {"points": "x"}),
    region("brush", {"rle": [1, 2, 3]}),
    region("brush", {"rle": [300]}),
    region("brush", {"rle": [255] * 20}),
    region("star", {"x": 1}),
    region("rectangle", RECTANGLE, name="x" * 600),
    {**region("rectangle", RECTANGLE), "value": {"rectanglelabels": []}},
    {"type": "textarea", "value": {"text": [5]}},
    {"type": "choices", "value": None},
    "x",
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_result_costs_itself_only(tmp_path, bad):
    labels = read(tmp_path, task(bad, region("rectangle", RECTANGLE, id="good")))
    assert [found.drawn.source_id for found in labels.annotations] == ["good"]
    (problem,) = labels.problems
    assert problem.where.startswith("export.json task[0] annotation[0]")
    assert len(problem.reason) < 200


@pytest.mark.parametrize(
    "bad", ["x", {"data": 5}, {"data": {}}, {"data": {"image": "data:image/png;base64,AA"}}]
)
def test_a_bad_task_costs_itself_only(tmp_path, bad):
    labels = read(tmp_path, bad, task(region("rectangle", RECTANGLE)))
    assert len(labels.annotations) == len(labels.problems) == 1


def test_what_is_no_list_of_tasks_is_refused(tmp_path):
    file = tmp_path / "a.json"
    for text in ('{"annotations": 1}', "[", "5"):
        file.write_text(text)
        with pytest.raises(LabelFileUnreadable):
            read_labels(LS, file)


def test_what_is_written_reads_by_the_rule_of_the_format(tmp_path):
    turned = shapes.turned_box(shapes.Turned(20, 15, 10, 6, 30))
    label = annotation(turned, source_id="abc", score=0.5, attributes={"occluded": True})
    assert losses(write(LS, tmp_path, [(sample("sub/a b.png", split="val"), [label])])) == {}
    (one,) = json.loads((tmp_path / "tasks.json").read_text())
    assert one["data"] == {"image": "/data/local-files/?d=images/sub/a%20b.png", "split": "val"}
    shape, said = one["annotations"][0]["result"]
    value = shape["value"]
    assert (shape["id"], shape["score"], shape["type"]) == ("abc", 0.5, "rectanglelabels")
    assert (value["width"], value["height"], value["rotation"]) == pytest.approx((25, 20, 30))
    x = 20 - 5 * math.cos(math.pi / 6) + 3 * math.sin(math.pi / 6)
    assert value["x"] == pytest.approx(100 * x / 40)
    assert (said["id"], said["from_name"], said["value"]["choices"]) == ("abc", "occluded", ["true"])
