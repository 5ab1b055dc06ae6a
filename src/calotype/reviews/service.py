"""The verbs of reviewers: judge one assignment, list what waits, accept or merge many, send back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.analysis.boxes import copies as agreement
from calotype.annotate import model as edits
from calotype.datasets import refs
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import iso, now_us
from calotype.foundation.ids import uuid7
from calotype.foundation.verbs import verb
from calotype.labelling import queue, repository, submissions, threads
from calotype.labelling.errors import AssignmentClosed, BatchInvalid, OperationInvalid
from calotype.labelling.model import (
    MAX_ACTIVE_MS,
    REVIEW,
    Assignment,
    Batch,
    BatchState,
    Outcome,
    Remark,
    SampleState,
    State,
)
from calotype.labelling.record import log
from calotype.labelling.record.log import BEGIN, Event
from calotype.labelling.record.rows import Plain
from calotype.store import Store

ACCEPT, SEND_BACK = "accept", "send-back"
CATEGORIES = ("missing", "wrong class", "loose shape", "not there", "attribute", "other")
_MAX_REMARKS = 1_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a reviewer decides.

    Args:
        verdict: `accept` or `send-back`.
        remarks: What is wrong; at least one where work is sent back.
    """

    verdict: str
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Selected:
    """Which of the samples that wait for a review: of a batch, some by id or name, those whose copies agree so far."""

    batch: str = ""
    samples: tuple[str, ...] = ()
    agreement: float = 0.0


@verb
def review(
    actor: Actor, assignment: str, verdict: Judgement, *, store: Store, id: str = "", active_ms: int = 0
) -> Outcome:
    """Judge a sample whose review this actor has: accept it as the reviewer left it, or send it back.

    What is sent back goes to its authors first, with the remarks.

    Raises: NotPermitted, AssignmentNotFound, AssignmentClosed, OperationInvalid.
    """
    with store.catalog.read() as conn:
        mine = queue.own(conn, actor, assignment)
        batch = repository.batch_of(conn, mine.batch_id)
    store.guard.require(actor, Permission.WORK_REVIEW, dataset=batch.dataset)
    _check(verdict)
    name = edits.checked_id(id, "id") if id else uuid7()
    with store.catalog.write(actor, f"review.{verdict.verdict}", subject=batch.dataset) as tx:
        mine = queue.own(tx.conn, actor, assignment)
        if name in log.known(tx.conn, mine.id, [name]):
            tx.abandon()
            return _outcome(tx.conn, mine, repeated=True)
        row = repository.sample(tx.conn, batch.id, mine.sample_id)
        if mine.kind != REVIEW or not mine.is_open or row.state != SampleState.SUBMITTED:
            raise AssignmentClosed(got=mine.id, state=mine.state if not mine.is_open else str(row.state))
        _judge(tx.conn, actor, batch, mine, verdict, name, active_ms)
        outcome = _outcome(tx.conn, repository.assignment(tx.conn, mine.id))
        tx.details({"batch": batch.name, "remarks": len(verdict.remarks), **outcome.to_dict()})
    return outcome


def _check(verdict: Judgement) -> None:
    if verdict.verdict not in (ACCEPT, SEND_BACK):
        raise OperationInvalid(where="verdict", detail=f"{verdict.verdict[:40]!r} is not accept or send-back")
    if verdict.verdict == SEND_BACK and not verdict.remarks:
        raise OperationInvalid(where="remarks", detail="work is sent back with at least one remark")
    if len(verdict.remarks) > _MAX_REMARKS:
        raise OperationInvalid(where="remarks", detail=f"there are more than {_MAX_REMARKS:,} remarks")


