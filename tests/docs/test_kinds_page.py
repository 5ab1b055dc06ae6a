"""The page on kinds lists all of them with their attributes, and its block runs."""

from __future__ import annotations

import re

import pytest
from tests.support.pages import blocks
from tests.support.shops import make_shop

from calotype.app.cli import main
from calotype.datasets.model import ATTRIBUTES, Kind
from calotype.foundation.actor import Actor
from calotype.govern.rules import RoleRules
from calotype.store import open_workspace


@pytest.fixture
def page(repo):
    return repo / "docs" / "reference" / "kinds.md"


def test_the_page_lists_every_kind_and_every_shared_attribute(page):
    kinds, rest = page.read_text("utf-8").split("## Attributes that mean the same everywhere")
    first = r"^\| `(\w+)` \|"
    assert set(re.findall(first, kinds, re.M)) == set(Kind)
    assert set(re.findall(first, rest.split("\n## ")[0], re.M)) == set(ATTRIBUTES)


def test_its_block_puts_a_rotated_box(page, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        main(["init", str(tmp_path / "ws")])
    store = open_workspace(tmp_path / "ws", decider=RoleRules())
    make_shop(Actor.local(), store, tmp_path / "raw", n=4)
    store.close()
    monkeypatch.chdir(tmp_path / "ws")
    capsys.readouterr()
    (code,) = blocks(page, "python")
    exec(compile(code, page.name, "exec"), {})
    assert capsys.readouterr().out.strip() == "1"
