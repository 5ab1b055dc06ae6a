"""FiftyOne datasets, by its pages on dataset types on disk and on classes of labels."""

from __future__ import annotations

import base64
import io
import json
import zlib
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

FIFTYONE = registry.reader("fiftyone")


def array(values: Any) -> str:
    """An array as FiftyOne serialises it."""
    out = io.BytesIO()
    np.save(out, np.asarray(values), allow_pickle=True)
    return base64.b64encode(zlib.compress(out.getvalue())).decode()


def detection(box: Any = (0.1, 0.2, 0.5, 0.4), **more: Any) -> dict[str, Any]:
    return {
        "_id": {"$oid": "5f"},
        "_cls": "Detection",
        "label": "cat",
        "bounding_box": list(box),
        "tags": [],
        **more,
    }


def detections(*listed: Any) -> dict[str, Any]:
    return {"_cls": "Detections", "detections": list(listed)}


def read(
    folder: Path, metadata: Any = None, path: str = "/elsewhere/data/a.png", **fields: Any
) -> ReadLabels:
    (folder / "data").mkdir(exist_ok=True)
    Image.new("L", (40, 30)).save(folder / "data/a.png")
    one = {
        "_id": {"$oid": "1"},
        "filepath": path,
        "tags": ["validation", "night"],
        "_media_type": "image",
        **fields,
    }
    (folder / "samples.json").write_text(json.dumps({"samples": [one]}))
    (folder / "metadata.json").write_text(json.dumps(metadata or {}))
    return read_labels(FIFTYONE, folder)


def test_a_detection_is_a_share_of_the_image(tmp_path):
    said = detection(
        index=4, iscrowd=1, occluded=True, attributes={"n": {"_cls": "NumericAttribute", "value": 3}}
    )
    labels = read(tmp_path, ground_truth=detections(said), lux=3)
    (found,) = labels.annotations
    assert found.drawn.bbox_xywh_px == (4, 6, 20, 12)
    assert (found.drawn.source_id, found.drawn.iscrowd) == ("5f", True)
    assert dict(found.drawn.attributes) == {"n": 3, "occluded": True, "track_id": 4}
    (image,) = labels.images
    assert (image.name, image.split, image.tags, image.metadata) == ("a.png", "val", ("night",), {"lux": 3})


@pytest.mark.parametrize(
    "wrap", [lambda text: text, lambda text: {"$binary": {"base64": text, "subType": "00"}}]
)
def test_a_mask_lies_in_its_box(tmp_path, wrap):
    inside = np.zeros((12, 20), bool)
    inside[1, 2:5] = True
    (found,) = read(tmp_path, ground_truth=detections(detection(mask=wrap(array(inside))))).annotations
    assert np.argwhere(pixels(found.drawn)).tolist() == [[7, 6], [7, 7], [7, 8]]


def test_a_mask_of_another_size_is_scaled_to_its_box(tmp_path):
    (found,) = read(tmp_path, ground_truth=detections(detection(mask=array([[1.0, 0.0]])))).annotations
    assert found.drawn.bbox_xywh_px == (4, 6, 10, 12)


NUMBERS = np.zeros((30, 40), np.uint8)
NUMBERS[2:6, 3:9], NUMBERS[20:22, :], NUMBERS[0, 0] = 1, 2, 3


@pytest.mark.parametrize("way", ["array", "file", "colours"])
def test_a_segmentation_is_a_mask_for_each_class(tmp_path, way):
    """Label class `Segmentation`: values of pixels, 0 for background; `mask_targets` of the dataset name them."""
    names = {1: "road", 2: "sky"}
    targets = {f"#{n:06x}" if way == "colours" else str(n): name for n, name in names.items()}
    field: dict[str, Any] = {"_cls": "Segmentation", "_id": {"$oid": "9"}, "mask_path": "fields/seg/a.png"}
    if way == "array":
        field["mask"] = {"$binary": {"base64": array(NUMBERS), "subType": "00"}}
    else:
        (tmp_path / "fields/seg").mkdir(parents=True)
        values = np.stack([np.zeros_like(NUMBERS)] * 2 + [NUMBERS], axis=2) if way == "colours" else NUMBERS
        Image.fromarray(values).save(tmp_path / "fields/seg/a.png")
    path = "data/a.png"
    metadata = {"mask_targets": {"seg": targets}, "classes": {"seg": ["road", "car"]}}
    labels = read(tmp_path, metadata, path=path, seg=field)
    assert [one.name for one in labels.classes][:2] == ["road", "car"]
    found = {one.class_name: one.drawn for one in labels.annotations}
    assert {name: one.area_px for name, one in found.items()} == {"road": 24, "sky": 80, "class-3": 1}
    assert np.array_equal(pixels(found["road"]), NUMBERS == 1)
    assert [image.name for image in labels.images] == ["a.png"]
    assert labels.problems == []


