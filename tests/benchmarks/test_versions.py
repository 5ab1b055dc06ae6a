"""The benchmarks beside peers: the data they draw, the answers they know, and a rehearsal of a run."""

from __future__ import annotations

import copy
import importlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

VERSIONS = Path(__file__).parents[2] / "benchmarks" / "versions"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(VERSIONS))
    monkeypatch.syspath_prepend(str(VERSIONS / "peers"))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


@pytest.fixture
def made(module: Any, tmp_path: Path) -> Path:
    return Path(module("data").make_set(tmp_path, 120, large=False))


def test_the_answers_are_those_of_the_file(made: Path) -> None:
    document = json.loads((made / "instances.json").read_bytes())
    facts = json.loads((made / "set.json").read_text())
    named = {row["id"]: row["name"] for row in document["categories"]}
    large = Counter(
        row["image_id"]
        for row in document["annotations"]
        if row["category_id"] == 1 and row["bbox"][2] * row["bbox"][3] > 1_000.005
    )
    counted = Counter(named[row["category_id"]] for row in document["annotations"])
    some = {document["images"][at]["id"] for at in facts["some"]}

    assert facts["matching"] == sum(n >= 3 for n in large.values()) > 0
    assert {name: n for name, n in facts["by_class"].items() if n} == counted
    assert facts["some_boxes"] == sum(row["image_id"] in some for row in document["annotations"])
    assert (
        facts["n_boxes"]
        == len(document["annotations"])
        == len(json.loads((made / "results.json").read_bytes()))
    )


def test_every_box_lies_in_its_picture_and_every_id_is_used_once(made: Path) -> None:
    document = json.loads((made / "instances.json").read_bytes())
    for part in ("images", "annotations"):
        assert len({row["id"] for row in document[part]}) == len(document[part])
    for x, y, w, h in (row["bbox"] for row in document["annotations"]):
        assert x >= 0 and y >= 0 and x + w <= 320 and y + h <= 240


def test_pictures_can_be_read_and_no_two_have_the_same_bytes(made: Path) -> None:
    files = sorted((made / "images").rglob("*.jpg"))
    assert len(files) == 120
    assert len({file.read_bytes() for file in files}) == 120
    with Image.open(files[17]) as picture:
        picture.load()
        assert picture.size == (320, 240)


def test_the_same_set_is_drawn_twice(module: Any, tmp_path: Path) -> None:
    first, second = (module("data").make_set(tmp_path / name, 60, large=True) for name in "ab")
    for file in ("instances.json", "results.json", "vectors.npy"):
        assert (first / file).read_bytes() == (second / file).read_bytes()


def test_a_comparison_tells_each_key_that_differs(module: Any, made: Path) -> None:
    compare = module("coco_compare").coco_differences
    before = json.loads((made / "instances.json").read_bytes())
    after = copy.deepcopy(before)
    assert compare(before, after) == {}

    after["annotations"][5]["bbox"][0] += 1
    del after["images"][7]["camera"]
    after["annotations"].pop()
    after["info"]["year"] = 1999
    assert compare(before, after) == {
        "annotations gone": 1,
        "annotations.bbox": 1,
        "images.camera": 1,
        "info": 1,
    }


@pytest.mark.slow
def test_a_rehearsal_measures_and_every_answer_is_right(tmp_path: Path) -> None:
    words = ["--small", "--rounds", "1", "--kinds", "coco", "--peers", "calotype", "plain", "--no-curves"]
    words += ["--scenarios", "import", "count", "diff", "export-coco", "round-trip"]
    folders = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, str(VERSIONS / "run.py"), *words, *folders], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2_000:]

    figures = json.loads((tmp_path / "out" / "versions.json").read_text())["figures"]
    assert [figure for figure in figures if "failed" in figure or figure.get("right") is False] == []
    timed = {(figure["peer"], figure["scenario"]) for figure in figures if figure.get("seconds") is not None}
    assert {("calotype", name) for name in ("import", "count", "diff", "round-trip")} <= timed
    assert ("plain", "import") in timed
    assert "coco-600" in (tmp_path / "out" / "versions.md").read_text()
