"""What files are before they are imported, and one format turned into another, both without a workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

import calotype as ct
from calotype.app.cli import app
from calotype.exchange.conversion import NothingToConvert
from calotype.exchange.output_folder import TargetNotEmpty
from calotype.formats.notices import MAX_WORDINGS, Notices
from calotype.foundation.os_errors import PathNotFound


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Three images, the last of them missing, four boxes, one of them broken; class ids beyond 32 bits."""
    folder = tmp_path / "in"
    (folder / "images/train").mkdir(parents=True)
    for name, size in (("train/a.png", (64, 48)), ("b.jpg", (40, 30))):
        Image.new("RGB", size, "red").save(folder / "images" / name)
    images = [
        {"id": 1, "file_name": "train/a.png", "width": 64, "height": 48},
        {"id": 2, "file_name": "b.jpg", "width": 40, "height": 30},
        {"id": 3, "file_name": "gone.jpg", "width": 40, "height": 30},
    ]
    cat, dog = 5_000_000_000, 7
    boxes = [
        (1, cat, [4, 6, 10, 12]),
        (1, dog, [20, 6, 10, 12]),
        (2, dog, [1, 2, 3, 4]),
        (3, dog, [1, 1, 2, 2]),
    ]
    annotations = [
        {"id": at, "image_id": image, "category_id": number, "bbox": box}
        for at, (image, number, box) in enumerate(boxes)
    ]
    annotations.append({"id": 99, "image_id": 1, "category_id": dog, "bbox": [0, 0, -4, 3]})
    categories = [{"id": cat, "name": "cat"}, {"id": dog, "name": "dog"}]
    body = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "labels.json").write_text(json.dumps(body))
    return folder


def test_inspect_says_what_is_there(coco: Path) -> None:
    found = ct.inspect(coco)
    assert (found.format, found.images, found.annotations) == ("coco", 3, 4)
    assert found.classes == {"cat": 1, "dog": 3}
    assert "labels.json" in found.evidence[0]
    codes = {problem.code: problem for problem in found.problems}
    assert codes["file-missing"].examples == ("gone.jpg",)
    assert "labels.json" in codes["annotation-invalid"].examples[0]


def test_inspect_through_the_command_line(coco: Path) -> None:
    done = CliRunner().invoke(app, ["--json", "inspect", str(coco)])
    value = json.loads(done.stdout)
    keys = {"format", "layout", "evidence", "images", "annotations", "classes", "splits", "problems"}
    assert set(value) == keys
    assert {"code", "count", "examples"} <= set(value["problems"][0])
    assert CliRunner().invoke(app, ["inspect", str(coco)]).exit_code == 0


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PathNotFound, match="nowhere"):
        ct.inspect(tmp_path / "nowhere")


def test_convert_keeps_every_box_that_has_an_image(coco: Path, tmp_path: Path) -> None:
    done = ct.convert(coco, to="voc", out=tmp_path / "out")
    assert (done.source_format, done.format, done.samples, done.annotations) == ("coco", "voc", 2, 3)
    reasons = {notice.code: notice.count for notice in done.warnings}
    assert reasons["file-missing"] == 1
    assert reasons["label-without-image"] == 1
    again = ct.inspect(tmp_path / "out")
    assert (again.format, again.images, again.annotations) == ("voc", 2, 3)
    assert again.classes == {"cat": 1, "dog": 2}


@pytest.mark.parametrize("to", ["coco", "yolo", "voc"])
def test_convert_there_and_back_gives_the_same_boxes(coco: Path, tmp_path: Path, to: str) -> None:
    ct.convert(coco, to=to, out=tmp_path / "there")
    ct.convert(tmp_path / "there", to="coco", out=tmp_path / "back")
    assert _boxes(tmp_path / "back") == [
        ("cat", [4, 6, 10, 12]),
        ("dog", [1, 2, 3, 4]),
        ("dog", [20, 6, 10, 12]),
    ]


def _boxes(folder: Path) -> list[tuple[str, list[int]]]:
    boxes = []
    for file in sorted((folder / "annotations").glob("instances*.json")):
        body = json.loads(file.read_text())
        names = {category["id"]: category["name"] for category in body["categories"]}
        boxes += [(names[a["category_id"]], [round(v) for v in a["bbox"]]) for a in body["annotations"]]
    return sorted(boxes)


def test_convert_without_images_writes_labels_only(coco: Path, tmp_path: Path) -> None:
    ct.convert(coco, to="coco", out=tmp_path / "out", mode="none")
    assert not [file for file in (tmp_path / "out").rglob("*") if file.suffix in (".png", ".jpg")]


def test_convert_never_writes_into_a_folder_that_holds_something(coco: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("kept")
    with pytest.raises(TargetNotEmpty):
        ct.convert(coco, to="voc", out=tmp_path / "out")
    assert (tmp_path / "out/mine.txt").read_text() == "kept"


def test_files_of_which_nothing_can_be_used_are_refused(coco: Path, tmp_path: Path) -> None:
    for file in (coco / "images").rglob("*.*"):
        file.unlink()
    with pytest.raises(NothingToConvert, match="missing"):
        ct.convert(coco, to="voc", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_convert_through_the_command_line(coco: Path, tmp_path: Path) -> None:
    words = ["--json", "convert", str(coco), "--to", "yolo", "--out", str(tmp_path / "out"), "--from", "coco"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.stderr
    value = json.loads(done.stdout)
    assert (value["from"], value["format"], value["samples"], value["annotations"]) == ("coco", "yolo", 2, 3)


def test_many_missing_images_are_one_line_and_the_next_command_asks_for_their_folder(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text("names: [a]\n")
    for at in range(40):
        (tmp_path / f"labels/{at}.txt").write_text("0 .5 .5 .1 .1\n")
    found = ct.inspect(str(tmp_path))
    assert [(p.code, p.count) for p in found.problems] == [("file-missing", 40), ("label-without-image", 40)]
    done = CliRunner().invoke(app, ["inspect", str(tmp_path)])
    assert done.stderr.strip().endswith("--images DIR")
    assert len(done.stdout.splitlines()) < 30


def test_many_different_reasons_are_counted_together() -> None:
    notices = Notices()
    for at in range(100):
        notices.add("value-dropped", f"row {at}", what=f"key k{at} is left out")
    listed = notices.listed()
    assert len(listed) == MAX_WORDINGS + 1
    assert sum(notice.count for notice in listed) == 100
    (others,) = (notice for notice in listed if notice.count > 1)
    assert others.examples[0] == "row 8: key k8 is left out"


def test_a_folder_of_images_that_is_not_there_is_an_error_of_its_own(coco: Path, tmp_path: Path) -> None:
    with pytest.raises(PathNotFound, match="gone"):
        ct.inspect(coco, images=tmp_path / "gone")
    with pytest.raises(PathNotFound, match="gone"):
        ct.convert(coco, to="voc", out=tmp_path / "new", images=str(tmp_path / "gone"))
    assert not (tmp_path / "new").exists()
