"""COCO as people have it: where the images lie, how ids are written, several files of one dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.support.labels import read_labels

from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.vision import masks

COCO = registry.reader("coco")


def put_image(path: Path, level: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (level, 9, 9)).save(path)


def coco(*names: str, **over: Any) -> dict[str, Any]:
    """A file with one box on each image."""
    listed = [{"id": at, "file_name": name, "width": 64, "height": 48} for at, name in enumerate(names, 1)]
    boxes = [
        {"id": row["id"], "image_id": row["id"], "category_id": 1, "bbox": [5, 5, 20, 20]} for row in listed
    ]
    return {"images": listed, "annotations": boxes, "categories": [{"id": 1, "name": "cat"}], **over}


def put_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def opened(path: Path) -> dict[str, tuple[str | None, str]]:
    """Sample name -> the file that was found, relative to the folder, and the split."""
    root = path if path.is_dir() else path.parent
    found = {}
    for source in COCO.open(path):
        listed = source.images.values(range(len(source.images)))
        for image, file in zip(listed, source.locate(0, len(listed)), strict=True):
            name = None if file is None else Path(file.path).relative_to(root.resolve()).as_posix()
            found[image.name] = (name, image.split)
    return found


def notices(path: Path) -> dict[str, int]:
    sources = COCO.open(path)
    for source in sources:
        assert source.index is not None
        list(source.windows(source.index))
    return {notice.code: notice.count for source in sources for notice in source.warnings}


@pytest.mark.parametrize(
    ("label_file", "image", "split"),
    [
        ("train/_annotations.coco.json", "train/a.png", "train"),
        ("valid/_annotations.coco.json", "valid/a.png", "val"),
        ("annotations/instances_train2017.json", "train2017/a.png", "train"),
        ("annotations/instances_val2017.json", "images/val2017/a.png", "val"),
        ("result.json", "images/a.png", ""),
        ("labels.json", "data/a.png", ""),
        ("instances_test.json", "a.png", "test"),
        ("annotations/training.json", "images/a.png", "train"),
        ("annotations/validation.json", "images/cats/a.png", "val"),
    ],
)
def test_an_image_is_found_where_each_layout_keeps_it(tmp_path, label_file, image, split):
    put_image(tmp_path / image)
    put_json(tmp_path / label_file, coco("a.png"))
    assert registry.detect(tmp_path).format.name == "coco"
    assert opened(tmp_path) == {"a.png": (image, split)}


def test_the_layout_and_its_evidence_are_stated(tmp_path):
    for split in ("train", "valid", "test"):
        put_image(tmp_path / split / f"{split}.png")
        put_json(tmp_path / split / "_annotations.coco.json", coco(f"{split}.png"))
    sighting = registry.detect(tmp_path).sighting
    assert sighting.layout == "a JSON file in each split folder"
    assert "train/_annotations.coco.json" in sighting.evidence


def test_files_of_one_name_in_two_splits_stay_apart(tmp_path):
    for level, split in enumerate(("train", "val")):
        put_image(tmp_path / "images" / f"{split}2017" / "1.png", level)
        put_json(tmp_path / "annotations" / f"instances_{split}2017.json", coco("1.png"))
    assert opened(tmp_path) == {
        "train2017/1.png": ("images/train2017/1.png", "train"),
        "val2017/1.png": ("images/val2017/1.png", "val"),
    }


def test_a_bare_name_that_two_files_have_is_a_problem_that_names_both(tmp_path):
    put_image(tmp_path / "images/cam1/1.png", 1)
    put_image(tmp_path / "images/cam2/1.png", 2)
    put_json(tmp_path / "labels.json", coco("1.png"))
    (problem,) = read_labels(COCO, tmp_path).problems
    assert "images/cam1/1.png" in problem.reason
    assert "images/cam2/1.png" in problem.reason
    assert notices(tmp_path)["label-ambiguous"] == 1


@pytest.mark.parametrize("other", ["cam2/1.png", "cam3/1.png"])
def test_a_name_does_not_take_the_file_of_another_folder(tmp_path, other):
    put_image(tmp_path / "images/cam1/1.png")
    put_json(tmp_path / "labels.json", coco("cam1/1.png", other))
    assert opened(tmp_path) == {"cam1/1.png": ("images/cam1/1.png", ""), other: (None, "")}


def test_two_names_that_lead_to_one_file_by_their_last_part_are_problems(tmp_path):
    put_image(tmp_path / "images/1.png")
    put_json(tmp_path / "labels.json", coco("x/1.png", "y/1.png"))
    assert len(read_labels(COCO, tmp_path).problems) >= 2


def test_the_longest_path_in_common_wins(tmp_path):
    put_image(tmp_path / "deep/set/cam1/1.png", 1)
    put_image(tmp_path / "deep/set/cam2/1.png", 2)
    put_json(tmp_path / "labels.json", coco("old/place/cam2/1.png"))
    assert opened(tmp_path) == {"old/place/cam2/1.png": ("deep/set/cam2/1.png", "")}


@pytest.mark.parametrize(
    ("stated", "actual", "code"),
    [
        ("sub\\a.png", "images/sub/a.png", "name-separator"),
        ("A.PNG", "images/a.png", "name-form"),
        ("caf\u00e9.png", "images/cafe\u0301.png", "name-form"),
    ],
)
def test_a_name_in_another_form_is_joined_and_reported(tmp_path, stated, actual, code):
    put_image(tmp_path / actual)
    put_json(tmp_path / "labels.json", coco(stated))
    ((found, _),) = opened(tmp_path).values()
    assert found == actual
    assert notices(tmp_path)[code] == 1


@pytest.mark.parametrize(
    "name",
    ["https://host.invalid/a.png", "s3://bucket/a.png", "/data/a.png", "D:\\a.png", "a/../../b.png", ""],
)
def test_a_name_that_is_no_path_below_the_folder_is_a_problem_with_a_reason(tmp_path, name):
    put_json(tmp_path / "labels.json", coco(name, "b.png"))
    (problem, *_) = read_labels(COCO, tmp_path).problems
    assert problem.reason.startswith("file name")


def test_a_link_that_leads_out_is_not_followed_and_reported(tmp_path):
    put_image(tmp_path / "private/a.png")
    (tmp_path / "set/images").mkdir(parents=True)
    (tmp_path / "set/images/a.png").symlink_to(tmp_path / "private/a.png")
    put_json(tmp_path / "set/labels.json", coco("a.png"))
    assert opened(tmp_path / "set") == {"a.png": (None, "")}
    assert notices(tmp_path / "set")["file-link"] == 1


def test_images_that_no_file_lists_are_counted(tmp_path):
    for name in ("a", "b", "c"):
        put_image(tmp_path / f"images/{name}.png")
    put_json(tmp_path / "labels.json", coco("a.png"))
    assert notices(tmp_path) == {"image-not-listed": 2}


def test_an_image_that_two_splits_list_is_reported(tmp_path):
    put_image(tmp_path / "images/a.png")
    for split in ("train", "test"):
        put_json(tmp_path / f"annotations/instances_{split}.json", coco("a.png"))
    assert notices(tmp_path)["image-in-two-splits"] == 1


@pytest.mark.parametrize("spelled", [str, float, lambda n: f"img-{n}"])
def test_ids_as_texts_or_floats_are_read_as_numbers(tmp_path, spelled):
    value = coco("a.png", "b.png")
    for row in value["images"]:
        row["id"] = spelled(row["id"])
    for row in value["annotations"]:
        row["image_id"] = spelled(row["image_id"])
        row |= {"id": str(row["id"]), "category_id": "1"}
    value["categories"][0]["id"] = "1"
    put_json(tmp_path / "labels.json", value)
    labels = read_labels(COCO, tmp_path)
    assert [(a.image, a.class_name, a.drawn.source_id) for a in labels.annotations] == [
        ("a.png", "cat", "1"),
        ("b.png", "cat", "2"),
    ]
    assert notices(tmp_path)["id-as-text"] == 5


def test_keypoints_replace_the_same_objects_of_the_instances(tmp_path):
    pose = coco("a.png")
    pose["annotations"][0] |= {"keypoints": [6, 6, 2], "num_keypoints": 1}
    pose["categories"][0]["keypoints"] = ["nose"]
    whole = coco("a.png")
    whole["annotations"].append({"id": 9, "image_id": 1, "category_id": 1, "bbox": [1, 1, 3, 3]})
    captions = {"images": whole["images"], "annotations": [{"id": 1, "image_id": 1, "caption": "a cat"}]}
    put_json(tmp_path / "annotations/instances_val.json", whole)
    put_json(tmp_path / "annotations/person_keypoints_val.json", pose)
    put_json(tmp_path / "annotations/captions_val.json", captions)
    put_json(tmp_path / "annotations/results.json", [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}])
    put_json(tmp_path / "package.json", {"name": "no labels"})
    labels = read_labels(COCO, tmp_path)
    kinds = sorted((a.drawn.kind, a.drawn.source_id) for a in labels.annotations)
    assert kinds == [(Kind.BOX, "9"), (Kind.CAPTION, "1"), (Kind.KEYPOINTS, "1")]
    assert labels.classes[0].keypoints == ("nose",)
    assert {"duplicate", "file-left-out", "file-not-labels"} <= notices(tmp_path).keys()


def test_json_files_that_lie_too_deep_are_reported(tmp_path):
    deep = "/".join("abcdef") + "/more.json"
    put_json(tmp_path / "labels.json", coco("a.png"))
    put_json(tmp_path / deep, coco("b.png"))
    put_image(tmp_path / "a.png")
    (source,) = COCO.open(tmp_path)
    left_out = {notice.code: notice.examples for notice in source.warnings}
    assert left_out["file-left-out"] == (deep,)


def test_captions_are_read_as_texts(tmp_path):
    value = coco("a.png", annotations=[{"id": 7, "image_id": 1, "caption": "a cat, asleep"}])
    put_json(tmp_path / "captions_val2017.json", {k: v for k, v in value.items() if k != "categories"})
    (caption,) = read_labels(COCO, tmp_path).annotations
    assert (caption.class_name, caption.drawn.kind) == ("caption", Kind.CAPTION)
    assert caption.drawn.attributes == {"text": "a cat, asleep"}


def panoptic(folder: Path) -> None:
    numbers = np.zeros((48, 64), np.uint32)
    numbers[:10] = 70_000
    numbers[20:30, 5:25] = 300
    rgb = np.stack([numbers % 256, numbers // 256 % 256, numbers // 65_536], axis=2).astype(np.uint8)
    (folder / "annotations/panoptic_val2017").mkdir(parents=True)
    Image.fromarray(rgb).save(folder / "annotations/panoptic_val2017/a.png")
    segments = [
        {"id": 70_000, "category_id": 2, "area": 640, "iscrowd": 0},
        {"id": 300, "category_id": 1, "area": 200, "iscrowd": 1},
        {"id": 5, "category_id": 1},
    ]
    value = coco(
        "a.jpg",
        annotations=[{"image_id": 1, "file_name": "a.png", "segments_info": segments}],
        categories=[{"id": 1, "name": "cat", "isthing": 1}, {"id": 2, "name": "sky", "isthing": 0}],
    )
    put_json(folder / "annotations/panoptic_val2017.json", value)


def test_panoptic_segments_are_masks_with_the_pixels_of_their_number(tmp_path):
    panoptic(tmp_path)
    labels = read_labels(COCO, tmp_path)
    sky, cat = labels.annotations
    assert (sky.class_name, sky.drawn.bbox_xywh_px) == ("sky", (0.0, 0.0, 64.0, 10.0))
    assert (cat.drawn.bbox_xywh_px, cat.drawn.iscrowd) == ((5.0, 20.0, 20.0, 10.0), True)
    mask = masks.decode(masks.from_string(cat.drawn.mask_rle, (48, 64)))
    assert mask.sum() == 200
    assert [c.extra for c in labels.classes] == [{"isthing": 1}, {"isthing": 0}]
    assert [problem.reason for problem in labels.problems] == ["no pixel has its number 5"]


def test_panoptic_beside_instances_is_left_out_with_a_word(tmp_path):
    panoptic(tmp_path)
    put_json(tmp_path / "annotations/instances_val2017.json", coco("a.jpg"))
    assert [a.drawn.kind for a in read_labels(COCO, tmp_path).annotations] == [Kind.BOX]
    assert notices(tmp_path)["file-left-out"] == 1


@pytest.mark.parametrize(
    ("orientation", "box"),
    [(5, [10, 0, 5, 30]), (6, [33, 0, 5, 30]), (7, [33, 34, 5, 30]), (8, [10, 34, 5, 30])],
)
def test_boxes_of_the_stored_frame_are_turned_with_the_pixels(tmp_path, orientation, box):
    """The stored image is 64x48; a pixel drawn in the box must be in the turned box after EXIF is applied."""
    image = Image.new("RGB", (64, 48))
    image.paste((255, 255, 255), (0, 10, 30, 15))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.png", exif=exif)
    put_json(tmp_path / "labels.json", coco("a.png"))
    value = json.loads((tmp_path / "labels.json").read_text())
    value["annotations"][0] |= {"bbox": [0, 10, 30, 5], "segmentation": [[0, 10, 30, 10, 30, 15]]}
    put_json(tmp_path / "labels.json", value)
    (source,) = COCO.open(tmp_path)
    source.sizes_found(np.array([[48, 64]]))
    assert source.index is not None
    (window,) = source.windows(source.index)
    assert [window.columns[side][0].as_py() for side in "xywh"] == box
    lit = np.argwhere(np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))[..., 0] > 0)
    top, left = lit.min(axis=0)
    assert [left, top] == box[:2]
    (notice,) = source.warnings
    assert (notice.code, notice.examples) == ("size-turned", ("a.png: 64x48 stated, 48x64 found",))


def test_another_size_than_the_files_is_reported_and_nothing_is_turned(tmp_path):
    put_image(tmp_path / "a.png")
    put_json(tmp_path / "labels.json", coco("a.png"))
    (source,) = COCO.open(tmp_path)
    source.sizes_found(np.array([[48, 64]]))
    assert source.index is not None
    (window,) = source.windows(source.index)
    assert [window.columns[side][0].as_py() for side in "xywh"] == [5, 5, 20, 20]
    assert [notice.code for notice in source.warnings] == ["size-differs"]
