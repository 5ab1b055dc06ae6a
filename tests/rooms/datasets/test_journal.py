"""The journal: each edit of a branch since its last commit, with the states before and after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calotype.datasets import refs, repository, service
from calotype.datasets.change import Change
from calotype.datasets.commits import EditEntry, state_of
from calotype.datasets.edit import apply
from calotype.datasets.model import Sample


@pytest.fixture
def put(workspace, owner):
    """Put a sample into dataset `d`, with the details of a run if one is named."""
    service.create(owner, "d", store=workspace)

    def put_one(number: int, run: str = "", actor=owner, **details):
        sample = Sample(f"{number:032x}", f"{number:064x}", f"{number}.jpg", 96, 64, "image/jpeg", 9)
        details |= {"run": run} if run else {}
        return apply(actor, "d", Change(put_samples=[sample]), store=workspace, verb="put", details=details)

    return put_one


@pytest.fixture
def last(workspace):
    """The newest entry of `d`, and the branch."""

    def read():
        with workspace.catalog.read() as conn:
            branch = refs.branch(conn, refs.dataset(conn, "d"), "")
            return repository.last_edit(conn, branch), branch

    return read


def test_an_entry_has_the_states_on_both_sides_and_counts(put, last):
    put(1)
    first, at_first = last()
    put(2)
    put(2)
    entry, branch = last()
    assert isinstance(entry, EditEntry)
    assert (entry.verb, entry.position) == ("put", 3)
    assert (first.before, first.after) == ({"pins": {}, "documents": {}}, state_of(at_first))
    assert entry.after == state_of(branch)
    assert entry.applies_to(branch)
    assert not first.applies_to(branch)
    assert entry.counts == {"samples": {"written": 1, "removed": 1}}, "the second put replaces a row"
    assert replace(entry, undone=True).next_state == entry.after


def test_edits_of_one_run_are_one_entry_and_their_files_add_up(put, last, owner):
    put(1)
    put(2, "a", files=2)
    put(3, "a", files=3)
    joined, branch = last()
    assert (joined.position, joined.details["files"], joined.after) == (2, 5, state_of(branch))
    assert joined.counts == {"samples": {"written": 2, "removed": 0}}
    put(4, "b")
    assert last()[0].position == 3
    put(5)
    put(6, "b")
    assert last()[0].position == 5, "a run that others interrupted goes on in an entry of its own"
    put(7, "b", actor=replace(owner, id="test:ben"))
    assert last()[0].position == 6, "edits of two people are never one"


def test_an_edit_that_changes_nothing_has_no_entry(put, last, workspace, owner):
    put(1)
    apply(owner, "d", Change(), store=workspace, record=lambda conn: None)
    assert last()[0].position == 1


def test_a_commit_ends_the_journal_and_discarded_edits_start_it_again(put, last, workspace, owner):
    put(1)
    first = service.commit(owner, "d", "one", store=workspace)
    assert last()[0] is None
    put(2)
    put(3)
    dirty = state_of(last()[1])
    service.rollback(owner, "d", first.id, store=workspace, discard=True)
    entry, branch = last()
    assert (entry.verb, entry.before, entry.after) == ("dataset.rollback", dirty, state_of(branch))
