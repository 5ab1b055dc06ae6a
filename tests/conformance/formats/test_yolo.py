"""YOLO: what is no share of the image is set aside with its line, hostile files are refused, what is lost is told."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tests.support.labels import read_labels

from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable

YOLO = registry.reader("yolo")


@pytest.fixture
def folder(tmp_path):
    """A picture of 200 x 100 pixels, two names, room for labels."""
    for name in ("images/train", "labels/train"):
        (tmp_path / name).mkdir(parents=True)
    Image.new("RGB", (200, 100)).save(tmp_path / "images/train/a.png")
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images/train\nnames: [cat, dog]\n")
    return tmp_path


def read(folder, text):
    (folder / "labels/train/a.txt").write_text(text)
    return read_labels(YOLO, folder)


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ("0 0.5 0.5 0.5 0.5", (50, 25, 100, 50)),
        ("1 0.5 0.5 1.0000004 1", (0, 0, 200, 100)),
        ("0.0 .25 .5 .5 1", (0, 0, 100, 100)),
        ("0 0.5 0.5 0 0", (100, 50, 0, 0)),
    ],
)
def test_a_box_comes_out_in_pixels(folder, line, box):
    (found,) = read(folder, line).annotations
    assert found.drawn.bbox_xywh_px == pytest.approx(box)


def test_polygons_scores_and_splits(folder):
    parsed = read(folder, "0 0 0 1 0 1 1\n1 .5 .5 .5 .5 .75\n")
    ring, scored = parsed.annotations
    assert (ring.drawn.kind, ring.drawn.rings_px) == (Kind.POLYGON, ((0, 0, 200, 0, 200, 100),))
    assert (scored.class_name, scored.drawn.score) == ("dog", 0.75)
    assert [(image.name, image.split) for image in parsed.images] == [("images/train/a.png", "train")]


def test_poses_have_keypoints(folder):
    (folder / "data.yaml").write_text("names: {0: person}\nkpt_shape: [2, 3]\n")
    (pose,) = read(folder, "0 .5 .5 .5 .5 .5 .5 2 .25 .25 1").annotations
    assert pose.drawn.keypoints_xyv == (100, 50, 2, 50, 25, 1)


def test_an_empty_file_is_not_the_same_as_none(folder):
    Image.new("RGB", (9, 9)).save(folder / "images/train/b.png")
    parsed = read(folder, "")
    assert {image.name: image.tags for image in parsed.images} == {
        "images/train/a.png": ("background",),
        "images/train/b.png": (),
    }


@pytest.mark.parametrize(
    "line",
    [
        "2 .5 .5 .1 .1",
        "-1 .5 .5 .1 .1",
        "0.5 .5 .5 .1 .1",
        "cat .5 .5 .1 .1",
        "0 1.5 .5 .1 .1",
        "0 50 50 10 10",
        "0 nan .5 .1 .1",
        "0 inf .5 .1 .1",
        "0 .5 .5 .1",
        "0",
        "0 0,5 0,5 0,1 0,1",
        "0 .5 .5 -.1 .1",
        "0 .5 .5 .1 .1 9",
        "0 .1 .1 .2 .2 .3 .3 .4",
        "9" * 400 + " .5 .5 .1 .1",
    ],
)
def test_a_broken_row_is_set_aside_with_its_line(folder, line):
    parsed = read(folder, f"0 .5 .5 .1 .1\n\n{line}\n")
    assert len(parsed.annotations) == 1
    assert [problem.where for problem in parsed.problems] == ["labels/train/a.txt:3"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "names: []",
        "nc: 3\nnames: [a, b]",
        "names: [a, a]",
        "names: {x: a}",
        "names: !!python/object/apply:os.getcwd []",
        "a: &a [1]\nnames: *a",
        "names: " + "[" * 5_000,
        "names: [\x00]",
        "- 1",
    ],
)
def test_a_configuration_that_cannot_be_trusted_is_refused(folder, text):
    (folder / "data.yaml").write_text(text)
    with pytest.raises(LabelFileUnreadable):
        read(folder, "0 .5 .5 .1 .1")


def test_a_known_exporter_points_one_folder_up_and_is_understood(folder):
    (folder / "train").mkdir()
    (folder / "data.yaml").write_text("train: ../train/images\nnames: [cat, dog]\n")
    (folder / "train" / "images").mkdir()
    assert len(read(folder, "0 .5 .5 .1 .1").annotations) == 1


def test_the_collection_of_bad_files_is_treated_as_its_manifest_says(tmp_path):
    data = os.environ.get("CALOTYPE_DEV_DATA")
    if data is None:
        pytest.skip("CALOTYPE_DEV_DATA is not set")
    source, wrong = Path(data) / "bad-annotations", []
    with (source / "manifest.csv").open() as file:
        rows = [
            row for row in csv.DictReader(file) if row["file"].startswith("yolo/") and row["firm"] == "yes"
        ]
    picture = min((source / "images").iterdir())
    for at, row in enumerate(rows):
        place, name = tmp_path / str(at), Path(row["file"])
        place.mkdir()
        shutil.copy(source / row["file"], place)
        if name.suffix == ".txt":
            shutil.copy(source / "yolo" / "data.yaml", place)
        shutil.copy(picture, place / f"{name.stem}{picture.suffix}")
        try:
            parsed = read_labels(YOLO, place / name.name)
            got, good = "quarantine-items" if parsed.problems else "accept", len(parsed.annotations)
        except LabelFileUnreadable:
            got, good = "refuse", 0
        if got != row["expected"] or good != int(row["good_annotations"] or 0):
            wrong.append((row["file"], row["expected"], got, good))
    assert wrong == []
