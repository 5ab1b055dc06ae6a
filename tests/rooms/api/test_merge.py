"""The handle on a merge."""

from __future__ import annotations

import pyarrow as pa
import pytest

import calotype as ct


@pytest.fixture
def conflicting(shop):
    """`main` and the branch `fix` move the same box to different places."""
    box = shop.where().annotations().slice(0, 1)
    column = box.schema.get_field_index("x")
    for dataset, x in ((shop.branch("fix"), 1.0), (shop, 2.0)):
        moved = box.set_column(column, box.schema.field(column), pa.array([x], box.schema.field(column).type))
        dataset.put_annotations(moved)
        dataset.commit(f"move to {x}")
    return shop


def test_an_open_merge_lands_once_its_conflicts_are_resolved(conflicting):
    merge = conflicting.merge("fix")
    assert (merge.state, merge.commit) == ("open", None)
    assert len(merge.conflicts()) == 1
    with pytest.raises(ct.CalotypeError) as refused:
        merge.land()
    assert refused.value.code == "merge-conflicts-open"
    assert merge.resolve("ours").land("mine").state == "landed"
    assert merge.commit == conflicting.log()[0].id
    assert merge.counts["conflicts"] == 1
    with pytest.raises(ct.CalotypeError) as closed:
        merge.abandon()
    assert closed.value.code == "merge-closed"


def test_an_abandoned_merge_leaves_the_branch(conflicting):
    before = conflicting.log()[0].id
    merge = conflicting.merge("fix")
    assert merge.abandon().state == "abandoned"
    assert repr(merge) == "Merge('fix' into 'main', abandoned)"
    assert conflicting.log()[0].id == before


def test_a_resolution_that_does_not_fit_is_refused(conflicting):
    merge = conflicting.merge("fix")
    with pytest.raises(ct.CalotypeError) as refused:
        merge.resolve("mine")
    assert refused.value.code == "merge-resolution-invalid"


def test_a_merge_waits_for_a_clean_working_state(conflicting):
    sample_id = conflicting.where().snapshot().ids()[0]
    rows = conflicting.where().annotations([sample_id])
    conflicting.put_annotations(rows.drop_columns(["ann_id"]))
    with pytest.raises(ct.CalotypeError) as refused:
        conflicting.merge("fix")
    assert refused.value.code == "working-state-dirty"


def test_undo_reverts_a_commit_and_blame_names_its_author(conflicting):
    newest = conflicting.log()[0]
    annotation = conflicting.where().annotations(columns=["ann_id"])["ann_id"].to_pylist()
    changed = {blame.changed.commit.id for ann_id in annotation for blame in conflicting.blame(ann_id)}
    assert newest.id in changed
    undone = conflicting.undo(newest)
    assert undone.state == "landed"
    assert undone.commit == conflicting.log()[0].id
    with pytest.raises(ct.CalotypeError) as refused:
        conflicting.blame("missing")
    assert refused.value.code == "blame-target-not-found"


def test_a_protected_branch_takes_no_commits_until_it_is_lifted(conflicting):
    conflicting.protect()
    with pytest.raises(ct.CalotypeError) as refused:
        conflicting.rollback("main~1")
    assert refused.value.code == "branch-protected"
    conflicting.protect(rules={})
    assert conflicting.rollback("main~1").id == conflicting.log()[0].id
