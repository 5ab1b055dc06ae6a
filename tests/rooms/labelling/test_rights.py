"""Who may do what with an assignment: its own person within their rights, and managers may look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from tests.rooms.labelling.conftest import SHOP, a_box

from calotype.foundation.actor import ORDINARY, Actor, Guard, Permission, RoleOn, Ruling
from calotype.foundation.errors import NotFound, NotPermitted
from calotype.govern.rules import RoleRules
from calotype.labelling import service
from calotype.labelling.errors import AssignmentNotFound
from calotype.labelling.model import Remark
from calotype.reviews import service as reviews

Call = Callable[[Actor, str, Any], Any]
ON_ASSIGNMENTS: dict[str, Call] = {
    "work": lambda actor, one, store: service.work(actor, one, store=store),
    "work_events": lambda actor, one, store: service.work_events(actor, one, store=store),
    "work_image": lambda actor, one, store: service.work_image(actor, one, store=store),
    "record": lambda actor, one, store: service.record(actor, one, [a_box()], store=store),
    "submit": lambda actor, one, store: service.submit(actor, one, store=store),
    "skip": lambda actor, one, store: service.skip(actor, one, "dark", store=store),
    "release_work": lambda actor, one, store: service.release_work(actor, one, "", store=store),
    "ask": lambda actor, one, store: service.ask(actor, one, "what?", store=store),
    "review": lambda actor, one, store: reviews.review(
        actor, one, reviews.Judgement("send-back", (Remark("no"),)), store=store
    ),
}


class Refuses:
    """Refuses everything, and notes what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Permission, str]] = []

    def decide(self, actor, permission, resource, circumstances=ORDINARY) -> Ruling:
        self.asked.append((permission, resource))
        return Ruling(False, "refuses")

    def says(self, rule: str) -> str:
        return rule


@pytest.mark.parametrize("verb", ON_ASSIGNMENTS)
def test_the_owner_of_an_assignment_needs_the_right_still(shift, verb):
    shift.open()
    mine = shift.next("bo")
    refuses = Refuses()
    with pytest.raises(NotPermitted):
        ON_ASSIGNMENTS[verb](shift.who("bo"), mine, replace(shift.store, guard=Guard(refuses)))
    wanted = Permission.WORK_REVIEW if verb == "review" else Permission.WORK_DO
    assert refuses.asked == [(wanted, SHOP)]
    assert len(shift.work("bo", mine)["annotations"]) == 1


@pytest.mark.parametrize("verb", ON_ASSIGNMENTS)
def test_an_assignment_of_somebody_else_does_not_exist(shift, verb):
    shift.open()
    mine = shift.next("bo")
    store = replace(shift.store, guard=Guard(RoleRules(lambda: "central")))
    chi = Actor("person:chi", "chi", roles=(), grants=(RoleOn("annotator", SHOP),))
    for assignment in (mine, uuid4().hex, "x" * 500):
        with pytest.raises(AssignmentNotFound) as refused:
            ON_ASSIGNMENTS[verb](chi, assignment, store)
        assert refused.value.message.startswith("assignment")
    assert len(shift.work("bo", mine)["annotations"]) == 1


def test_a_manager_looks_at_every_assignment_and_changes_none(shift):
    shift.open()
    mine = shift.next("bo")
    store = replace(shift.store, guard=Guard(RoleRules(lambda: "central")))
    manager = Actor("person:mia", "mia", roles=(), grants=(RoleOn("labelling-manager", SHOP),))
    assert service.work(manager, mine, store=store)["actor"] == "bo"
    assert service.work_events(manager, mine, store=store)[0]["verb"] == "begin"
    for verb in ("record", "submit", "skip", "release_work", "ask", "review"):
        with pytest.raises(AssignmentNotFound):
            ON_ASSIGNMENTS[verb](manager, mine, store)


def test_an_annotator_neither_reviews_nor_manages_nor_rules(shift):
    shift.open(review=1.0)
    shift.label("bo")
    store = replace(shift.store, guard=Guard(RoleRules(lambda: "central")))
    chi = Actor("person:chi", "chi", roles=(), grants=(RoleOn("annotator", SHOP),))
    assert service.next_work(chi, store=store, wanted=service.Wanted(kind="review")) == ""
    for call in (
        lambda: reviews.to_review(chi, SHOP, store=store),
        lambda: reviews.accept_reviews(chi, SHOP, store=store),
        lambda: service.open_batch(chi, SHOP, "two", store=store),
        lambda: service.close_batch(chi, SHOP, "one", store=store),
        lambda: service.questions(chi, SHOP, store=store),
    ):
        with pytest.raises(NotPermitted):
            call()


def test_a_question_is_answered_only_by_who_may_rule(shift):
    shift.open()
    asked = service.ask(shift.who("bo"), shift.next("bo"), "car?", store=shift.store)
    store = replace(shift.store, guard=Guard(RoleRules(lambda: "central")))
    chi = Actor("person:chi", "chi", roles=(), grants=(RoleOn("annotator", SHOP),))
    with pytest.raises(NotPermitted):
        service.answer(chi, asked["id"], "yes", store=store)
    with pytest.raises(NotFound):
        service.answer(shift.owner, uuid4().hex, "yes", store=shift.store)
