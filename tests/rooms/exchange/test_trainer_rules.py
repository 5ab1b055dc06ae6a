"""Exports opened as a trainer opens them: what our own readers forgive is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import calotype as ct
from calotype.exchange.conversion import Converted
from calotype.exchange.trainer_rules import ExportNotReadable, compare, reopen


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three images in two splits, three boxes; one image was looked at and is empty."""
    folder = tmp_path / "in"
    for place, rows in (
        ("train/a", "0 .5 .5 .2 .2\n1 .3 .3 .1 .1\n"),
        ("train/b", ""),
        ("val/a", "1 .5 .5 .4 .4\n"),
    ):
        image, label = folder / f"images/{place}.png", folder / f"labels/{place}.txt"
        for file in (image, label):
            file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (len(rows), 0, 0)).save(image)
        label.write_text(rows)
    (folder / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [cat, dog]\n")
    return folder


def export(source: Path, tmp_path: Path, format: str) -> tuple[Path, Converted]:
    done = ct.convert(source, to=format, out=tmp_path / "out")
    return tmp_path / "out", done


def _masks(folder: Path) -> Path:
    """Two images with a mask each, and one without."""
    for at, name in enumerate(("a", "b", "c")):
        pixels = np.zeros((30, 40), np.uint8)
        pixels[5 : 15 + at, 5:25] = at % 3
        for place, image in (("images", Image.new("RGB", (40, 30))), ("masks", Image.fromarray(pixels))):
            (folder / place).mkdir(parents=True, exist_ok=True)
            image.save(folder / place / f"{name}.png")
    return folder


def test_the_segments_of_panoptic_files_are_counted_by_their_pixels(tmp_path: Path) -> None:
    folder, done = export(_masks(tmp_path / "source"), tmp_path, "coco-panoptic")
    found = reopen("coco-panoptic", folder)
    assert (found.images, found.annotations) == (3, 2) == (done.samples, done.annotations)
    png = next((folder / "annotations").rglob("b.png"))
    numbers = np.asarray(Image.open(png)).copy()
    numbers[0, 0] = 9
    Image.fromarray(numbers).save(png)
    with pytest.raises(ExportNotReadable, match="numbers and segments differ"):
        reopen("coco-panoptic", folder)


@pytest.mark.parametrize("format", ["yolo", "coco", "voc", "labelme", "cvat"])
def test_what_was_written_is_found(source: Path, tmp_path: Path, format: str) -> None:
    folder, done = export(source, tmp_path, format)
    found = reopen(format, folder)
    assert (found.images, found.annotations) == (3, 3) == (done.samples, done.annotations)
    compare(format, found, done.samples, done.annotations)


def _move_labels(folder: Path) -> None:
    (folder / "labels/train").rename(folder / "labels/elsewhere")


def _write_pixels(folder: Path) -> None:
    (folder / "labels/val/a.txt").write_text("1 20 20 16 16\n")


def _lose_an_image(folder: Path) -> None:
    next((folder / "images").rglob("b.png")).unlink()


def _lose_a_class(folder: Path) -> None:
    for file in (folder / "annotations").glob("*.json"):
        file.write_text(re.sub(r'"category_id": ?1\b', '"category_id": 99', file.read_text()))


def _lose_a_listed_xml(folder: Path) -> None:
    next((folder / "Annotations").rglob("b.xml")).unlink()


@pytest.mark.parametrize(
    ("format", "spoil"),
    [
        ("yolo", _move_labels),
        ("yolo", _write_pixels),
        ("yolo", _lose_an_image),
        ("coco", _lose_an_image),
        ("coco", _lose_a_class),
        ("voc", _lose_a_listed_xml),
    ],
)
def test_what_a_trainer_does_not_find_is_refused(
    source: Path, tmp_path: Path, format: str, spoil: Callable[[Path], None]
) -> None:
    folder, done = export(source, tmp_path, format)
    spoil(folder)
    with pytest.raises(ExportNotReadable):
        compare(format, reopen(format, folder), done.samples, done.annotations)
