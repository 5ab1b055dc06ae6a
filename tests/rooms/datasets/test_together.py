"""Writers of one branch at the same time: uploads of edits and commits make progress, and nobody loses anything."""

from __future__ import annotations

import threading

import pytest
from tests.support.cities import ANA, box, sample

from calotype.datasets import edit, service
from calotype.datasets.change import Change
from calotype.datasets.committing import NothingToCommit
from calotype.store.tables import row_lookup

N_EDITS = 5


@pytest.fixture
def unlucky(monkeypatch):
    """One attempt only: whoever is overtaken fails."""
    monkeypatch.setattr(edit, "MAX_TRIES", 1)
    monkeypatch.setattr(service, "MAX_TRIES", 1)


def run(calls):
    failures = []

    def guarded(call):
        try:
            call()
        except (AssertionError, edit.WorkingStateMoved, RuntimeError) as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_twelve_threads_that_edit_and_three_that_commit_never_work_in_vain(town, unlucky):
    made = []

    def edits(thread):
        for number in range(N_EDITS):
            key = f"s{thread * 100 + number}"
            put = {"ground_truth": [box(f"a{thread}-{number}", key)]}
            town.do("apply", Change(put_samples=[sample(key, f"{key}.jpg")], put_annotations=put))

    def commits(thread):
        for number in range(N_EDITS):
            try:
                made.append(town.do("commit", f"{thread}-{number}").id)
            except NothingToCommit:
                continue

    run([lambda t=t: edits(t) for t in range(12)] + [lambda t=t: commits(t) for t in range(3)])
    state = town.do("read")
    assert state.count() == {"samples": 12 * N_EDITS, "annotations": 12 * N_EDITS}
    assert sorted(made) == sorted(one.id for one in service.log(ANA, town.name, store=town.store))


def test_what_was_drawn_for_an_edit_is_not_looked_up(town, monkeypatch):
    town.add("s0")
    asked: list[str] = []
    real = row_lookup.row_ids

    def row_ids(dataset, selections, *, key):
        asked.extend(value for selection in selections for value in selection.values)
        return real(dataset, selections, key=key)

    monkeypatch.setattr(edit, "row_ids", row_ids)
    change = Change(put_samples=[sample("s0", "x.jpg"), sample("s1", "y.jpg")], new_samples={"s1"})
    assert town.do("apply", change).count()["samples"] == 2
    assert asked == ["s0"]
