"""The record of an assignment: nothing is lost, doubled or out of step, whatever comes in."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rooms.labelling.conftest import a_box, op

from calotype.foundation.clock import now_us
from calotype.labelling import repository
from calotype.labelling.errors import AssignmentClosed, AssignmentNotFound, OperationInvalid
from calotype.labelling.record import log

HISTORIES = int(os.environ.get("CALOTYPE_HISTORIES", "60"))
IDS = [uuid4().hex for _ in range(4)]
AT = st.sampled_from(IDS)
STEP = st.one_of(
    st.builds(lambda i, x: a_box(i, x=x), AT, st.floats(0, 30)),
    st.builds(
        lambda i, c: op("set-class", annotation=i, **{"class": c}), AT, st.sampled_from(["car", "dog", "cat"])
    ),
    st.builds(lambda i, x: op("set-shape", annotation=i, bbox=[x, 1.0, 5.0, 6.0]), AT, st.floats(-3, 40)),
    st.builds(
        lambda i, v: op("set-attributes", annotation=i, attributes={"occluded": v}),
        AT,
        st.booleans() | st.none(),
    ),
    st.builds(lambda i: op("delete", annotation=i), AT),
    st.builds(lambda: op("undo")),
    st.builds(lambda: op("redo")),
    st.builds(lambda p: op("restore", position=p), st.integers(0, 30)),
    st.builds(lambda i, p: op("restore", position=p, annotation=i), AT, st.integers(1, 30)),
    st.just("repeat"),
)


def events_of(shift, assignment: str) -> list[log.Event]:
    with shift.store.catalog.read() as conn:
        return log.events(conn, assignment)


def present(shift, assignment: str) -> dict[str, Any]:
    with shift.store.catalog.read() as conn:
        return log.present(conn, assignment)


def alive(state: dict[str, Any]) -> dict[str, Any]:
    return {key: row for key, row in state.items() if row is not None}


class TestWhateverComesIn:
    """One shop for all histories; each history has a sample of its own person."""

    @settings(
        max_examples=HISTORIES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(history=st.lists(st.lists(STEP, min_size=1, max_size=6), min_size=1, max_size=6))
    def test_the_state_is_what_the_log_says_and_any_former_state_comes_back(self, shift, history):
        self._open_once(shift)
        name = uuid4().hex
        assignment = shift.next(name)
        states = {1: alive(present(shift, assignment))}
        sent: list[dict[str, Any]] = []
        for steps in history:
            operations = []
            for step in steps:
                operations.append((sent or [op("undo")])[-1] if step == "repeat" else step)
                sent.append(operations[-1])
            answer = shift.record(name, assignment, *operations)
            state = present(shift, assignment)
            states[answer.position] = alive(state)
            assert {key: row and row["id"] for key, row in answer.annotations.items()} == {
                key: key if state[key] else None for key in answer.annotations
            }
        events = events_of(shift, assignment)
        assert [event.position for event in events] == list(range(1, len(events) + 1))
        assert alive(log.fold(events)) == states[len(events)]
        outline = log.History((event.operation, event.verb, event.reverts) for event in events)
        assert (answer.to_undo, answer.to_redo) == (len(outline.done), len(outline.undone))
        for position, state in states.items():
            with shift.store.catalog.read() as conn:
                assert alive(log.state_at(conn, assignment, position)) == state
            shift.record(name, assignment, op("restore", position=position))
            assert alive(present(shift, assignment)) == state

    def _open_once(self, shift) -> None:
        if not getattr(shift, "is_open", False):
            shift.open(overlap=10, lease_s=60)
            shift.is_open = True
        with shift.store.catalog.bookkeeping() as conn:  # places for any number of people
            conn.execute(repository.TABLES.batch_samples.update().values(n_open=0))


def test_undoing_everything_and_redoing_it_gives_the_same_states(shift):
    shift.open()
    assignment = shift.next("bo")
    begun = present(shift, assignment)
    first, second = uuid4().hex, uuid4().hex
    steps = [
        a_box(first),
        op("set-shape", annotation=first, bbox=[1.0, 1.0, 4.0, 4.0]),
        a_box(second, class_="dog"),
        op("delete", annotation=first),
    ]
    passed = [begun]
    for step in steps:
        shift.record("bo", assignment, step)
        passed.append(alive(present(shift, assignment)))
    for state in reversed(passed[:-1]):
        answer = shift.record("bo", assignment, op("undo"))
        assert alive(present(shift, assignment)) == state
    assert (answer.to_undo, answer.to_redo) == (0, 4)
    for state in passed[1:]:
        answer = shift.record("bo", assignment, op("redo"))
        assert alive(present(shift, assignment)) == state
    assert (answer.to_undo, answer.to_redo) == (4, 0)


def test_undo_goes_over_sessions_and_a_new_operation_ends_what_can_be_redone(shift):
    shift.open()
    assignment = shift.next("bo")
    shift.record("bo", assignment, a_box(), a_box())
    shift.record("bo", shift.next("bo"), op("undo"))
    answer = shift.record("bo", assignment, a_box())
    assert (answer.to_undo, answer.to_redo) == (2, 0)
    refused = shift.record("bo", assignment, op("redo")).refused
    assert [one.code for one in refused] == ["no-operation-to-undo"]


def test_a_repeated_operation_changes_nothing(shift):
    shift.open()
    assignment = shift.next("bo")
    box = a_box()
    first = shift.record("bo", assignment, box)
    again = shift.record("bo", assignment, box, box)
    assert first.recorded == again.repeated[:1] == again.repeated[1:]
    assert again.position == first.position == 2
    assert again.annotations == {}


def test_what_cannot_be_applied_is_refused_and_the_rest_goes_on(shift):
    shift.open()
    assignment = shift.next("bo")
    wrong = [
        a_box(class_="zebra"),
        a_box(x=5_000.0),
        op("delete", annotation=uuid4().hex),
        op("set-split", sample="x", split="train"),
        op("restore", position=99),
        op("paint"),
        {"do": "add", "kind": "box", "class": "car", "bbox": [1, 1, 2, 2], "id": uuid4().hex},
    ]
    answer = shift.record("bo", assignment, a_box(), *wrong, a_box())
    assert len(answer.recorded) == 2
    assert [one.id for one in answer.refused] == [one["id"] for one in wrong]
    assert all(one.what for one in answer.refused)
    with pytest.raises(OperationInvalid):
        shift.record("bo", assignment, {"do": "undo"})


def test_a_deleted_annotation_keeps_its_id_and_can_be_restored(shift):
    shift.open()
    assignment = shift.next("bo")
    box = a_box()
    ann_id = box["annotation"]
    at = shift.record("bo", assignment, box).position
    shift.record("bo", assignment, op("delete", annotation=ann_id))
    assert [one.code for one in shift.record("bo", assignment, a_box(ann_id)).refused] == ["edits-invalid"]
    back = shift.record("bo", assignment, op("restore", annotation=ann_id, position=at))
    assert back.annotations[ann_id]["bbox"] == box["bbox"]


def test_a_lease_that_ended_loses_no_work_and_comes_back_while_the_place_is_free(shift):
    shift.open()
    assignment = shift.next("bo")
    shift.record("bo", assignment, a_box())
    with shift.store.catalog.bookkeeping() as conn:
        repository.change_assignment(conn, assignment, lease_until_us=1)
        repository.lapse(conn, now_us())
    assert shift.record("bo", assignment, a_box()).state == "draft"
    with shift.store.catalog.bookkeeping() as conn:
        repository.change_assignment(conn, assignment, lease_until_us=1)
    taken = shift.next("chi")
    assert shift.work("chi", taken)["sample"]["id"] == shift.work("bo", assignment)["sample"]["id"]
    answer = shift.record("bo", assignment, a_box())
    assert answer.state == "expired" and len(answer.recorded) == 1
    with pytest.raises(Exception, match="somebody else took it"):
        shift.submit("bo", assignment)
    assert len(shift.work("bo", assignment)["annotations"]) == 4


def test_only_the_owner_of_an_assignment_changes_it_and_only_while_it_is_open(shift):
    shift.open()
    assignment = shift.next("bo")
    box = a_box()
    shift.record("bo", assignment, box)
    with pytest.raises(AssignmentNotFound):
        shift.record("chi", assignment, a_box())
    shift.submit("bo", assignment)
    with pytest.raises(AssignmentClosed):
        shift.record("bo", assignment, a_box())
    assert shift.record("bo", assignment, box).repeated == (box["id"],)


def test_submitting_twice_with_one_id_gives_one_answer(shift):
    shift.open()
    assignment = shift.next("bo")
    name = uuid4().hex
    first, again = shift.submit("bo", assignment, id=name), shift.submit("bo", assignment, id=name)
    assert (first.repeated, again.repeated) == (False, True)
    assert first.state == again.state == "accepted"
    assert shift.status().progress.accepted == 1
