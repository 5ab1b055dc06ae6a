"""Edits of originals and their copies: counted, carried over where that is possible, undone together."""

from __future__ import annotations

import pytest

from calotype.datasets.row_ids import id_in_copy
from calotype.transform import service as transform

MIRROR = {"name": "mirror", "steps": [{"flip": {"axis": "horizontal"}}]}
SMALL = {"name": "small", "steps": [{"resize": {"width": 32}}]}


@pytest.fixture
def copied(shop):
    """The shop with two copies of each picture."""
    for recipe in (MIRROR, SMALL):
        transform.transform(shop.actor, "shop", recipe, store=shop.store)
    shop.commit()
    return shop


def originals(shop):
    return [sample for sample in shop.state.iter_samples() if not sample.is_derived]


def boxes_of_copies(shop, original):
    """The annotations that the copies of a sample have of its one box, by recipe."""
    (box,) = shop.state.annotations_of([original.sample_id])[original.sample_id]
    return box, copies(shop, original, box.ann_id)


def copies(shop, original, ann_id):
    found = [s for s in shop.state.iter_samples() if s.parent_id == original.sample_id]
    ids = {s.recipe.partition("@")[0]: id_in_copy(s.sample_id, "ground_truth", ann_id) for s in found}
    return {name: shop.annotation(key) for name, key in ids.items()}


def test_an_edit_says_how_many_copies_have_the_label_and_leaves_them(copied):
    box, before = boxes_of_copies(copied, originals(copied)[0])
    edited = copied.edit({"do": "set-attributes", "annotation": box.ann_id, "attributes": {"occluded": True}})
    assert (edited.copies, edited.carried, edited.rows[0].copies) == (2, 0, 2)
    assert boxes_of_copies(copied, originals(copied)[0])[1] == before


def test_classes_and_attributes_are_carried_over_and_undone_together(copied):
    original = originals(copied)[1]
    box, before = boxes_of_copies(copied, original)
    class_ = "dog" if box.class_id == 0 else "car"
    state = copied.rows()
    edited = copied.edit(
        {"do": "set-class", "annotation": box.ann_id, "class": class_},
        {"do": "set-attributes", "annotation": box.ann_id, "attributes": {"occluded": True}},
        carry_over=True,
    )
    assert (edited.changed, edited.copies, edited.carried) == (3, 4, 4)
    _, after = boxes_of_copies(copied, original)
    for name, one in after.items():
        assert one.class_id != before[name].class_id
        assert one.attributes["occluded"] is True
        assert one.bbox_xywh_px == before[name].bbox_xywh_px
    copied.undo()
    assert copied.rows() == state


def test_deletions_and_fields_of_samples_are_carried_over(copied):
    original = originals(copied)[0]
    box, _ = boxes_of_copies(copied, original)
    edited = copied.edit(
        {"do": "delete", "annotation": box.ann_id},
        {"do": "set-split", "sample": original.sample_id, "split": "val"},
        {"do": "set-metadata", "sample": original.sample_id, "metadata": {"weather": "fog"}},
        carry_over=True,
    )
    assert (edited.deleted, edited.samples, edited.carried) == (3, 3, 6)
    assert copied.state.count()["annotations"] == 21
    of_copies = [s for s in copied.state.iter_samples() if s.parent_id == original.sample_id]
    assert {(s.split, s.metadata["weather"]) for s in of_copies} == {("val", "fog")}


def test_shapes_and_new_annotations_are_named_as_not_carried(copied):
    original = originals(copied)[0]
    box, before = boxes_of_copies(copied, original)
    edited = copied.edit(
        {"do": "set-shape", "annotation": box.ann_id, "bbox": [1, 1, 9, 9]},
        {"do": "add", "sample": original.sample_id, "class": "car", "kind": "box", "bbox": [1, 1, 5, 5]},
        carry_over=True,
    )
    assert (edited.copies, edited.carried) == (4, 0)
    assert {reason.partition(":")[0]: n for reason, n in edited.not_carried.items()} == {
        "shape": 2,
        "added": 2,
    }
    assert copies(copied, original, box.ann_id) == before
    transform.transform(copied.actor, "shop", SMALL, store=copied.store)
    assert copies(copied, original, box.ann_id)["small"].bbox_xywh_px != before["small"].bbox_xywh_px


def test_a_copy_without_the_label_and_an_edit_of_a_copy_concern_no_other(copied):
    original = originals(copied)[0]
    box, of_copies = boxes_of_copies(copied, original)
    edited = copied.edit({"do": "delete", "annotation": of_copies["mirror"].ann_id}, carry_over=True)
    assert (edited.copies, edited.deleted) == (0, 1)
    edited = copied.edit({"do": "delete", "annotation": box.ann_id}, carry_over=True)
    assert (edited.copies, edited.deleted) == (1, 2)


def test_an_edit_of_a_copy_in_the_same_list_is_not_overwritten_by_a_deletion(copied):
    original = originals(copied)[0]
    box, of_copies = boxes_of_copies(copied, original)
    edited = copied.edit(
        {"do": "delete", "annotation": of_copies["small"].ann_id},
        {"do": "set-attributes", "annotation": box.ann_id, "attributes": {"n": 1}},
        carry_over=True,
    )
    assert (edited.deleted, edited.changed, edited.carried) == (1, 2, 1)
