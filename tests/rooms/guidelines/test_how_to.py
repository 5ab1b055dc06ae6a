"""The how-to page on guidelines runs as written."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from tests.support.recipes import dataset

from calotype.app.cli import main

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
PRINTED = [
    "3 labels are stale",
    "3 labels of car",
    "published version 2; it touches car, car.occluded",
    "version 2 is acknowledged",
    "3 labels on 3 samples, about 0.03 hours (default times)",
]


def run(*words):
    with pytest.raises(SystemExit) as exited:
        main(list(words))
    assert not exited.value.code, words


def test_the_page_runs(repo, owner, workspace, capsys, monkeypatch):
    dataset(owner, workspace)
    monkeypatch.chdir(workspace.root)
    for language, text in BLOCK.findall((repo / "docs" / "how-to" / "guidelines.md").read_text("utf-8")):
        if language == "yaml":
            (workspace.root / "classes.yaml").write_text(text, encoding="utf-8")
        elif language == "markdown":
            (workspace.root / "cars.md").write_text(text, encoding="utf-8")
        elif language == "bash":
            for line in text.splitlines():
                run(*shlex.split(line)[1:])
        else:
            exec(compile(text, "guidelines", "exec"), {})
    printed = capsys.readouterr().out
    assert [line for line in PRINTED if line not in printed] == []


def test_stale_answers_json_with_its_keys(owner, workspace, capsys, monkeypatch, tmp_path):
    dataset(owner, workspace)
    monkeypatch.chdir(workspace.root)
    file = tmp_path / "cars.md"
    file.write_text("# Cars", encoding="utf-8")
    run("guideline", "publish", "streets", str(file), "--touches", "car", "--json")
    capsys.readouterr()
    run("guideline", "stale", "streets", "--samples", "--json")
    stale = json.loads(capsys.readouterr().out)
    assert {"labels", "samples", "hours", "by_class"} <= set(stale)
    assert (stale["labels"], len(stale["sample_ids"])) == (3, 3)


def test_a_migration_by_command_is_undone_by_command(owner, workspace, capsys, monkeypatch):
    dataset(owner, workspace)
    monkeypatch.chdir(workspace.root)
    run("ontology", "show", "streets", "--json")
    before = capsys.readouterr().out
    changes = ("--rename", "car=vehicle", "--split", "sign=stop,yield", "--retire", "person", "--json")
    run("ontology", "migrate", "streets", *changes, "--dry-run")
    planned = json.loads(capsys.readouterr().out)
    run("ontology", "migrate", "streets", *changes)
    assert json.loads(capsys.readouterr().out) == {**planned, "applied": True}
    run("undo-edit", "streets")
    capsys.readouterr()
    run("ontology", "show", "streets", "--json")
    assert capsys.readouterr().out == before
