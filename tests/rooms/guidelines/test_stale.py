"""Stale labels: exactly those that a published change touches, against an oracle that goes row by row."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace

import pytest
from tests.support.labels_at import dataset_of, rows, sample

from calotype.annotate import service as annotate
from calotype.app import workspaces
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind
from calotype.guidelines import service
from calotype.guidelines.model import Migration
from calotype.guidelines.staleness import SECONDS
from calotype.store.catalog import schema
from calotype.vision.ontology import Attribute, Class, Ontology

ONTOLOGY = Ontology(
    (Class(0, "car", attributes=(Attribute("occluded", "boolean"),)), Class(1, "person"), Class(2, "sign"))
)


def record(store, owner, dataset_id, rows):
    """Where labels come from, as the room of labelling records it: id, version, time, measured milliseconds."""
    empty = {
        "batch_id": "",
        "assignment_id": "",
        "author": "",
        "reviewer": "",
        "origin": "drawn",
        "commit_id": "",
    }
    with store.catalog.write(owner, "test.record", subject="roads") as tx:
        for ann_id, version, at_us, active_ms in rows:
            row = {
                "dataset_id": dataset_id,
                "ann_id": ann_id,
                "label_set": "ground_truth",
                "guideline_version": version,
                "active_ms": active_ms,
                "at_us": at_us,
                **empty,
            }
            tx.conn.execute(schema.of_work.label_records.insert().values(row))


def publish(owner, store, *touches, name="roads"):
    return service.publish_guideline(owner, name, "text", touches=touches, changelog="x", store=store)


def test_nothing_is_stale_before_a_version_touches_it(owner, workspace):
    dataset_of(owner, workspace, ONTOLOGY, {"ground_truth": [{"sample": "a", "class_id": 0}]})
    publish(owner, workspace)
    assert service.stale(owner, "roads", store=workspace).to_dict() == {
        "labels": 0,
        "samples": 0,
        "hours": 0,
        "by_class": {},
        "copies": 0,
        "basis": "default",
        "label_set": "ground_truth",
        "version": 1,
    }
    assert service.stale_samples(owner, "roads", store=workspace) == []


def test_hours_are_measured_where_people_were_and_else_by_kind(owner, workspace):
    labels = [{"sample": "a", "class_id": 0, "id": "0" * 32}, {"sample": "a", "class_id": 0}]
    labels += [{"sample": "b", "class_id": 1}, {"sample": "b", "class_id": 1, "kind": "polygon"}]
    dataset_of(owner, workspace, ONTOLOGY, {"ground_truth": labels}, copies={"a~1": "a"})
    dataset_id = datasets.read(owner, "roads", store=workspace).dataset.id
    record(workspace, owner, dataset_id, [("0" * 32, 0, 10, 18_000)])
    publish(owner, workspace, "car", "person")
    stale = service.stale(owner, "roads", store=workspace)
    assert (stale.labels, stale.samples, stale.basis) == (4, 2, "both")
    assert (stale.by_class["car"].seconds_each, stale.by_class["car"].measured) == (18.0, True)
    seconds = SECONDS["box"] + SECONDS["polygon"]
    assert stale.by_class["person"].hours == round(seconds / 3600, 4)
    assert stale.hours == pytest.approx((36 + seconds) / 3600, abs=1e-3)


def test_a_label_that_somebody_changed_since_is_not_stale(owner, workspace):
    labels = [{"sample": "a", "class_id": 0, "id": f"{at:032x}"} for at in range(3)]
    dataset_of(owner, workspace, ONTOLOGY, {"ground_truth": labels})
    dataset_id = datasets.read(owner, "roads", store=workspace).dataset.id
    record(workspace, owner, dataset_id, [(f"{0:032x}", 1, 10, 9_000)])
    publish(owner, workspace)
    publish(owner, workspace, "car")
    bo = replace(owner, name="bo")
    edits = [
        {"do": "set-attributes", "annotation": f"{at:032x}", "attributes": {"occluded": True}}
        for at in (0, 1)
    ]
    annotate.edit(bo, "roads", edits, store=workspace)
    stale = service.stale(owner, "roads", store=workspace)
    assert (stale.labels, stale.by_class["car"].seconds_each) == (1, 9.0)
    annotate.undo_edit(bo, "roads", store=workspace)
    assert service.stale(owner, "roads", store=workspace).labels == 2


@pytest.mark.slow
def test_versions_readers_and_records_are_the_same_on_postgresql(postgres, tmp_path, owner):
    store = workspaces.create(owner, tmp_path / "ws", catalog=postgres.fresh())
    labels = [{"sample": "a", "class_id": 0, "id": f"{at:032x}"} for at in range(2)]
    dataset_of(owner, store, ONTOLOGY, {"ground_truth": labels})
    record(store, owner, datasets.read(owner, "roads", store=store).dataset.id, [(f"{0:032x}", 1, 10, 9_000)])
    service.new_guideline(owner, "roads", "draft", store=store)
    publish(owner, store)
    publish(owner, store, "car")
    assert service.stale(owner, "roads", store=store).labels == 2
    edits = [
        {"do": "set-attributes", "annotation": f"{at:032x}", "attributes": {"occluded": True}}
        for at in (0, 1)
    ]
    for attempt in (edits, edits[:1]):
        annotate.edit(replace(owner, name="bo"), "roads", attempt, store=store)
    assert service.stale(owner, "roads", store=store).labels == 0
    service.acknowledge(owner, "roads", store=store)
    assert service.acknowledge(owner, "roads", store=store).acknowledged_version == 2
    store.close()


def test_labels_of_a_split_class_are_stale_until_they_are_sorted(owner, workspace):
    labels = [{"sample": "a", "class_id": 0}, {"sample": "b", "class_id": 1}]
    dataset_of(owner, workspace, ONTOLOGY, {"ground_truth": labels})
    split = Migration(split={"car": ("van", "bus")})
    service.migrate_ontology(owner, "roads", split, store=workspace, dry_run=False)
    stale = service.stale(owner, "roads", store=workspace)
    assert (stale.labels, stale.by_class["car"].reasons) == (1, ("split",))
    snapshot = datasets.read(owner, "roads", store=workspace)
    row = snapshot.annotations().to_pylist()
    moved = next(r for r in row if r["class_id"] == 0)
    sorted_ = Annotation(moved["ann_id"], moved["sample_id"], Kind.BOX, 3, (1.0, 2.0, 3.0, 4.0))
    datasets.apply(owner, "roads", Change(put_annotations={"ground_truth": [sorted_]}), store=workspace)
    assert service.stale(owner, "roads", store=workspace).labels == 0


@pytest.mark.parametrize("seed", range(12))
def test_exactly_the_touched_labels_are_listed(owner, workspace, seed):
    draw = random.Random(seed)
    copies = {"s0~1": "s0", "s1~1": "s1"}
    dataset_of(owner, workspace, ONTOLOGY, {}, copies=copies)
    texts = [
        {},
        {"occluded": True},
        {"parked": True},
        {"note": "parked"},
        {"parked": False, "occluded": False},
    ]
    seeds = [{"sample": "s9", "class_id": c, "attributes": {"parked": True}} for c in range(3)]
    put(owner, workspace, seeds)
    published = []
    for _ in range(draw.randrange(1, 5)):
        names = ["car", "person", "car.occluded", "person.parked", "sign.parked"]
        published.append(publish(owner, workspace, *draw.sample(names, draw.randrange(3))))
    times = [one.published_at_us for one in published]
    labels = []
    for at in range(150):
        base = draw.choice([1, *times])
        labels.append(
            {
                "id": f"{at:032x}",
                "sample": draw.choice([*(f"s{n}" for n in range(9)), *copies]),
                "class_id": draw.randrange(3),
                "attributes": draw.choice(texts),
                "kind": draw.choice(["box", "polygon"]),
                "at_us": base + draw.choice([-1, 0, 0, 1]),
            }
        )
    put(owner, workspace, labels)
    snapshot = datasets.read(owner, "roads", store=workspace)
    records = {
        label["id"]: (draw.randrange(len(times) + 1), draw.choice([1, max(times) + 9]))
        for label in labels
        if draw.random() < 0.4
    }
    kept = [(key, version, at_us, draw.choice([0, 5_000])) for key, (version, at_us) in records.items()]
    record(workspace, owner, snapshot.dataset.id, kept)
    expected = oracle(snapshot, published, records)
    stale = service.stale(owner, "roads", store=workspace)
    assert stale.labels == len(expected)
    assert stale.samples == len({row["sample_id"] for row in expected})
    by_class = {name: one.labels for name, one in stale.by_class.items()}
    assert by_class == Counter(ONTOLOGY.names[row["class_id"]] for row in expected)
    samples = service.stale_samples(owner, "roads", store=workspace)
    assert samples == sorted({row["sample_id"] for row in expected})
    cars = service.stale_samples(owner, "roads", classes=["car"], store=workspace)
    assert cars == sorted({row["sample_id"] for row in expected if row["class_id"] == 0})


def put(owner, store, labels):
    known = set(datasets.read(owner, "roads", store=store).samples(columns=["name"])["name"].to_pylist())
    new = sorted({label["sample"] for label in labels} - known)
    change = Change(put_samples=[sample(one) for one in new], put_annotations={"ground_truth": rows(labels)})
    datasets.apply(owner, "roads", change, store=store)


def oracle(snapshot, published, records):
    """Stale rows, one by one, by the definition."""
    copies = {
        row["sample_id"]
        for row in snapshot.samples(columns=["sample_id", "parent_id"]).to_pylist()
        if row["parent_id"]
    }
    stale = []
    for row in snapshot.annotations().to_pylist():
        attributes = json.loads(row["attributes"] or "{}")
        made = max(
            [one.version for one in published if one.published_at_us <= row["created_at_us"]], default=0
        )
        version, at_us = records.get(row["ann_id"], (0, -1))
        if row["created_at_us"] <= at_us:
            made = version
        class_ = snapshot.ontology.by_id(row["class_id"])
        touching = [
            one.version
            for one in published
            for touch in one.touches
            if touch.class_id == class_.id
            and (not touch.attribute or class_.attribute(touch.attribute) or touch.attribute in attributes)
        ]
        if row["sample_id"] not in copies and any(version > made for version in touching):
            stale.append(row)
    return stale
