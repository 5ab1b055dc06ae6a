"""Classes mapped onto others: counted first, then done as one edit."""

from __future__ import annotations

import pytest
from tests.support.recipes import dataset

from calotype.datasets import service as datasets
from calotype.transform.model import ClassMappingInvalid
from calotype.transform.service import map_classes
from calotype.vision.ontology import ClassUnknown


@pytest.fixture
def streets(owner, workspace):
    """Three cars (class 0) in ground_truth, three signs (class 2) in model:one, no person (class 1)."""
    dataset(owner, workspace)
    return lambda: datasets.read(owner, "streets", store=workspace)


def ids_by_set(snapshot):
    return {
        name: snapshot.annotations(name, columns=["class_id"])["class_id"].to_pylist()
        for name in snapshot.label_sets
    }


def test_a_dry_run_counts_and_changes_nothing(owner, workspace, streets):
    before = streets().state_sha256
    report = map_classes(owner, "streets", {"car": "vehicle", "sign": None}, store=workspace)
    assert report.to_dict() == {
        "applied": False,
        "classes": [
            {
                "old": "sign",
                "new": None,
                "action": "dropped",
                "annotations": 3,
                "by_label_set": {"model:one": 3},
            },
            {
                "old": "car",
                "new": "vehicle",
                "action": "renamed",
                "annotations": 3,
                "by_label_set": {"ground_truth": 3},
            },
        ],
        "new_classes": [],
        "moved": 0,
        "dropped": 3,
    }
    assert streets().state_sha256 == before


def test_a_rename_keeps_the_class_id(owner, workspace, streets):
    report = map_classes(owner, "streets", {"car": "vehicle"}, store=workspace, dry_run=False)
    assert report.applied
    assert streets().ontology.names == ("vehicle", "person", "sign")
    assert ids_by_set(streets()) == {"ground_truth": [0, 0, 0], "model:one": [2, 2, 2]}


def test_a_class_is_merged_into_one_that_stays(owner, workspace, streets):
    report = map_classes(owner, "streets", {"sign": "car"}, store=workspace, dry_run=False)
    assert (report.moved, report.dropped, report.new_classes) == (3, 0, ())
    assert streets().ontology.names == ("car", "person")
    assert ids_by_set(streets()) == {"ground_truth": [0, 0, 0], "model:one": [0, 0, 0]}


def test_several_classes_become_a_new_one(owner, workspace, streets):
    report = map_classes(owner, "streets", {"car": "thing", "sign": "thing"}, store=workspace, dry_run=False)
    assert (report.moved, report.new_classes) == (6, ("thing",))
    assert [(c.id, c.name) for c in streets().ontology.classes] == [(1, "person"), (3, "thing")]
    assert ids_by_set(streets()) == {"ground_truth": [3, 3, 3], "model:one": [3, 3, 3]}


def test_a_dropped_class_goes_with_its_annotations(owner, workspace, streets):
    map_classes(owner, "streets", {"sign": None}, store=workspace, dry_run=False)
    assert streets().ontology.names == ("car", "person")
    assert streets().count() == {"samples": 3, "annotations": 3}
    assert streets().ontology.next_id == 3


def test_two_classes_can_swap_their_names(owner, workspace, streets):
    map_classes(owner, "streets", {"car": "sign", "sign": "car"}, store=workspace, dry_run=False)
    assert [(c.id, c.name) for c in streets().ontology.classes] == [(0, "sign"), (1, "person"), (2, "car")]
    assert ids_by_set(streets()) == {"ground_truth": [0, 0, 0], "model:one": [2, 2, 2]}


def test_mapping_a_class_to_itself_does_nothing(owner, workspace, streets):
    before = streets().state_sha256
    assert map_classes(owner, "streets", {"car": "car"}, store=workspace, dry_run=False).changes == ()
    assert streets().state_sha256 == before


def test_an_unknown_class_is_refused_with_the_one_that_was_meant(owner, workspace, streets):
    before = streets().state_sha256
    with pytest.raises(ClassUnknown) as caught:
        map_classes(owner, "streets", {"sing": None}, store=workspace, dry_run=False)
    assert "did you mean sign?" in caught.value.remedy
    assert streets().state_sha256 == before


@pytest.mark.parametrize("mapping", [{}, {"car": " "}], ids=["empty", "no name"])
def test_a_mapping_that_says_nothing_is_refused(owner, workspace, streets, mapping):
    with pytest.raises(ClassMappingInvalid):
        map_classes(owner, "streets", mapping, store=workspace)


def test_the_edit_is_in_the_audit_with_its_counts(owner, workspace, streets):
    map_classes(owner, "streets", {"sign": "car"}, store=workspace, dry_run=False)
    with workspace.catalog.read() as conn:
        verb, details = conn.exec_driver_sql(
            "select verb, details from audit order by seq desc limit 1"
        ).one()
    assert verb == "transform.map_classes"
    assert '"moved": 3' in details
