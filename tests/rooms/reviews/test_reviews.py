"""Reviews: who reviews what, what is sent back, how copies by several people become one, and what lands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from tests.rooms.labelling.conftest import SHOP, a_box, op

from calotype.analysis.boxes import copies as agreement
from calotype.app import wiring
from calotype.datasets import service as datasets
from calotype.labelling import service
from calotype.labelling.errors import AssignmentClosed, AssignmentNotFound, OperationInvalid
from calotype.labelling.model import Remark
from calotype.release import service as releases
from calotype.release.model import ReleaseSpec
from calotype.reviews import service as reviews
from calotype.store.catalog import schema
from calotype.versions import service as versions

ALL = {"review": 1.0}


def box(x: float, *, class_id: int = 0, ann_id: str = "", kind: str = "box") -> dict[str, Any]:
    return {
        "ann_id": ann_id or uuid4().hex,
        "sample_id": "s",
        "kind": kind,
        "class_id": class_id,
        "bbox_xywh_px": [x, 0.0, 10.0, 10.0],
        "area_px": 100.0,
        "origin": "drawn",
    }


def test_nobody_reviews_their_own_work(shift):
    shift.open(**ALL)
    assert shift.label("bo").sample_state == "submitted"
    assert shift.next("bo", kind="review") == ""
    review = shift.next("rae", kind="review")
    assert shift.work("rae", review)["kind"] == "review"
    assert reviews.accept_reviews(shift.who("bo"), SHOP, store=shift.store) == []


def test_two_reviewers_never_have_the_same_sample(shift):
    shift.open(**ALL)
    shift.label("bo")
    assert shift.next("rae", kind="review")
    assert shift.next("sam", kind="review") == ""


def test_a_reviewer_fixes_in_place_and_accepts_and_this_is_what_lands(shift):
    shift.open(**ALL)
    mine = uuid4().hex
    shift.label("bo", a_box(mine))
    review = shift.next("rae", kind="review")
    shift.record("rae", review, op("set-class", annotation=mine, **{"class": "dog"}))
    outcome = shift.judge("rae", review)
    assert (outcome.state, outcome.sample_state) == ("accepted", "accepted")
    landed = service.land_batch(shift.owner, SHOP, "one", store=shift.store)
    assert (landed.samples, landed.annotations, landed.removed) == (1, 1, 0)
    on_branch = {one.ann_id: one for rows in shift.on_branch("batch/one").values() for one in rows}
    assert on_branch[mine].class_id == 1 and on_branch[mine].author == "rae"
    assert len(on_branch) == 9
    assert len([one for rows in shift.on_branch("main").values() for one in rows]) == 8
    assert first_record(shift, mine) == ("bo", "rae", "drawn")
    assert service.land_batch(shift.owner, SHOP, "one", store=shift.store).samples == 0


def first_record(shift, ann_id: str) -> tuple[str, str, str]:
    table = schema.of_work.label_records
    with shift.store.catalog.read() as conn:
        row = conn.execute(table.select().where(table.c.ann_id == ann_id)).one()
    return row.author, row.reviewer, row.origin


def test_sent_back_work_goes_to_its_author_first_with_the_remarks(shift):
    shift.open(**ALL)
    mine = uuid4().hex
    shift.label("bo", a_box(mine))
    review = shift.next("rae", kind="review")
    with pytest.raises(OperationInvalid):
        shift.judge("rae", review, "send-back")
    outcome = shift.judge("rae", review, "send-back", Remark("too wide", "loose shape", mine))
    assert outcome.sample_state == "waiting"
    back = shift.next("bo")
    page = shift.work("bo", back)
    assert (page["state"], page["round"]) == ("draft", 2)
    assert [(r["annotation"], r["comments"][0]["text"]) for r in page["remarks"]] == [(mine, "too wide")]
    shift.record("bo", back, op("set-shape", annotation=mine, bbox=[5.0, 6.0, 8.0, 9.0]))
    again = shift.submit("bo", back)
    assert (again.sample_state, again.review_reason) == ("submitted", "sent back before")
    shift.judge("rae", shift.next("rae", kind="review"))
    with shift.store.catalog.read() as conn:
        assert set(
            conn.scalars(schema.of_work.threads.select().with_only_columns(schema.of_work.threads.c.state))
        ) == {"resolved"}


def test_a_reviewer_who_sent_an_image_back_goes_on_with_another(shift):
    shift.open(**ALL)
    for _ in range(2):
        shift.label("bo")
    first = shift.next("rae", kind="review")
    shift.judge("rae", first, "send-back", Remark("too wide", "loose shape"))
    second = shift.next("rae", kind="review")
    assert second != first
    assert shift.work("rae", second)["sample"]["id"] != shift.work("rae", first)["sample"]["id"]
    shift.judge("rae", second)
    assert shift.status().progress.sent_back == 1


def test_a_judgement_is_given_once_and_only_by_who_has_the_review(shift):
    shift.open(**ALL)
    shift.label("bo")
    review = shift.next("rae", kind="review")
    with pytest.raises(AssignmentNotFound):
        shift.judge("sam", review)
    name = uuid4().hex
    given = reviews.Judgement("accept")
    first = reviews.review(shift.who("rae"), review, given, store=shift.store, id=name)
    again = reviews.review(shift.who("rae"), review, given, store=shift.store, id=name)
    assert (first.repeated, again.repeated) == (False, True)
    with pytest.raises(AssignmentClosed):
        shift.judge("rae", review)


def test_copies_that_agree_need_no_reviewer_and_those_that_differ_do(shift):
    shift.open(overlap=2, where="class = dog")
    shift.label("bo", a_box(x=5.0))
    assert shift.label("chi", a_box(x=5.2)).sample_state == "accepted"
    shift.label("bo", a_box(x=5.0))
    outcome = shift.label("chi", a_box(x=20.0))
    assert (outcome.sample_state, outcome.review_reason) == ("submitted", "copies differ")
    waiting = reviews.to_review(shift.owner, SHOP, store=shift.store)
    assert waiting[0]["by"] == ["bo", "chi"] and 0 < waiting[0]["agreement"] < 0.8
    page = shift.work("rae", shift.next("rae", kind="review"))
    assert [copy["author"] for copy in page["others"]] == ["bo", "chi"]


def test_merging_keeps_what_most_have(shift):
    shift.open(overlap=3, where="class = dog", **ALL)
    for name, at in (("bo", 5.0), ("chi", 6.0), ("dee", 5.5)):
        more = [a_box(x=25.0)] if name == "dee" else []
        shift.label(name, a_box(x=at), *more)
    merged = reviews.merge_reviews(shift.who("rae"), SHOP, store=shift.store)
    assert [outcome.sample_state for outcome in merged] == ["accepted"]
    service.land_batch(shift.owner, SHOP, "one", store=shift.store)
    sample = merged[0].sample
    xs = sorted(one.bbox_xywh_px[0] for one in shift.on_branch("batch/one")[sample] if one.bbox_xywh_px)
    assert xs == pytest.approx([2.0, 5.5])


def test_accepting_in_bulk_takes_only_what_agrees_so_far(shift):
    shift.open(overlap=2, **ALL)
    shift.label("bo", a_box(x=5.0))
    shift.label("chi", a_box(x=5.1))
    shift.label("bo", a_box(x=5.0))
    shift.label("chi", a_box(x=20.0))
    agreed = reviews.Selected("one", agreement=0.8)
    assert len(reviews.accept_reviews(shift.who("rae"), SHOP, store=shift.store, selected=agreed)) == 1
    assert len(reviews.to_review(shift.owner, SHOP, store=shift.store)) == 1
    back = reviews.send_back_reviews(shift.who("rae"), SHOP, Remark("look again"), store=shift.store)
    assert [outcome.sample_state for outcome in back] == ["waiting"]
    assert shift.status().progress.sent_back == 2


def test_what_is_deleted_is_removed_on_the_branch_and_merges_into_main(shift):
    shift.open(**{"review": 0.0})
    assignment = shift.next("bo")
    page = shift.work("bo", assignment)
    shift.record("bo", assignment, op("delete", annotation=page["annotations"][0]["id"]))
    shift.submit("bo", assignment)
    status, landed = service.close_batch(shift.owner, SHOP, "one", store=shift.store)
    assert (status.batch.state, landed.removed) == ("closed", 1)
    versions.merge(shift.owner, SHOP, "batch/one", store=shift.store)
    assert shift.on_branch("main").get(page["sample"]["id"], []) == []
    assert datasets.log(shift.owner, SHOP, store=shift.store)[0].message


def test_a_question_is_answered_by_who_writes_the_guideline(shift):
    shift.open()
    assignment = shift.next("bo")
    asked = service.ask(shift.who("bo"), assignment, "car or van?", store=shift.store, class_name="car")
    listed = service.questions(shift.owner, SHOP, store=shift.store)
    assert [(q["id"], q["state"], q["class"]) for q in listed] == [(asked["id"], "open", "car")]
    done = service.answer(shift.owner, asked["id"], "car: it has windows", store=shift.store)
    assert (done["state"], done["comments"][1]["verb"]) == ("resolved", "ruling")
    assert shift.work("bo", assignment)["remarks"][0]["comments"][1]["text"] == "car: it has windows"


def test_agreement_counts_objects_and_their_overlap():
    assert agreement.agreement([[], []]) == 1.0
    assert agreement.agreement([[box(0)], []]) == 0.0
    assert agreement.agreement([[box(0)], [box(0)]]) == 1.0
    assert agreement.agreement([[box(0)], [box(0, class_id=1)]]) == 0.0
    assert agreement.agreement([[box(0), box(50)], [box(0)]]) == 0.5
    assert agreement.agreement([[box(0)], [box(2)]]) == pytest.approx(80 / 120)


def test_the_champion_is_the_copy_nearest_to_the_others():
    copies = [[box(0)], [box(4)], [box(1)]]
    assert agreement.champion(copies) is copies[2]
    rows, left_out = agreement.merged([[box(0)], [box(2)], [box(1), box(60)]])
    assert [row["bbox_xywh_px"][0] for row in rows] == [1.0] and left_out == 1


def test_a_release_says_which_work_it_leaves_out(shift):
    shift.open("open", where="class = dog", **ALL)
    shift.label("bo")
    shift.open("landed", where="class = car")
    for _ in range(2):
        shift.label("bo", batch="landed")
    assert service.left_out(shift.owner, SHOP, store=shift.store) == [
        "left out of batch open: 4 samples that are not accepted (1 wait for a review), 0 accepted that have not "
        "landed",
        "left out of batch landed: 2 samples that are not accepted (0 wait for a review), 2 accepted that have not "
        "landed",
    ]
    service.close_batch(shift.owner, SHOP, "landed", store=shift.store)
    verdict = wiring.gatekeeper(shift.store)(shift.owner, SHOP)
    assert [line.split(":")[0] for line in verdict.left_out] == ["left out of batch open"]
    released = releases.release(
        shift.owner,
        SHOP,
        "1.0.0",
        ReleaseSpec(split={"train": 1.0}),
        store=shift.store,
        gatekeeper=lambda *_: replace(verdict, gates=()),
        splitter=wiring.splitter,
    )
    assert any("left out of batch open" in warning for warning in released.card["warnings"])
