"""The queue: who gets which sample next, under a lease that ends by itself.

Order: one's own work that was sent back, what one holds already, then the batches by priority, due day and age, and in
each the samples by their place. Who may review gets what waits for a review first, never one's own work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from calotype.analysis.boxes import copies as agreement
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.foundation.verbs import verb
from calotype.labelling import people, repository
from calotype.labelling.errors import AssignmentNotFound, TooManyLeases
from calotype.labelling.model import (
    ANNOTATE,
    MAX_LEASES,
    OPEN_STATES,
    REVIEW,
    Assignment,
    Batch,
    BatchState,
    SampleState,
    State,
)
from calotype.labelling.record import log
from calotype.labelling.record.log import BEGIN, Event
from calotype.labelling.record.rows import Plain
from calotype.store import Store

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for: a dataset, a batch by name or id, a kind of work; empty for any."""

    dataset: str = ""
    batch: str = ""
    kind: str = ""

    def fits(self, batch: Batch) -> bool:
        """Whether a batch is among what is asked for."""
        return self.dataset in ("", batch.dataset) and self.batch in ("", batch.name, batch.id)


@verb
def next_work(actor: Actor, *, store: Store, wanted: Wanted = Wanted()) -> str:
    """Take the next assignment; its id, empty where nothing is left for this person.

    Raises: NotPermitted, TooManyLeases.
    """
    with store.catalog.read() as conn:
        batches = list(_batches(conn, actor, wanted, store))
    if not batches and wanted.dataset:
        store.guard.require(actor, Permission.WORK_DO, dataset=wanted.dataset)
    if not batches:
        return ""
    with store.catalog.bookkeeping() as conn:
        now = now_us()
        repository.lapse(conn, now)
        taken = _resumed(conn, actor, batches, wanted, now) or _taken(
            conn, actor, batches, wanted, now, store
        )
    return taken


def _batches(conn: sa.Connection, actor: Actor, wanted: Wanted, store: Store) -> Iterator[Batch]:
    """The batches that somebody may work in now."""
    for batch in repository.batches(conn, states=(BatchState.OPEN, BatchState.PAUSED)):
        if wanted.fits(batch) and store.guard.allows(actor, Permission.WORK_DO, dataset=batch.dataset):
            yield batch


def _resumed(conn: sa.Connection, actor: Actor, batches: list[Batch], wanted: Wanted, now: int) -> str:
    """What this person has begun: sent back first, then open leases, then lapsed ones that still have a place."""
    mine = repository.assignments(conn, actor_id=actor.id, states=OPEN_STATES)
    by_id = {batch.id: batch for batch in batches}
    order = (State.SENT_BACK, State.DRAFT, State.EXPIRED)
    for assignment in sorted(mine, key=lambda one: (order.index(State(one.state)), one.started_at_us)):
        batch = by_id.get(assignment.batch_id)
        if batch is None or wanted.kind not in ("", assignment.kind):
            continue
        if renewed(conn, assignment, batch, now):
            return assignment.id
    if sum(one.state == State.DRAFT for one in mine) >= MAX_LEASES:
        raise TooManyLeases(n=len(mine))
    return ""


def renewed(conn: sa.Connection, assignment: Assignment, batch: Batch, now: int) -> bool:
    """Begin a lease again where the place of a lapsed one is still free; whether it holds now."""
    until = now + batch.lease_s * _US
    if assignment.state == State.EXPIRED:
        if assignment.kind == ANNOTATE:
            row = repository.sample(conn, assignment.batch_id, assignment.sample_id)
            if row.state != SampleState.WAITING or row.n_open + row.n_submitted >= batch.overlap:
                return False
            repository.change_sample(conn, batch.id, assignment.sample_id, n_open=row.n_open + 1)
        elif not _may_review_again(conn, assignment):
            return False
    repository.change_assignment(conn, assignment.id, state=str(State.DRAFT), lease_until_us=until)
    return True


