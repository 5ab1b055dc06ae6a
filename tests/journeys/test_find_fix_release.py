"""The loop find -> fix -> re-test -> release, as the screen cast shows it."""

from __future__ import annotations

import importlib.util
import json

import pytest
from tests.house.reading import REPO

spec = importlib.util.spec_from_file_location("screencast", REPO / "scripts" / "screencast.py")
assert spec is not None
assert spec.loader is not None
screencast = importlib.util.module_from_spec(spec)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_from_red_to_a_release_in_one_sitting(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "screencast", screencast)
    spec.loader.exec_module(screencast)  # type: ignore[union-attr]
    cast = screencast.play(tmp_path)
    assert cast.exits["calotype check crossings"] == [1, 0]
    others = {
        code
        for command, codes in cast.exits.items()
        if command != "calotype check crossings"
        for code in codes
    }
    assert others == {0}
    said = "".join(text for _, _, text in cast.events)
    assert "released" in said
    assert "closed" in said
    lines = cast.text().splitlines()
    assert json.loads(lines[0])["version"] == 2
    assert [json.loads(line)[0] for line in lines[1:]] == sorted(json.loads(line)[0] for line in lines[1:])
