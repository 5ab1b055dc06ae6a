"""The page on labelling with two people runs as written; between its blocks two people label 100 images."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from uuid import uuid4

import pytest
from tests.rooms.labelling.conftest import a_box
from tests.support.shops import make_shop

from calotype.app import wiring, workspaces
from calotype.app.cli import main
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.labelling import service
from calotype.reviews import service as reviews

SECTION = re.compile(r"^## (.*?)$|^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
N = 100


def label_everything(store, email: str, shift: float) -> None:
    """One person labels what is left for them; every tenth image differently from the other one."""
    actor = wiring.acting_as(Actor.local(), email, store=store)
    n = 0
    while assignment := service.next_work(actor, store=store, wanted=service.Wanted(kind="annotate")):
        far = 0.0 if n % 10 else shift * 8
        service.record(actor, assignment, [a_box(x=5.0 + shift / 4 + far), a_box(x=25.0)], store=store)
        service.submit(actor, assignment, store=store, id=uuid4().hex)
        n += 1


def test_the_page_runs(tmp_path: Path, repo: Path, capsys, monkeypatch):
    store = workspaces.create(Actor.local(), tmp_path / "ws")
    make_shop(Actor.local(), store, tmp_path / "images", n=N)
    datasets.commit(Actor.local(), "shop", "first", store=store)
    monkeypatch.chdir(tmp_path / "ws")
    text = (repo / "docs/how-to/label-with-two-people.md").read_text("utf-8")
    for title, block in SECTION.findall(text):
        if title.startswith("Follow it"):
            label_everything(store, "bo@example.org", 0.0)
            label_everything(store, "chi@example.org", 1.0)
        for line in block.splitlines():
            with pytest.raises(SystemExit) as exited:
                main(shlex.split(line)[1:])
            assert not exited.value.code, (line, capsys.readouterr().err)
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert sum("copies differ" in line for line in printed) == N // 10
    assert "samples 100" in printed and "landed 0" in printed
    assert reviews.to_review(Actor.local(), "shop", store=store) == []
    status = service.batch(Actor.local(), "shop", "first", store=store)
    assert (status.batch.state, status.progress.accepted, status.progress.landed) == ("closed", N, N)
    state = datasets.read(Actor.local(), "shop", store=store)
    assert state.count()["annotations"] > 2 * N
    store.close()
