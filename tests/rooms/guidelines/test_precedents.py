"""Rulings on difficult cases: what is kept, from a question or about an image, and what is refused."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.shops import make_shop

from calotype.datasets import service as datasets
from calotype.datasets.snapshot import SampleNotFound
from calotype.foundation.actor import Actor
from calotype.guidelines import service as guidelines
from calotype.guidelines.precedents import service as rulings
from calotype.guidelines.precedents.service import Precedent, PrecedentInvalid, QuestionNotFound
from calotype.labelling import service
from calotype.labelling.model import BatchOptions
from calotype.store import Store

SHOP = "shop"
BO = Actor("local:bo", "bo")


@pytest.fixture
def shop(workspace: Store, owner: Actor, tmp_path: Path) -> Store:
    """A workspace with a committed shop."""
    make_shop(owner, workspace, tmp_path / "images", n=4)
    datasets.commit(owner, SHOP, "first", store=workspace)
    return workspace


def test_a_ruling_is_kept_with_the_question_that_it_answers(shop, owner):
    service.open_batch(owner, SHOP, "one", store=shop, options=BatchOptions(review=0.0))
    assignment = service.next_work(BO, store=shop)
    asked = service.ask(BO, assignment, "mirror?", store=shop, class_name="dog")
    given = Precedent("not a dog", "a mirror image is no dog", thread=asked["id"])
    kept = rulings.add_precedent(owner, SHOP, given, store=shop)
    assert (kept["class"], kept["question"], kept["sample"]) == ("dog", "mirror?", asked["sample"])
    assert (kept["guideline_version"], kept["by"], kept["region"]) == (0, owner.name, None)


def test_precedents_are_listed_newest_first_and_by_class(shop, owner):
    name = datasets.read(owner, SHOP, store=shop).sample(datasets.read(owner, SHOP, store=shop).ids()[0]).name
    guidelines.publish_guideline(owner, SHOP, "# Shop", store=shop, changelog="first")
    for class_name in ("dog", "car"):
        ruling = Precedent(
            "yes", "it has wheels", sample=name, class_name=class_name, region=(1.0, 2.0, 3.0, 4.0)
        )
        rulings.add_precedent(owner, SHOP, ruling, store=shop)
    listed = rulings.precedents(owner, SHOP, store=shop)
    assert [(one["class"], one["guideline_version"]) for one in listed] == [("car", 1), ("dog", 1)]
    assert listed[0]["region"] == [1.0, 2.0, 3.0, 4.0]
    assert [one["class"] for one in rulings.precedents(owner, SHOP, store=shop, class_name="dog")] == ["dog"]


@pytest.mark.parametrize(
    "given, error",
    [
        (Precedent("a", "b", sample="nothing"), SampleNotFound),
        (Precedent("a", "b", thread=uuid4().hex), QuestionNotFound),
        (Precedent(" ", "b", sample="x"), PrecedentInvalid),
        (Precedent("a", "b" * 20_000, sample="x"), PrecedentInvalid),
    ],
)
def test_what_says_nothing_or_is_about_nothing_is_refused(shop, owner, given, error):
    with pytest.raises(error):
        rulings.add_precedent(owner, SHOP, given, store=shop)
    assert rulings.precedents(owner, SHOP, store=shop) == []
