"""The verbs of whoever works on an assignment: record operations, submit, skip, release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from calotype.annotate import model as edits
from calotype.datasets.model import Sample
from calotype.foundation import json_limits
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.foundation.verbs import verb
from calotype.guidelines import facts
from calotype.labelling import queue, repository, submissions
from calotype.labelling.errors import AssignmentClosed, GuidelineUnread, LeaseLost, OperationInvalid
from calotype.labelling.model import (
    ANNOTATE,
    MAX_ACTIVE_MS,
    MAX_OPERATIONS,
    REVIEW,
    Assignment,
    Batch,
    Outcome,
    Recorded,
    State,
)
from calotype.labelling.record import log
from calotype.labelling.record.log import SUBMIT, Event
from calotype.labelling.record.recording import Recording, ontology_of
from calotype.labelling.record.rows import shown
from calotype.store import Store

_MAX_REASON = 2_000


@verb
def record(actor: Actor, assignment: str, operations: Sequence[Any], *, store: Store) -> Recorded:
    """Record operations of an own assignment, in order and in one transaction. A repetition changes nothing.

    Each is a mapping with `id` (a UUID of version 4 or 7 that the client draws), `do`, and `active_ms`: add (with the
    id of the new `annotation`), set-class, set-shape, set-attributes, delete; undo, redo; restore (of an `annotation`
    or of all, as after the event `position`). One that cannot be applied is refused, with its reason, and the others
    go on. A lease that has ended refuses nothing.

    Raises: NotPermitted, AssignmentNotFound, AssignmentClosed, OperationInvalid.
    """
    batch = _allowed(actor, assignment, store)
    listed = list(operations)
    json_limits.check(listed)
    if not 1 <= len(listed) <= MAX_OPERATIONS:
        detail = f"a list has 1 to {MAX_OPERATIONS:,} operations; this one has {len(listed):,}"
        raise OperationInvalid(where="operations", detail=detail)
    with store.catalog.bookkeeping() as conn:
        mine = queue.own(conn, actor, assignment)
        recording = _recording(conn, actor, batch, mine)
        _require_open_or_repeated(conn, mine, listed)
        recording.take(listed)
        now = now_us()
        is_back = mine.state == State.EXPIRED and queue.renewed(conn, mine, batch, now)
        changed = _extended(
            conn, replace(mine, state=str(State.DRAFT)) if is_back else mine, batch, recording, now
        )
        to_undo, to_redo = log.steps(conn, mine.id)
        rows = {
            key: None if row is None else shown(row, recording.ontology)
            for key, row in recording.state.items()
            if any(event.ann_id == key for event in recording.events)
        }
    return Recorded(
        tuple(recording.recorded),
        tuple(recording.repeated),
        tuple(recording.refused),
        rows,
        changed.position,
        to_undo,
        to_redo,
        changed.lease_until_us,
        changed.state,
    )


def _allowed(actor: Actor, assignment: str, store: Store) -> Batch:
    """The batch of an own assignment. Raises: NotPermitted, AssignmentNotFound (also for somebody else's)."""
    with store.catalog.read() as conn:
        mine = queue.own(conn, actor, assignment)
        batch = repository.batch_of(conn, mine.batch_id)
    permission = Permission.WORK_REVIEW if mine.kind == REVIEW else Permission.WORK_DO
    store.guard.require(actor, permission, dataset=batch.dataset)
    return batch


def _recording(conn: sa.Connection, actor: Actor, batch: Batch, assignment: Assignment) -> Recording:
    facts = repository.sample(conn, batch.id, assignment.sample_id).sample
    sample = Sample(
        facts["id"],
        facts["media"],
        facts["name"],
        facts["width_px"],
        facts["height_px"],
        facts["mime"],
        facts["n_bytes"],
    )
    return Recording(conn, actor, batch, assignment, sample, ontology_of(conn, batch))


def _require_open_or_repeated(conn: sa.Connection, assignment: Assignment, listed: list[Any]) -> None:
    """Refuse new operations on an assignment that is done; a repetition of known ones gets its answer.

    Raises: AssignmentClosed.
    """
    if assignment.is_open:
        return
    names = [edits_id(value) for value in listed]
    if not all(name and name in log.known(conn, assignment.id, names) for name in names):
        raise AssignmentClosed(got=assignment.id, state=assignment.state)


def edits_id(value: Any) -> str:
    """The id that a client gave, as the log writes it; empty where it gave none that can be used."""
    try:
        return edits.checked_id(str(value["id"]), "id")
    except (edits.EditsInvalid, KeyError, TypeError):
        return ""


def _extended(
    conn: sa.Connection, mine: Assignment, batch: Batch, recording: Recording, now: int
) -> Assignment:
    """The assignment after the operations, stored."""
    until = now + batch.lease_s * 1_000_000 if mine.state == State.DRAFT else mine.lease_until_us
    active_ms = mine.active_ms + sum(event.active_ms for event in recording.events)
    changed = replace(mine, position=recording.position, active_ms=active_ms, lease_until_us=until)
    values = {"position": changed.position, "active_ms": active_ms, "lease_until_us": until}
    repository.change_assignment(conn, mine.id, **values)
    return changed


@verb
def submit(
    actor: Actor, assignment: str, *, store: Store, id: str = "", active_ms: int = 0, note: str = ""
) -> Outcome:
    """Submit an own assignment. What is required must be there; then it is reviewed, or accepted at once.

    Args:
        id: UUID that the client draws: a repetition gets the same answer.
        active_ms: Time since the last operation.
    Raises: NotPermitted, AssignmentNotFound, AssignmentClosed, LeaseLost, WorkIncomplete, GuidelineUnread.
    """
    batch = _allowed(actor, assignment, store)
    name = edits.checked_id(id, "id") if id else uuid7()
    with store.catalog.write(actor, "work.submit", subject=batch.dataset) as tx:
        mine = queue.own(tx.conn, actor, assignment)
        if name in log.known(tx.conn, mine.id, [name]):
            tx.abandon()
            return _outcome(tx.conn, mine, repeated=True)
        if mine.kind != ANNOTATE or not mine.is_open:
            raise AssignmentClosed(got=mine.id, state=mine.state if mine.kind == ANNOTATE else "a review")
        if mine.state == State.EXPIRED and not queue.renewed(tx.conn, mine, batch, now_us()):
            facts = repository.sample(tx.conn, batch.id, mine.sample_id).sample
            raise LeaseLost(sample=facts["name"])
        _require_read(tx.conn, actor, batch)
        submissions.require_complete(tx.conn, mine, ontology_of(tx.conn, batch))
        _close(
            tx.conn, mine, State.SUBMITTED, Event(0, name, actor.id, SUBMIT, "", None, None), active_ms, note
        )
        repository.change_assignment(tx.conn, mine.id, submitted_at_us=now_us())
        submissions.submitted(tx.conn, batch, mine)
        outcome = _outcome(tx.conn, repository.assignment(tx.conn, mine.id))
        tx.details({"batch": batch.name, **outcome.to_dict()})
    return outcome


@verb
def skip(actor: Actor, assignment: str, reason: str, *, store: Store) -> Outcome:
    """Say that a sample cannot be labelled, and why. It goes to somebody else; the second who skips it ends it.

    Raises: NotPermitted, AssignmentNotFound, AssignmentClosed, OperationInvalid.
    """
    return _give_back(actor, assignment, reason, State.SKIPPED, store=store)


@verb
def release_work(actor: Actor, assignment: str, reason: str = "", *, store: Store) -> Outcome:
    """Give a sample back to the queue; what was drawn stays in the record.

    Raises: NotPermitted, AssignmentNotFound, AssignmentClosed, OperationInvalid.
    """
    return _give_back(actor, assignment, reason, State.RELEASED, store=store)


def _give_back(actor: Actor, assignment: str, reason: str, state: State, *, store: Store) -> Outcome:
    batch = _allowed(actor, assignment, store)
    reason = reason.strip()
    if len(reason) > _MAX_REASON or (state is State.SKIPPED and not reason):
        detail = f"a reason has 1 to {_MAX_REASON:,} characters"
        raise OperationInvalid(where="reason", detail=detail)
    with store.catalog.write(
        actor, f"work.{'skip' if state is State.SKIPPED else 'release'}", subject=batch.dataset
    ) as tx:
        mine = queue.own(tx.conn, actor, assignment)
        if not mine.is_open:
            raise AssignmentClosed(got=mine.id, state=mine.state)
        event = Event(0, uuid7(), actor.id, "skip" if state is State.SKIPPED else "release", "", None, None)
        _close(tx.conn, mine, state, event, 0, reason)
        submissions.given_back(tx.conn, batch, mine, state)
        outcome = _outcome(tx.conn, repository.assignment(tx.conn, mine.id))
        tx.details({"batch": batch.name, "reason": reason, **outcome.to_dict()})
    return outcome


def _close(
    conn: sa.Connection, mine: Assignment, state: State, event: Event, active_ms: int, note: str
) -> None:
    """Add the closing event of an assignment, and its new state."""
    current = repository.assignment(conn, mine.id)
    counted = min(max(0, active_ms), MAX_ACTIVE_MS)
    log.append(conn, mine, [replace(event, position=current.position + 1, active_ms=counted)])
    repository.change_assignment(
        conn,
        mine.id,
        state=str(state),
        position=current.position + 1,
        note=note.strip()[:_MAX_REASON],
        active_ms=current.active_ms + counted,
        finished_at_us=now_us(),
    )


def _outcome(conn: sa.Connection, assignment: Assignment, *, repeated: bool = False) -> Outcome:
    row = repository.sample(conn, assignment.batch_id, assignment.sample_id)
    return Outcome(
        assignment.id, assignment.state, assignment.sample_id, row.state, row.review_reason, repeated
    )


def _require_read(conn: sa.Connection, actor: Actor, batch: Batch) -> None:
    """Whoever labels has acknowledged the guideline of the batch. Raises: GuidelineUnread."""
    if not has_read(conn, actor, batch):
        raise GuidelineUnread(version=batch.guideline_version, dataset=batch.dataset)


def has_read(conn: sa.Connection, actor: Actor, batch: Batch) -> bool:
    """Whether somebody has acknowledged the guideline version of a batch, or a later one."""
    return facts.has_acknowledged(conn, batch.dataset_id, actor.id, batch.guideline_version)
