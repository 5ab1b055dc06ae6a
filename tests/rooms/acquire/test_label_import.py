"""An import says what became of each thing; a closed ontology and broken items follow the policy asked for."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from calotype.acquire import service as acquire
from calotype.acquire.labels import service
from calotype.acquire.labels.model import (
    ImportOptions,
    ItemsInvalid,
    NothingToImport,
    PolicyUnknown,
    UnknownClasses,
)
from calotype.acquire.model import ImageOptions
from calotype.checks.suite.registry import known_checks
from calotype.contracts import service as contracts
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.store.catalog import schema
from calotype.vision.ontology import Class, Ontology


@pytest.fixture
def shop(workspace, owner):
    datasets.create(owner, "shop", store=workspace)
    return workspace


def bring(shop, owner, raw, **options):
    file = raw / "instances.json"
    return service.import_annotations(owner, "shop", file, ImportOptions(**options), store=shop)


def change(raw, at, **values):
    file = raw / "instances.json"
    labels = json.loads(file.read_text())
    labels["annotations"][at] |= values
    file.write_text(json.dumps(labels))


def test_the_same_file_again_changes_nothing_and_a_newer_edition_updates(shop, owner, raw):
    assert bring(shop, owner, raw).added == 24
    assert bring(shop, owner, raw).unchanged == 24
    change(raw, 3, bbox=[1, 2, 3, 4])
    newer = bring(shop, owner, raw)
    assert (newer.added, newer.changed, newer.unchanged) == (0, 1, 23)


def test_a_second_label_set_leaves_the_first_alone(shop, owner, raw):
    bring(shop, owner, raw)
    bring(shop, owner, raw, label_set="model:v1")
    state = datasets.read(owner, "shop", store=shop)
    assert state.label_sets == ("ground_truth", "model:v1")
    assert state.count()["annotations"] == 48


@pytest.mark.parametrize("policy", ["skip", "quarantine"])
def test_a_class_that_a_closed_ontology_lacks(shop, owner, raw, policy):
    contracts.set_contract(owner, "shop", "classes: [car]", known_checks(), store=shop)
    with pytest.raises(UnknownClasses, match="dog"):
        bring(shop, owner, raw)
    assert datasets.read(owner, "shop", store=shop).count() == {"samples": 0, "annotations": 0}
    took = bring(shop, owner, raw, on_unknown=policy)
    assert (took.annotations, took.skipped) == (12, 12)
    with shop.catalog.read() as conn:
        kept = conn.execute(sa.select(sa.func.count()).select_from(schema.quarantine)).scalar()
    assert kept == (12 if policy == "quarantine" else 0)


def test_a_retired_class_takes_no_imported_annotations(shop, owner, raw):
    ontology = Ontology((Class(0, "car"), Class(1, "dog", retired=True)))
    datasets.apply(owner, "shop", Change(ontology=ontology), store=shop)
    with pytest.raises(UnknownClasses, match="retired: 'dog'"):
        bring(shop, owner, raw)
    took = bring(shop, owner, raw, on_unknown="skip")
    assert (took.annotations, took.skipped) == (12, 12)


def test_a_broken_box_is_set_aside_with_its_place_or_stops(shop, owner, raw):
    change(raw, 5, bbox=[1, 2, -3, 4])
    with pytest.raises(ItemsInvalid, match="1 items"):
        bring(shop, owner, raw, on_invalid="error")
    took = bring(shop, owner, raw)
    assert (took.annotations, took.skipped) == (23, 1)
    assert "annotations[5]" in took.set_aside[0].place


def test_a_missing_picture_is_set_aside_with_its_annotations(shop, owner, raw):
    (raw / "images" / "07.png").unlink()
    took = bring(shop, owner, raw)
    assert (took.samples, took.annotations) == (23, 23)
    assert took.skipped >= 1


def test_nothing_and_nonsense(shop, owner, raw):
    for file in (raw / "images").iterdir():
        file.unlink()
    with pytest.raises(NothingToImport):
        bring(shop, owner, raw)
    with pytest.raises(PolicyUnknown):
        bring(shop, owner, raw, on_invalid="perhaps")


def test_samples_that_were_there_learn_what_the_file_says_of_them(shop, owner, raw, tmp_path):
    acquire.add(owner, "shop", [raw / "images"], ImageOptions(licence="CC0-1.0"), store=shop)
    (raw / "instances.json").rename(tmp_path / "instances.json")
    for _ in range(2):
        took = service.import_annotations(owner, "shop", tmp_path / "instances.json", store=shop)
        assert took.samples == 24
    state = datasets.read(owner, "shop", store=shop)
    assert state.count('scene = "s0" and licence = "CC0-1.0"')["samples"] == 4
    assert state.count()["samples"] == 24
