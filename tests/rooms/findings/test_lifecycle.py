"""Findings live: people decide on them, only a re-test closes them, and gates count what is left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.things import gate

from calotype.annotate import service as annotate
from calotype.checks import service as checks
from calotype.checks.suite.registry import known_checks
from calotype.contracts import service as contracts
from calotype.curate import vectors
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Kind
from calotype.findings import service as tracking
from calotype.findings.fixes import FixNotFound, FixOutdated
from calotype.findings.lifecycle import Decision, DecisionInvalid, State
from calotype.findings.model import GateState
from calotype.findings.repairs import FindingNotRepairable
from calotype.findings.repository import FindingFilter
from calotype.findings.triage import FindingNotFound
from calotype.foundation.actor import ORDINARY, Actor, Guard, Permission, Ruling
from calotype.foundation.clock import now_us
from calotype.foundation.errors import NotPermitted
from calotype.govern.rules import RoleRules

STRICT = "gates: [{check: degenerate-shapes, max_findings: 0}, {check: box-bounds, max_findings: 0}]"
DAY_US = 86_400_000_000


@pytest.fixture
def shop(things, owner):
    """Three images, one with a box of no area and one with a box that reaches 9 px beyond the left edge."""
    contracts.set_contract(owner, "things", STRICT, known_checks(), store=things.store)
    for _ in range(3):
        things.image()
    things.box(things.samples[0], (5, 5, 0, 9))
    things.box(things.samples[1], (-9, 5, 20, 20))
    things.check()
    return things


def only(things, owner, check="degenerate-shapes"):
    """The one finding of a check, with its life."""
    (found,) = tracking.tracked(owner, "things", FindingFilter(check=check), store=things.store).items
    return found


def decide(things, actor, key, state, **more):
    return tracking.triage(actor, "things", [key], Decision(state, **more), store=things.store)


def again(things, owner):
    return checks.check(owner, "things", store=things.store)


def remove(things, owner, finding):
    change = Change(remove_annotations={"ground_truth": [finding.annotation_id]})
    datasets.apply(owner, "things", change, store=things.store)


def test_a_run_opens_what_it_finds_and_the_gate_is_red(shop, owner):
    assert only(shop, owner).state is State.OPEN
    assert gate(again(shop, owner), "degenerate-shapes").state is GateState.RED


def test_a_rejected_finding_leaves_the_gate_and_is_told_there(shop, owner):
    decide(shop, owner, only(shop, owner).key, State.REJECTED, note="a line is meant")
    found = gate(again(shop, owner), "degenerate-shapes")
    assert (found.state, found.findings, found.excused) == (GateState.GREEN, 0, 1)
    assert "1 more excused" in found.detail
    assert only(shop, owner).state is State.REJECTED


def test_an_accepted_risk_counts_again_after_its_end(shop, owner, monkeypatch):
    decide(shop, owner, only(shop, owner).key, State.ACCEPTED, note="known", until_us=now_us() + DAY_US)
    assert gate(again(shop, owner), "degenerate-shapes").state is GateState.GREEN
    later = now_us() + 2 * DAY_US
    monkeypatch.setattr("calotype.checks.service.now_us", lambda: later)
    assert gate(again(shop, owner), "degenerate-shapes").state is GateState.RED
    assert only(shop, owner).state is State.OPEN


def test_only_a_re_test_closes_what_was_mended(shop, owner):
    life = only(shop, owner)
    remove(shop, owner, life.finding)
    decide(shop, owner, life.key, State.FIXED)
    assert only(shop, owner).state is State.FIXED
    again(shop, owner)
    assert only(shop, owner).state is State.CLOSED
    with pytest.raises(DecisionInvalid, match="re-test"):
        decide(shop, owner, life.key, State.CLOSED)


def test_what_was_called_fixed_and_is_still_there_opens_again(shop, owner):
    decide(shop, owner, only(shop, owner).key, State.FIXED)
    again(shop, owner)
    life, events = tracking.history(owner, "things", only(shop, owner).key, store=shop.store)
    assert life.state is State.OPEN
    assert [event.verb for event in events] == ["opened", "fixed", "still-there"]


def test_a_closed_finding_that_returns_opens_under_the_same_key(shop, owner):
    life = only(shop, owner)
    bad = next(box for box in shop.boxes if box.ann_id == life.finding.annotation_id)
    remove(shop, owner, life.finding)
    again(shop, owner)
    datasets.apply(owner, "things", Change(put_annotations={"ground_truth": [bad]}), store=shop.store)
    again(shop, owner)
    back = only(shop, owner)
    assert (back.key, back.state, back.n_returns) == (life.key, State.OPEN, 1)


def test_a_run_of_other_checks_closes_nothing(shop, owner):
    remove(shop, owner, only(shop, owner).finding)
    checks.check(owner, "things", store=shop.store, only=["licence"])
    assert only(shop, owner).state is State.OPEN


def test_a_check_that_is_switched_off_closes_nothing(shop, owner):
    text = "checks: {degenerate-shapes: {enabled: false}}"
    contracts.set_contract(owner, "things", text, known_checks(), store=shop.store)
    again(shop, owner)
    assert only(shop, owner).state is State.OPEN


def test_a_run_on_a_branch_closes_nothing_of_main(shop, owner):
    datasets.commit(owner, "things", "first", store=shop.store)
    datasets.branch(owner, "things", "repair", store=shop.store)
    life = only(shop, owner)
    change = Change(remove_annotations={"ground_truth": [life.finding.annotation_id]})
    datasets.apply(owner, "things@repair", change, store=shop.store)
    checks.check(owner, "things@repair+", store=shop.store)
    assert only(shop, owner).state is State.OPEN


@pytest.mark.parametrize(
    "decision, lacks",
    [
        (Decision(State.REJECTED), "reason"),
        (Decision(State.ACCEPTED, note="we know", until_us=1), "must be in the future"),
        (Decision(State.ACCEPTED, note="we know"), "must be in the future"),
        (Decision(State.ASSIGNED), "the assignee is missing"),
    ],
    ids=["rejected", "over", "endless", "nobody"],
)
def test_a_decision_that_lacks_something_is_refused(shop, owner, decision, lacks):
    with pytest.raises(DecisionInvalid, match=lacks):
        tracking.triage(owner, "things", [only(shop, owner).key], decision, store=shop.store)


def test_whoever_may_triage_may_not_judge(shop, owner):
    engineer = Actor("e", "eva", roles=("data-engineer",))
    key = only(shop, owner).key
    shop.store = replace(shop.store, guard=Guard(RoleRules()))
    decide(shop, engineer, key, State.ASSIGNED, assignee="eva")
    with pytest.raises(NotPermitted, match=r"finding\.judge"):
        decide(shop, engineer, key, State.REJECTED, note="not mine")
    with pytest.raises(NotPermitted, match=r"finding\.triage"):
        decide(shop, Actor("m", "mo", roles=("ml-engineer",)), key, State.ASSIGNED, assignee="mo")


def test_a_decision_on_many_is_all_or_nothing(shop, owner):
    with pytest.raises(FindingNotFound):
        tracking.triage(
            owner, "things", [only(shop, owner).key, "0" * 24], Decision(State.FIXED), store=shop.store
        )
    assert only(shop, owner).state is State.OPEN


def test_precision_counts_what_people_confirmed(shop, owner):
    decide(shop, owner, only(shop, owner).key, State.REJECTED, note="a line is meant")
    decide(shop, owner, only(shop, owner, "box-bounds").key, State.FIXED)
    precision = tracking.precision(owner, "things", store=shop.store)
    assert (precision["degenerate-shapes"].share, precision["box-bounds"].share) == (0.0, 1.0)
    assert precision["box-bounds"].low == pytest.approx(0.2065, abs=1e-3)


def test_a_fix_clips_the_box_and_its_undo_brings_it_back(shop, owner):
    life = only(shop, owner, "box-bounds")
    before = boxes_of(shop, owner, life)
    made = tracking.fix(owner, "things", [life.key], store=shop.store)
    assert boxes_of(shop, owner, life) == {**before, life.finding.annotation_id: (0, 5, 11, 20)}
    assert only(shop, owner, "box-bounds").state is State.FIXED
    undone = tracking.undo_fix(owner, "things", store=shop.store)
    assert undone.id == made.id
    assert boxes_of(shop, owner, life) == before
    assert only(shop, owner, "box-bounds").state is State.OPEN
    with pytest.raises(FixNotFound):
        tracking.undo_fix(owner, "things", store=shop.store)


def boxes_of(things, owner, life):
    state = datasets.read(owner, "things", store=things.store)
    found = state.annotations_of([life.finding.sample_id])[life.finding.sample_id]
    return {one.ann_id: one.bbox_xywh_px for one in found}


def test_a_removed_copy_comes_back_with_its_annotations(things, owner):
    data = things.store.media.read(things.image(name="a.jpg").media_sha256)
    twin = things.image(data, name="b.jpg")
    things.check()
    life = only(things, owner, "exact-duplicates")
    tracking.fix(owner, "things", [life.key], store=things.store)
    state = datasets.read(owner, "things", store=things.store)
    assert state.count() == {"samples": 1, "annotations": 1}
    tracking.undo_fix(owner, "things", store=things.store)
    state = datasets.read(owner, "things", store=things.store)
    assert state.sample(twin.sample_id).name == "b.jpg"
    assert state.count() == {"samples": 2, "annotations": 2}


def test_a_removed_copy_comes_back_with_its_vectors(things, owner):
    data = things.store.media.read(things.image(name="a.jpg").media_sha256)
    ids = [things.samples[0].sample_id, things.image(data, name="b.jpg").sample_id]
    things.check()
    vectors.put_vectors(owner, "things", "m", ids, [[1.0, 0.0], [0.0, 1.0]], store=things.store)
    tracking.fix(owner, "things", [only(things, owner, "exact-duplicates").key], store=things.store)
    assert vectors.nearest(owner, "things", "m", [0.0, 1.0], store=things.store).num_rows == 1
    tracking.undo_fix(owner, "things", store=things.store)
    found = vectors.nearest(owner, "things", "m", [0.0, 1.0], store=things.store)
    assert found["name"].to_pylist() == ["b.jpg", "a.jpg"]
    assert found["distance"].to_pylist() == [0.0, 1.0]


def test_a_fix_is_not_undone_over_later_work(shop, owner):
    life = only(shop, owner, "box-bounds")
    tracking.fix(owner, "things", [life.key], store=shop.store)
    moved = next(box for box in shop.boxes if box.ann_id == life.finding.annotation_id)
    later = Change(put_annotations={"ground_truth": [replace(moved, bbox_xywh_px=(1, 1, 4, 4))]})
    datasets.apply(owner, "things", later, store=shop.store)
    with pytest.raises(FixOutdated, match="were changed after fix"):
        tracking.undo_fix(owner, "things", store=shop.store)
    assert boxes_of(shop, owner, life)[life.finding.annotation_id] == (1, 1, 4, 4)


def test_what_suggests_nothing_is_left_out_of_a_fix_and_told(things, owner):
    sample = things.image(licence="")
    things.box(sample, (-9, 5, 20, 20))
    things.check()
    licence, bounds = only(things, owner, "licence"), only(things, owner, "box-bounds")
    made = tracking.fix(owner, "things", [licence.key, bounds.key], store=things.store)
    assert made.keys == (bounds.key,)
    assert list(made.left_out) == [licence.key]
    with pytest.raises(FindingNotRepairable):
        tracking.fix(owner, "things", [licence.key], store=things.store)


def test_the_loop_from_finding_to_green(shop, owner):
    keys = tracking.keys_of(owner, "things", FindingFilter(states=(State.OPEN,)), store=shop.store)
    made = tracking.fix(owner, "things", keys, store=shop.store)
    assert not again(shop, owner).red
    tracked_findings = tracking.tracked(owner, "things", store=shop.store).items
    assert {one.key for one in tracked_findings if one.state is State.CLOSED} == set(made.keys)
    assert len(made.keys) == 2


def test_a_polygon_takes_the_box_around_itself(things, owner):
    ring = (10.0, 10.0, 30.0, 10.0, 30.0, 40.0)
    shape = things.box(things.image(), (-50, 10, 20, 30), kind=Kind.POLYGON, rings_px=(ring,))
    things.check()
    tracking.fix(owner, "things", [only(things, owner, "box-bounds").key], store=things.store)
    state = datasets.read(owner, "things", store=things.store)
    (fixed,) = [
        a for a in state.annotations_of([shape.sample_id])[shape.sample_id] if a.ann_id == shape.ann_id
    ]
    assert fixed.bbox_xywh_px == (10, 10, 20, 30)
    assert fixed.rings_px == (ring,)


def test_the_journal_undoes_a_fix_and_its_undo_with_the_findings(shop, owner):
    life = only(shop, owner, "box-bounds")
    before = boxes_of(shop, owner, life)
    tracking.fix(owner, "things", [life.key], store=shop.store)
    after = boxes_of(shop, owner, life)

    def standing():
        return boxes_of(shop, owner, life), only(shop, owner, "box-bounds").state

    annotate.undo_edit(owner, "things", store=shop.store)
    assert standing() == (before, State.OPEN)
    with pytest.raises(FixNotFound):
        tracking.undo_fix(owner, "things", store=shop.store)
    annotate.redo_edit(owner, "things", store=shop.store)
    assert standing() == (after, State.FIXED)
    tracking.undo_fix(owner, "things", store=shop.store)
    assert standing() == (before, State.OPEN)
    annotate.undo_edit(owner, "things", store=shop.store)
    assert standing() == (after, State.FIXED)
    annotate.redo_edit(owner, "things", store=shop.store)
    assert standing() == (before, State.OPEN)


def test_a_finding_that_was_decided_on_since_its_fix_keeps_its_state(shop, owner):
    life = only(shop, owner, "box-bounds")
    tracking.fix(owner, "things", [life.key], store=shop.store)
    decide(shop, owner, life.key, State.REJECTED, note="as it should be")
    annotate.undo_edit(owner, "things", store=shop.store)
    (found,) = tracking.tracked(
        owner, "things", FindingFilter(check="box-bounds", states=(State.REJECTED,)), store=shop.store
    ).items
    assert found.key == life.key


def test_who_may_not_triage_does_not_undo_a_fix(shop, owner):
    life = only(shop, owner, "box-bounds")
    tracking.fix(owner, "things", [life.key], store=shop.store)

    class EditsOnly:
        def decide(self, actor, permission, resource, circumstances=ORDINARY):
            return Ruling(permission in (Permission.DATASET_EDIT, Permission.DATASET_READ), "edits-only")

        def says(self, rule):
            return rule

    limited = replace(shop.store, guard=Guard(EditsOnly()))
    with pytest.raises(NotPermitted, match=r"finding\.triage"):
        annotate.undo_edit(owner, "things", store=limited)
    assert only(shop, owner, "box-bounds").state is State.FIXED