def _judge(
    conn: sa.Connection,
    actor: Actor,
    batch: Batch,
    mine: Assignment,
    verdict: Judgement,
    name: str,
    active_ms: int,
) -> None:
    counted = min(max(0, active_ms), MAX_ACTIVE_MS)
    event = Event(mine.position + 1, name, actor.id, verdict.verdict, "", None, None, "", counted)
    log.append(conn, mine, [event])
    # a review that sends back is done: "sent back" is the state of the work that somebody has to do again
    done = State.ACCEPTED if verdict.verdict == ACCEPT else State.SUBMITTED
    repository.change_assignment(
        conn,
        mine.id,
        state=str(done),
        position=mine.position + 1,
        active_ms=mine.active_ms + counted,
        submitted_at_us=now_us(),
        finished_at_us=now_us(),
    )
    if verdict.verdict == ACCEPT:
        submissions.accept(conn, batch, mine.sample_id, mine)
        threads.close_remarks(conn, batch.id, mine.sample_id)
    else:
        _send_back(conn, actor, batch, mine.sample_id, verdict.remarks)


def _send_back(
    conn: sa.Connection, actor: Actor, batch: Batch, sample_id: str, remarks: Sequence[Remark]
) -> None:
    """Give a sample back to those who submitted it: their assignments are open again, with the remarks."""
    done = list(queue.copies_of(conn, batch.id, sample_id))
    owners = {one.id: set(log.present(conn, one.id)) for one in done}
    for one in done:
        position = one.position + 1
        log.append(conn, one, [Event(position, uuid7(), actor.id, SEND_BACK, "", None, None)])
        repository.change_assignment(
            conn,
            one.id,
            state=str(State.SENT_BACK),
            round=one.round + 1,
            position=position,
            finished_at_us=None,
            submitted_at_us=None,
        )
        for remark in remarks:
            if not remark.annotation or remark.annotation in owners[one.id] or len(done) == 1:
                threads.add(conn, actor, batch, one, threads.REMARK, remark)
    repository.change_sample(
        conn,
        batch.id,
        sample_id,
        state=str(SampleState.WAITING),
        n_open=len(done),
        n_submitted=0,
        review_reason="",
        changed_at_us=now_us(),
    )


