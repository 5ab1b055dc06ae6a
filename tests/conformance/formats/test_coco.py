"""COCO as it is read and written: nothing is dropped in silence, nothing broken gets in."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.support.labels import ReadLabels, read_labels

from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable

COCO = registry.reader("coco")
IMAGE = {"id": 1, "file_name": "a.png", "width": 64, "height": 48}
CATEGORY = {"id": 7, "name": "car", "supercategory": "vehicle"}


def read(folder: Path, *annotations: dict[str, Any], **over: Any) -> ReadLabels:
    value = {"images": [IMAGE], "categories": [CATEGORY], "annotations": list(annotations), **over}
    (folder / "labels.json").write_text(json.dumps(value))
    return read_labels(COCO, folder / "labels.json")


def box(**over: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": 1, "category_id": 7, "bbox": [1.5, 2, 10.25, 20], **over}


def test_a_box_keeps_its_numbers_its_id_and_keys_we_do_not_know(tmp_path):
    (found,) = read(tmp_path, box(lens="wide")).annotations
    assert found.drawn.bbox_xywh_px == (1.5, 2.0, 10.25, 20.0)
    assert (found.drawn.source_id, found.class_name, found.drawn.extra) == ("1", "car", {"lens": "wide"})


def test_keypoints_keep_their_names_and_their_skeleton_counted_from_0(tmp_path):
    pose = {
        **CATEGORY,
        "keypoints": ["nose", "eye", "ear"],
        "skeleton": [[1, 2], [2, 3], [3, 9], "x", [True, 1]],
    }
    (found,) = read(tmp_path, box(), categories=[pose]).classes
    assert (found.keypoints, found.skeleton) == (("nose", "eye", "ear"), ((0, 1), (1, 2)))


@pytest.mark.parametrize(
    "broken",
    [
        box(bbox=[1, 2, 0, 5]),
        box(bbox=[1, 2, -3, 5]),
        box(bbox=[100, 100, 5, 5]),
        box(bbox=[1, 2, 3]),
        box(bbox=["1", 2, 3, 4]),
        box(bbox=None),
        box(bbox=[1, 2, 1e300, 4]),
        box(category_id=99),
        box(category_id=True),
        box(image_id=5),
        box(id=2**70),
        box(segmentation=[[1, 2, 3]]),
        box(segmentation=[[]]),
        box(segmentation={"size": [48, 64], "counts": [1, 2]}),
        box(segmentation={"size": [65535, 65535], "counts": [65535 * 65535]}),
        box(segmentation={"size": [48, 64], "counts": "zzz~"}),
    ],
)
def test_a_broken_annotation_is_set_aside_and_the_good_one_stays(tmp_path, broken):
    parsed = read(tmp_path, {**broken, "id": broken["id"] if broken["id"] != 1 else 2}, box())
    assert [read.drawn.source_id for read in parsed.annotations] == ["1"]
    assert len(parsed.problems) == 1
    assert "annotations[0]" in parsed.problems[0].where


def test_two_annotations_with_one_id_are_both_set_aside(tmp_path):
    parsed = read(tmp_path, box(), box())
    assert (len(parsed.annotations), len(parsed.problems)) == (0, 2)


@pytest.mark.parametrize("name", ["../a.png", "/etc/a.png", "C:\\a.png", "..\\a.png"])
def test_a_file_name_that_leads_out_is_set_aside(tmp_path, name):
    parsed = read(tmp_path, images=[{**IMAGE, "file_name": name}])
    assert (len(parsed.images), len(parsed.problems)) == (0, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"images": [',
        "[" * 100_000,
        '{"images": NaN}',
        '{"images": [], "categories": 5}',
        '{"images": [], "images": []}',
        "\xff",
    ],
)
def test_a_file_that_is_broken_as_a_whole_is_refused(tmp_path, text):
    (tmp_path / "labels.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(LabelFileUnreadable):
        read_labels(COCO, tmp_path / "labels.json")


def test_a_list_of_results_lists_no_images(tmp_path):
    (tmp_path / "results.json").write_text("[]")
    (source,) = COCO.open(tmp_path / "results.json")
    assert source.index is None
    assert len(source.images) == 0


def test_two_images_with_one_id_are_refused(tmp_path):
    with pytest.raises(LabelFileUnreadable, match="two images"):
        read(tmp_path, images=[IMAGE, {**IMAGE, "file_name": "b.png"}])


DECIDED_OTHERWISE = {
    "coco/wrong_types.json",  # an image id written as text is read, with a warning
    "coco/same_base_name.json",  # two names that one file could be are a problem that names both, never a guess
}


def test_the_collection_of_bad_files_is_treated_as_its_manifest_says():
    data = os.environ.get("CALOTYPE_DEV_DATA")
    if data is None:
        pytest.skip("CALOTYPE_DEV_DATA is not set")
    folder = Path(data) / "bad-annotations"
    wrong = []
    with (folder / "manifest.csv").open() as file:
        rows = [
            row for row in csv.DictReader(file) if row["file"].startswith("coco/") and row["firm"] == "yes"
        ]
    rows = [row for row in rows if row["file"] not in DECIDED_OTHERWISE]
    for row in rows:
        try:
            parsed = read_labels(COCO, folder / row["file"], images=folder / "images")
            got = "quarantine-items" if parsed.problems else "accept"
            good = sum(read.image is not None for read in parsed.annotations)
        except LabelFileUnreadable:
            got, good = "refuse", 0
        if got != row["expected"] or (got != "refuse" and good != int(row["good_annotations"] or 0)):
            wrong.append((row["file"], row["expected"], row["good_annotations"], got, good))
    assert wrong == []
