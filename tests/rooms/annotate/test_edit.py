"""Small edits: each kind does what it says, nothing invalid gets in, nobody overwrites what they have not seen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from calotype.annotate import service
from calotype.annotate.model import EditIdTaken, EditOutdated, EditsInvalid, EditTargetNotFound
from calotype.annotate.service import EditOptions
from calotype.datasets.model import Kind
from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.foundation.ids import uuid7
from calotype.foundation.json_limits import RequestInvalid
from calotype.versions.blame import blame
from calotype.vision import masks

L = (10.0, 10.0, 30.0, 10.0, 30.0, 40.0)


def mask_of_a_pixel(width: int, height: int) -> dict[str, object]:
    """A mask whose pixels (3..4, 5) are set."""
    grid = [[int(y == 5 and 3 <= x < 5) for x in range(width)] for y in range(height)]
    return {"size": [height, width], "counts": masks.to_string(masks.encode(grid))}


def test_a_class_changes_and_the_row_has_a_new_author(shop):
    box = shop.box()
    other = "dog" if box.class_id == 0 else "car"
    edited = shop.edit({"do": "set-class", "annotation": box.ann_id, "class": other})
    after = shop.annotation(box.ann_id)
    assert shop.state.ontology.by_id(after.class_id).name == other
    assert after == replace(box, class_id=after.class_id, author=shop.actor.name)
    assert (edited.changed, edited.added, edited.deleted, edited.samples) == (1, 0, 0, 0)
    assert edited.what == f"class of 1 annotation set to {other}"
    commit = shop.commit()
    (blamed,) = blame(shop.actor, "shop", box.ann_id, store=shop.store)
    assert commit in str(blamed)


def test_attributes_are_merged_and_null_removes_one(shop):
    ann_id = shop.box().ann_id
    shop.edit({"do": "set-attributes", "annotation": ann_id, "attributes": {"occluded": True, "note": "x"}})
    shop.edit({"do": "set-attributes", "annotation": ann_id, "attributes": {"note": None, "n": 3}})
    assert dict(shop.annotation(ann_id).attributes) == {"occluded": True, "n": 3}


@pytest.mark.parametrize(
    ("kind", "shape", "box", "area"),
    [
        ("box", {"bbox": [1, 2, 3, 4]}, (1, 2, 3, 4), 12),
        ("polygon", {"rings": [list(L)]}, (10, 10, 20, 30), 300),
        ("polyline", {"rings": [[1, 1, 5, 1]]}, (1, 1, 4, 0), None),
        ("point", {"rings": [[7, 8]]}, (7, 8, 0, 0), None),
        ("rotated_box", {"rotated": [20, 20, 10, 4, 90]}, (18, 15, 4, 10), 40),
        ("rotated_box", {"rings": [[10, 10, 20, 10, 20, 15, 10, 15]]}, (10, 10, 10, 5), 50),
        ("ellipse", {"rotated": [20, 20, 10, 4, 0]}, (15, 18, 10, 4), pytest.approx(31.4, abs=0.1)),
        ("keypoints", {"keypoints": [1, 1, 2, 9, 5, 1, 0, 0, 0]}, (1, 1, 8, 4), 32),
        ("classification", {}, None, None),
    ],
)
def test_every_kind_is_drawn_and_redrawn(shop, kind, shape, box, area):
    sample, ann_id = shop.sample(), uuid7()
    edited = shop.edit(
        {"do": "add", "sample": sample.sample_id, "annotation": ann_id, "class": "car", "kind": kind, **shape}
    )
    added = shop.annotation(ann_id)
    assert (str(added.kind), added.area_px, added.author) == (kind, area, shop.actor.name)
    assert added.bbox_xywh_px == (None if box is None else pytest.approx(box))
    assert edited.rows[0].annotation == ann_id
    redrawn = shop.box(1)
    shop.edit({"do": "set-shape", "annotation": redrawn.ann_id, "kind": kind, **shape})
    assert shop.annotation(redrawn.ann_id).rings_px == added.rings_px
    assert shop.annotation(redrawn.ann_id).bbox_xywh_px == added.bbox_xywh_px


def test_a_mask_gets_its_box_and_area(shop):
    sample = shop.sample()
    mask = mask_of_a_pixel(sample.width_px, sample.height_px)
    ann_id = (
        shop.edit({"do": "add", "sample": sample.sample_id, "class": "car", "kind": "mask", "mask": mask})
        .rows[0]
        .annotation
    )
    added = shop.annotation(ann_id)
    assert (added.kind, added.bbox_xywh_px, added.area_px) == (Kind.MASK, (3, 5, 2, 1), 2)


def test_samples_are_edited(shop):
    sample_id = shop.sample().sample_id
    of = {"sample": sample_id}
    edited = shop.edit(
        {"do": "set-split", **of, "split": "train"},
        {"do": "set-tags", **of, "tags": ["a", "b", "a"]},
        {"do": "remove-tags", **of, "tags": ["a"]},
        {"do": "add-tags", **of, "tags": ["c"]},
        {"do": "set-metadata", **of, "metadata": {"weather": "rain", "hour": 7}},
        {"do": "set-metadata", **of, "metadata": {"hour": None}},
    )
    sample = shop.state.sample(sample_id)
    assert (sample.split, sample.tags, dict(sample.metadata)) == ("train", ("b", "c"), {"weather": "rain"})
    assert edited.samples == 1
    assert shop.state.ids("weather = 'rain'") == [sample_id]


@pytest.mark.parametrize(
    ("edit", "where"),
    [
        ({"do": "jump"}, "edits[1].do"),
        ({"do": "delete"}, "edits[1]"),
        ({"do": "set-class", "class": "cat"}, "edits[1].class"),
        ({"do": "set-class", "class": 3}, "edits[1].class"),
        ({"do": "set-shape", "bbox": [1, 2, 3]}, "edits[1].bbox"),
        ({"do": "set-shape", "bbox": [1, 2, 0, 4]}, "edits[1].bbox"),
        ({"do": "set-shape", "bbox": [1, 2, "3", 4]}, "edits[1].bbox[2]"),
        ({"do": "set-shape", "bbox": [1, 2, 3, 1e7]}, "edits[1].bbox"),
        ({"do": "set-shape", "bbox": [9_000, 2, 3, 4]}, "edits[1]"),
        ({"do": "set-shape", "rings": [list(L)]}, "edits[1].rings"),
        ({"do": "set-shape", "kind": "blob", "bbox": [1, 2, 3, 4]}, "edits[1].kind"),
        ({"do": "set-shape", "kind": "polygon", "rings": [[1, 1, 2, 2]]}, "edits[1].rings"),
        ({"do": "set-shape", "kind": "polygon", "rings": [[1, 1, 2, 2, 3, 3]]}, "edits[1].rings"),
        ({"do": "set-shape", "kind": "rotated_box", "rings": [[0, 0, 9, 0, 9, 9, 5, 30]]}, "edits[1].rings"),
        ({"do": "set-shape", "kind": "mask", "mask": {"size": [4, 4], "counts": "~~"}}, "edits[1].mask"),
        ({"do": "set-shape", "kind": "keypoints", "keypoints": [1, 1, 3]}, "edits[1].keypoints"),
        ({"do": "set-shape"}, "edits[1]"),
        ({"do": "set-attributes", "attributes": {"": 1}}, "edits[1].attributes"),
        ({"do": "set-class", "class": "dog", "seen": {"colour": 1}}, "edits[1].seen"),
    ],
)
def test_an_invalid_edit_is_named_and_nothing_is_applied(shop, edit, where):
    before = shop.rows()
    target = {} if edit["do"] == "delete" else {"annotation": shop.box().ann_id}
    with pytest.raises(EditsInvalid) as raised:
        shop.edit({"do": "delete", "annotation": shop.box(1).ann_id}, edit | target)
    assert raised.value.where == where
    assert shop.rows() == before
    assert shop.verbs() == []


def test_not_a_number_and_lists_of_a_wrong_size_are_refused(shop):
    ann_id = shop.box().ann_id
    with pytest.raises(RequestInvalid):
        shop.edit({"do": "set-shape", "annotation": ann_id, "bbox": [1, 2, 3, float("nan")]})
    with pytest.raises(EditsInvalid, match="1 to 10,000 edits"):
        shop.edit()


def test_a_field_of_another_type_is_named(shop):
    sample_id = shop.sample().sample_id
    edits = [
        {"do": "set-metadata", "sample": sample_id, "metadata": {"hour": value}} for value in (7, "seven")
    ]
    with pytest.raises(EditsInvalid, match="earlier values are int") as raised:
        shop.edit(*edits)
    assert raised.value.where == "edits[1].metadata"


def test_what_does_not_exist_is_named(shop):
    with pytest.raises(EditTargetNotFound) as raised:
        shop.edit({"do": "delete", "annotation": "f" * 32})
    assert "f" * 32 in str(raised.value)
    with pytest.raises(EditTargetNotFound):
        shop.edit({"do": "set-split", "sample": "f" * 32, "split": "val"})


@pytest.mark.parametrize("given", ["x", "f" * 32, "01a227a5-140f-8000-8843-bca7b7063e00"])
def test_an_id_of_a_client_is_a_random_uuid_that_is_new(shop, given):
    add = {"do": "add", "sample": shop.sample().sample_id, "class": "car", "kind": "classification"}
    with pytest.raises(EditsInvalid, match="UUID"):
        shop.edit(add | {"annotation": given})
    ann_id = uuid7()
    shop.edit(add | {"annotation": ann_id})
    with pytest.raises(EditsInvalid, match="exists already"):
        shop.edit(add | {"annotation": ann_id})


def test_an_edit_on_a_row_that_somebody_changed_is_a_conflict(shop):
    box = shop.box()
    seen = {"class": "car" if box.class_id == 0 else "dog", "bbox": list(box.bbox_xywh_px)}
    first = shop.edit({"do": "set-shape", "annotation": box.ann_id, "bbox": [1, 1, 9, 9], "seen": seen})
    with pytest.raises(EditOutdated) as raised:
        shop.edit({"do": "set-shape", "annotation": box.ann_id, "bbox": [2, 2, 9, 9], "seen": seen})
    assert (raised.value.fields["got"], raised.value.where) == (box.ann_id, "edits[0]")
    token = first.rows[0].seen
    shop.edit({"do": "set-shape", "annotation": box.ann_id, "bbox": [2, 2, 9, 9], "seen": token})
    with pytest.raises(EditOutdated):
        shop.edit({"do": "set-shape", "annotation": box.ann_id, "bbox": [3, 3, 9, 9], "seen": token})
    shop.edit({"do": "delete", "annotation": box.ann_id})
    with pytest.raises(EditOutdated, match="deleted"):
        shop.edit({"do": "delete", "annotation": box.ann_id, "seen": token})
    assert shop.annotation(box.ann_id) is None


def test_two_writers_of_one_row_do_not_overwrite_each_other(shop):
    ann_id, box = shop.box().ann_id, list(shop.box().bbox_xywh_px)

    def move(x: int) -> bool:
        try:
            shop.edit({"do": "set-shape", "annotation": ann_id, "bbox": [x, 1, 5, 5], "seen": {"bbox": box}})
        except EditOutdated:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(move, range(1, 9)))
    assert sum(won) == 1
    assert shop.annotation(ann_id).bbox_xywh_px[0] == 1 + won.index(True)


def test_writers_of_different_rows_all_succeed(shop):
    ids = [shop.box(at).ann_id for at in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda ann_id: shop.edit({"do": "delete", "annotation": ann_id}), ids))
    assert shop.state.count()["annotations"] == 0
    assert len(shop.verbs()) == 8


def test_a_repeated_request_gets_the_first_answer_and_is_applied_once(shop):
    add = {
        "do": "add",
        "sample": shop.sample().sample_id,
        "class": "car",
        "kind": "box",
        "bbox": [1, 1, 5, 5],
    }
    first = shop.edit(add, request_id="request-1")
    shop.commit()
    again = shop.edit(add, request_id="request-1")
    assert again == replace(first, repeated=True)
    assert shop.state.count()["annotations"] == 9
    assert shop.verbs() == []
    with pytest.raises(EditIdTaken):
        shop.edit(add | {"class": "dog"}, request_id="request-1")


def test_the_same_request_at_once_is_applied_once(shop):
    add = {
        "do": "add",
        "sample": shop.sample().sample_id,
        "class": "car",
        "kind": "box",
        "bbox": [1, 1, 5, 5],
    }
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: shop.edit(add, request_id="request-1"), range(6)))
    assert len({answer.rows[0].annotation for answer in answers}) == 1
    assert sum(not answer.repeated for answer in answers) == 1
    assert shop.state.count()["annotations"] == 9


def test_an_edit_that_changes_nothing_leaves_the_branch_as_it_is(shop):
    box = shop.box()
    name = "car" if box.class_id == 0 else "dog"
    edited = shop.edit({"do": "set-class", "annotation": box.ann_id, "class": name}, request_id="request-1")
    assert (edited.edit, edited.changed) == ("", 0)
    assert shop.verbs() == []


def test_edits_of_one_list_follow_each_other(shop):
    ann_id, sample_id = uuid7(), shop.sample().sample_id
    edited = shop.edit(
        {
            "do": "add",
            "annotation": ann_id,
            "sample": sample_id,
            "class": "car",
            "kind": "box",
            "bbox": [1, 1, 5, 5],
        },
        {"do": "set-class", "annotation": ann_id, "class": "dog", "seen": {"class": "car"}},
        {"do": "add", "sample": sample_id, "class": "car", "kind": "box", "bbox": [1, 1, 6, 6]},
    )
    assert edited.added == 2
    assert shop.annotation(ann_id).class_id == 1
    assert shop.verbs() == ["annotate.edit"]


def test_who_may_not_edit_is_refused(shop):
    reader = Actor("r", "reader", roles=("auditor",))
    edits = [{"do": "delete", "annotation": shop.box().ann_id}]
    for call in (
        lambda: service.edit(reader, "shop", edits, store=shop.store, options=EditOptions()),
        lambda: service.undo_edit(reader, "shop", store=shop.store),
        lambda: service.redo_edit(reader, "shop", store=shop.store),
    ):
        with pytest.raises(NotPermitted):
            call()