def test_the_mask_of_a_detection_may_lie_in_a_file(tmp_path):
    (tmp_path / "fields/ground_truth").mkdir(parents=True)
    inside = np.eye(4, dtype=np.uint8) * 255
    Image.fromarray(inside).save(tmp_path / "fields/ground_truth/1.png")
    masked = detection((0.1, 0.2, 0.1, 4 / 30), mask_path="fields/ground_truth/1.png")
    gone = detection(mask_path="fields/ground_truth/2.png")
    labels = read(tmp_path, ground_truth=detections(masked, gone), path="data/a.png")
    assert [one.drawn.kind for one in labels.annotations] == [Kind.MASK, Kind.BOX]
    assert labels.annotations[0].drawn.area_px == 4
    assert notices(FIFTYONE, tmp_path)["value-dropped"] == 1


def test_other_labels(tmp_path):
    ring = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]
    line = {"_cls": "Polyline", "label": "lane", "points": [ring], "closed": False, "filled": False}
    area = {**line, "closed": True, "filled": True, "points": [ring, [[0.6, 0.6], [0.9, 0.6], [0.9, 0.9]]]}
    pose = {"_cls": "Keypoint", "label": "person", "points": [[0.5, 0.5], [None, None], [float("nan"), 0.1]]}
    labels = read(
        tmp_path,
        metadata={"skeletons": {"poses": {"labels": ["a", "b", "c"], "edges": [[0, 1, 2]]}}},
        lines={"_cls": "Polylines", "polylines": [line, area]},
        poses={"_cls": "Keypoints", "keypoints": [pose]},
        dots={"_cls": "Keypoints", "keypoints": [pose]},
        weather={"_cls": "Classification", "label": "rain"},
        captions="a cat",
    )
    kinds = [str(found.drawn.kind) for found in labels.annotations]
    assert kinds == ["caption", "polyline", "polygon", "keypoints", "point", "classification"]
    assert labels.annotations[3].drawn.keypoints_xyv == (20, 15, 2, 0, 0, 0, 0, 0, 0)
    assert labels.annotations[4].drawn.rings_px == ((20, 15),)
    (person,) = [one for one in labels.classes if one.name == "person"]
    assert (person.keypoints, person.skeleton) == (("a", "b", "c"), ((0, 1), (1, 2)))


def test_predictions_beside_labels_are_left_out_and_alone_are_read(tmp_path):
    guess = detections(detection(confidence=0.5))
    assert read(tmp_path, predictions=guess).annotations[0].drawn.score == 0.5
    (found,) = read(tmp_path, ground_truth=detections(detection()), predictions=guess).annotations
    assert found.drawn.score is None
    assert notices(FIFTYONE, tmp_path) == {"label-not-used": 1}


