"""The pages on labels do what they say: the tutorial up to what a trainer's loader reads, and the two how-to pages."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.support.images import draw
from tests.support.pages import blocks, run_lines
from tests.support.yolo_rule import read_set

from calotype.app.cli import main
from calotype.exchange.registry import FORMATS

SPLITS = {"train": 6, "valid": 2, "test": 2}


def write_split(folder: Path, seed: int, n_images: int, *, left_px: int = 10, n_boxes: int = 2) -> None:
    """A split folder of a labelling service: images and a COCO file; the last image has no annotation."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{folder.name}_{at:02}_jpg.rf.{seed + at:08x}.jpg" for at in range(n_images)]
    for at, name in enumerate(names):
        draw(seed + at).save(folder / name)
    body = {
        "images": [{"id": at, "file_name": name, "width": 96, "height": 64} for at, name in enumerate(names)],
        "annotations": [
            {"id": n_boxes * at + k, "image_id": at, "category_id": 1 + k % 2, "iscrowd": 0}
            | {"bbox": [left_px + 30 * k, 8, 24, 16], "area": 384}
            for at in range(n_images - 1)
            for k in range(n_boxes)
        ],
        "categories": [
            {"id": 0, "name": "signs", "supercategory": "none"},
            {"id": 1, "name": "red", "supercategory": "signs"},
            {"id": 2, "name": "blue", "supercategory": "signs"},
        ],
    }
    (folder / "_annotations.coco.json").write_text(json.dumps(body))


@pytest.fixture
def tutorial(repo: Path) -> Path:
    return repo / "docs" / "tutorials" / "from-a-labelling-service-to-training.md"


def test_the_tutorial_up_to_what_a_loader_reads(tutorial, tmp_path, monkeypatch, capsys):
    for at, (split, n) in enumerate(SPLITS.items()):
        write_split(tmp_path / "signs" / split, 100 * at, n)
    monkeypatch.chdir(tmp_path)
    *steps, again = blocks(tutorial, "bash")
    for block in steps:
        run_lines(block, capsys)
    wanted = {"train": (6, 10), "val": (2, 2), "test": (2, 2)}
    seen: dict[str, Any] = {}
    for code in blocks(tutorial, "python"):
        exec(compile(code, tutorial.name, "exec"), seen)
    assert seen["yolo_counts"] == seen["coco_counts"] == wanted

    found = read_set(tmp_path / "desk/releases/signs/1.0.0/yolo")  # by the public rule, without our code
    rows = {split: [image for image in images.values()] for split, images in found.items()}
    assert {split: (len(of), sum(len(one.rows) for one in of)) for split, of in rows.items()} == wanted
    assert not any(one.corrupt for of in rows.values() for one in of)
    names = seen["described"]["names"]
    ((left, top, width, height),) = [box for number, *box in rows["val"][0].boxes if names[number] == "red"]
    assert (left * 96, top * 64, width * 96, height * 64) == pytest.approx((10, 8, 24, 16), abs=1e-3)

    write_split(tmp_path / "signs" / "test", 200, 2, left_px=12)
    run_lines(again, capsys)
    corrected = tmp_path / "desk/releases/signs/1.1.0/coco/annotations/instances_test.json"
    boxes = [annotation["bbox"] for annotation in json.loads(corrected.read_text())["annotations"]]
    assert sorted(boxes) == [[12, 8, 24, 16], [42, 8, 24, 16]]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A workspace with an empty dataset, and the label files that the how-to pages name."""
    with pytest.raises(SystemExit):
        main(["init", str(tmp_path / "desk")])
    monkeypatch.chdir(tmp_path / "desk")
    with pytest.raises(SystemExit):
        main(["dataset", "create", "shop"])
    write_split(Path("labels/train"), 0, 5)
    write_split(Path("unclean"), 50, 3)
    body = json.loads(Path("unclean/_annotations.coco.json").read_text())
    body["annotations"][0]["bbox"] = [0, 0, -5, 4]
    Path("unclean/_annotations.coco.json").write_text(json.dumps(body))
    for folder in ("labels-only/labels", "pictures"):
        Path(folder).mkdir(parents=True)
    Path("labels-only/data.yaml").write_text("names: [red]\ntrain: images\n")
    Path("labels-only/labels/a.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    Image.new("RGB", (32, 32), "red").save("pictures/a.png")
    return tmp_path / "desk"


def test_every_block_on_importing_runs(repo, desk, capsys):
    page = repo / "docs" / "how-to" / "import-labels.md"
    for block in blocks(page, "bash"):
        run_lines(block, capsys)
    (code,) = blocks(page, "python")
    seen: dict[str, Any] = {}
    exec(compile(code, page.name, "exec"), seen)
    assert (seen["found"].images, seen["found"].annotations) == (5, 8)
    assert (seen["report"].unchanged, seen["report"].kept) == (8, 0)


def test_every_block_on_exporting_runs(repo, desk, capsys):
    page = repo / "docs" / "how-to" / "export-for-training.md"
    run_lines("calotype import shop labels\ncalotype commit shop -m first", capsys)
    for block in blocks(page, "bash"):
        run_lines(block, capsys)
    (code,) = blocks(page, "python")
    seen: dict[str, Any] = {}
    exec(compile(code, page.name, "exec"), seen)
    assert (seen["done"].samples, seen["done"].annotations) == (5, 8)
    for given in ("yolo/data.yaml", "voc/ImageSets/Main", "converted/ImageSets", "red/annotations"):
        assert (desk / "out" / given).exists(), given
    assert not (desk / "out" / "red" / "images").exists()
    shutil.rmtree(desk / "out")


def test_the_pages_state_the_number_of_formats(repo):
    for page in ("README.md", "docs/how-to/import-labels.md"):
        stated = re.findall(r"\b(\d+)\s+formats", (repo / page).read_text("utf-8"))
        assert stated, page
        assert {int(number) for number in stated} == {len(FORMATS)}, page


def test_the_report_of_an_import_shows_what_was_rejected_and_what_comes_next(desk, capsys):
    def told(*words: str) -> str:
        with pytest.raises(SystemExit):
            main(list(words))
        said = capsys.readouterr()
        return f"{said.out}{said.err}"

    rehearsed = told("import", "shop", "unclean", "--dry-run")
    assert "dry run: nothing was written" in rehearsed
    assert "next:" not in rehearsed
    first = told("import", "shop", "unclean")
    assert re.search(r"^\s+1 +annotation-invalid ", first, re.M)
    assert "all of them: calotype quarantine shop" in first
    assert "next: calotype commit shop -m 'import unclean'" in first
    assert "next:" not in told("import", "shop", "unclean")
