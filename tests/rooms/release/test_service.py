"""Releases: only through green gates, and the same bytes each time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tests.support.shops import make_shop

from calotype.app import wiring
from calotype.curate import service as curate
from calotype.curate.model import SplitSpec
from calotype.datasets import service as datasets
from calotype.exchange.output_folder import TargetNotEmpty, TargetNotWritable
from calotype.findings.gatekeeping import Verdict
from calotype.findings.model import Gate, GateState
from calotype.release import service
from calotype.release.model import (
    ExportSpec,
    ReleaseBlocked,
    ReleaseExists,
    ReleaseSpec,
    ReleaseUncommitted,
)

SHARES: Mapping[str, float] = {"train": 0.5, "val": 0.25, "test": 0.25}


def cut(owner, workspace, version="1.0.0", *, uncommitted=True):
    return service.release(
        owner,
        "shop",
        version,
        ReleaseSpec(split=SHARES, uncommitted=uncommitted),
        store=workspace,
        gatekeeper=wiring.gatekeeper(workspace),
        splitter=wiring.splitter,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_release_is_rebuilt_byte_for_byte_after_the_dataset_went_on(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    cut(owner, workspace)
    service.build(owner, "shop", "1.0.0", store=workspace, out=tmp_path / "a")
    curate.split(owner, "shop", SplitSpec(SHARES, seed=9, keep_existing=False), store=workspace)
    datasets.commit(owner, "shop", "other splits", store=workspace)
    service.build(owner, "shop", "1.0.0", store=workspace, out=tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert any(name.endswith("card.md") for name in contents(tmp_path / "a"))


def test_a_red_gate_blocks_and_names_the_gate_the_sample_and_the_fix(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw", n=4)
    red = Gate(
        "readable", "readable", GateState.RED, 1, 0, "findings", "", "add it again", samples=("x.png",)
    )
    with pytest.raises(ReleaseBlocked) as blocked:
        service.release(
            owner,
            "shop",
            "1.0.0",
            ReleaseSpec(split=SHARES),
            store=workspace,
            gatekeeper=lambda actor, ref: Verdict(gates=(red,)),
            splitter=wiring.splitter,
        )
    told = str(blocked.value)
    assert all(word in told for word in ("readable", "x.png", "add it again"))
    assert service.releases(owner, "shop", store=workspace) == []


def test_a_version_is_given_once(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    cut(owner, workspace)
    with pytest.raises(ReleaseExists):
        cut(owner, workspace)


def test_uncommitted_changes_stop_a_release_that_must_not_hold_any(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    planned = service.plan(owner, "shop", store=workspace)
    assert planned.uncommitted is not None
    assert planned.since is None
    with pytest.raises(ReleaseUncommitted, match="uncommitted changes"):
        cut(owner, workspace, uncommitted=False)
    assert service.releases(owner, "shop", store=workspace) == []
    assert service.plan(owner, "shop", store=workspace) == planned
    cut(owner, workspace)
    assert service.plan(owner, "shop", store=workspace).uncommitted is None
    cut(owner, workspace, "1.1.0", uncommitted=False)


def test_a_release_says_what_differs_from_the_one_before(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    first = cut(owner, workspace)
    assert "since" not in first.card
    same = cut(owner, workspace, "1.0.1")
    assert (same.card["since"]["version"], same.card["since"]["same"]) == ("1.0.0", True)
    assert any("nothing differs from release 1.0.0" in warning for warning in same.card["warnings"])
    curate.split(owner, "shop", SplitSpec(SHARES, seed=9, keep_existing=False), store=workspace)
    planned = service.plan(owner, "shop", store=workspace)
    third = cut(owner, workspace, "1.1.0")
    assert planned.since is not None
    assert planned.since.to_dict() == third.card["since"]
    assert (third.card["since"]["version"], third.card["since"]["same"]) == ("1.0.1", False)
    assert third.card["since"]["samples"]["changed"] > 0
    assert not any("nothing differs" in warning for warning in third.card["warnings"])
    text = (service.location(workspace, "shop", "1.1.0") / "card.md").read_text()
    assert "## Changes since 1.0.1" in text


def test_the_loader_yields_images_and_corner_boxes(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    cut(owner, workspace)
    reader = service.reader(owner, "shop", "1.0.0", "train", store=workspace)
    assert len(reader) == 12
    row = reader[0]
    assert row["image"].dtype == np.uint8
    assert row["image"].shape[0] == 3
    assert row["boxes_xyxy_px"].tolist() == [[2.0, 3.0, 22.0, 13.0]]
    assert row["boxes_xyxy_px"].dtype == np.float32


def test_a_release_whose_files_cannot_be_put_in_place_is_not_recorded(
    workspace, owner, tmp_path, monkeypatch
):
    make_shop(owner, workspace, tmp_path / "raw")

    def refuse(_staging, _target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(service, "put_into_place", refuse)
        with pytest.raises(TargetNotWritable, match="the disk is full"):
            cut(owner, workspace)
    assert service.releases(owner, "shop", store=workspace) == []
    assert cut(owner, workspace).version == "1.0.0"


def test_files_of_a_release_that_was_not_recorded_are_replaced(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    recorded = cut(owner, workspace, "0.9.0")
    folder = service.location(workspace, "shop", "1.0.0")
    shutil.copytree(service.location(workspace, "shop", "0.9.0"), folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "version": "1.0.0"}))
    (folder / "left-over.txt").write_text("from an interrupted release")
    assert cut(owner, workspace).card["samples"] == recorded.card["samples"]
    assert not (folder / "left-over.txt").exists()


def test_a_folder_of_somebody_else_is_never_replaced(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    folder = service.location(workspace, "shop", "1.0.0")
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(TargetNotEmpty):
        cut(owner, workspace)
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_dry_run_of_an_export_reports_the_same_and_writes_nothing(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw")
    out = tmp_path / "out"
    rehearsed = service.export(owner, "shop", ExportSpec("yolo", dry_run=True), out, store=workspace)
    assert not out.exists() and not list(tmp_path.glob(".out*"))
    assert rehearsed == service.export(owner, "shop", ExportSpec("yolo"), out, store=workspace)
