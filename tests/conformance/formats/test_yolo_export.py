"""What a trainer sees of our exports, by an independent reading of the public rule (`tests/support/yolo_rule.py`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.support.yolo_rule import read_set

import calotype as ct
from calotype.datasets.model import Sample
from calotype.trainer_formats.yolo.joined_rings import joined
from calotype.trainer_formats.yolo.writing import planned_names
from calotype.vision import masks, polygons

WIDTH, HEIGHT = 64, 48
Row = dict[str, Any]


@pytest.fixture
def ws(tmp_path):
    with ct.open(tmp_path / "ws") as workspace:
        yield workspace


def coco(folder: Path, names: list[str], annotations: list[Row], classes: list[Row]) -> Path:
    """A COCO file and its images, each of another colour."""
    for at, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (WIDTH, HEIGHT), (at * 20, 9, 9)).save(folder / name)
    images = [{"id": at, "file_name": n, "width": WIDTH, "height": HEIGHT} for at, n in enumerate(names)]
    rows = [{"id": at + 1, "iscrowd": 0, **annotation} for at, annotation in enumerate(annotations)]
    value = {"images": images, "annotations": rows, "categories": classes}
    (folder / "labels.json").write_text(json.dumps(value))
    return folder / "labels.json"


CLASSES = [{"id": 3, "name": "cat"}, {"id": 8, "name": "dog"}]


def row(image: int, box: list[float], **more: object) -> Row:
    return {"image_id": image, "category_id": 3, "bbox": box, "area": 9, **more}


def exported(ws, folder, names, annotations, classes=CLASSES, *, split=True, out="out"):
    """The export of a COCO file, and what a trainer sees of it: name of the image -> Seen."""
    ds = ws.create(out)
    ds.add_annotations(coco(folder / "in", names, annotations, classes), images=folder / "in")
    if split:
        ds.where().split({"train": 0.5, "val": 0.5})
    written = ds.where().export("yolo", folder / out)
    seen = read_set(folder / out)
    assert not [s.corrupt for of_split in seen.values() for s in of_split.values() if s.corrupt]
    images = {name.rpartition("/")[2]: s for of_split in seen.values() for name, s in of_split.items()}
    return {loss.what: loss for loss in written.losses}, images


def pixels(seen) -> list[tuple[float, ...]]:
    scale = (WIDTH, HEIGHT, WIDTH, HEIGHT)
    return [tuple(round(v * s, 2) for v, s in zip(box, scale, strict=True)) for _, *box in seen.boxes]


def test_boxes_among_polygons_become_polygons_with_the_same_box(ws, tmp_path):
    triangle = [[4, 4, 24, 4, 24, 24]]
    rows = [row(0, [4, 4, 20, 20], segmentation=triangle), row(0, [40, 10, 16, 16]), row(1, [1, 2, 3, 4])]
    _, seen = exported(ws, tmp_path, ["images/a.png", "images/b.png"], rows)
    assert sorted(pixels(seen["a.png"])) == [(4, 4, 20, 20), (40, 10, 16, 16)]
    assert pixels(seen["b.png"]) == [(1, 2, 3, 4)]
    assert {len(row) for s in seen.values() for row in s.rows} == {7, 9}


def test_parts_and_masks_become_one_ring_each(ws, tmp_path):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[5:20, 10:30] = mask[30:40, 50:60] = True
    mask[8:12, 15:20] = False
    rle = masks.encode(mask)
    counted = {"size": [HEIGHT, WIDTH], "counts": list(rle.counts)}
    parts = [[4, 4, 20, 4, 20, 20], [40, 20, 60, 20, 60, 40]]
    rows = [
        row(0, [4, 4, 56, 36], segmentation=parts),
        row(1, [10, 5, 50, 35], segmentation=counted, iscrowd=1),
    ]
    losses, seen = exported(ws, tmp_path, ["a.png", "b.png"], rows)
    assert pixels(seen["a.png"]) == [(4, 4, 56, 36)]
    assert pixels(seen["b.png"]) == [(10, 5, 50, 35)]
    assert losses["hole of a mask (filled)"].examples == ("b.png",)
    assert losses["parts of a shape (joined by a line that covers no area)"].count == 2
    assert losses["iscrowd of an annotation (a trainer learns it as one object)"].count == 1


def test_what_lies_beyond_the_edge_is_clipped_and_reported(ws, tmp_path):
    rows = [
        row(0, [-5, -5, 30, 30]),
        row(1, [50, 30, 40, 40]),
        row(1, [0, 0, 64, 48]),
    ]
    losses, seen = exported(ws, tmp_path, ["a.png", "b.png"], rows)
    assert pixels(seen["a.png"]) == [(0, 0, 25, 25)]
    assert sorted(pixels(seen["b.png"])) == [(0, 0, 64, 48), (50, 30, 14, 18)]
    assert losses["part of a shape beyond the edge of the image (clipped)"].count == 2


def test_shapes_without_area_are_left_out_and_reported(ws, tmp_path):
    (tmp_path / "set").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "set/a.png")
    (tmp_path / "set/a.txt").write_text("0 .5 .5 0 .2\n0 .5 .5 .2 .2\n0 .5 .5 .2 .2\n")
    (tmp_path / "set/classes.txt").write_text("cat\n")
    ds = ws.create("d")
    assert ds.add_annotations(tmp_path / "set", format="yolo").annotations == 3
    losses = {loss.what: loss.count for loss in ds.where().export("yolo", tmp_path / "out").losses}
    assert losses["annotation without area inside the image (left out)"] == 1
    assert losses["annotation given twice (a trainer reads it once)"] == 1


def test_poses_keep_points_sides_and_names(ws, tmp_path):
    classes = [{**CLASSES[0], "keypoints": ["nose", "left_eye", "right_eye"], "skeleton": []}, CLASSES[1]]
    points = [5, 5, 2, 9, 9, 1, 99, 9, 2]
    rows = [row(0, [4, 4, 20, 20], keypoints=points), {**row(1, [1, 1, 9, 9]), "category_id": 8}]
    losses, seen = exported(ws, tmp_path, ["a.png", "b.png"], rows, classes)
    described = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    assert (described["kpt_shape"], described["flip_idx"]) == ([3, 3], [0, 2, 1])
    assert described["kpt_names"] == {0: ["nose", "left_eye", "right_eye"]}
    (pose,) = seen["a.png"].rows
    assert [round(v * s, 6) for v, s in zip(pose[5:7], (WIDTH, HEIGHT), strict=True)] == [5, 5]
    assert (pose[7], pose[10:]) == (2, [1, 0, 0, 0])
    assert seen["b.png"].rows[0][5:] == [0] * 9
    assert losses["keypoint outside the image (left out)"].examples == ("a.png",)


def test_oriented_boxes_come_back_as_such(ws, tmp_path):
    (tmp_path / "set/images").mkdir(parents=True)
    (tmp_path / "set/labels").mkdir()
    Image.new("RGB", (100, 100)).save(tmp_path / "set/images/a.png")
    (tmp_path / "set/labels/a.txt").write_text("0 .5 .2 .8 .5 .5 .8 .2 .5\n0 .5 .5 .2 .2\n")
    (tmp_path / "set/data.yaml").write_text("train: images\nval: images\nnames: [ship]\n")
    first, second = ws.create("first"), ws.create("second")
    first.add_annotations(tmp_path / "set", format="yolo")
    first.where().export("yolo", tmp_path / "out")
    (seen,) = read_set(tmp_path / "out")["train"].values()
    assert [len(row) for row in seen.rows] == [9, 9]
    assert yaml.safe_load((tmp_path / "out/data.yaml").read_text())["task"] == "obb"
    second.add_annotations(tmp_path / "out", format="yolo")
    (kinds,) = [set(second.where().snapshot().annotations()["kind"].to_pylist())]
    assert kinds == {"rotated_box"}


def test_looked_at_and_empty_is_kept_apart_from_not_labelled(ws, tmp_path):
    (tmp_path / "set/images").mkdir(parents=True)
    (tmp_path / "set/labels").mkdir()
    for at, name in enumerate(("full", "empty", "unlabelled")):
        Image.new("RGB", (9, 9), (at * 50, 0, 0)).save(tmp_path / f"set/images/{name}.png")
    (tmp_path / "set/labels/full.txt").write_text("0 .5 .5 .2 .2\n")
    (tmp_path / "set/labels/empty.txt").write_text("")
    (tmp_path / "set/data.yaml").write_text("names: [cat]\n")
    ds = ws.create("d")
    took = ds.add_annotations(tmp_path / "set", format="yolo")
    assert {notice.code for notice in took.warnings} == {"image-empty", "image-without-labels"}
    written = ds.where().export("yolo", tmp_path / "out")
    seen = read_set(tmp_path / "out")["train"]
    assert {Path(name).stem: s.has_label_file for name, s in seen.items()} == {
        "full": True,
        "empty": True,
        "unlabelled": False,
    }
    losses = {loss.what: loss.examples for loss in written.losses}
    assert losses["image not labelled (a trainer takes it as background)"] == ("images/unlabelled.png",)


def test_a_set_goes_round_without_growing_folders(ws, tmp_path):
    names = [f"images/train/cam{at}/images/1.png" for at in (1, 2, 3, 4)]
    losses, _ = exported(ws, tmp_path, names, [row(at, [1, 1, 5 + at, 5]) for at in range(4)], out="first")
    assert losses["name of an image (changed)"].count == 4
    before = sorted(p.relative_to(tmp_path / "first").as_posix() for p in (tmp_path / "first").rglob("*.png"))
    again = ws.create("again")
    took = again.add_annotations(tmp_path / "first", format="yolo")
    assert (took.samples, took.annotations, took.skipped) == (4, 4, 0)
    again.where().export("yolo", tmp_path / "second")
    after = sorted(
        p.relative_to(tmp_path / "second").as_posix() for p in (tmp_path / "second").rglob("*.png")
    )
    assert before == after
    for file in [*(tmp_path / "first").rglob("*.txt"), tmp_path / "first/data.yaml"]:
        assert file.read_bytes() == (tmp_path / "second" / file.relative_to(tmp_path / "first")).read_bytes()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(
                st.sampled_from(["images", "labels", "Images", "train", "val", "a", " images", "images."]),
                max_size=4,
            ),
            st.sampled_from(["", "train", "val", "images", "labels", "a/b"]),
        ),
        max_size=8,
    )
)
def test_no_planned_name_leads_a_trainer_astray(drawn):
    samples = [
        Sample(str(at), "0" * 64, "/".join([*folders, f"{at % 3}.jpg"]), 4, 4, "image/jpeg", 9, split=split)
        for at, (folders, split) in enumerate(drawn)
    ]
    paths = [f"/images/{name}" for name in planned_names(samples).values()]
    assert all(path.rindex("/images/") == 0 for path in paths)
    assert len({path.rpartition(".")[0].lower() for path in paths}) == len(paths)


@pytest.mark.parametrize(
    ("name", "split", "planned"),
    [
        ("a.jpg", "train", "train/a.jpg"),
        ("images/train/cam/a.jpg", "train", "train/cam/a.jpg"),
        ("train2017/a.jpg", "train", "train/a.jpg"),
        ("val/a.jpg", "train", "train/val/a.jpg"),
        ("cam\\a.jpg", "", "unassigned/cam/a.jpg"),
        ("cam/./a.jpg", "val", "val/cam/a.jpg"),
        ("cam/a.jpg", "images", "split-images/cam/a.jpg"),
        ("cam/a.jpg", "holdout", "holdout/cam/a.jpg"),
        ("holdout/cam/a.jpg", "holdout", "holdout/cam/a.jpg"),
        ("cam/a.jpg/..", "val", "val/cam/a.jpg"),
        ("cam/a/", "val", "val/cam/a.jpg"),
        ("..", "val", "val/image.jpg"),
    ],
)
def test_the_planned_name_of_an_image(name, split, planned):
    sample = Sample("1", "0" * 64, name, 4, 4, "image/jpeg", 9, split=split)
    assert planned_names([sample]) == {"1": planned}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=6, unique=True))
def test_joined_rings_fill_the_same_pixels(cells):
    rings = [[8 * x, 8 * y, 8 * x + 6, 8 * y, 8 * x + 6, 8 * y + 6, 8 * x, 8 * y + 6] for x, y in cells]
    ring = joined(rings)
    assert polygons.ring_area(ring) == pytest.approx(36 * len(cells))
    assert polygons.rings_bbox_xywh([ring]) == polygons.rings_bbox_xywh(rings)
