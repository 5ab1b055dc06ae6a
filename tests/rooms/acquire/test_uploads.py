"""Uploads that arrive together: one edit, an outcome for each, and one that is refused costs itself only."""

from __future__ import annotations

import io
import threading
from collections import Counter
from typing import Any

import pytest
from PIL import Image

from calotype.acquire import quarantine, uploads
from calotype.acquire.upload_groups import Groups, groups_of
from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.foundation.errors import Conflict, Invalid


@pytest.fixture
def shop(workspace, owner):
    datasets.create(owner, "shop", store=workspace)
    return workspace


def png(number):
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (number % 256, number // 256, 7)).save(out, "PNG")
    return out.getvalue()


def together(calls):
    """Run calls in threads; their results in order."""
    results: list[Any] = [None] * len(calls)

    def run(at):
        try:
            results[at] = calls[at]()
        except (Invalid, Conflict, KeyError) as error:
            results[at] = error

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_uploads_that_wait_for_a_turn_become_one_edit_and_each_has_its_outcome(shop, owner):
    def upload(name, data):
        return lambda: uploads.add_upload(owner, "shop", name, [data], store=shop).to_dict()

    calls = [upload(f"{n}.png", png(n)) for n in range(8)] + [upload("twin.png", png(0))]
    calls += [upload("lie.jpg", png(9)), upload("broken.png", b"no image")]
    results: list[Any] = []
    with refs.turn(shop, "shop"):
        held = threading.Thread(target=lambda: results.extend(together(calls)))
        held.start()
        groups = groups_of(shop)
        for _ in range(6_000):
            if sum(len(group.items) for group in groups._open.values()) == len(calls):
                break
            threading.Event().wait(0.01)
    held.join()
    counts = [{name: n for name, n in result.items() if n and isinstance(n, int)} for result in results]
    assert counts[-2:] == [{"quarantined": 1}] * 2
    assert Counter(map(str, counts[:-2])) == {"{'added': 1}": 8, "{'duplicates': 1}": 1}
    state = datasets.read(owner, "shop", store=shop)
    names = sorted(name for sample in state.iter_samples() for name in sample.names)
    assert names == sorted([*(f"{n}.png" for n in range(8)), "twin.png"])
    assert len(quarantine.quarantined_items(shop, state.dataset.id)) == 2
    with shop.catalog.read() as conn:
        events = conn.exec_driver_sql("SELECT details FROM audit WHERE verb = 'images.add'").fetchall()
    assert sorted(details.count('"files": 9') + details.count('"files":9') for (details,) in events)[-1] == 1
    assert len(events) <= 3


def test_the_same_upload_again_changes_nothing_and_leaves_no_event(shop, owner):
    def events():
        with shop.catalog.read() as conn:
            return conn.exec_driver_sql("SELECT count(*) FROM audit").scalar()

    assert uploads.add_upload(owner, "shop", "a.png", [png(1)], store=shop).added == 1
    before = events()
    assert uploads.add_upload(owner, "shop", "a.png", [png(1)], store=shop).unchanged == 1
    assert events() == before
    assert uploads.add_upload(owner, "shop", "b.png", [png(1)], store=shop).duplicates == 1
    assert uploads.add_upload(owner, "shop", "b.png", [png(2)], store=shop).added == 1
    assert uploads.add_upload(owner, "shop", "a.png", [png(3)], store=shop).changed == 1
    (sample,) = [
        one for one in datasets.read(owner, "shop", store=shop).iter_samples() if one.name == "a.png"
    ]
    assert sample.names == ("a.png",)


def grouped(write, n=5):
    """Give `n` items to a group whose writing starts when all have joined."""
    groups: Groups[int, int] = Groups()
    joined = threading.Event()

    def waiting(take):
        joined.wait(60)
        return write(take())

    def call(number):
        return lambda: groups.write("key", number, waiting)

    def watch():
        while sum(len(group.items) for group in groups._open.values()) < n:
            threading.Event().wait(0.005)
        joined.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    results = together([call(number) for number in range(n)])
    watcher.join()
    return results


def test_an_item_that_is_refused_costs_itself_only():
    written = []

    def write(items):
        if 3 in items:
            raise Invalid
        written.append(list(items))
        return [item * 10 for item in items]

    results = grouped(write)
    assert [result for result in results if not isinstance(result, Invalid)] == [0, 10, 20, 40]
    assert isinstance(results[3], Invalid)
    assert sorted(written) == [[0], [1], [2], [4]]


def test_a_conflict_is_told_to_everybody_and_nothing_is_tried_twice():
    tries = []

    def write(items):
        tries.append(list(items))
        raise Conflict

    assert all(isinstance(result, Conflict) for result in grouped(write))
    assert len(tries) == 1


def test_nobody_waits_for_ever_when_the_writer_fails_in_an_unknown_way():
    def fail(_items):
        raise KeyError("unknown")

    results = grouped(fail)
    assert [type(result) for result in results] == [KeyError] * 5
