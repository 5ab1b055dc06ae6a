"""The story from pictures to a release, told at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calotype.app.cli import main


def call(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, Any]:
    """Exit code and the JSON answer of one command."""
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words), "--json"])
    out = capsys.readouterr().out.strip()
    return int(ended.value.code or 0), json.loads(out.splitlines()[-1]) if out else None


def test_from_pictures_to_a_release_and_back(capsys, tmp_path, raw, place):
    w = ("-w", place)
    assert call(capsys, *w, "dataset", "create", "shop")[0] == 0
    _, added = call(capsys, *w, "add", "shop", raw / "images", "--licence", "CC0-1.0")
    assert (added["added"], added["duplicates"], added["quarantined"]) == (24, 1, 1)
    _, again = call(capsys, *w, "add", "shop", raw / "images")
    assert (again["added"], again["duplicates"], again["unchanged"]) == (0, 0, 25)
    _, imported = call(capsys, *w, "import", "shop", raw / "instances.json", "--format", "coco")
    assert (imported["samples"], imported["annotations"], imported["skipped"]) == (24, 24, 0)
    _, first = call(capsys, *w, "commit", "shop", "-m", "first import")
    assert call(capsys, *w, "count", "shop", "--where", "class = car")[1]["samples"] == 12
    assert call(capsys, *w, "count", "shop", "--by", "class")[1]["by"] == {"car": 12, "dog": 12}
    code, report = call(capsys, *w, "check", "shop")
    assert code == 0
    assert {gate["state"] for gate in report["gates"]} == {"green"}
    code, released = call(
        capsys, *w, "release", "shop", "1.0.0", "--split", "train=.5,val=.25,test=.25", "--by", "scene"
    )
    assert code == 0, released
    _, exported = call(
        capsys, *w, "export", "shop@release/1.0.0", "--format", "coco", "--out", tmp_path / "out"
    )
    assert (exported["samples"], exported["annotations"]) == (24, 24)
    call(capsys, *w, "dataset", "create", "back")
    _, back = call(capsys, *w, "import", "back", tmp_path / "out", "--format", "coco")
    assert (back["samples"], back["annotations"], back["skipped"]) == (24, 24, 0)
    _, changes = call(capsys, *w, "diff", "shop", first["commit"], "release/1.0.0")
    assert changes["samples"] == {"added": 0, "removed": 0, "changed": 24}
    assert call(capsys, *w, "verify", "--deep")[1]["ok"] is True
    assert call(capsys, *w, "audit")[1]["intact"] is True


def test_an_error_says_what_where_and_how_under_its_exit_code(capsys, place):
    code, answer = call(capsys, "-w", place, "count", "nothing")
    assert code == 3
    assert answer["error"]["code"] == "dataset-not-found"
    assert "calotype dataset create nothing" in answer["error"]["fix"]


def test_a_check_before_there_is_data_is_red(capsys, place):
    call(capsys, "-w", place, "dataset", "create", "empty")
    code, report = call(capsys, "-w", place, "check", "empty")
    assert code == 1
    assert {gate["state"] for gate in report["gates"]} & {"red", "missing"}
