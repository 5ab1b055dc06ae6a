"""What a trainer's format writes is recognised as that format, more surely than as any other."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import calotype as ct
from calotype.exchange import registry


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """Four images in folders of two classes, below two splits."""
    for at, place in enumerate(("train/cat/1", "train/dog/2", "val/cat/3", "val/dog/4")):
        file = tmp_path / "in" / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 12), (at * 60, 0, 0)).save(file)
    return tmp_path / "in"


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """Two images with a box each, as YOLO."""
    folder = tmp_path / "in"
    for name, colour in (("a", "red"), ("b", "blue")):
        (folder / "images/train").mkdir(parents=True, exist_ok=True)
        (folder / "labels/train").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48), colour).save(folder / f"images/train/{name}.png")
        (folder / f"labels/train/{name}.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    (folder / "data.yaml").write_text("names: [cat]\ntrain: images/train\nval: images/train\n")
    return folder


@pytest.mark.parametrize("to", ["yolo", "voc"])
def test_boxes(boxes: Path, tmp_path: Path, to: str) -> None:
    ct.convert(boxes, to=to, out=tmp_path / "out")
    detected = registry.detect(tmp_path / "out")
    assert detected.format.name == to
    assert all(sighting.certainty < detected.sighting.certainty for _, sighting in detected.others)
    found = ct.inspect(tmp_path / "out")
    assert (found.images, found.classes, found.splits) == (2, {"cat": 2}, {"train": 2})


def test_classes_of_whole_images(classes: Path, tmp_path: Path) -> None:
    ct.convert(classes, to="folder", out=tmp_path / "out")
    found = ct.inspect(tmp_path / "out")
    assert (found.format, found.classes, found.splits) == (
        "folder",
        {"cat": 2, "dog": 2},
        {"train": 2, "val": 2},
    )
    names = sorted(
        file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*.png")
    )
    assert names == ["train/cat/1.png", "train/dog/2.png", "val/cat/3.png", "val/dog/4.png"]
