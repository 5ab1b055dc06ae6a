"""Every edit of a working state is undone and redone in order, whatever verb made it; commits end the journal."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.images import folder_of_images

from calotype.acquire import service as acquire
from calotype.acquire.labels.model import ImportOptions
from calotype.acquire.labels.service import import_annotations
from calotype.annotate.model import EditTargetNotFound
from calotype.annotate.service import EditNotLast, NoEditToRedo, NoEditToUndo
from calotype.curate import service as curate
from calotype.curate.model import SplitSpec
from calotype.datasets import repository
from calotype.datasets import service as datasets
from calotype.foundation.ids import uuid7
from calotype.reliability import service as reliability
from calotype.store.store import open_workspace
from calotype.transform import service as transform
from calotype.versions import service as versions


def delete(shop, at: int = 0) -> None:
    """Delete the box of a sample."""
    shop.edit({"do": "delete", "annotation": shop.box(at).ann_id})


def test_edits_of_any_verb_are_undone_in_order_and_redone(shop, tmp_path):
    steps = {
        "annotate.edit": lambda: delete(shop),
        "curate.split": lambda: curate.split(
            shop.actor, "shop", SplitSpec({"train": 0.5, "val": 0.5}), store=shop.store
        ),
        "transform.map_classes": lambda: transform.map_classes(
            shop.actor, "shop", {"dog": "car"}, store=shop.store, dry_run=False
        ),
        "images.add": lambda: acquire.add(
            shop.actor, "shop", folder_of_images(tmp_path / "more", 3, seed=50), store=shop.store
        ),
        "augment.run": lambda: transform.augment(
            shop.actor,
            "shop",
            {"name": "mirror", "steps": [{"flip": {"axis": "horizontal"}}]},
            store=shop.store,
        ),
    }
    states = [shop.rows()]
    for step in steps.values():
        step()
        states.append(shop.rows())
    assert len(shop.verbs()) == len(steps), "an import and a run are one action each"
    assert shop.verbs()[0] == "augment.run"
    for before in reversed(states[:-1]):
        shop.undo()
        assert shop.rows() == before
    assert datasets.uncommitted(shop.actor, "shop", store=shop.store) is None
    for after in states[1:]:
        shop.redo()
        assert shop.rows() == after
    with pytest.raises(NoEditToRedo):
        shop.redo()


def test_what_was_imported_and_undone_is_imported_again(shop, tmp_path, raw):
    def come() -> None:
        acquire.add(shop.actor, "shop", [raw / "images"], store=shop.store)
        import_annotations(shop.actor, "shop", raw / "instances.json", ImportOptions(), store=shop.store)

    come()
    imported = shop.state.count()
    assert imported["annotations"] > 8
    for _ in range(2):
        shop.undo()
    assert shop.state.count() == {"samples": 8, "annotations": 8}
    come()
    assert shop.state.count() == imported
    assert shop.verbs() == ["annotations.import", "images.add"]


def test_nothing_left_names_the_undo_of_the_commit(shop):
    commit = datasets.log(shop.actor, "shop", store=shop.store)[0].short
    with pytest.raises(NoEditToUndo) as raised:
        shop.undo()
    assert f"calotype undo shop@main {commit}" in raised.value.remedy


def test_a_commit_ends_the_journal(shop):
    delete(shop)
    shop.undo()
    delete(shop, 1)
    assert shop.verbs() == ["annotate.edit"], "what was undone cannot be redone after a new edit"
    with pytest.raises(NoEditToRedo):
        shop.redo()
    shop.commit()
    assert shop.verbs() == []
    versions.undo(shop.actor, "shop", "main", store=shop.store)
    assert shop.verbs() == []
    assert shop.state.count()["annotations"] == 8


def test_discarded_edits_come_back(shop):
    delete(shop)
    edited = shop.rows()
    datasets.rollback(shop.actor, "shop", "main", store=shop.store, discard=True)
    assert shop.state.count()["annotations"] == 8
    shop.undo()
    assert shop.rows() == edited


def test_only_the_edit_that_is_meant_is_undone(shop):
    delete(shop)
    first = shop.edit({"do": "set-split", "sample": shop.sample().sample_id, "split": "val"}).edit
    delete(shop, 1)
    with pytest.raises(EditNotLast):
        shop.undo(expect=first)
    assert len(shop.verbs()) == 3


def test_branches_have_journals_of_their_own(shop):
    datasets.branch(shop.actor, "shop", "work", store=shop.store)
    delete(shop)
    work = type(shop)(shop.store, shop.actor, "shop@work")
    assert work.verbs() == []
    work.edit({"do": "delete", "annotation": shop.box(3).ann_id})
    assert work.undo().to_redo == 1
    assert shop.verbs() == ["annotate.edit"]


def test_cleaning_without_a_grace_period_leaves_nothing_to_undo(shop):
    delete(shop)
    reliability.gc(shop.actor, store=shop.store, grace_s=0.0)
    with pytest.raises(NoEditToUndo):
        shop.undo()
    assert shop.verbs() == []


def test_cleaning_keeps_what_can_be_undone(shop):
    before = shop.rows()
    for at in range(4):
        shop.edit({"do": "delete", "annotation": shop.box(at).ann_id})
    reliability.gc(shop.actor, store=shop.store, grace_s=3_600.0, always_compact=True)
    for _ in range(2):
        reliability.gc(shop.actor, store=shop.store, grace_s=3_600.0)
    shop.undo()
    shop.undo()
    reliability.gc(shop.actor, store=shop.store, grace_s=3_600.0)
    for _ in range(2):
        shop.undo()
    assert shop.rows() == before
    for _ in range(4):
        shop.redo()
    assert shop.state.count()["annotations"] == 4
    assert not reliability.verify(shop.actor, store=shop.store).problems


def test_a_restored_backup_can_undo(shop, tmp_path):
    before = shop.rows()
    delete(shop)
    reliability.backup(shop.actor, str(tmp_path / "backup"), store=shop.store)
    reliability.restore(shop.actor, str(tmp_path / "backup"), tmp_path / "back")
    restored = type(shop)(open_workspace(tmp_path / "back"), shop.actor)
    restored.undo()
    assert restored.rows() == before
    restored.store.close()


def test_old_edits_leave_the_journal_and_stay_in_the_state(shop, monkeypatch):
    monkeypatch.setattr(repository, "MAX_EDITS", 3)
    for at in (0, 1, 2, 3, 4):
        shop.edit({"do": "set-split", "sample": shop.sample(at).sample_id, "split": "val"})
    for _ in range(3):
        shop.undo()
    with pytest.raises(NoEditToUndo) as raised:
        shop.undo()
    assert "--discard" in raised.value.remedy
    assert sum(sample.split == "val" for sample in shop.state.iter_samples()) == 2


# ---- any list of edits


def random_edit(shop, choose: Random) -> dict[str, Any]:
    """An edit that fits the present state."""
    state = shop.state
    sample_id = choose.choice(state.ids())
    boxes = state.annotations_of([sample_id])[sample_id]
    of_annotation = ("delete", "set-class", "set-shape", "set-attributes") if boxes else ()
    do = choose.choice(("add", "set-split", "add-tags", "set-metadata", *of_annotation))
    target = {"annotation": boxes[0].ann_id} if boxes else {}
    class_, side = choose.choice(("car", "dog")), choose.randint(1, 20)
    fields: dict[str, dict[str, Any]] = {
        "add": {
            "sample": sample_id,
            "annotation": uuid7(),
            "class": class_,
            "kind": "box",
            "bbox": [1, 1, side, 2],
        },
        "set-split": {"sample": sample_id, "split": class_},
        "add-tags": {"sample": sample_id, "tags": [class_]},
        "set-metadata": {"sample": sample_id, "metadata": {class_: side}},
        "delete": target,
        "set-class": {**target, "class": class_},
        "set-shape": {**target, "kind": "box", "bbox": [2, 2, side, side]},
        "set-attributes": {**target, "attributes": {"n": side}},
    }
    return fields[do] | {"do": do}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), sizes=st.lists(st.integers(1, 3), min_size=1, max_size=5))
def test_any_edits_undone_one_by_one_restore_exactly_the_former_rows(shop, seed, sizes):
    choose, states = Random(seed), [shop.rows()]
    for size in sizes:
        edits = [random_edit(shop, choose) for _ in range(size)]
        with suppress(EditTargetNotFound):  # an earlier edit of the list deleted the annotation
            if shop.edit(*edits).edit:
                states.append(shop.rows())
    for before in reversed(states[:-1]):
        shop.undo()
        assert shop.rows() == before
    for after in states[1:]:
        shop.redo()
        assert shop.rows() == after
    for _ in states[1:]:
        shop.undo()
