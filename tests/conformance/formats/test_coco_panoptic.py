"""COCO panoptic as written, judged by the data format page of COCO and by what panopticapi refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from tests.support.exports import (
    FEW,
    Item,
    box,
    image_file,
    losses,
    sample,
    shape,
    text,
    there_and_back,
    write,
)

from calotype.datasets.model import Annotation, Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable
from calotype.vision import masks
from calotype.vision.ontology import Class

PANOPTIC = registry.reader("coco-panoptic")
SIZE_HW = (48, 64)


def mask(pixels: np.ndarray, class_id: int = 0, **facts: Any) -> Annotation:
    rle = masks.encode(pixels)
    return Annotation(
        "a",
        "s",
        Kind.MASK,
        class_id,
        bbox_xywh_px=rle.bbox_xywh_px(),
        mask_rle=masks.to_string(rle),
        mask_size_hw=rle.size_hw,
        area_px=float(rle.area_px),
        **facts,
    )


def block(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    pixels = np.zeros(SIZE_HW, bool)
    pixels[top:bottom, left:right] = True
    return pixels


def numbers_of(png: Path) -> np.ndarray:
    """(H, W) the numbers of a PNG, by the formula of the data format page."""
    with Image.open(png) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        rgb = np.asarray(image).astype(np.uint32)
    return np.asarray(rgb[..., 0] + 256 * rgb[..., 1] + 256**2 * rgb[..., 2])


def checked(folder: Path, split: str = "") -> dict[str, list[dict[str, Any]]]:
    """Segments by image, after what panopticapi checks: each number has a segment, each segment has pixels and a
    category, no id is twice, and `isthing` is there; and after area and bbox, which the page defines by the pixels."""
    stem = f"panoptic_{split}" if split else "panoptic"
    body = json.loads((folder / f"annotations/{stem}.json").read_text())
    images = {row["id"]: row for row in body["images"]}
    categories = {row["id"]: row for row in body["categories"]}
    assert all(row["isthing"] in (0, 1) for row in categories.values())
    found = {}
    for row in body["annotations"]:
        image = images[row["image_id"]]
        assert (folder / "images" / image["file_name"]).is_file()
        numbers = numbers_of(folder / "annotations" / stem / row["file_name"])
        assert numbers.shape == (image["height"], image["width"])
        left = set(np.unique(numbers).tolist()) - {0}
        for segment in row["segments_info"]:
            left.remove(segment["id"])
            assert segment["category_id"] in categories
            ys, xs = np.nonzero(numbers == segment["id"])
            assert segment["area"] == len(ys)
            x, y = int(xs.min()), int(ys.min())
            assert segment["bbox"] == [x, y, int(xs.max()) - x + 1, int(ys.max()) - y + 1]
            assert segment["iscrowd"] in (0, 1)
        assert not left
        found[image["file_name"]] = row["segments_info"]
    return found


def test_a_png_holds_the_number_of_each_segment_in_three_bytes(tmp_path):
    labels = [mask(block(0, 0, 10, 64), 1, source_id="70000"), mask(block(20, 5, 30, 25), source_id="300")]
    written = write(PANOPTIC, tmp_path, [(sample("a.png", split="val"), labels)])
    with Image.open(tmp_path / "annotations/panoptic_val/a.png") as image:
        assert image.getpixel((0, 0)) == (70_000 % 256, 70_000 // 256 % 256, 70_000 // 65_536)
        assert image.getpixel((5, 20)) == (300 % 256, 1, 0)
        assert image.getpixel((63, 47)) == (0, 0, 0)
    sky, cat = checked(tmp_path, "val")["a.png"]
    assert sky == {
        "id": 70_000,
        "category_id": 1,
        "area": 640,
        "bbox": [0, 0, 64, 10],
        "iscrowd": 0,
    }
    assert (cat["id"], cat["bbox"], written.n_annotations, losses(written)) == (300, [5, 20, 20, 10], 2, {})


@pytest.mark.parametrize("first", ["small", "large"])
def test_where_segments_overlap_the_smaller_one_keeps_the_pixels(tmp_path, first):
    small, large = mask(block(10, 10, 20, 20), 0), mask(block(5, 5, 40, 40), 1)
    labels = [small, large] if first == "small" else [large, small]
    written = write(PANOPTIC, tmp_path, [(sample("a.png"), labels)])
    areas = {segment["category_id"]: segment["area"] for segment in checked(tmp_path)["a.png"]}
    assert areas == {0: 100, 1: 35 * 35 - 100}
    assert losses(written) == {"part of a segment that a smaller one covers": 1}


def test_a_crowd_gives_way_and_what_is_covered_whole_is_left_out(tmp_path):
    crowd = mask(block(0, 0, 5, 5), 0, iscrowd=True)
    labels = [crowd, mask(block(0, 0, 20, 20), 1), mask(block(30, 30, 40, 40), 0, iscrowd=True)]
    written = write(PANOPTIC, tmp_path, [(sample("a.png"), labels)])
    assert [(s["category_id"], s["iscrowd"]) for s in checked(tmp_path)["a.png"]] == [(1, 0), (0, 1)]
    assert losses(written) == {"segment that others cover whole (left out)": 1}
    assert written.n_annotations == 2


def test_shapes_are_drawn_and_what_covers_no_area_is_a_loss(tmp_path):
    square = (10.0, 10.0, 20.0, 10.0, 20.0, 20.0, 10.0, 20.0)
    labels = [
        shape(Kind.POLYGON, (1, 1, 5, 1, 5, 5, 1, 5), (7, 1, 9, 1, 9, 5, 7, 5)),
        shape(Kind.ELLIPSE, square),
        shape(Kind.POLYGON, (30.0, 30.0, 30.1, 30.0, 30.1, 30.1)),
        shape(Kind.POLYLINE, (30, 30, 40, 40)),
        box((1, 2, 3, 4)),
    ]
    written = write(PANOPTIC, tmp_path, [(sample("a.png"), labels)])
    parts, disc = checked(tmp_path)["a.png"]
    assert (parts["area"], parts["bbox"]) == (16 + 8, [1, 1, 8, 4])
    assert abs(disc["area"] - np.pi * 25) < 6
    assert losses(written) == {
        "annotation of kind box": 1,
        "annotation of kind polyline": 1,
        "shape of a ellipse (drawn as pixels)": 1,
        "shape of a polygon (drawn as pixels)": 2,
        "shape without a pixel": 1,
    }


def test_ids_are_kept_where_they_fit_and_numbered_where_not(tmp_path):
    ids = ["7", "7", "", "0", "16777215", "16777216", "x1"]
    labels = [mask(block(at, 0, at + 1, 9), source_id=one) for at, one in enumerate(ids)]
    written = write(PANOPTIC, tmp_path, [(sample("a.png"), labels)])
    assert [s["id"] for s in checked(tmp_path)["a.png"]] == [7, 1, 2, 3, 16_777_215, 4, 5]
    assert losses(written) == {"id of an annotation (renumbered)": 4}


def test_classes_are_things_unless_their_source_says_stuff(tmp_path):
    names = (Class(0, "car"), Class(1, "sky", extra={"isthing": 0}), Class(2, "dog", extra={"isthing": "no"}))
    write(PANOPTIC, tmp_path, [(sample("a.png"), [mask(block(0, 0, 5, 5), 1)])], names)
    body = json.loads((tmp_path / "annotations/panoptic.json").read_text())
    assert [(c["name"], c["isthing"]) for c in body["categories"]] == [("car", 1), ("sky", 0), ("dog", 1)]


def test_an_image_that_is_known_to_be_empty_has_a_row_and_an_unlabelled_one_has_none(tmp_path):
    items: list[Item] = [(sample("seen.png", tags=("background",)), []), (sample("new.png"), [])]
    write(PANOPTIC, tmp_path, items)
    assert checked(tmp_path) == {"seen.png": []}
    body = json.loads((tmp_path / "annotations/panoptic.json").read_text())
    assert [row["file_name"] for row in body["images"]] == ["seen.png", "new.png"]


def test_images_that_differ_in_their_ending_have_png_files_of_their_own(tmp_path):
    items = [(sample(name), [mask(block(0, 0, at, 9))]) for at, name in enumerate(("a.png", "a.bmp"), 1)]
    write(PANOPTIC, tmp_path, items)
    assert [segment["area"] for (segment,) in checked(tmp_path).values()] == [9, 18]


def test_what_segments_cannot_say_is_a_loss(tmp_path):
    facts: dict[str, Any] = {"score": 0.5, "attributes": {"occluded": True}, "extra": {"note": "kept"}}
    items = [(sample("a.png", tags=("night",), source="cam"), [mask(block(0, 0, 5, 5), **facts)])]
    written = write(PANOPTIC, tmp_path, items)
    assert checked(tmp_path)["a.png"][0]["note"] == "kept"
    assert losses(written) == {
        "attribute of an annotation": 1,
        "score of an annotation": 1,
        "source of a sample": 1,
        "tags of a sample": 1,
    }


@FEW
@given(arrays(np.uint8, SIZE_HW, elements=st.integers(0, 4)), st.lists(st.booleans(), min_size=4, max_size=4))
def test_segments_without_overlap_survive_pixel_by_pixel(tmp_path_factory, painted, crowds):
    folder = tmp_path_factory.mktemp("set")
    present = [n for n in range(1, 5) if (painted == n).any()]
    labels = [mask(painted == n, n % 2, source_id=str(n), iscrowd=crowds[n - 1]) for n in present]
    written, back = there_and_back(PANOPTIC, folder, [(sample("a.png"), labels)])
    checked(folder)
    assert (losses(written), back.problems) == ({}, [])
    drawn = [one.drawn for one in back.annotations]
    assert [(d.mask_rle, d.iscrowd, d.source_id) for d in drawn] == [
        (a.mask_rle, a.iscrowd, a.source_id) for a in labels
    ]


def test_splits_have_files_of_their_own_and_the_same_bytes_again(tmp_path):
    items = [
        (sample(f"{split}/{n}.png", split=split), [mask(block(n, 0, 9, 9))])
        for split in ("val", "train")
        for n in (1, 2)
    ]
    files = write(PANOPTIC, tmp_path / "a", items).files
    write(PANOPTIC, tmp_path / "b", items)
    assert "annotations/panoptic_train/train/1.png" in files
    assert list(checked(tmp_path / "a", "val")) == ["val/1.png", "val/2.png"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert registry.detect(tmp_path / "a").format.name == "coco-panoptic"


def test_asked_for_it_is_read_beside_instances(tmp_path):
    write(PANOPTIC, tmp_path, [(sample("a.png", split="val"), [mask(block(0, 0, 5, 5))])])
    body = json.loads((tmp_path / "annotations/panoptic_val.json").read_text())
    boxes = {**body, "annotations": [{"id": 1, "image_id": 1, "category_id": 0, "bbox": [1, 1, 5, 5]}]}
    text(tmp_path / "annotations/instances_val.json", json.dumps(boxes))
    assert registry.detect(tmp_path).format.name == "coco"
    (source,) = PANOPTIC.open(tmp_path)
    assert [(n.code, n.count) for n in source.warnings] == [("file-left-out", 1)]
    assert source.index is not None
    (window,) = source.windows(source.index)
    assert window.columns["kind"].to_pylist() == ["mask"]


def test_a_set_without_segments_is_refused_with_a_hint(tmp_path):
    image_file(tmp_path / "a.png")
    text(
        tmp_path / "labels.json", json.dumps({"images": [{"id": 1, "file_name": "a.png"}], "annotations": []})
    )
    with pytest.raises(LabelFileUnreadable, match="no JSON file describes segments"):
        PANOPTIC.open(tmp_path)
