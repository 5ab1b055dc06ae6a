"""Who gets what next, and that nobody gets what is not theirs."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from tests.rooms.labelling.conftest import SHOP, a_box, op

from calotype.annotate import service as annotate
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind
from calotype.foundation.actor import Actor, Guard, RoleOn
from calotype.foundation.errors import NotPermitted
from calotype.govern.rules import RoleRules
from calotype.labelling import repository, service
from calotype.labelling.errors import (
    BatchClosed,
    BatchExists,
    BatchInvalid,
    OperationInvalid,
    TooManyLeases,
    WorkerUnknown,
)
from calotype.labelling.model import MAX_LEASES
from calotype.people import service as people


def name_of(shift, who: str, assignment: str) -> Any:
    return shift.work(who, assignment)["sample"]["name"]


def test_everyone_gets_each_sample_once_and_no_more_than_the_overlap(shift):
    shift.open(overlap=2)
    seen: dict[str, list[str]] = {name: [] for name in ("bo", "chi", "dee")}
    left = set(seen)
    while left:
        for name in sorted(left):
            assignment = shift.next(name)
            if not assignment:
                left.discard(name)
                continue
            seen[name].append(name_of(shift, name, assignment))
            shift.submit(name, assignment)
    assert all(len(names) == len(set(names)) for names in seen.values())
    assert set(Counter(one for names in seen.values() for one in names).values()) == {2}
    progress = shift.status().progress
    assert (progress.samples, progress.accepted, progress.waiting) == (8, 8, 0)


def test_what_one_holds_comes_back_and_a_restart_loses_nothing(shift):
    shift.open()
    first = shift.next("bo")
    assert shift.next("bo") == first
    assert shift.next("chi") != first


def test_batches_come_by_priority_then_due_day_then_age(shift):
    shift.open("old", where="class = dog")
    shift.open("soon", where="class = dog", due="2027-01-31")
    shift.open("first", where="class = dog", priority=5)
    order = []
    while assignment := shift.next("bo"):
        order.append(shift.work("bo", assignment)["batch"]["name"])
        shift.submit("bo", assignment)
    assert list(dict.fromkeys(order)) == ["first", "soon", "old"]


def test_only_those_who_are_named_get_work(shift):
    shift.open(to=("bo",))
    assert shift.next("chi") == ""
    assert shift.next("bo")


def test_a_paused_batch_hands_out_nothing_new_and_what_is_held_can_be_finished(shift):
    shift.open()
    held = shift.next("bo")
    service.pause_batch(shift.owner, SHOP, "one", store=shift.store)
    assert shift.next("chi") == ""
    assert shift.next("bo") == held
    assert shift.submit("bo", held).sample_state == "accepted"
    service.resume_batch(shift.owner, SHOP, "one", store=shift.store)
    assert shift.next("chi")
    service.close_batch(shift.owner, SHOP, "one", store=shift.store)
    assert shift.next("dee") == ""
    with pytest.raises(BatchClosed):
        service.resume_batch(shift.owner, SHOP, "one", store=shift.store)


def test_who_releases_a_sample_may_get_it_again_who_skips_it_not(shift):
    shift.open(where="class = dog")
    first = shift.next("bo")
    given_back = name_of(shift, "bo", first)
    service.release_work(shift.who("bo"), first, "lunch", store=shift.store)
    again = shift.next("bo")
    assert name_of(shift, "bo", again) == given_back
    with pytest.raises(OperationInvalid):
        service.skip(shift.who("bo"), again, " ", store=shift.store)
    service.skip(shift.who("bo"), again, "too dark", store=shift.store)
    assert name_of(shift, "bo", shift.next("bo")) != given_back
    other = shift.next("chi")
    assert name_of(shift, "chi", other) == given_back
    assert service.skip(shift.who("chi"), other, "black", store=shift.store).sample_state == "skipped"
    assert shift.status().progress.skipped == 1


def test_a_lapsed_place_goes_to_somebody_else(shift):
    shift.open(where="class = dog")
    held = shift.next("bo")
    with shift.store.catalog.bookkeeping() as conn:
        repository.change_assignment(conn, held, lease_until_us=1)
    assert name_of(shift, "chi", shift.next("chi")) == name_of(shift, "bo", held)
    assert shift.next("bo") != held


def test_one_person_holds_a_limited_number_of_leases(shift):
    shift.open(overlap=1)
    assert MAX_LEASES >= 8
    with shift.store.catalog.bookkeeping() as conn:
        table = repository.TABLES.assignments
        batch = shift.status().batch
        for n in range(MAX_LEASES):
            row = {
                "id": uuid4().hex,
                "batch_id": batch.id,
                "sample_id": f"gone-{n}",
                "kind": "review",
                "actor_id": "local:bo",
                "actor": "bo",
                "state": "draft",
                "round": 1,
                "lease_until_us": 2**62,
                "position": 1,
                "active_ms": 0,
                "guideline_version": 0,
                "note": "",
                "started_at_us": 1,
                "submitted_at_us": None,
                "finished_at_us": None,
            }
            conn.execute(table.insert().values(**row))
    with pytest.raises(TooManyLeases):
        shift.next("bo", kind="annotate")


def test_eight_people_at_once_never_hold_one_place(shift):
    shift.open(overlap=1)
    taken: list[str] = []
    failed: list[BaseException] = []

    def labour(name: str) -> None:
        try:
            while assignment := shift.next(name):
                taken.append(shift.work(name, assignment)["sample"]["id"])
                shift.record(name, assignment, a_box())
                shift.submit(name, assignment)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=labour, args=(f"w{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(taken) == sorted(set(taken)) and len(taken) == 8
    assert shift.status().progress.accepted == 8


def test_a_batch_that_makes_no_sense_is_refused_with_a_reason(shift):
    for options in (
        {"overlap": 0},
        {"review": 2.0},
        {"where": "name = zebra"},
        {"due": "soon"},
        {"lease_s": 1},
        {"ids": ("nothing",)},
        {"label_set": ""},
    ):
        with pytest.raises(BatchInvalid) as refused:
            shift.open("wrong", **options)
        assert refused.value.fix
    with pytest.raises(BatchInvalid):
        shift.open("../up")
    shift.open("one")
    with pytest.raises(BatchExists):
        shift.open("one")
    assert [status.batch.name for status in service.batches(shift.owner, SHOP, store=shift.store)] == ["one"]


def test_with_accounts_names_are_people_and_teams_and_rights_count(shift):
    shift.store = replace(shift.store, guard=Guard(RoleRules(lambda: "central")))
    bo, _ = people.add_person(shift.owner, "bo@example.org", "Bo", store=shift.store)
    people.add_team(shift.owner, "night", store=shift.store)
    people.add_member(shift.owner, "night", "bo@example.org", store=shift.store, role="annotator")
    with pytest.raises(WorkerUnknown):
        shift.open(to=("chi",))
    status = shift.open(to=("team:night",))
    assert status.people == ("team:night",)
    actor = Actor(f"person:{bo.id}", bo.email, roles=(), grants=(RoleOn("annotator", SHOP),))
    assert service.next_work(actor, store=shift.store)
    stranger = Actor("person:x", "x", roles=())
    with pytest.raises(NotPermitted):
        service.next_work(stranger, store=shift.store, wanted=service.Wanted(SHOP))
    with pytest.raises(NotPermitted):
        service.batches(actor, SHOP, store=shift.store)


def test_what_main_has_uncommitted_is_not_in_a_batch_and_said(shift):
    assert shift.open("clean").notices == ()
    sample = datasets.read(shift.owner, SHOP, store=shift.store).ids()[0]
    annotate.edit(shift.owner, SHOP, [{"do": "add-tags", "sample": sample, "tags": ["x"]}], store=shift.store)
    assert shift.open("dirty").notices == ("uncommitted edits of main are not in it",)


def test_prelabels_above_a_score_are_what_the_work_begins_with(shift):
    state = datasets.read(shift.owner, SHOP, store=shift.store)
    guesses = [
        Annotation(
            uuid4().hex, one, Kind.BOX, 0, bbox_xywh_px=(1.0, 1.0, 5.0, 5.0), area_px=25.0, score=score
        )
        for one in state.ids()
        for score in (0.9, 0.2)
    ]
    change = Change(put_annotations={"model:a": guesses})
    datasets.apply(shift.owner, SHOP, change, store=shift.store)
    datasets.commit(shift.owner, SHOP, "guesses", store=shift.store)
    shift.open(prelabels="model:a", min_score=0.5)
    assignment = shift.next("bo")
    rows = shift.work("bo", assignment)["annotations"]
    assert sorted((row["origin"], row["score"]) for row in rows) == [("imported", None), ("prelabel", 0.9)]
    prelabel = next(row for row in rows if row["origin"] == "prelabel")
    changed = shift.record("bo", assignment, op("set-shape", annotation=prelabel["id"], bbox=[2, 2, 5, 5]))
    row = changed.annotations[prelabel["id"]]
    assert row is not None and (row["origin"], row["score"], row["author"]) == ("adjusted", None, "bo")
    back = shift.record("bo", assignment, op("undo")).annotations[prelabel["id"]]
    assert back is not None and (back["origin"], back["score"]) == ("prelabel", 0.9)
