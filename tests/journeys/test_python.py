"""The story from pictures to a release, told in Python."""

from __future__ import annotations

import json

import numpy as np
import pytest

import calotype as ct

CONTRACT = """
task: {name: shop, intent: the till tells cars from dogs, owner: ana}
classes: [car, dog]
"""


def test_from_pictures_to_a_release_and_back(raw, tmp_path, place):
    (tmp_path / "shop.yaml").write_text(CONTRACT)
    with ct.open(place) as ws:
        ds = ws.create("shop", contract=tmp_path / "shop.yaml")
        assert any(gate.blocks for gate in ds.check().gates)
        added = ds.add_images(raw / "images", source="cam-07", licence="CC0-1.0")
        assert str(added) == "Import(added=24, duplicates=1, unchanged=0, quarantined=1)"
        imported = ds.add_annotations(raw / "instances.json", format="coco", on_unknown="error")
        assert (imported.samples, imported.annotations) == (24, 24)
        report = ds.check()
        assert not report.red, report
        first = ds.commit("first import")
        assert len(ds.where(ct.field("class") == "car")) == 12
        assert len(ds.where((ct.annotation_count("dog") >= 1) & (ct.field("width") == 64))) == 12

        picked = ds.where().curate(12, by="diversity", seed=7)
        assert len({pick.sample_id for pick in picked.picks}) == 12
        assert all(pick.reason for pick in picked.picks)
        flipped = ds.where(ct.field("class") == "car").augment(
            {"name": "flip", "steps": [{"flip": {"axis": "horizontal"}}]}
        )
        assert flipped.made == 12
        ds.commit("flipped")
        assert ds.diff(first, "main").to_dict()["samples"]["added"] == 12

        rel = ds.release(
            "1.0.0", split={"train": 0.5, "val": 0.25, "test": 0.25}, by="group", formats=("coco",)
        )
        assert rel.card["samples"] == 36
        assert (rel.card["contract"], rel.card["owner"]) == ("shop", "ana")
        train = rel.numpy("train")
        item = train[0]
        assert item["image"].shape == (3, 48, 64)
        assert item["image"].dtype == np.uint8
        assert item["boxes_xyxy_px"].dtype == np.float32
        assert {sample.split for sample in ds.at("release/1.0.0")} == {"train", "val", "test"}

        out = ds.at("release/1.0.0").export("coco", tmp_path / "out")
        assert (out.samples, out.annotations) == (36, 36)
        back = ws.create("back")
        assert back.add_annotations(tmp_path / "out", format="coco").annotations == 36
        assert ws.verify(deep=True).ok
        assert [one.version for one in ds.releases()] == ["1.0.0"]


def test_opening_again_finds_everything(raw, tmp_path, place):
    with ct.open(place) as ws:
        ws.create("shop").add_images(raw / "images")
    with ct.open(place) as ws:
        assert ws.datasets() == ["shop"]
        assert repr(ws.dataset("shop")) == "Dataset('shop', samples=24, annotations=0)"


def test_a_branch_is_a_world_of_its_own(raw, tmp_path, place):
    with ct.open(place) as ws:
        ds = ws.create("shop")
        ds.add_images(raw / "images")
        ds.commit("images")
        trial = ds.branch("trial")
        trial.add_annotations(raw / "instances.json")
        trial.commit("labels")
        assert (len(ds.where()), ds.where().count()["annotations"]) == (24, 0)
        assert ds.at("trial").count()["annotations"] == 24
        back = trial.rollback("main")
        assert ds.at(back).count()["annotations"] == 0


def test_a_blocked_release_names_gate_and_fix(place):
    with ct.open(place) as ws:
        empty = ws.create("empty")
        with pytest.raises(ct.CalotypeError) as blocked:
            empty.release("1.0.0")
        assert blocked.value.code == "release-blocked"
        assert "samples" in str(blocked.value)


def test_errors_of_the_facade_are_ours(tmp_path, place):
    with ct.open(place) as ws:
        with pytest.raises(ct.CalotypeError, match="nope"):
            ws.dataset("nope")
        with pytest.raises(ct.CalotypeError):
            ws.create("shop", contract=tmp_path / "missing.yaml")
        assert json.dumps(ws.datasets()) == "[]"
