"""Migrations of the ontology: counted first, then done as one edit that can be undone exactly."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from tests.support.labels_at import dataset_of

from calotype.annotate import service as annotate
from calotype.datasets import service as datasets
from calotype.datasets.rows import annotation_table
from calotype.foundation.actor import Actor, Guard, RoleOn
from calotype.foundation.errors import NotPermitted
from calotype.govern.rules import RoleRules
from calotype.guidelines import service
from calotype.guidelines.model import Migration, MigrationInvalid
from calotype.vision.ontology import Attribute, Class, ClassUnknown, Ontology

ONTOLOGY = Ontology(
    (
        Class(0, "car", attributes=(Attribute("occluded", "boolean", required=True, default=False),)),
        Class(1, "van", attributes=(Attribute("load", "choice", choices=("full", "empty")),), parent=0),
        Class(2, "person", keypoints=("nose", "ear"), skeleton=((0, 1),)),
        Class(3, "rider", keypoints=("nose",)),
    )
)
LABELS = {
    "ground_truth": [
        {"sample": "a", "class_id": 0, "attributes": {"occluded": True}},
        {"sample": "a", "class_id": 1, "attributes": {"load": "full"}},
        {"sample": "a~1", "class_id": 1},
        {"sample": "b", "class_id": 2},
        {"sample": "b", "class_id": 3, "kind": "keypoints"},
    ],
    "model:one": [{"sample": "b", "class_id": 1}, {"sample": "b", "class_id": 1}],
}


@pytest.fixture
def roads(owner, workspace):
    """Labels of two label sets; `a~1` is a copy of `a`. Returns a function that reads the state."""
    dataset_of(owner, workspace, ONTOLOGY, LABELS, copies={"a~1": "a"})
    return lambda: datasets.read(owner, "roads", store=workspace)


@pytest.fixture
def migrate(owner, workspace, roads):
    """Do a migration; the dry run before it said the same."""

    def run(**changes):
        migration = Migration(**changes)
        before = roads().state_sha256
        planned = service.migrate_ontology(owner, "roads", migration, store=workspace)
        assert roads().state_sha256 == before
        done = service.migrate_ontology(owner, "roads", migration, store=workspace, dry_run=False)
        assert done == replace(planned, applied=True)
        return done

    return run


def labels(snapshot, label_set="ground_truth"):
    """(class, attributes) of all labels, sorted."""
    table = snapshot.annotations(label_set, columns=["class_id", "attributes"]).to_pylist()
    name = {c.id: c.name for c in snapshot.ontology.classes}
    return sorted((name[row["class_id"]], row["attributes"] or "") for row in table)


def test_a_rename_keeps_every_row(roads, migrate):
    pins = roads().pins
    done = migrate(rename={"car": "vehicle"})
    assert (done.written, done.deleted, done.classes[0].to) == (0, 0, ("vehicle",))
    assert done.classes[0].labels == 1
    assert roads().pins == pins
    assert roads().ontology.names == ("vehicle", "van", "person", "rider")


def test_a_merge_moves_the_labels_of_all_label_sets_and_of_copies(roads, migrate):
    done = migrate(merge={"car": ("van",)})
    assert (done.written, done.samples) == (4, 3)
    assert done.classes[0].to_dict() == {
        "class": "van",
        "action": "merged",
        "to": ["car"],
        "labels": 4,
        "by_label_set": {
            "ground_truth": {"labels": 2, "samples": 2},
            "model:one": {"labels": 2, "samples": 1},
        },
        "notes": [
            "its attribute load is taken over, not required",
            "4 labels lack occluded, which car requires",
        ],
    }
    assert labels(roads())[:3] == [("car", ""), ("car", '{"load":"full"}'), ("car", '{"occluded":true}')]
    assert [one.name for one in roads().ontology.by_name("car").attributes] == ["occluded", "load"]
    assert roads().ontology.by_name("van") is None


def test_classes_merge_into_a_new_one(roads, migrate):
    done = migrate(merge={"vehicle": ("car", "van")})
    assert done.new_classes == ("vehicle",)
    assert done.written == 5
    assert roads().ontology.names == ("person", "rider", "vehicle")
    assert roads().ontology.by_name("vehicle").parent is None


def test_keypoints_of_another_skeleton_are_never_merged(roads, owner, workspace):
    before = roads().state_sha256
    with pytest.raises(MigrationInvalid, match="1 keypoint labels of 'rider' follow another skeleton"):
        service.migrate_ontology(
            owner, "roads", Migration(merge={"person": ("rider",)}), store=workspace, dry_run=False
        )
    assert roads().state_sha256 == before


def test_a_split_keeps_the_labels_and_adds_the_parts(roads, migrate):
    done = migrate(split={"van": ("minivan", "truck")})
    assert (done.written, done.to_sort, done.new_classes) == (0, 4, ("minivan", "truck"))
    van = roads().ontology.by_name("van")
    assert van.retired
    assert [roads().ontology.by_id(part).name for part in van.split_into] == ["minivan", "truck"]
    assert roads().ontology.by_name("truck").attributes == van.attributes


def test_a_retired_class_keeps_its_labels_and_takes_no_new_ones(roads, migrate, owner, workspace):
    done = migrate(retire=("van",))
    assert (done.written, done.deleted, done.classes[0].labels) == (0, 0, 4)
    kept = roads().annotations(columns=["ann_id", "class_id", "sample_id"]).to_pylist()
    person = next(row for row in kept if row["class_id"] == 2)
    change = [{"do": "set-class", "annotation": person["ann_id"], "class": "van"}]
    with pytest.raises(Exception, match="retired"):
        annotate.edit(owner, "roads", change, store=workspace)


def test_labels_of_a_retired_class_move_only_when_asked(roads, migrate):
    done = migrate(retire=("van",), to="car")
    assert (done.written, done.classes[0].action) == (4, "moved")
    assert [name for name, _ in labels(roads())].count("car") == 3
    assert roads().ontology.by_name("van").retired


def test_labels_of_a_retired_class_are_deleted_only_when_asked(roads, migrate):
    done = migrate(retire=("van",), delete_labels=True)
    assert (done.written, done.deleted) == (0, 4)
    assert [name for name, _ in labels(roads())] == ["car", "person", "rider"]


def test_attributes_are_renamed_filled_and_changed(roads, migrate):
    migrate(map_values={"van.load": {"full": "laden"}}, fill_attributes=("car.occluded",))
    migrate(rename_attributes={"van.load": "cargo"})
    assert ("van", '{"cargo":"laden"}') in labels(roads())
    assert roads().ontology.by_name("van").attribute("cargo").choices == ("laden", "empty")


def test_a_dropped_attribute_keeps_its_values_until_asked(roads, migrate):
    done = migrate(drop_attributes=("van.load",))
    assert (done.written, done.classes[0].notes[-1]) == (0, "1 labels keep a value of load")
    assert ("van", '{"load":"full"}') in labels(roads())


def test_dropped_values_are_removed_when_asked(roads, migrate):
    done = migrate(drop_attributes=("van.load",), delete_values=True)
    assert done.written == 1
    assert ("van", '{"load":"full"}') not in labels(roads())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"merge": {"lorry": ("car",)}},
        {"split": {"car": ("car", "bus")}},
        {"retire": ("car",), "to": "car"},
        {"retire": ("car",), "to": "van", "delete_labels": True},
        {"rename_attributes": {"car.wheels": "rims"}},
        {"fill_attributes": ("van.load",)},
        {"map_values": {"van.load": {"half": "full"}}},
        {"map_values": {"car.occluded": {"a": "b"}}},
        {"retire": ("van",), "merge": {"x": ("car", "person")}, "split": {"x": ("y", "z")}, "to": "x"},
    ],
)
def test_what_cannot_be_done_is_refused(roads, owner, workspace, changes):
    before = roads().state_sha256
    with pytest.raises(MigrationInvalid):
        service.migrate_ontology(owner, "roads", Migration(**changes), store=workspace, dry_run=False)
    assert roads().state_sha256 == before


def test_an_unknown_class_is_refused_with_the_closest_name(roads, owner, workspace):
    with pytest.raises(ClassUnknown, match="did you mean car"):
        service.migrate_ontology(owner, "roads", Migration(retire=("cat",)), store=workspace)


def test_only_who_may_change_the_ontology_undoes_a_change_of_it(roads, migrate, workspace):
    migrate(merge={"car": ("van",)})
    editor = Actor("person:e", "eve", roles=(), grants=(RoleOn("data-engineer", "roads"),))
    guarded = replace(workspace, guard=Guard(RoleRules()))
    with pytest.raises(NotPermitted, match=r"guideline\.edit"):
        annotate.undo_edit(editor, "roads", store=guarded)


@pytest.mark.parametrize("seed", range(8))
def test_any_migration_is_counted_exactly_and_undone_exactly(owner, workspace, seed):
    draw = random.Random(seed)
    kinds = ["box", "polygon"]
    values = [{}, {"occluded": True}, {"load": "full", "n": 3}, {"occluded": "no"}]
    given = {
        name: [
            {
                "sample": f"s{draw.randrange(30)}",
                "class_id": draw.randrange(4),
                "kind": draw.choice(kinds),
                "attributes": draw.choice(values),
            }
            for _ in range(200)
        ]
        for name in ("ground_truth", "model:one")
    }
    dataset_of(owner, workspace, ONTOLOGY, given)

    def state():
        snapshot = datasets.read(owner, "roads", store=workspace)
        tables = {name: snapshot.rows_of(annotation_table(name)).to_pylist() for name in given}
        return {name: {row["ann_id"]: row for row in rows} for name, rows in tables.items()}

    before, ontology = state(), datasets.read(owner, "roads", store=workspace).ontology
    migration = draw.choice(
        [
            Migration(merge={"thing": ("car", "van", "person")}, fill_attributes=("thing.occluded",)),
            Migration(merge={"car": ("van",)}, retire=("rider",), delete_labels=True),
            Migration(retire=("van", "rider"), to="car", rename_attributes={"van.load": "cargo"}),
            Migration(rename={"car": "auto"}, drop_attributes=("van.load",), delete_values=True),
        ]
    )
    done = service.migrate_ontology(owner, "roads", migration, store=workspace, dry_run=False)
    after = state()
    gone = sum(len(before[name]) - len(after[name]) for name in before)
    facts = ("class_id", "attributes")
    written = [
        row
        for name, rows in after.items()
        for key, row in rows.items()
        if any((row[f] or "") != (before[name][key][f] or "") for f in facts)
    ]
    removed = [row for name, rows in before.items() for key, row in rows.items() if key not in after[name]]
    assert (done.written, done.deleted) == (len(written), gone)
    assert done.samples == len({row["sample_id"] for row in [*written, *removed]})
    others = [name for name in written[0] if name not in (*facts, "import_id")] if written else []
    for name, rows in after.items():
        for key, row in rows.items():
            assert all(row[field] == before[name][key][field] for field in others)
            json.loads(row["attributes"] or "{}")
    annotate.undo_edit(owner, "roads", store=workspace)
    assert state() == before
    assert datasets.read(owner, "roads", store=workspace).ontology == ontology