def test_one_file_of_labels(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("a", "b", "c"):
        Image.new("L", (40, 30)).save(tmp_path / f"data/{name}.png")
    box = {"bounding_box": [0.1, 0.2, 0.5, 0.4]}
    labels = {
        "a": [{"label": "dog", **box}, {"target": 0, **box}, {"target": 9, **box}],
        "b": None,
        "c": "dog",
    }
    (tmp_path / "labels.json").write_text(json.dumps({"classes": ["cat", "dog"], "labels": labels}))
    assert registry.detect(tmp_path).format.name == "fiftyone"
    found = read_labels(FIFTYONE, tmp_path)
    assert [(one.class_name, one.image) for one in found.annotations] == [
        ("dog", "a.png"),
        ("cat", "a.png"),
        ("dog", "c.png"),
    ]
    assert found.annotations[0].drawn.bbox_xywh_px == (4, 6, 20, 12)
    assert [image.name for image in found.images] == ["a.png", "b.png", "c.png"]
    assert [problem.reason for problem in found.problems] == ["its class 9 is not in the list of 2"]


BAD: list[Any] = [
    detection((0.1, 0.2, 0.5)),
    detection((0.1, 0.2, -0.5, 0.4)),
    detection((0.1, "0.2", 0.5, 0.4)),
    detection((0.1, float("nan"), 0.5, 0.4)),
    detection((0.1, 1e300, 0.5, 0.4)),
    detection(mask="%%"),
    detection(mask=array([{}])),
    detection(mask=array(np.array([[{"x": 1}]], object))),
    detection(mask=base64.b64encode(b"x").decode()),
    detection(mask={"$binary": 5}),
    detection((0.1, 0.2, 900, 0.4), mask=array([[1]])),
    detection(label=None),
    detection(note="\ud800"),
    {"_cls": "Polyline", "label": "x", "points": [[[0.1, None], [0.2, 0.1]]]},
    {"_cls": "Polyline", "label": "x", "points": 5},
    {"_cls": "Keypoint", "label": "x", "points": [[None, None]]},
    5,
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_label_costs_itself_only(tmp_path, bad):
    labels = read(tmp_path, ground_truth=detections(bad, detection()))
    assert [found.drawn.bbox_xywh_px for found in labels.annotations] == [(4, 6, 20, 12)]
    (problem,) = labels.problems
    assert problem.where == "samples.json samples[0] ground_truth[0]"


def test_a_bad_sample_costs_itself_and_another_file_is_refused(tmp_path):
    read(tmp_path)
    content = {
        "samples": [5, {"filepath": 5}, {"filepath": "v.mp4", "_media_type": "video"}, {"filepath": "a.png"}]
    }
    (tmp_path / "samples.json").write_text(json.dumps(content))
    labels = read_labels(FIFTYONE, tmp_path)
    assert (len(labels.images), len(labels.problems)) == (1, 3)
    (tmp_path / "other.json").write_text('{"samples": 5}')
    with pytest.raises(LabelFileUnreadable):
        read_labels(FIFTYONE, tmp_path / "other.json")


def test_what_is_written_reads_by_the_rule_of_the_format(tmp_path):
    inside = np.zeros((30, 40), bool)
    inside[3:5, 4:9] = True
    inside[4, 5] = False
    labels = [
        annotation(
            shapes.box(4, 6, 20, 12), attributes={"track_id": 7, "occluded": True}, score=0.5, iscrowd=True
        ),
        annotation(shapes.mask(inside, (0, 0), (40, 30)), at=1),
        annotation(shapes.pose([(20, 15, 2), (4, 3, 1), (0, 0, 0)]), at=2, class_id=2),
    ]
    written = write(FIFTYONE, tmp_path, [(sample("sub/a.png", split="val", tags=("night",)), labels)])
    assert losses(written) == {"box of a skeleton (its points are written)": 1}
    (one,) = json.loads((tmp_path / "samples.json").read_text())["samples"]
    assert (one["filepath"], one["tags"]) == ("data/sub/a.png", ["val", "night"])
    box, mask = one["ground_truth"]["detections"]
    assert (box["bounding_box"], box["confidence"], box["index"]) == ([0.1, 0.2, 0.5, 0.4], 0.5, 7)
    saved = np.load(io.BytesIO(zlib.decompress(base64.b64decode(mask["mask"]))), allow_pickle=False)
    assert np.array_equal(saved, inside[3:5, 4:9])
    assert mask["bounding_box"] == pytest.approx([0.1, 0.1, 5 / 40, 2 / 30])
    (pose,) = one["ground_truth_keypoints"]["keypoints"]
    assert pose["points"] == [[0.5, 0.5], [0.1, 0.1], [None, None]]
    kinds = [found.drawn.kind for found in read_labels(FIFTYONE, tmp_path).annotations]
    assert kinds == [Kind.BOX, Kind.MASK, Kind.KEYPOINTS]
