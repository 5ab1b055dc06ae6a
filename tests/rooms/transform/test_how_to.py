"""The pages on augmenting and transforming do what they say."""

from __future__ import annotations

import re

import pytest
from tests.support.recipes import dataset

PAGES = ["augment-make-copies", "transform-images", "transform-classes"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_runs(page, repo, owner, workspace, capsys):
    dataset(owner, workspace)
    scope = {"actor": owner, "store": workspace, "recipe_text": ""}
    for language, text in BLOCK.findall((repo / "docs" / "how-to" / f"{page}.md").read_text("utf-8")):
        if language == "yaml":
            scope["recipe_text"] = text
        else:
            exec(compile(text, page, "exec"), scope)
    expected = {
        "augment-make-copies": ["4 0 0 {}"],
        "transform-images": ["3 0 0"],
        "transform-classes": [
            "sign -> None dropped 3",
            "car -> vehicle renamed 3",
            "person -> road user renamed 0",
        ],
    }
    assert re.sub(r"\{.*\}", "{}", capsys.readouterr().out).splitlines() == expected[page]
