"""Copies whose labels no longer match their original are found; not so what a warp drops, or copies as made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.shops import make_shop

from calotype.analysis.copy_drift import suspects
from calotype.annotate import service as annotate
from calotype.annotate.service import EditOptions
from calotype.checks import service as checks
from calotype.datasets import service as datasets
from calotype.datasets.row_ids import id_in_copy
from calotype.findings import service as findings
from calotype.transform import service as transform

MIRROR = {"name": "mirror", "steps": [{"flip": {"axis": "horizontal"}}]}
CORNER = {"name": "corner", "steps": [{"crop": {"x": 40, "y": 30, "w": 20, "h": 15}}]}


@pytest.fixture
def shop(workspace, owner, tmp_path):
    """Calls on a shop of 6 pictures with a mirrored copy each."""
    make_shop(owner, workspace, tmp_path / "pictures", n=6)
    transform.transform(owner, "shop", MIRROR, store=workspace)
    return Calls(workspace, owner)


class Calls:
    def __init__(self, store, actor):
        self.store, self.actor = store, actor

    @property
    def state(self):
        return datasets.read(self.actor, "shop", store=self.store)

    def edit(self, *edits, carry_over=False):
        options = EditOptions(carry_over=carry_over)
        return annotate.edit(self.actor, "shop", list(edits), store=self.store, options=options)

    def drifted(self):
        report = checks.check(self.actor, "shop", store=self.store, only=["copies-drifted"])
        return list(report.findings)

    def box(self, at):
        """The original at a place, its box, and the id of the box on the copy."""
        original = [s for s in self.state.iter_samples() if not s.is_derived][at]
        copy = next(s for s in self.state.iter_samples() if s.parent_id == original.sample_id)
        (box,) = self.state.annotations_of([original.sample_id])[original.sample_id]
        return original, box, id_in_copy(copy.sample_id, "ground_truth", box.ann_id)


def test_copies_as_a_recipe_makes_them_have_not_drifted(shop):
    assert shop.drifted() == []
    transform.transform(shop.actor, "shop", CORNER, store=shop.store)
    n_annotations = shop.state.count()["annotations"]
    assert n_annotations < 18, "the crop drops boxes"
    assert shop.drifted() == []


def test_another_class_is_found_and_its_fix_closes_it(shop):
    original, box, copied = shop.box(0)
    class_ = "dog" if box.class_id == 0 else "car"
    shop.edit({"do": "set-class", "annotation": box.ann_id, "class": class_})
    (found,) = shop.drifted()
    assert (found.annotation_id, found.fault) == (copied, "class")
    assert original.name in found.reason
    findings.fix(shop.actor, "shop", [found.key], store=shop.store)
    assert shop.drifted() == []


def test_a_label_that_the_original_lost_is_found_and_its_fix_removes_it(shop):
    _, box, copied = shop.box(1)
    shop.edit({"do": "delete", "annotation": box.ann_id})
    (found,) = shop.drifted()
    assert (found.annotation_id, found.fault) == (copied, "gone")
    findings.fix(shop.actor, "shop", [found.key], store=shop.store)
    assert shop.drifted() == []


def test_a_label_that_the_original_got_later_is_found_until_the_recipe_runs_again(shop):
    original, _, _ = shop.box(2)
    shop.edit(
        {"do": "add", "sample": original.sample_id, "class": "car", "kind": "box", "bbox": [1, 1, 5, 5]}
    )
    (found,) = shop.drifted()
    assert (found.fault, found.facts["count"]) == ("added", 1)
    assert "repair" not in found.facts
    transform.transform(shop.actor, "shop", MIRROR, store=shop.store)
    assert shop.drifted() == []


def test_edits_that_are_carried_over_leave_no_drift(shop):
    _, box, _ = shop.box(3)
    _, other, _ = shop.box(4)
    shop.edit(
        {"do": "set-class", "annotation": box.ann_id, "class": "dog" if box.class_id == 0 else "car"},
        {"do": "delete", "annotation": other.ann_id},
        carry_over=True,
    )
    assert shop.drifted() == []


def test_a_label_of_a_copy_alone_is_its_own_affair(shop):
    copy = next(s for s in shop.state.iter_samples() if s.is_derived)
    shop.edit({"do": "add", "sample": copy.sample_id, "class": "car", "kind": "box", "bbox": [1, 1, 5, 5]})
    assert shop.drifted() == []


LABELS = st.lists(st.tuples(st.integers(-1, 7), st.integers(0, 3)), max_size=40)


@given(parents=st.lists(st.integers(-1, 3), min_size=8, max_size=8), labels=LABELS)
def test_suspects_are_the_copies_with_other_counts_of_classes(parents, labels):
    parent_of = np.array([-1] * 4 + parents[4:], np.int64)
    sample_of = np.array([sample for sample, _ in labels], np.int64)
    classes = np.array([class_ for _, class_ in labels], np.int32)

    def counts(sample):
        return sorted(class_ for of, class_ in labels if of == sample)

    expected = [
        at for at, parent in enumerate(parent_of.tolist()) if parent >= 0 and counts(at) != counts(parent)
    ]
    assert suspects(parent_of, sample_of, classes).tolist() == expected
