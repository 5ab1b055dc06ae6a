"""The blocks of the page on branches do what they say."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from tests.support.pages import blocks, run_lines

from calotype.app.cli import main


@pytest.fixture
def desk(tmp_path, raw, monkeypatch):
    """A workspace with the pictures and label files that the page names."""
    labels = json.loads((raw / "instances.json").read_text())
    folder = tmp_path / "desk"
    for at, name in enumerate(("day", "night")):
        (folder / name).mkdir(parents=True)
        images = labels["images"][at * 12 : at * 12 + 12]
        for image in images:
            (raw / "images" / image["file_name"]).rename(folder / name / image["file_name"])
        known = {image["id"] for image in images}
        mine = [one for one in labels["annotations"] if one["image_id"] in known]
        part = {**labels, "images": images, "annotations": mine}
        (folder / f"{name}.json").write_text(json.dumps(part))
    day = json.loads((folder / "day.json").read_text())
    for name, change in (("ana", -1), ("ben", 3)):
        changed = copy.deepcopy(day)
        for one in changed["annotations"][:3]:
            one["bbox"][2] += change
        (folder / f"{name}.json").write_text(json.dumps(changed))
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit):
        main(["init", str(folder)])
    return folder


def test_every_block_of_the_page_runs(repo, desk, capsys):
    page = repo / "docs" / "how-to" / "branch-and-merge.md"
    (contract,) = blocks(page, "yaml")
    (desk / "contract.yaml").write_text(contract)
    for block in blocks(page, "bash"):
        run_lines(block, capsys)
    (code,) = blocks(page, "python")
    shown: dict[str, Any] = {}
    exec(compile(code, page.name, "exec"), shown)
    assert shown["merge"].state == "landed"
    assert shown["merge"].counts["annotations"] == {"put": 1, "removed": 0}
