"""The same work on PostgreSQL, and over HTTP with a server that is killed in the middle."""

from __future__ import annotations

import importlib
import sys
import threading

import pytest
from tests.house.reading import REPO
from tests.rooms.labelling.conftest import SHOP, Shift, a_box, op
from tests.support.shops import make_shop

from calotype.app import workspaces
from calotype.datasets import service as datasets
from calotype.labelling import service
from calotype.labelling.model import Remark
from calotype.reviews import service as reviews

pytestmark = pytest.mark.slow


@pytest.fixture
def far(postgres, tmp_path, owner):
    """A committed shop whose catalog is on PostgreSQL."""
    store = workspaces.create(owner, tmp_path / "ws", catalog=postgres.fresh())
    make_shop(owner, store, tmp_path / "images", n=8)
    datasets.commit(owner, SHOP, "first", store=store)
    yield Shift(store, owner)
    store.close()


def test_a_batch_from_opening_to_the_branch_on_postgresql(far):
    far.open(overlap=2, where="class = dog", review=1.0)
    for _ in range(2):
        for name in ("bo", "chi"):
            assignment = far.next(name)
            box = a_box()
            assert far.record(name, assignment, box, a_box(), op("undo")).to_redo == 1
            assert far.record(name, assignment, box).repeated == (box["id"],)
            assert far.record(name, assignment, op("restore", position=2)).to_undo == 2
            far.submit(name, assignment)
    review = far.next("rae", kind="review")
    assert far.judge("rae", review, "send-back", Remark("look again")).sample_state == "waiting"
    assert far.work("bo", far.next("bo"))["remarks"]
    assert len(reviews.merge_reviews(far.who("rae"), SHOP, store=far.store)) == 1
    status, landed = service.close_batch(far.owner, SHOP, "one", store=far.store)
    assert (landed.samples, status.progress.sent_back) == (1, 1)
    assert sum(map(len, far.on_branch("batch/one").values())) == 8 + landed.annotations


def test_people_at_once_never_hold_one_place_on_postgresql(far):
    far.open(overlap=1)
    taken: list[str] = []

    def labour(name: str) -> None:
        while assignment := far.next(name):
            taken.append(far.work(name, assignment)["sample"]["id"])
            far.record(name, assignment, a_box())
            far.submit(name, assignment)

    threads = [threading.Thread(target=labour, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 8
    assert far.status().progress.accepted == 8


def test_robots_and_a_server_that_is_killed_lose_nothing_and_double_nothing(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(REPO / "benchmarks/labelling"))
    monkeypatch.setattr(sys, "argv", ["robots", "--robots", "5", "--assignments", "40", "--kills", "3"])
    robots = importlib.import_module("robots")
    assert robots.main() == 0, capsys.readouterr().out
    assert '"wrong": []' in capsys.readouterr().out