@verb
def to_review(actor: Actor, name: str, *, store: Store, batch: str = "") -> list[dict[str, Any]]:
    """The samples that wait for a review, the longest first: by whom, why, how far copies agree.

    Raises: NotPermitted, DatasetNotFound.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.WORK_REVIEW, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        return [_listed(*one) for one in _waiting(conn, info.id, Selected(batch))]


def _waiting(
    conn: sa.Connection, dataset_id: str, selected: Selected
) -> Iterator[tuple[Batch, Any, dict[Assignment, list[Plain]]]]:
    wanted = set(selected.samples)
    for batch in repository.batches(conn, dataset_id=dataset_id):
        if batch.state == BatchState.CLOSED or selected.batch not in ("", batch.name, batch.id):
            continue
        for row in repository.samples_in(conn, batch.id, SampleState.SUBMITTED):
            if not wanted or row.sample_id in wanted or row.sample["name"] in wanted:
                yield batch, row, queue.copies_of(conn, batch.id, row.sample_id)


def _listed(batch: Batch, row: Any, copies: dict[Assignment, list[Plain]]) -> dict[str, Any]:
    agreed = round(agreement.agreement(list(copies.values())), 4) if len(copies) > 1 else None
    return {
        "batch": batch.name,
        "sample": row.sample_id,
        "name": row.sample["name"],
        "reason": row.review_reason,
        "by": [one.actor for one in copies],
        "annotations": [len(rows) for rows in copies.values()],
        "agreement": agreed,
        "since": iso(row.changed_at_us),
    }


@verb
def accept_reviews(
    actor: Actor, name: str, *, store: Store, selected: Selected = Selected()
) -> list[Outcome]:
    """Accept many samples at once as they were submitted; of several copies, the one that agrees most.

    One's own work is left out.

    Raises: NotPermitted, DatasetNotFound.
    """
    return _in_bulk(actor, name, selected, "review.accept", store=store)


@verb
def merge_reviews(actor: Actor, name: str, *, store: Store, selected: Selected = Selected()) -> list[Outcome]:
    """Merge the copies of samples by several people, object by object, and accept the result.

    An object stays if more than half of the people have it. One's own work is left out.

    Raises: NotPermitted, DatasetNotFound.
    """
    return _in_bulk(actor, name, selected, "review.merge", store=store)


@verb
def send_back_reviews(
    actor: Actor, name: str, remark: Remark, *, store: Store, selected: Selected = Selected()
) -> list[Outcome]:
    """Send samples back to their authors with one remark. One's own work is left out.

    Raises: NotPermitted, DatasetNotFound, OperationInvalid.
    """
    _check(Judgement(SEND_BACK, (remark,)))
    return _in_bulk(actor, name, selected, "review.send-back", store=store, remark=remark)


def _in_bulk(
    actor: Actor, name: str, selected: Selected, what: str, *, store: Store, remark: Remark | None = None
) -> list[Outcome]:
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.WORK_REVIEW, dataset=dataset_name)
    if not 0 <= selected.agreement <= 1:
        raise BatchInvalid(detail=f"an agreement of {selected.agreement}", hint="choose 0 to 1")
    outcomes = []
    with store.catalog.write(actor, what, subject=dataset_name) as tx:
        info = refs.dataset(tx.conn, dataset_name)
        for batch, row, copies in list(_waiting(tx.conn, info.id, selected)):
            if not _may_judge(tx.conn, actor, batch, row, copies, selected):
                continue
            seed = list(copies.values())
            rows = agreement.merged(seed)[0] if what == "review.merge" else agreement.champion(seed)
            mine = _begun(tx.conn, actor, batch, row.sample_id, rows)
            verdict = Judgement(SEND_BACK, (remark,)) if remark else Judgement(ACCEPT)
            _judge(tx.conn, actor, batch, mine, verdict, uuid7(), 0)
            outcomes.append(_outcome(tx.conn, repository.assignment(tx.conn, mine.id)))
        tx.details({"samples": len(outcomes), "batch": selected.batch})
        if not outcomes:
            tx.abandon()
    return outcomes


def _may_judge(
    conn: sa.Connection,
    actor: Actor,
    batch: Batch,
    row: Any,
    copies: dict[Assignment, list[Plain]],
    selected: Selected,
) -> bool:
    if any(one.actor_id == actor.id for one in copies):
        return False
    others = repository.assignments(
        conn, batch_id=batch.id, sample_id=row.sample_id, kind=REVIEW, states=(State.DRAFT,)
    )
    if any(one.actor_id != actor.id and one.lease_until_us > now_us() for one in others):
        return False
    return not selected.agreement or agreement.agreement(list(copies.values())) >= selected.agreement


def _begun(conn: sa.Connection, actor: Actor, batch: Batch, sample_id: str, rows: list[Plain]) -> Assignment:
    """A review of this actor: the one that is open, else a new one that begins with these rows."""
    open_ = repository.assignments(
        conn, batch_id=batch.id, sample_id=sample_id, actor_id=actor.id, kind=REVIEW, states=(State.DRAFT,)
    )
    for one in open_:
        repository.change_assignment(conn, one.id, state=str(State.RELEASED), finished_at_us=now_us())
    now = now_us()
    mine = Assignment(
        uuid7(),
        batch.id,
        sample_id,
        REVIEW,
        actor.id,
        actor.name,
        str(State.DRAFT),
        1,
        now,
        1,
        0,
        batch.guideline_version,
        "",
        now,
        None,
        None,
    )
    repository.add_assignment(conn, mine)
    log.append(conn, mine, [Event(1, uuid7(), actor.id, BEGIN, "", None, {"annotations": rows})])
    return mine


def _outcome(conn: sa.Connection, mine: Assignment, *, repeated: bool = False) -> Outcome:
    row = repository.sample(conn, mine.batch_id, mine.sample_id)
    return Outcome(mine.id, mine.state, mine.sample_id, row.state, row.review_reason, repeated)
