"""The demo: planted faults are counted honestly, and a user's own pictures go the same way."""

from __future__ import annotations

import json

import pytest

from calotype.app.cli import main
from calotype.app.demo.scorecard import score
from calotype.demo.faults import Planted
from calotype.findings.model import Finding


def found(check, sample):
    return Finding(check=check, severity="warning", reason="", sample=sample)


def test_a_fault_counts_as_found_only_at_its_own_picture_by_a_check_of_its_kind():
    planted = [Planted("blur", "a.jpg"), Planted("blur", "b.jpg"), Planted("blur", "c.jpg")]
    findings = [
        found("image-quality", "images/a.jpg"),
        found("box-bounds", "b.jpg"),
        found("image-quality", "x.jpg"),
    ]
    (line,) = score(planted, findings, [])
    assert (line.planted, line.found, line.by) == (3, 1, "image-quality")


def test_a_fault_that_no_check_can_see_is_told():
    (line,) = score([Planted("odd", "a.jpg")], [found("licence", "a.jpg")], [])
    assert (line.found, line.by) == (0, "no check for this")


def test_a_pair_is_found_at_either_picture_and_a_broken_file_at_the_door():
    planted = [
        Planted("exact_duplicate", "b.jpg", None, {"copy_of": "a.jpg"}),
        Planted("unreadable", "c.jpg"),
    ]
    lines = score(planted, [found("exact-duplicates", "a.jpg")], ["images/c.jpg"])
    assert [(line.kind, line.found) for line in lines] == [("exact_duplicate", 1), ("unreadable", 1)]


def test_own_pictures_are_released_and_nothing_is_done_twice(tmp_path, raw, capsys):
    words = [
        "demo",
        "--no-serve",
        "--json",
        "--dir",
        str(tmp_path / "ws"),
        "--images",
        str(raw / "images"),
        "--labels",
        str(raw / "instances.json"),
        "--format",
        "coco",
    ]
    answers = []
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code in (0, None)
        answers.append(json.loads(capsys.readouterr().out)["datasets"][0])
    first, second = answers
    assert (first["releases"][0]["samples"], first["releases"][0]["annotations"]) == (24, 24)
    assert {stage["state"] for stage in second["run"]["stages"]} == {"unchanged"}
    assert second["releases"] == first["releases"]
