"""The commands and the code of the how-to pages on augmenting and transforming run as written."""

from __future__ import annotations

import re
import shlex

import pytest
from tests.support.recipes import dataset

from calotype.app.cli import main

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
PRINTED = {
    "augment-make-copies": ["to_make    4", "made       4", "0 4 0"],
    "transform-images": ["made       3", "0 3 0"],
    "transform-classes": [
        "0 annotations would be moved, 3 would be dropped",
        "0 annotations moved, 3 dropped",
        "road user -> None dropped 0",
        "vehicle -> car renamed 3",
    ],
}


@pytest.mark.parametrize("page", PRINTED)
def test_the_page_runs(page, repo, owner, workspace, capsys, monkeypatch):
    dataset(owner, workspace)
    monkeypatch.chdir(workspace.root)
    for language, text in BLOCK.findall((repo / "docs" / "how-to" / f"{page}.md").read_text("utf-8")):
        if language == "yaml":
            name = text.partition("\n")[0].removeprefix("# ")
            (workspace.root / name).write_text(text, encoding="utf-8")
        elif language == "bash":
            for line in text.splitlines():
                with pytest.raises(SystemExit) as exited:
                    main(shlex.split(line)[1:])
                assert not exited.value.code, line
        else:
            exec(compile(text, page, "exec"), {})
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in PRINTED[page] if " ".join(line.split()) not in printed] == []
