"""Work under a guideline: what the classes require, and the version that labels carry."""

from __future__ import annotations

import pytest
from tests.rooms.labelling.conftest import SHOP, a_box, op

from calotype.datasets import service as datasets
from calotype.guidelines import service as guidelines
from calotype.labelling import service
from calotype.labelling.errors import GuidelineUnread, WorkIncomplete

CLASSES = """
classes:
  car:
    definition: It has four wheels.
    key: c
    attributes: {occluded: {type: boolean, required: true}}
"""


@pytest.fixture
def described(shift):
    """The shop, whose cars need to say whether they are occluded."""
    guidelines.set_ontology(shift.owner, SHOP, CLASSES, store=shift.store)
    datasets.commit(shift.owner, SHOP, "classes", store=shift.store)
    return shift


def test_the_page_of_an_assignment_shows_the_classes_as_described(described):
    described.open()
    cards = {card["name"]: card for card in described.work("bo", described.next("bo"))["classes"]}
    assert (cards["car"]["key"], cards["car"]["definition"]) == ("c", "It has four wheels.")
    assert cards["car"]["attributes"][0]["required"]
    assert cards["car"]["colour"].startswith("#")


def test_what_lacks_a_required_attribute_is_not_submitted(described):
    described.open()
    assignment = described.next("bo")
    described.record("bo", assignment, a_box("f" * 32))
    with pytest.raises(WorkIncomplete, match="'occluded'"):
        described.submit("bo", assignment)
    for row in described.work("bo", assignment)["annotations"]:
        change = op("set-attributes", annotation=row["id"], attributes={"occluded": False})
        described.record("bo", assignment, change)
    assert described.submit("bo", assignment).state == "accepted"


def test_labels_that_landed_carry_the_version_of_their_batch(shift):
    publish = guidelines.publish_guideline
    publish(shift.owner, SHOP, "# Cars", store=shift.store)
    shift.open()
    assignment = shift.next("bo")
    with pytest.raises(GuidelineUnread):
        shift.submit("bo", assignment)
    guidelines.acknowledge(shift.who("bo"), SHOP, store=shift.store)
    shift.record("bo", assignment, a_box("e" * 32))
    shift.submit("bo", assignment)
    publish(shift.owner, SHOP, "# Cars\n\nMirrors.", changelog="x", touches=["car"], store=shift.store)
    service.land_batch(shift.owner, SHOP, "one", store=shift.store)
    landed = f"{SHOP}@batch/one"
    rows = datasets.read(shift.owner, landed, store=shift.store).by_class()
    stale = guidelines.stale(shift.owner, landed, store=shift.store)
    assert stale.labels == rows["car"]
    assert len(guidelines.stale_samples(shift.owner, landed, store=shift.store)) == stale.samples
