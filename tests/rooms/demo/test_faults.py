"""Planted faults: every entry of the list is in the files, and nothing else is spoilt."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from calotype.demo import digits
from calotype.demo.faults import FaultPlan, Planted
from calotype.demo.streets import scenes

N = 24
EVERY = FaultPlan(**dict.fromkeys(asdict(FaultPlan()), 1))


class Spoilt:
    """One small series with one fault of each kind, and the same series clean."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.truth = scenes.write(folder / "spoilt", n=N, seed=11, faults=EVERY)
        scenes.write(folder / "clean", n=N, seed=11)
        self.coco = self._read("spoilt")
        self.clean = self._read("clean")

    def _read(self, name: str) -> dict[str, Any]:
        coco: dict[str, Any] = json.loads((self.folder / name / "instances.json").read_text(encoding="utf-8"))
        return coco

    def one(self, kind: str) -> Planted:
        (found,) = [p for p in self.truth.planted if p.kind == kind]
        return found

    def path(self, file: str, name: str = "spoilt") -> Path:
        return self.folder / name / "images" / file

    def image(self, file: str) -> dict[str, Any]:
        return next(i for i in self.coco["images"] if i["file_name"] == file)

    def boxes(self, file: str) -> list[dict[str, Any]]:
        return [a for a in self.coco["annotations"] if a["image_id"] == self.image(file)["id"]]

    def annotation(self, p: Planted, *, clean: bool = False) -> dict[str, Any]:
        return next(
            a for a in (self.clean if clean else self.coco)["annotations"] if a["id"] == p.annotation_id
        )

    def luma(self, file: str, name: str = "spoilt") -> np.ndarray:
        with Image.open(self.path(file, name)) as opened:
            return np.asarray(opened.convert("L"), dtype=np.float64)


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Spoilt:
    return Spoilt(tmp_path_factory.mktemp("streets"))


@pytest.mark.slow
def test_one_fault_of_each_kind_is_planted_on_an_image_of_its_own(spoilt: Spoilt) -> None:
    assert [p.kind for p in spoilt.truth.planted] == list(asdict(EVERY))
    touched = [p.detail.get("copy_of", p.file) for p in spoilt.truth.planted]
    assert len(set(touched)) == len(touched)


@pytest.mark.slow
def test_the_list_on_disk_is_the_list_returned(spoilt: Spoilt) -> None:
    listed = json.loads((spoilt.folder / "spoilt" / "planted.json").read_text(encoding="utf-8"))
    assert listed == [p.as_dict() for p in spoilt.truth.planted]


@pytest.mark.slow
def test_annotation_ids_stay_unique_and_point_at_images(spoilt: Spoilt) -> None:
    ids = [a["id"] for a in spoilt.coco["annotations"]]
    assert len(set(ids)) == len(ids) == spoilt.truth.n_annotations
    assert {a["image_id"] for a in spoilt.coco["annotations"]} <= {i["id"] for i in spoilt.coco["images"]}
    assert len(spoilt.coco["images"]) == N + 3 == len(list((spoilt.folder / "spoilt" / "images").iterdir()))


@pytest.mark.slow
def test_copies_are_what_they_say(spoilt: Spoilt) -> None:
    exact, near, leak = (spoilt.one(k) for k in ("exact_duplicate", "near_duplicate", "leakage"))
    assert spoilt.path(exact.file).read_bytes() == spoilt.path(exact.detail["copy_of"]).read_bytes()
    for p in (near, leak):
        assert spoilt.path(p.file).read_bytes() != spoilt.path(p.detail["copy_of"]).read_bytes()
        assert np.abs(spoilt.luma(p.file) - spoilt.luma(p.detail["copy_of"])).mean() < 6
    assert spoilt.image(near.file)["scene"] == spoilt.image(near.detail["copy_of"])["scene"]
    assert spoilt.image(leak.file)["scene"] == leak.detail["scene"] != leak.detail["true_scene"]
    assert len(spoilt.boxes(exact.file)) == len(spoilt.boxes(exact.detail["copy_of"])) > 0


