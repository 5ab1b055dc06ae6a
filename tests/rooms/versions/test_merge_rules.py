"""The base of a merge, and rules that are clearer as examples than as generated histories."""

from __future__ import annotations

import pytest
from tests.support.histories import GROUND_TRUTH, annotation_row, sample_row

from calotype.datasets import rows
from calotype.versions.merge_rows import merge_lists, merge_objects
from calotype.versions.merge_rules import common_ancestor, merge
from calotype.versions.model import DecodedDocuments, RowEdit, Side


@pytest.mark.parametrize(
    ("parents", "a", "b", "base"),
    [
        ({"1": [], "2": ["1"], "3": ["1"]}, "2", "3", "1"),
        ({"1": [], "2": ["1"]}, "2", "1", "1"),
        ({"1": [], "2": ["1"], "3": ["1"], "4": ["2", "3"], "5": ["3"]}, "4", "5", "3"),
        # crossed: both took the other in; 2 and 3 are common, neither leads to the other
        ({"1": [], "2": ["1"], "3": ["1"], "4": ["2", "3"], "5": ["3", "2"]}, "4", "5", "3"),
        ({"1": [], "2": []}, "1", "2", None),
    ],
    ids=["fork", "ancestor", "merged before", "crossed: the newest", "strangers"],
)
def test_the_base_is_the_lowest_common_commit(parents, a, b, base):
    times = {key: int(key) for key in parents}
    assert common_ancestor(parents, times, a, b) == base
    assert common_ancestor(parents, times, b, a) == base


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (["wet"], ["wet", "night"], ["wet", "dusk"], ["wet", "dusk", "night"]),
        (["wet", "night"], ["night"], ["wet", "night", "rain"], ["night", "rain"]),
        (["b", "a"], ["b", "a"], ["a", "b"], ["a", "b"]),
        (None, ["a"], ["b"], ["a", "b"]),
    ],
    ids=["both add", "one removes", "only the order", "no base"],
)
def test_tags_merge_as_sets(base, ours, theirs, merged):
    assert merge_lists(base, ours, theirs) == merged


@pytest.mark.parametrize(
    ("ours", "theirs", "merged", "conflicting"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "c": 3}, {"a": 1, "b": 2, "c": 3}, []),
        ({"a": 2}, {"a": 3}, {"a": 2}, ["a"]),
        ({}, {"a": 3}, {}, ["a"]),
        ({}, {"a": 1}, {}, []),
        ({"a": 1.0}, {"a": 1}, {"a": 1.0}, []),
        ({"a": True}, {"a": 1.0}, {"a": True}, ["a"]),
    ],
    ids=["other keys", "two values", "removed and changed", "removed", "another type", "two types"],
)
def test_objects_merge_key_by_key(ours, theirs, merged, conflicting):
    found, keys = merge_objects({"a": 1}, ours, theirs)
    assert (found, keys) == (merged, conflicting)
    assert {key: type(value) for key, value in found.items()} == {key: type(v) for key, v in merged.items()}


def test_a_restored_annotation_keeps_its_class():
    base = DecodedDocuments(ontology={"classes": [{"id": 0, "name": "car"}, {"id": 1, "name": "dog"}]})
    without_dog = DecodedDocuments(ontology={"classes": [{"id": 0, "name": "car"}]})
    added = {"a1": RowEdit(None, annotation_row("a1", "s0", 0))}
    removed = {
        rows.SAMPLES: {"s0": RowEdit(sample_row("s0", 0, "0.png"), None)},
        GROUND_TRUTH: {"a0": RowEdit(annotation_row("a0", "s0", 1), None)},
    }
    ours, theirs = Side(base, {GROUND_TRUTH: added}, frozenset({0})), Side(without_dog, removed)
    result = merge(base, ours, theirs)
    assert [(c.kind, c.row_id) for c in result.open] == [("edit-delete", "s0")]
    assert result.rows[GROUND_TRUTH]["a0"] == annotation_row("a0", "s0", 1)
    assert [entry["name"] for entry in result.documents.ontology["classes"]] == ["car", "dog"]
    settled = merge(base, ours, theirs, "theirs")
    assert [entry["name"] for entry in settled.documents.ontology["classes"]] == ["car"]


def test_definitions_merge_field_by_field_and_parents_get_new_ids():
    car = {"id": 0, "name": "car"}
    base = DecodedDocuments(ontology={"classes": [car], "next_id": 1})
    ours = DecodedDocuments(
        ontology={"classes": [{**car, "definition": "four wheels"}, {"id": 1, "name": "bus"}], "next_id": 2}
    )
    theirs = DecodedDocuments(
        ontology={
            "classes": [
                {**car, "colour": "#ff0000", "split_into": [1, 2]},
                {"id": 1, "name": "van"},
                {"id": 2, "name": "lorry", "parent": 1},
            ],
            "next_id": 3,
        }
    )
    result = merge(base, Side(ours, {}), Side(theirs, {}))
    assert not result.open
    merged = {entry["name"]: entry for entry in result.documents.ontology["classes"]}
    assert merged["car"] == {**car, "definition": "four wheels", "colour": "#ff0000", "split_into": [3, 2]}
    assert (merged["van"]["id"], merged["lorry"]["parent"]) == (3, 3)
