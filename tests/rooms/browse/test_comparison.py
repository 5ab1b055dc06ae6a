"""Two states compared: what differs, grouped by kind and class, and one sample before and after."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from tests.support.streets import Streets, box, sample

from calotype.browse.annotation_changes import ANNOTATION_CHANGES, annotation_changes
from calotype.browse.comparison import ChangeFilter, Comparison, Comparisons
from calotype.datasets import differences, service
from calotype.datasets.model import Kind
from calotype.datasets.snapshot import SampleNotFound

ALL = ChangeFilter()


@pytest.fixture
def streets(workspace, owner) -> Streets:
    return Streets(owner, workspace)


def state(streets: Streets, name: str):
    return service.read(streets.owner, name, store=streets.store)


def compared(streets: Streets) -> Comparison:
    return Comparison.of(state(streets, f"streets@{streets.first.id}"), state(streets, "streets"))


def edited(streets: Streets) -> Comparison:
    """One annotation of each kind of change, one sample retagged, one added, one removed."""
    streets.put(
        "streets",
        samples=[sample(0, tags=("night",), metadata={}), sample(7)],
        gone=["s3"],
        gone_boxes=["a3"],
        boxes=[
            box(0, 0, class_id=1, bbox_xywh_px=(1.0, 2.0, 10.0, 6.0)),
            box(1, 1, bbox_xywh_px=(3.5, 2.0, 5.0, 6.0)),
            box(2, 2, attributes={"occluded": True}),
            box(8, 7),
        ],
    )
    return compared(streets)


def test_changes_are_grouped_by_kind_and_class(streets):
    groups = {
        (group["change"], group["class_before"], group["class_after"]): group["annotations"]
        for group in edited(streets).counts()["groups"]
    }
    assert groups == {
        ("reclassified", "car", "dog"): 1,
        ("moved", "car", "car"): 1,
        ("edited", "car", "car"): 1,
        ("added", None, "car"): 1,
        ("removed", "car", None): 1,
    }


def test_counts_are_those_of_the_diff(streets):
    comparison = edited(streets)
    counts = comparison.counts()
    whole = differences.difference(comparison.before, comparison.after).to_dict()
    assert {name: counts[name] for name in whole} == whole


def test_samples_that_differ_themselves_come_first(streets):
    total, items = edited(streets).page(ALL, 0, 10)
    assert total == 5
    assert [(item["sample_id"], item["change"]) for item in items] == [
        ("s7", "added"),
        ("s3", "removed"),
        ("s0", "changed"),
        ("s1", "annotations"),
        ("s2", "annotations"),
    ]
    assert items[2]["kinds"]["reclassified"] == 1
    assert items[2]["annotations"] == {"added": 0, "removed": 0, "changed": 1}


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (ChangeFilter("moved"), ["s1"]),
        (ChangeFilter("reclassified", "car", "dog"), ["s0"]),
        (ChangeFilter("reclassified", "dog", "car"), []),
        (ChangeFilter(class_after="car"), ["s7", "s1", "s2"]),
    ],
)
def test_a_filter_leaves_the_samples_with_such_changes(streets, wanted, ids):
    assert edited(streets).ids(wanted) == ids


def test_pages_cover_the_list_once(streets):
    comparison = edited(streets)
    pages = [comparison.page(ALL, offset, 2)[1] for offset in (0, 2, 4)]
    assert [item["sample_id"] for page in pages for item in page] == comparison.ids(ALL)


def test_a_sample_is_shown_before_and_after(streets):
    value = edited(streets).sample("s0")
    (change,) = value["changes"]
    assert (change["change"], change["moved"], change["class_before"], change["class_after"]) == (
        "reclassified",
        True,
        "car",
        "dog",
    )
    assert change["iou"] == pytest.approx(0.5)
    assert [
        state["label_sets"]["ground_truth"][0]["class"] for state in (value["before"], value["after"])
    ] == [
        "car",
        "dog",
    ]
    assert value["fields"] == [{"field": "tags", "before": "", "after": "night"}]


def test_an_added_and_a_removed_sample_have_one_side(streets):
    comparison = edited(streets)
    assert comparison.sample("s7")["before"] is None
    assert comparison.sample("s3")["after"] is None
    with pytest.raises(SampleNotFound):
        comparison.sample("s99")


def test_equal_states_do_not_differ(streets):
    comparison = compared(streets)
    assert comparison.page(ALL, 0, 10) == (0, [])
    assert comparison.counts()["groups"] == []


def test_the_same_states_are_compared_once(streets):
    kept = Comparisons()
    streets.put("streets", gone=["s3"])
    before, after = state(streets, f"streets@{streets.first.id}"), state(streets, "streets")
    first = kept.of(before, after)
    assert kept.of(before, after) is first
    assert kept.of(after, before) is not first


@pytest.mark.parametrize("seed", range(5))
def test_random_edits_are_named_as_a_comparison_row_by_row_names_them(streets, seed):
    rng = random.Random(seed)
    before = streets.boxes()
    changed = [
        replace(
            annotation,
            class_id=rng.choice([0, 1]),
            bbox_xywh_px=(rng.choice([1.0, 4.0]), 2.0, 5.0, 6.0),
            attributes=rng.choice([{}, {"truncated": True}]),
        )
        for annotation in before.values()
    ]
    gone = rng.sample(sorted(before), 1)
    kept = [annotation for annotation in changed if annotation.ann_id not in gone]
    streets.put("streets", boxes=[*kept, box(9, 2)], gone_boxes=gone)
    after = streets.boxes()
    expected = {id_: kind for id_ in before | after if (kind := _named(before.get(id_), after.get(id_)))}
    table = annotation_changes(
        state(streets, f"streets@{streets.first.id}"), state(streets, "streets"), "ground_truth"
    )
    assert table.schema == ANNOTATION_CHANGES
    assert dict(zip(table["ann_id"].to_pylist(), table["change"].to_pylist(), strict=True)) == expected


def _named(before, after) -> str:
    if before is None or after is None:
        return "added" if before is None else "removed"
    if before.class_id != after.class_id:
        return "reclassified"
    if before.bbox_xywh_px != after.bbox_xywh_px:
        return "moved"
    return "" if before.attributes == after.attributes else "edited"


RING = (1.0, 1.0, 9.0, 1.0, 9.0, 8.0)
MOVED: dict[Kind, tuple[dict[str, Any], dict[str, Any]]] = {
    Kind.BOX: ({"bbox_xywh_px": (1.0, 2.0, 5.0, 6.0)}, {"bbox_xywh_px": (1.0, 2.0, 5.0, 7.0)}),
    Kind.POLYGON: ({"rings_px": (RING,)}, {"rings_px": ((*RING[:-1], 8.5),)}),
    Kind.MASK: ({"mask_rle": "04", "mask_size_hw": (2, 2)}, {"mask_rle": "13", "mask_size_hw": (2, 2)}),
    Kind.KEYPOINTS: ({"keypoints_xyv": (3.0, 3.0, 2)}, {"keypoints_xyv": (3.0, 3.0, 1)}),
}
"""A kind, and its shape before and after; the box around it stays the same, but for that of a box."""


@pytest.mark.parametrize("kind", MOVED)
def test_a_shape_that_changed_within_its_box_has_moved(streets, kind):
    around = {"bbox_xywh_px": (1.0, 1.0, 8.0, 8.0), "kind": kind}
    old, new = ({**around, **shape} for shape in MOVED[kind])
    streets.put("streets", boxes=[box(0, 0, **old)])
    before = state(streets, "streets")
    streets.put("streets", boxes=[box(0, 0, **new)])
    table = annotation_changes(before, state(streets, "streets"), "ground_truth")
    assert table["change"].to_pylist() == ["moved"]


def test_a_sample_knows_its_neighbours_in_the_filtered_list(streets):
    comparison = edited(streets)
    assert comparison.position(ALL, "s3") == {"index": 1, "total": 5, "previous": "s7", "next": "s0"}
    alone = {"index": 0, "total": 1, "previous": None, "next": None}
    assert comparison.position(ChangeFilter("moved"), "s1") == alone
    assert comparison.position(ChangeFilter("moved"), "s3") is None