def _may_review_again(conn: sa.Connection, assignment: Assignment) -> bool:
    row = repository.sample(conn, assignment.batch_id, assignment.sample_id)
    others = repository.assignments(
        conn, batch_id=assignment.batch_id, sample_id=assignment.sample_id, kind=REVIEW, states=(State.DRAFT,)
    )
    return row.state == SampleState.SUBMITTED and not others


def _taken(
    conn: sa.Connection, actor: Actor, batches: list[Batch], wanted: Wanted, now: int, store: Store
) -> str:
    """A new assignment; empty where nothing is left."""
    places = people.places_of(conn, actor)
    open_ = [batch for batch in batches if batch.state == BatchState.OPEN]
    for batch in open_:
        reviews = wanted.kind in ("", REVIEW) and people.is_among(places, batch.reviewers)
        if reviews and store.guard.allows(actor, Permission.WORK_REVIEW, dataset=batch.dataset):
            row = repository.next_to_review(conn, batch, actor.id)
            if row is not None:
                return _begin(
                    conn, actor, batch, row.sample_id, REVIEW, _to_review(conn, batch, row.sample_id), now
                )
        if wanted.kind in ("", ANNOTATE) and people.is_among(places, batch.people):
            row = repository.next_waiting(conn, batch, actor.id)
            if row is not None:
                repository.change_sample(conn, batch.id, row.sample_id, n_open=row.n_open + 1)
                return _begin(conn, actor, batch, row.sample_id, ANNOTATE, list(row.seed), now)
    return ""


def _begin(
    conn: sa.Connection, actor: Actor, batch: Batch, sample_id: str, kind: str, seed: list[Plain], now: int
) -> str:
    assignment = Assignment(
        uuid7(),
        batch.id,
        sample_id,
        kind,
        actor.id,
        actor.name,
        str(State.DRAFT),
        1,
        now + batch.lease_s * _US,
        1,
        0,
        batch.guideline_version,
        "",
        now,
        None,
        None,
    )
    repository.add_assignment(conn, assignment)
    event = Event(1, uuid7(), actor.id, BEGIN, "", None, {"annotations": seed})
    log.append(conn, assignment, [event])
    return assignment.id


def _to_review(conn: sa.Connection, batch: Batch, sample_id: str) -> list[Plain]:
    """What a review begins with: the only copy, or of several the one that agrees most with the others."""
    copies = copies_of(conn, batch.id, sample_id)
    return agreement.champion(list(copies.values())) if copies else []


def copies_of(conn: sa.Connection, batch_id: str, sample_id: str) -> dict[Assignment, list[Plain]]:
    """What the annotators of a sample submitted, in the order of submission."""
    done = repository.assignments(
        conn, batch_id=batch_id, sample_id=sample_id, kind=ANNOTATE, states=(State.SUBMITTED, State.ACCEPTED)
    )
    done.sort(key=lambda one: (one.submitted_at_us or 0, one.id))
    return {one: log.rows_of(log.present(conn, one.id)) for one in done}


def own(conn: sa.Connection, actor: Actor, assignment_id: str) -> Assignment:
    """An assignment of this actor. Raises: AssignmentNotFound, also where it is somebody else's."""
    assignment = repository.assignment(conn, assignment_id)
    if assignment.actor_id != actor.id:
        raise AssignmentNotFound(got=assignment_id[:32])
    return assignment


def waiting(conn: sa.Connection, actor: Actor, batches: list[Batch]) -> dict[str, int]:
    """How many samples wait for this person, as annotator and as reviewer."""
    places = people.places_of(conn, actor)
    counts = {ANNOTATE: 0, REVIEW: 0}
    for batch in batches:
        progress = repository.progress(conn, batch.id)
        if people.is_among(places, batch.people):
            counts[ANNOTATE] += progress.waiting
        if people.is_among(places, batch.reviewers):
            counts[REVIEW] += progress.submitted
    return counts