@pytest.mark.slow
def test_label_faults_keep_the_right_value_beside_the_wrong_one(spoilt: Spoilt) -> None:
    names = {c["id"]: c["name"] for c in spoilt.coco["categories"]}
    wrong = spoilt.one("mislabel")
    assert names[spoilt.annotation(wrong)["category_id"]] == wrong.detail["label"]
    assert names[spoilt.annotation(wrong, clean=True)["category_id"]] == wrong.detail["true_label"]
    for kind in ("shifted_box", "degenerate_box", "box_outside"):
        p = spoilt.one(kind)
        assert spoilt.annotation(p)["bbox"] == p.detail["bbox"]
        assert spoilt.annotation(p, clean=True)["bbox"] == p.detail["true_bbox"]


@pytest.mark.slow
def test_boxes_are_spoilt_by_the_amount_promised(spoilt: Spoilt) -> None:
    shifted = spoilt.one("shifted_box").detail
    assert 0.4 <= abs(shifted["bbox"][0] - shifted["true_bbox"][0]) / shifted["true_bbox"][2] <= 0.8
    assert 0 < min(spoilt.one("degenerate_box").detail["bbox"][2:]) < 2
    x, _, w, _ = spoilt.one("box_outside").detail["bbox"]
    assert max(-x, x + w - 960) / w > 0.1


@pytest.mark.slow
def test_an_unlabelled_image_has_no_annotations_left(spoilt: Spoilt) -> None:
    p = spoilt.one("unlabelled")
    assert spoilt.boxes(p.file) == []
    assert len(p.detail["removed"]) >= 3


@pytest.mark.slow
def test_whole_frame_faults_show_in_the_pixels(spoilt: Spoilt) -> None:
    blurred, dark, bright = (spoilt.one(k).file for k in ("blur", "dark", "overexposed"))
    sharpness = [np.abs(np.diff(spoilt.luma(blurred, n), axis=1)).mean() for n in ("spoilt", "clean")]
    assert sharpness[0] < 0.5 * sharpness[1]
    assert spoilt.luma(dark).mean() < 30
    assert spoilt.luma(bright).mean() > 200


@pytest.mark.slow
def test_an_unreadable_file_cannot_be_decoded(spoilt: Spoilt) -> None:
    path = spoilt.path(spoilt.one("unreadable").file)
    with pytest.raises(OSError, match=r"truncated|identify"), Image.open(path) as opened:
        opened.load()


@pytest.mark.slow
def test_an_image_without_licence_has_none(spoilt: Spoilt) -> None:
    p = spoilt.one("missing_licence")
    assert "license" not in spoilt.image(p.file)
    assert sum("license" not in i for i in spoilt.coco["images"]) == 1


@pytest.mark.slow
def test_untouched_files_are_the_same_as_in_the_clean_series(spoilt: Spoilt) -> None:
    repainted = {
        p.file for p in spoilt.truth.planted if p.kind in ("blur", "dark", "overexposed", "unreadable")
    }
    for path in (spoilt.folder / "clean" / "images").iterdir():
        same = path.read_bytes() == spoilt.path(path.name).read_bytes()
        assert same == (path.name not in repainted)


def test_a_plan_grows_with_the_series() -> None:
    assert FaultPlan.for_images(8).total == 0
    assert all(v >= 1 for v in asdict(FaultPlan.for_images(24)).values())
    assert all(3 <= v <= 8 for v in asdict(FaultPlan.for_images(240)).values())


@pytest.mark.slow
def test_digits_are_real_files_by_class_with_the_planted_ones_listed(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    truth = digits.write(tmp_path, mislabels=18, duplicates=4, progress=lambda a, b: seen.append((a, b)))
    files = list((tmp_path / "images").rglob("*.png"))
    assert len(files) == truth.n_images == 1797 + 4
    assert seen[-1] == (1797, 1797)
    assert {p.name for p in (tmp_path / "images").iterdir()} == set("0123456789")
    assert json.loads((tmp_path / "planted.json").read_text(encoding="utf-8")) == [
        p.as_dict() for p in truth.planted
    ]
    for p in truth.planted:
        path = tmp_path / "images" / p.file
        assert path.exists()
        if p.kind == "mislabel":
            assert path.parent.name == p.detail["label"] != p.detail["true_label"]
        else:
            assert path.read_bytes() == (tmp_path / "images" / p.detail["copy_of"]).read_bytes()
    assert [p.kind for p in truth.planted].count("mislabel") == 18
    with Image.open(files[0]) as opened:
        assert opened.size == (64, 64)
        assert opened.mode == "L"
