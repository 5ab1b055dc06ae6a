"""What the pages offer as Python, as a command and as a request runs, and the three give the same answer.

`snippets.json` is written by the tests of the web app (`web/src/api/snippets.test.ts`), which fail if the pages offer
something else than what is run here.
"""

from __future__ import annotations

import ast
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.serving import Served, served
from tests.support.shops import make_shop

import calotype as ct
from calotype.app.cli import main
from calotype.foundation.actor import Actor
from calotype.govern.rules import RoleRules
from calotype.store import create_workspace

EXAMPLES = json.loads(Path(__file__).with_name("snippets.json").read_text("utf-8"))
CONTRACT = "classes: [{name: car}, {name: dog}]\n"


@dataclass(frozen=True)
class Shop:
    """A served workspace, and what the placeholders of the examples stand for."""

    folder: Path
    server: Served
    names: dict[str, str]

    def text(self, snippet: str) -> str:
        """The snippet as the pages of this server would offer it."""
        for placeholder, name in {"http://localhost:8080": self.server.url.rstrip("/"), **self.names}.items():
            snippet = snippet.replace(placeholder, name)
        return snippet


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Iterator[Shop]:
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    folder = tmp_path_factory.mktemp("snippets")
    store = create_workspace(Actor.local(), folder / "ws", decider=RoleRules())
    make_shop(Actor.local(), store, folder / "raw")
    store.close()
    with ct.open(folder / "ws") as ws:
        dataset = ws.dataset("shop")
        dataset.commit("first")
        dataset.tag("v1")
        dataset.set_contract(CONTRACT)
        samples = list(dataset.where())
        dataset.put_vectors("own", [sample.sample_id for sample in samples[:3]], np.eye(3, dtype=np.float32))
        dataset.commit("a contract and vectors")
        dataset.release("1.0.0", split={"train": 0.5, "val": 0.5})
        dataset.tag_selection(dataset.where().curate(2), "two")
        run = dataset.check().run_id
    names = {"RUN": run, "SAMPLE": samples[5].sample_id, "NAME": samples[5].name}
    with served(folder / "ws") as server:
        yield Shop(folder / "ws", server, names)


def _words(place: int, *, skip: int = 0) -> Callable[[str], Any]:
    """A word of each line that Python printed."""
    return lambda out: sorted(line.split()[place] for line in out.splitlines()[skip:])


def _ids(key: str, *, of: str = "items") -> Callable[[Any], Any]:
    return lambda value: sorted(item[key] for item in value[of])


def _samples(value: Any) -> Any:
    return value["samples"]


def _text(value: Any) -> Any:
    return (value["text"] or "").strip()


COMPARED: dict[str, tuple[Callable[[str], Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "datasets": (ast.literal_eval, _ids("name"), _ids("name")),
    "overview": (lambda out: ast.literal_eval(out.splitlines()[0])["samples"], _samples, _samples),
    "grid": (_words(0, skip=1), _ids("id"), _ids("id")),
    "sample": (_words(0), _ids("id"), lambda value: [value["id"]]),
    "checks": (lambda out: bool(out), lambda value: value["gates"] != [], lambda value: value["gates"] != []),
    "contract": (lambda out: out.strip().replace("None", ""), _text, _text),
    "findings": (_words(0), _ids("key", of="findings"), _ids("key")),
    "history": (_words(0), _ids("id"), _ids("id")),
    "diff": (bool, _samples, _samples),
    "merges": (_words(0), _ids("id"), _ids("merge")),
    "releases": (_words(0), _ids("version", of="releases"), _ids("version")),
    "releasePlan": (bool, lambda value: value["since"], lambda value: value["since"]),
    "release": (lambda out: ast.literal_eval(out)["version"], lambda v: v["version"], lambda v: v["version"]),
    "runs": (len, lambda value: len(value["items"]), lambda value: len(value["items"])),
    "audit": (lambda out: len(out.splitlines()), lambda v: len(v["items"]), lambda v: len(v["items"])),
}
"""What Python prints, what the command and what the server answer, each as a value that must be equal."""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one["panel"])
def test_every_snippet_runs_and_they_agree(shop, example, monkeypatch, capsys):
    monkeypatch.chdir(shop.folder)
    texts = {snippet["name"]: shop.text(snippet["text"]) for snippet in example["snippets"]}
    answer = json.loads(_request(texts["curl"], shop.server.token))
    if "CLI" not in texts:
        assert answer["total"] >= 0
        return
    python, cli, curl = COMPARED[example["panel"]]
    exec(compile(texts["Python"], "snippet", "exec"), {})
    printed = capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main([*shlex.split(texts["CLI"])[1:], "--json"])
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    expected = curl(answer)
    assert cli(json.loads(said.out)) == expected
    assert python(printed) in (expected, True)


def test_the_examples_are_not_empty_lists():
    assert {example["panel"] for example in EXAMPLES} >= set(COMPARED)


def _request(line: str, token: str) -> bytes:
    command = line.replace("curl ", "curl --silent --show-error --fail ", 1)
    environment = {**os.environ, "CALOTYPE_TOKEN": token}
    return subprocess.run(["bash", "-c", command], env=environment, capture_output=True, check=True).stdout
