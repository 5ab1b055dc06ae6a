"""The whole demo: its two releases, and the tutorial of the app that begins with it."""

from __future__ import annotations

import contextlib
import io
import json
import re
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.house.reading import REPO
from tests.support import tutorials
from tests.support.serving import served

import calotype as ct
from calotype.app.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]

TUTORIAL = REPO / "docs" / "tutorials" / "find-fix-and-release.md"


class Ran(NamedTuple):
    """The folder in which `calotype demo --no-serve` ran, and what it printed of its datasets."""

    folder: Path
    datasets: list[dict[str, Any]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Ran:
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as printed:
        patch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            main(["demo", "--no-serve", "--json"])
    assert ended.value.code in (0, None)
    return Ran(folder, json.loads(printed.getvalue())["datasets"])


def test_the_demo_ends_with_two_releases(demo):
    answer = demo.datasets
    assert [(one["name"], [r["version"] for r in one["releases"]]) for one in answer] == [
        ("digits", ["1.0.0"]),
        ("streets", ["1.0.0"]),
    ]
    lines = {line["fault"]: line for line in answer[1]["planted"]}
    assert {name for name, line in lines.items() if line["found"] < line["planted"]} <= {"mislabel"}
    assert lines["mislabel"]["found"] >= lines["mislabel"]["planted"] // 2
    assert lines["mislabel"]["told"] > lines["mislabel"]["found"]


def test_the_demo_has_a_batch_to_label_and_to_review(demo):
    with ct.open(demo.folder / "calotype-demo") as ws:
        (status,) = ws.dataset("streets").annotate.batches()
        assert (status.progress.samples, status.progress.submitted) == (24, 3)
        assert ws.work.next(kind="review").show()["others"][0]["author"] == "Amir Haddad"


@pytest.mark.browser
def test_the_tutorial_is_done_step_by_step(demo, page, capsys):
    text = TUTORIAL.read_text()
    commands = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    workspace = "calotype-demo"
    assert commands[0] == f"calotype demo --no-serve\ncalotype --workspace {workspace} serve\n"
    with served(demo.folder / workspace) as server:
        page.goto(server.link)
        started = time.perf_counter()
        done = tutorials.replay(page, text)
        took_s = time.perf_counter() - started
    with capsys.disabled():
        print(f"\nthe tutorial: {len(done)} actions in {took_s:.1f} s")
    assert len(done) >= 30
    with ct.open(demo.folder / workspace) as ws:
        assert [release.version for release in ws.dataset("streets").releases()] == ["1.1.0", "1.0.0"]
    (diff,) = commands[1].splitlines()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(demo.folder)
        with pytest.raises(SystemExit) as ended:
            main(diff.split()[1:])
    assert ended.value.code in (0, None)
    assert re.search(r"ground_truth +0 +0 +[1-9]", capsys.readouterr().out)
