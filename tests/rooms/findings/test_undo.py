"""Undo takes back the last thing that a person did about findings: a decision or a fix, in order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calotype.checks import service as checks
from calotype.datasets import service as datasets
from calotype.findings import service as findings
from calotype.findings.lifecycle import Decision, State
from calotype.findings.repairs import FindingNotRepairable
from calotype.findings.repository import FindingFilter
from calotype.findings.undoing import ActionUndone
from calotype.foundation.actor import Actor, Guard
from calotype.foundation.clock import now_us
from calotype.foundation.errors import NotPermitted
from calotype.govern.rules import RoleRules

DAY_US = 86_400_000_000


@pytest.fixture
def shop(things):
    """Two images: a box of no area, and one that reaches beyond the edge."""
    for _ in range(2):
        things.image()
    things.box(things.samples[0], (5, 5, 0, 9))
    things.box(things.samples[1], (-9, 5, 20, 20))
    things.check()
    return things


def lives(shop, owner):
    page = findings.tracked(owner, "things", FindingFilter(), store=shop.store)
    chosen = {"box-bounds", "degenerate-shapes"}
    return {item.finding.check: item for item in page.items if item.finding.check in chosen}


def decide(shop, owner, key, state, **more):
    return findings.triage(owner, "things", [key], Decision(state, **more), store=shop.store)


def test_actions_are_undone_in_order_whatever_they_were(shop, owner):
    first = lives(shop, owner)
    bounds, thin = first["box-bounds"].key, first["degenerate-shapes"].key
    decide(shop, owner, thin, State.ASSIGNED, assignee="ben")
    decide(shop, owner, thin, State.ACCEPTED, note="known", until_us=now_us() + DAY_US)
    findings.fix(owner, "things", [bounds], store=shop.store)
    decide(shop, owner, thin, State.REJECTED, note="a line")

    undone = findings.undo(owner, "things", store=shop.store)
    life = lives(shop, owner)["degenerate-shapes"]
    assert (undone.kind, life.state, life.note, life.assignee) == ("decision", State.ACCEPTED, "known", "ben")
    assert life.until_us is not None

    assert findings.undo(owner, "things", store=shop.store).kind == "fix"
    assert lives(shop, owner)["box-bounds"] == first["box-bounds"]

    findings.undo(owner, "things", store=shop.store)
    assert lives(shop, owner)["degenerate-shapes"].state is State.ASSIGNED
    findings.undo(owner, "things", store=shop.store)
    assert lives(shop, owner) == first
    with pytest.raises(ActionUndone):
        findings.undo(owner, "things", store=shop.store)
    _, events = findings.history(owner, "things", thin, store=shop.store)
    assert [str(event.new) for event in events] == [
        "open", "assigned", "accepted", "rejected", "accepted", "assigned", "open"
    ]  # fmt: skip


def test_a_decision_before_a_fix_of_the_same_finding_is_undone_after_it(shop, owner):
    life = lives(shop, owner)["box-bounds"]
    decide(shop, owner, life.key, State.ASSIGNED, assignee="ben")
    findings.fix(owner, "things", [life.key], store=shop.store)
    findings.undo(owner, "things", store=shop.store)
    assert lives(shop, owner)["box-bounds"].state is State.ASSIGNED
    findings.undo(owner, "things", store=shop.store)
    assert lives(shop, owner)["box-bounds"] == life


def test_what_was_decided_again_since_is_skipped_and_reported(shop, owner):
    key = lives(shop, owner)["box-bounds"].key
    first = decide(shop, owner, key, State.ASSIGNED, assignee="ben")
    decide(shop, owner, key, State.REJECTED, note="on purpose")
    undone = findings.undo(owner, "things", first.id, store=shop.store)
    assert (undone.keys, list(undone.skipped)) == ((), [key])
    assert lives(shop, owner)["box-bounds"].state is State.REJECTED


def test_each_person_undoes_their_own(shop, owner):
    ben = Actor("ben", "ben", roles=("owner",))
    decide(shop, owner, lives(shop, owner)["box-bounds"].key, State.ASSIGNED, assignee="ben")
    with pytest.raises(ActionUndone):
        findings.undo(ben, "things", store=shop.store)


def test_restoring_a_judgement_needs_the_permission_to_judge(shop, owner):
    engineer = Actor("e", "eve", roles=("data-engineer",))
    key = lives(shop, owner)["box-bounds"].key
    decide(shop, owner, key, State.REJECTED, note="on purpose")
    reopened = decide(shop, owner, key, State.OPEN)
    store = replace(shop.store, guard=Guard(RoleRules()))
    with pytest.raises(NotPermitted, match=r"finding\.judge"):
        findings.undo(engineer, "things", reopened.id, store=store)
    assert lives(shop, owner)["box-bounds"].state is State.OPEN


def test_undo_of_a_committed_fix_stages_its_reversal(shop, owner):
    life = lives(shop, owner)["box-bounds"]
    findings.fix(owner, "things", [life.key], store=shop.store)
    head = datasets.commit(owner, "things", "fixed", store=shop.store)
    assert findings.undo(owner, "things", store=shop.store).committed
    state = datasets.read(owner, "things", store=shop.store)
    assert state.commit_id != head.id
    boxes = state.annotations("ground_truth", sample_ids=[life.finding.sample_id], columns=["x"])
    assert -9.0 in boxes["x"].to_pylist()


def test_another_class_is_a_fix_that_undo_takes_back(shop, owner):
    life = lives(shop, owner)["box-bounds"]
    findings.fix(owner, "things", [life.key], store=shop.store, set_class="dog")

    def class_of():
        table = datasets.read(owner, "things", store=shop.store).annotations(
            "ground_truth", sample_ids=[life.finding.sample_id], columns=["ann_id", "class_id"]
        )
        return dict(zip(*(table[name].to_pylist() for name in ("ann_id", "class_id")), strict=True))

    assert class_of()[life.finding.annotation_id] == 1
    assert lives(shop, owner)["box-bounds"].state is State.FIXED
    findings.undo(owner, "things", store=shop.store)
    assert class_of()[life.finding.annotation_id] == 0
    with pytest.raises(FindingNotRepairable, match="no class"):
        findings.fix(owner, "things", [life.key], store=shop.store, set_class="unicorn")


def test_a_decision_on_many_leaves_out_what_is_closed(shop, owner):
    life = lives(shop, owner)["degenerate-shapes"]
    findings.fix(owner, "things", [life.key], store=shop.store)
    checks.check(owner, "things", store=shop.store)
    keys = [item.key for item in lives(shop, owner).values()]
    decided = findings.triage(
        owner, "things", keys, Decision(State.REJECTED, note="all"), store=shop.store, skip=True
    )
    assert list(decided.skipped) == [life.key]
    assert len(decided.items) == 1
