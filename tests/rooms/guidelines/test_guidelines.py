"""Guidelines: drafts, published versions, what they touch, who has read them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.labels_at import dataset_of

from calotype.datasets import service as datasets
from calotype.datasets.snapshot import SampleNotFound
from calotype.foundation.actor import Actor, Guard, RoleOn
from calotype.foundation.errors import NotPermitted
from calotype.govern.rules import RoleRules
from calotype.guidelines import facts, service
from calotype.guidelines.model import (
    GuidelineInvalid,
    GuidelineNotFound,
    GuidelineNotPublished,
    Migration,
)
from calotype.vision.ontology import Attribute, Class, ClassUnknown, Ontology

ONTOLOGY = Ontology((Class(0, "car", attributes=(Attribute("occluded", "boolean"),)), Class(1, "mr. toad")))
FIRST = "# Cars\n\nDraw the whole car.\n"
SECOND = """---
changelog: Mirrors belong to the car
touches: [car, car.occluded]
examples:
  - {sample: a.png, bbox: [10, 20, 30, 40], caption: with mirrors, verdict: good}
  - {sample: a.png, caption: without, verdict: bad}
---
# Cars

Draw the whole car, with its mirrors.
"""


@pytest.fixture
def roads(owner, workspace):
    labels = {"ground_truth": [{"sample": "a.png", "class_id": 0, "attributes": {"parked": True}}]}
    dataset_of(owner, workspace, ONTOLOGY, labels)
    return workspace


def test_a_guideline_goes_from_draft_to_published(roads, owner):
    draft = service.new_guideline(owner, "roads", FIRST, store=roads)
    assert (draft.version, draft.state) == (1, "draft")
    with pytest.raises(GuidelineNotFound):
        service.guideline(owner, "roads", store=roads)
    published = service.publish_guideline(owner, "roads", store=roads)
    assert (published.version, published.state, published.changelog) == (1, "published", "First version")
    assert service.guideline(owner, "roads", store=roads).text == FIRST
    assert service.new_guideline(owner, "roads", SECOND, store=roads).version == 2
    assert service.new_guideline(owner, "roads", SECOND, store=roads).version == 2
    assert [one.version for one in service.guidelines(owner, "roads", store=roads)] == [2, 1]


def test_the_head_of_a_file_says_changelog_touches_and_examples(roads, owner):
    service.publish_guideline(owner, "roads", FIRST, store=roads)
    second = service.publish_guideline(owner, "roads", SECOND, store=roads)
    assert second.text.startswith("# Cars")
    assert second.changelog == "Mirrors belong to the car"
    assert [str(touch) for touch in second.touches] == ["car", "car.occluded"]
    assert [(one.sample, one.good, one.bbox_xywh_px) for one in second.examples] == [
        ("a.png", True, (10.0, 20.0, 30.0, 40.0)),
        ("a.png", False, None),
    ]


def test_two_versions_are_compared(roads, owner):
    service.publish_guideline(owner, "roads", FIRST, store=roads)
    service.publish_guideline(owner, "roads", SECOND, store=roads)
    diff = service.diff_guidelines(owner, "roads", store=roads).to_dict()
    assert diff["lines"][3:] == [
        " # Cars",
        " ",
        "-Draw the whole car.",
        "+Draw the whole car, with its mirrors.",
    ]
    assert diff["changelog"] == [{"version": 2, "changelog": "Mirrors belong to the car"}]
    assert (diff["touches"], diff["examples_added"]) == (["car", "car.occluded"], 2)
    first = service.diff_guidelines(owner, "roads", b=1, store=roads)
    assert (first.before, first.after, len(first.lines)) == (0, 1, 6)


@pytest.mark.parametrize(
    ("touches", "known"),
    [(["car"], "car"), (["mr. toad"], "mr. toad"), (["car.parked"], "car.parked")],
)
def test_what_exists_can_be_touched(roads, owner, touches, known):
    draft = service.new_guideline(owner, "roads", FIRST, touches=touches, store=roads)
    assert [str(touch) for touch in draft.touches] == [known]


@pytest.mark.parametrize(
    "touches", [["cat"], ["car.wheels"], ["cat.occluded"], ["car."], ["mr. toad.occluded"]]
)
def test_what_does_not_exist_cannot_be_touched(roads, owner, touches):
    with pytest.raises((GuidelineInvalid, ClassUnknown)):
        service.new_guideline(owner, "roads", FIRST, touches=touches, store=roads)
    with pytest.raises((GuidelineInvalid, ClassUnknown)):
        service.publish_guideline(owner, "roads", FIRST, touches=touches, store=roads)
    assert service.guidelines(owner, "roads", store=roads) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "---\ntouches: car\n",
        "---\nauthor: ana\n---\ntext",
        "---\ntouches: {car: 1}\n---\ntext",
        "---\nchangelog: &a x\n---\ntext",
        "---\nexamples: [{sample: a.png, bbox: [600, 0, 100, 10]}]\n---\ntext",
        "---\nexamples: [{sample: a.png, bbox: [1, 2, 3]}]\n---\ntext",
        "---\nexamples: [{sample: a.png, verdict: fine}]\n---\ntext",
        "bell \x07",
        "line\n" * 5_001,
    ],
)
def test_a_guideline_that_is_not_valid_is_refused(roads, owner, wrong):
    with pytest.raises(GuidelineInvalid):
        service.new_guideline(owner, "roads", wrong, store=roads)


def test_an_example_names_a_sample_of_the_dataset(roads, owner):
    with pytest.raises(SampleNotFound):
        service.new_guideline(owner, "roads", "---\nexamples: [{sample: b.png}]\n---\ntext", store=roads)


def test_from_the_second_version_on_a_changelog_is_needed(roads, owner):
    service.publish_guideline(owner, "roads", FIRST, store=roads)
    service.new_guideline(owner, "roads", "other", store=roads)
    with pytest.raises(GuidelineInvalid, match="no line for the changelog"):
        service.publish_guideline(owner, "roads", store=roads)
    done = service.publish_guideline(owner, "roads", changelog="all new", touches=["car"], store=roads)
    assert (done.version, done.changelog, str(done.touches[0])) == (2, "all new", "car")


def test_a_draft_follows_a_class_that_is_renamed_and_is_refused_without_it(roads, owner):
    service.new_guideline(owner, "roads", FIRST, touches=["car"], store=roads)
    rename = Migration(rename={"car": "auto"})
    service.migrate_ontology(owner, "roads", rename, store=roads, dry_run=False)
    assert str(service.publish_guideline(owner, "roads", store=roads).touches[0]) == "auto"
    service.new_guideline(owner, "roads", FIRST, touches=["auto"], changelog="x", store=roads)
    merge = Migration(merge={"mr. toad": ("auto",)})
    service.migrate_ontology(owner, "roads", merge, store=roads, dry_run=False)
    with pytest.raises(GuidelineInvalid, match="no longer a class"):
        service.publish_guideline(owner, "roads", store=roads)


def test_people_acknowledge_what_changed(roads, owner):
    def knows():
        with roads.catalog.read() as conn:
            return facts.has_acknowledged(conn, info, owner.id), facts.published_version(conn, info)

    info = datasets.read(owner, "roads", store=roads).dataset.id
    assert knows() == (True, 0)
    service.publish_guideline(owner, "roads", FIRST, store=roads)
    assert knows() == (False, 1)
    assert service.acknowledge(owner, "roads", store=roads).changes.before == 0
    assert knows() == (True, 1)
    service.publish_guideline(owner, "roads", SECOND, store=roads)
    service.publish_guideline(owner, "roads", FIRST, changelog="back again", store=roads)
    assert knows() == (False, 3)
    waiting = service.reading(owner, "roads", store=roads)
    assert (waiting.version, waiting.acknowledged_version) == (3, 1)
    assert waiting.changes.changelog == ((2, "Mirrors belong to the car"), (3, "back again"))
    service.acknowledge(owner, "roads", 2, store=roads)
    assert knows() == (False, 3)
    done = service.acknowledge(owner, "roads", store=roads)
    assert done.to_dict()["acknowledged"]
    assert done.changes.changelog == ((3, "back again"),)
    assert service.acknowledge(owner, "roads", store=roads).changes.changelog == ()


def test_a_draft_cannot_be_acknowledged(roads, owner):
    service.publish_guideline(owner, "roads", FIRST, store=roads)
    service.new_guideline(owner, "roads", SECOND, store=roads)
    with pytest.raises(GuidelineNotPublished):
        service.acknowledge(owner, "roads", 2, store=roads)


def test_a_vendors_annotator_reads_and_acknowledges_what_is_published(roads, owner):
    vendor = Actor("person:v", "vera", roles=(), grants=(RoleOn("vendor-annotator", "roads"),))
    roads = replace(roads, guard=Guard(RoleRules()))
    service.publish_guideline(owner, "roads", FIRST, store=roads)
    service.new_guideline(owner, "roads", SECOND, store=roads)
    assert service.acknowledge(vendor, "roads", store=roads).acknowledged_version == 1
    assert [one.version for one in service.guidelines(vendor, "roads", store=roads)] == [1]
    with pytest.raises(GuidelineNotFound):
        service.guideline(vendor, "roads", 2, store=roads)
    with pytest.raises(NotPermitted):
        service.publish_guideline(vendor, "roads", store=roads)
