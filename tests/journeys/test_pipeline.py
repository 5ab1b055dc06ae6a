"""A pipeline at the command line: run, run again, look at the runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calotype.app.cli import main

PIPELINE = """\
pipeline: streets
dataset: shop
stages:
  - acquire: {from: images, licence: CC0-1.0}
  - annotate: {from: instances.json, format: coco, images: images}
  - curate: {split: {train: 0.5, val: 0.25, test: 0.25}, by: scene}
  - check
  - commit: {message: first import}
  - release: {version: 1.0.0}
"""


def call(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, Any]:
    """Exit code and the JSON answer of one command."""
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words), "--json"])
    out = capsys.readouterr().out.strip()
    return int(ended.value.code or 0), json.loads(out.splitlines()[-1]) if out else None


def test_a_pipeline_releases_once_and_then_finds_nothing_to_do(capsys, tmp_path, raw):
    w = ("-w", tmp_path / "ws")
    call(capsys, "init", tmp_path / "ws")
    file = raw / "pipeline.yaml"
    file.write_text(PIPELINE)
    code, first = call(capsys, *w, "run", file)
    assert (code, first["state"], first["changed"]) == (0, "done", True)
    assert first["stages"][0]["inputs"]["files"] == 26
    assert first["stages"][0]["outputs"]["added"] == 24
    code, second = call(capsys, *w, "run", file)
    assert (code, second["changed"]) == (0, False)
    assert {stage["state"] for stage in second["stages"]} == {"unchanged"}
    _, listed = call(capsys, *w, "runs", "--dataset", "shop")
    assert [run["id"] for run in listed["items"]] == [second["id"], first["id"]]
    assert call(capsys, *w, "runs", first["id"])[1] == first
    assert call(capsys, *w, "verify")[0] == 0


def test_a_red_gate_ends_the_command_with_one_and_names_the_gate(capsys, tmp_path, raw):
    w = ("-w", tmp_path / "ws")
    call(capsys, "init", tmp_path / "ws")
    (raw / "contract.yaml").write_text("classes: [car, dog, bus]\n")
    file = raw / "pipeline.yaml"
    file.write_text(PIPELINE.replace("- check\n", "- check: {contract: contract.yaml}\n"))
    code, answer = call(capsys, *w, "run", file)
    assert (code, answer["error"]["code"]) == (1, "pipeline-gate-red")
    assert "bus" in answer["error"]["what"]
    _, listed = call(capsys, *w, "runs")
    assert listed["items"][0]["state"] == "failed"


def test_a_wrong_file_is_told_by_line(capsys, tmp_path, raw):
    call(capsys, "init", tmp_path / "ws")
    (raw / "pipeline.yaml").write_text(PIPELINE.replace("licence", "license"))
    code, answer = call(capsys, "-w", tmp_path / "ws", "run", raw / "pipeline.yaml")
    assert (code, answer["error"]["code"]) == (2, "pipeline-invalid")
    assert answer["error"]["where"] == "pipeline.yaml line 4"
