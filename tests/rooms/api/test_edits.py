"""Edits, undo and redo by the handle of a dataset."""

from __future__ import annotations

import pytest

import calotype as ct


def test_edits_are_staged_listed_undone_and_redone(shop):
    row = shop.where().annotations(columns=["ann_id", "sample_id"]).to_pylist()[0]
    before = shop.where().by_class()
    edited = shop.edit(
        [
            {"do": "delete", "annotation": row["ann_id"]},
            {"do": "set-split", "sample": row["sample_id"], "split": "val"},
        ],
        id="a-first-request",
    )
    assert (edited.deleted, edited.samples) == (1, 1)
    assert shop.where().count()["annotations"] == 23
    (entry,) = shop.edits()
    assert (entry.id, entry.verb, entry.undone) == (edited.edit, "annotate.edit", False)
    assert shop.undo_edit(expect=entry.id).dirty is False
    assert shop.where().by_class() == before
    assert shop.redo_edit().to_undo == 1
    shop.commit("without a box")
    assert shop.edits() == []


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("edit", [[]], "edits-invalid"),
        ("edit", [[{"do": "delete", "annotation": "f" * 32}]], "edit-target-not-found"),
        ("undo_edit", [], "no-edit-to-undo"),
        ("redo_edit", [], "no-edit-to-redo"),
    ],
)
def test_an_edit_that_cannot_be_is_refused(shop, method, arguments, code):
    with pytest.raises(ct.CalotypeError) as refused:
        getattr(shop, method)(*arguments)
    assert refused.value.code == code
