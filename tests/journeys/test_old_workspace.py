"""A workspace that version 0.1.0 wrote is opened, verified, read and continued by the present version."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.support import old_workspaces

import calotype as ct
from calotype.app.cli import main
from calotype.foundation.actor import Actor

ARCHIVE = Path(old_workspaces.__file__).with_name("v0.1.0.tar.xz")
BEN = Actor(id="test:ben", name="ben")
MESSAGES = [
    "release 1.0.0: freeze",
    "vectors of a model",
    "bring the fix in",
    "move a box on main, import a model's boxes",
    "fix: move a box",
    "first import",
]

SAFE: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""Python before 3.11.4 has no filters; the archive is our own."""


def unpack(folder: Path) -> Path:
    """The workspace of the archive, in a folder of its own."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, **SAFE)
    return folder / "workspace"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old workspace, only to be read."""
    return unpack(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def shop(old: Path) -> ct.Dataset:
    """Its dataset, through Python."""
    return ct.open(old, actor=BEN).dataset("shop")


@pytest.fixture
def call(old: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """A command on the old workspace: exit code and JSON answer."""

    def run(*words: str, workspace: Path = old) -> tuple[int, Any]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["-w", str(workspace), *words, "--json"])
        return int(ended.value.code or 0), json.loads(capsys.readouterr().out.strip().splitlines()[-1])

    return run


class TestPython:
    """What the handles say of it."""

    def test_every_byte_is_verified(self, old):
        with ct.open(old, actor=BEN) as ws:
            verified = ws.verify(deep=True)
        assert (verified.problems, verified.commits, verified.media) == ((), 7, 8)

    def test_the_history_has_its_commits_and_its_merge(self, shop):
        log = shop.log()
        assert [commit.message for commit in log] == MESSAGES
        assert [len(commit.parents) for commit in log] == [1, 1, 2, 1, 1, 0]
        assert {commit.author for commit in log} == {"ana"}

    def test_each_state_holds_its_rows(self, shop):
        assert shop.at("fix").count() == {"samples": 8, "annotations": 9}
        assert shop.at("before-release").count() == {"samples": 8, "annotations": 10}
        assert shop.where().by_class() == {"car": 5, "dog": 4}

    def test_the_merged_box_is_where_the_branch_moved_it(self, shop):
        (first,) = shop.where('name = "0.png"').annotations().to_pylist()
        assert (first["x"], first["w"], first["area_px"]) == (6.0, 20.0, 200.0)

    def test_metadata_answers_queries(self, shop):
        assert len(shop.where("lux >= 30 and count(dog) = 1")) == 3

    def test_the_label_set_of_a_model_keeps_its_scores(self, shop):
        table = shop.where().annotations(label_set="model:tiny")
        assert table["score"].to_pylist() == [0.75]

    def test_vectors_are_searched(self, shop):
        nearest = shop.nearest("tiny", "0.png", 3)
        assert nearest.column_names == ["sample_id", "name", "distance"]
        assert nearest.num_rows == 3
        assert "0.png" not in nearest["name"].to_pylist()

    def test_a_release_is_read_as_arrays(self, shop):
        (release,) = shop.releases()
        assert (release.version, release.card["samples"], release.card["owner"]) == ("1.0.0", 8, "ana")
        train = release.numpy("train")
        assert len(train) == 4
        assert train[0]["image"].shape == (3, 32, 48)
        assert train[0]["image"].dtype == np.uint8

    def test_findings_keep_who_they_were_assigned_to_and_why_they_were_rejected(self, shop):
        (assigned,) = shop.findings()
        (rejected,) = shop.findings(state=("rejected",))
        assert (assigned.finding.check, assigned.assignee) == ("readable", "ben")
        assert (rejected.finding.check, rejected.note) == ("duplicate-annotations", "drawn so")


class TestCommandLine:
    """What commands print of it."""

    def test_verify_succeeds(self, call):
        code, verified = call("verify")
        assert (code, verified["ok"], verified["problems"], verified["untidy"]) == (0, True, [], [])

    def test_merges_are_listed(self, call):
        _, merges = call("merge", "shop", "--list")
        assert [(m["source"], m["into"], m["state"]) for m in merges["items"]] == [
            ("clash", "main", "open"),
            ("fix", "main", "landed"),
        ]

    def test_the_open_conflict_shows_both_sides(self, call):
        _, conflicts = call("conflicts", "shop")
        (conflict,) = conflicts["items"]
        assert (conflict["kind"], conflict["fields"]) == ("fields", ["geometry"])
        assert [conflict[side]["x"] for side in ("base", "ours", "theirs")] == [4.0, 9.0, 7.0]

    def test_the_quarantine_is_listed(self, call):
        _, quarantine = call("quarantine", "shop")
        assert [(item["place"], item["code"]) for item in quarantine["items"]] == [
            ("instances.json annotations[8]", "annotation-invalid"),
            ("broken.png", "image-unreadable"),
        ]

    def test_the_contract_is_shown(self, call):
        code, contract = call("contract", "show", "shop")
        assert code == 0
        assert "the till tells cars from dogs" in json.dumps(contract)

    def test_the_audit_trail_starts_with_the_workspace(self, call):
        _, audit = call("audit")
        first, second = audit["items"][-1], audit["items"][-2]
        assert (first["seq"], first["actor"]) == (1, "test:ana")
        assert (second["verb"], second["subject"]) == ("dataset.create", "shop")


class TestWork:
    """Work continues in it."""

    @pytest.fixture
    def mine(self, tmp_path: Path) -> Path:
        """A copy of its own, to be written."""
        return unpack(tmp_path)

    def test_an_edit_is_committed_and_verified(self, mine, call):
        with ct.open(mine, actor=BEN) as ws:
            ds = ws.dataset("shop")
            before = ds.log()[0]
            row = ds.where('name = "5.png"').samples().to_pylist()[0]
            box = {"sample_id": row["sample_id"], "class": "dog", "x": 1.0, "y": 1.0, "w": 9.0, "h": 9.0}
            ds.put_annotations(pa.Table.from_pylist([box]))
            after = ds.commit("one more dog")
            assert after.parents == (before.id,)
            assert ds.diff(before, after).to_dict()["annotations"] == {"added": 1, "removed": 0, "changed": 0}
        assert call("verify", "--deep", workspace=mine)[0] == 0

    def test_the_open_merge_is_resolved_and_landed(self, mine, call):
        assert call("resolve", "shop", "theirs", workspace=mine)[0] == 0
        code, landed = call("merge", "shop", "--land", workspace=mine)
        assert (code, landed["state"]) == (0, "landed")
        with ct.open(mine, actor=BEN) as ws:
            (moved,) = ws.dataset("shop").where('name = "1.png"').annotations().to_pylist()
        assert moved["x"] == 7.0

    def test_it_is_checked_and_released_again(self, mine):
        with ct.open(mine, actor=BEN) as ws:
            ds = ws.dataset("shop")
            assert not ds.check().red
            assert ds.release("1.1.0", formats=("coco",)).card["samples"] == 8
            assert [release.version for release in ds.releases()] == ["1.1.0", "1.0.0"]
