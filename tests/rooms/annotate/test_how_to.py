"""The page on edits runs as written, at the command line and in Python."""

from __future__ import annotations

import re
import shlex

import pytest

from calotype.app.cli import main

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
PRINTED = [
    "class of 1 annotation set to dog; shape of 1 annotation changed; metadata of 1 sample changed",
    "1 annotation deleted",
    "undid: 1 annotation deleted",
    "edits left to undo: 0, to redo: 2",
    "edits left to undo: 1, to redo: 1",
]


def test_the_page_runs(shop, repo, capsys, monkeypatch):
    monkeypatch.chdir(shop.store.root)
    for language, text in BLOCK.findall((repo / "docs/how-to/annotate-edit.md").read_text("utf-8")):
        if language == "python":
            exec(compile(text, "annotate-edit", "exec"), {})
            continue
        for line in text.splitlines():
            with pytest.raises(SystemExit) as exited:
                main(shlex.split(line)[1:])
            assert not exited.value.code, line
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in PRINTED if line not in printed] == []
    assert shop.state.count()["annotations"] == 8
    assert shop.verbs() == []


def test_the_edits_of_a_clean_branch_are_none(shop, capsys, monkeypatch):
    monkeypatch.chdir(shop.store.root)
    with pytest.raises(SystemExit):
        main(["edits", "shop"])
    assert "no edits since the last commit" in capsys.readouterr().out


def test_edits_come_from_standard_input_and_bad_files_are_named(shop, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(shop.store.root)
    (tmp_path / "bad.json").write_text("[{]")
    for file, code in ((tmp_path / "bad.json", "request-invalid"), (tmp_path / "none.json", "edits-invalid")):
        with pytest.raises(SystemExit) as exited:
            main(["edit", "shop", "--file", str(file), "--json"])
        assert exited.value.code == 2
        assert code in "".join(capsys.readouterr())
