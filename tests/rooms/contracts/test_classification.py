"""What kind of data datasets hold, as the catalog keeps it."""

from __future__ import annotations

import itertools

import pytest

from calotype.contracts.classification import (
    CLASSES,
    UNCLASSIFIED,
    Classification,
    all_classifications,
    classification_of,
    held_datasets,
    set_classification,
)
from calotype.datasets import service as datasets

HELD = Classification("personal", "CC-BY-4.0", ("training", "evaluation"), "case 12")


def test_a_classification_comes_back_as_it_was_kept():
    assert Classification.of_dict(HELD.to_dict()) == HELD
    assert Classification.of_dict({}) == Classification() == Classification(UNCLASSIFIED)


def test_a_class_of_a_newer_version_counts_as_the_most_sensitive():
    assert Classification.of_dict({"class": "biometric"}).data_class == "personal"


@pytest.mark.parametrize(("low", "high"), list(itertools.pairwise(CLASSES)))
def test_classes_are_ordered_by_how_sensitive_they_are(low, high):
    assert Classification(low).is_lower_than(Classification(high))
    assert not Classification(high).is_lower_than(Classification(low))
    assert not Classification(low).is_lower_than(Classification(low))


def test_each_dataset_has_its_own_and_the_rest_has_none(workspace, owner):
    ids = {name: datasets.create(owner, name, store=workspace).id for name in ("streets", "night")}
    with workspace.catalog.write(owner, "dataset.classify", subject="streets") as tx:
        set_classification(tx.conn, ids["streets"], Classification("public"))
        set_classification(tx.conn, ids["streets"], HELD)
    with workspace.catalog.read() as conn:
        assert classification_of(conn, ids["streets"]) == HELD
        assert classification_of(conn, ids["night"]) == Classification()
        assert all_classifications(conn) == {"streets": HELD}
        assert held_datasets(conn) == {ids["streets"]}


def test_a_hold_that_was_released_holds_nothing(workspace, owner):
    dataset = datasets.create(owner, "streets", store=workspace).id
    with workspace.catalog.write(owner, "dataset.classify", subject="streets") as tx:
        set_classification(tx.conn, dataset, HELD)
        set_classification(tx.conn, dataset, Classification("personal"))
    with workspace.catalog.read() as conn:
        assert held_datasets(conn) == set()
