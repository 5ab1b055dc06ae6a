"""Every query of the page on queries can be asked, and the fields it lists are those of the language."""

from __future__ import annotations

import re

import pytest
from tests.support.pages import blocks, run_lines
from tests.support.shops import make_shop

from calotype.app.cli import main
from calotype.datasets.query.compile import ANNOTATION_FIELDS, SAMPLE_FIELDS, SAMPLE_LISTS
from calotype.foundation.actor import Actor
from calotype.govern.rules import RoleRules
from calotype.store import open_workspace


@pytest.fixture
def page(repo):
    return repo / "docs" / "how-to" / "query.md"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    folder = tmp_path / "ws"
    with pytest.raises(SystemExit):
        main(["init", str(folder)])
    store = open_workspace(folder, decider=RoleRules())
    make_shop(Actor.local(), store, tmp_path / "raw", n=8)
    store.close()
    monkeypatch.chdir(folder)
    return folder


def test_every_block_runs(page, shop, capsys):
    for block in blocks(page, "bash"):
        run_lines(block, capsys)
    capsys.readouterr()
    code, saving = blocks(page, "python")
    exec(compile(code, page.name, "exec"), {})
    assert len(set(capsys.readouterr().out.split())) == 1  # both forms find the same number of samples
    exec(compile(saving, page.name, "exec"), {})
    n_cars, deleted = capsys.readouterr().out.split()
    assert (int(n_cars) > 0, deleted) == (True, "cars")


def test_every_form_of_the_table_can_be_asked(page, shop, capsys):
    forms = [
        form
        for row in re.findall(r"^\| (`.+?) \|", page.read_text("utf-8"), re.M)
        for form in re.findall(r"`([^`]+)`", row)
    ]
    asked = [form for form in forms if form not in ("a and b", "a or b", "not a", "( )")]
    assert len(asked) == 11
    for form in asked:
        with pytest.raises(SystemExit) as ended:
            main(["count", "shop", "--where", form])
        assert ended.value.code == 0, form


def test_the_fields_are_those_of_the_language(page):
    text = page.read_text("utf-8").split("Fields of a sample:")[1].split("Sizes and boxes")[0]
    named = set(re.findall(r"`(\w+)`", text))
    assert named == {*SAMPLE_FIELDS, *SAMPLE_LISTS, *ANNOTATION_FIELDS, "class"}
