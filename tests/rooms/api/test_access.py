"""The handle of access."""

from __future__ import annotations

import pytest

from calotype.foundation.errors import Invalid, NotPermitted
from calotype.govern.model import ModelUnknown
from calotype.people import service
from calotype.people.access import ActionElsewhere, ActionUnknown, ResourceInvalid


def test_who_why_matrix_and_the_model_of_the_organisation(ws, tmp_path):
    ws.create("streets")
    store, actor = ws._context.store, ws._context.actor
    service.add_person(actor, "bo@example.org", "Bo", store=store, role="curator")
    (bo,) = ws.access.who("edit", "dataset:streets")
    assert (bo.person.email, bo.rule) == ("bo@example.org", "central-curator")
    assert ws.access.organisation().model == "central"
    assert ws.access.set_organisation("decentral").model == "decentral"
    assert ws.access.who("edit", "dataset:streets") == []
    refused = ws.access.why("bo@example.org", "edit", "dataset:streets")
    assert (refused.allowed, refused.would_allow[0]) == (False, ("labelling-manager", "dataset:streets"))
    assert {cell.allowed for cell in ws.access.matrix().cells} == {True, False}
    assert ws.access.matrix("central", diff="decentral").differences


def test_a_question_about_nothing_is_refused(ws):
    ws.create("streets")
    for action, resource, error in [
        ("fly", "dataset:streets", ActionUnknown),
        ("read", "streets", ResourceInvalid),
        ("grant.manage", "dataset:streets", ActionElsewhere),
    ]:
        with pytest.raises(error):
            ws.access.who(action, resource)
    with pytest.raises(ModelUnknown):
        ws.access.set_organisation("flat")
    with pytest.raises(ModelUnknown):
        ws.access.matrix("flat")
    assert ws.access.organisation().model == "central"


def test_what_a_dataset_holds_is_said_in_parts(ws):
    ws.create("streets")
    assert ws.access.classification("streets").data_class == "internal"
    ws.access.classify("streets", data_class="personal", licence="CC-BY-4.0", purposes=["training"])
    held = ws.access.classify("streets", hold="case 12")
    assert held == ws.access.classification("streets")
    assert held.to_dict() == {
        "class": "personal",
        "licence": "CC-BY-4.0",
        "purposes": ["training"],
        "hold": "case 12",
    }
    with pytest.raises(NotPermitted, match="guard-hold"):
        ws.access.classify("streets", data_class="public")
    assert ws.access.classify("streets", hold="", purposes=[]).purposes == ()


def test_four_eyes_are_off_until_an_owner_switches_them_on(ws):
    assert ws.access.four_eyes().on is False
    assert ws.access.set_four_eyes(True).on is True
    assert ws.access.set_four_eyes(False).on is False


def test_with_four_eyes_a_second_owner_confirms(ws):
    store, actor = ws._context.store, ws._context.actor
    for name in ("ana", "bo"):
        service.add_person(actor, f"{name}@example.org", name, store=store, role="owner")
    service.add_person(actor, "chi@example.org", "Chi", store=store)
    ws.access.set_four_eyes(True)
    assert service.grant_role(actor, "chi@example.org", "owner", store=store).waits
    assert [one.person.name for one in ws.access.who("grant.manage", "workspace")] == ["ana", "bo"]
    assert ws.access.set_four_eyes(False).off_by == actor.name
    assert ws.access.four_eyes().on


def test_a_purpose_that_is_not_listed_stops_a_release(ws):
    ws.create("streets")
    ws.access.classify("streets", purposes=["training", "evaluation"])
    with pytest.raises(NotPermitted, match="guard-purpose"):
        ws.dataset("streets").release("1.0.0", purpose="sale")
    with pytest.raises(NotPermitted, match="names one of the purposes"):
        ws.dataset("streets").release("1.0.0")
    assert ws.dataset("streets").releases() == []


@pytest.mark.parametrize(
    "changes",
    [{"data_class": "secret"}, {"purposes": ["a\nb"]}, {"hold": "x" * 300}],
    ids=["class", "purpose", "hold"],
)
def test_what_cannot_be_said_of_a_dataset_changes_nothing(ws, changes):
    ws.create("streets")
    with pytest.raises(Invalid):
        ws.access.classify("streets", **changes)
    assert ws.access.classification("streets").to_dict() == {
        "class": "internal",
        "licence": "",
        "purposes": [],
        "hold": "",
    }
