"""What the pages of annotators and reviewers ask: one assignment with all it needs, and one's own work."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import iso
from calotype.foundation.verbs import verb
from calotype.guidelines.facts import class_cards
from calotype.labelling import people, queue, repository, threads
from calotype.labelling.errors import AssignmentNotFound
from calotype.labelling.model import ANNOTATE, OPEN_STATES, REVIEW, Assignment, Batch, BatchState, State
from calotype.labelling.record import log
from calotype.labelling.record.recording import ontology_of
from calotype.labelling.record.rows import shown
from calotype.labelling.working import has_read
from calotype.store import Store

_RECENT = 200


@verb
def work(actor: Actor, assignment: str, *, store: Store) -> dict[str, Any]:
    """One assignment: its sample, classes, annotations and remarks; for reviews the copies of the annotators.

    Own assignments, and for those who manage batches all of them.

    Raises: NotPermitted, AssignmentNotFound.
    """
    with store.catalog.read() as conn:
        mine, batch = readable(conn, actor, assignment, store)
        ontology = ontology_of(conn, batch)
        state = log.present(conn, mine.id)
        history = log.History(log.outline(conn, mine.id))
        row = repository.sample(conn, batch.id, mine.sample_id)
        copies = queue.copies_of(conn, batch.id, mine.sample_id) if mine.kind == REVIEW else {}
        about = [mine.id, *(one.id for one in copies)]
        return {
            **mine.to_dict(),
            "batch": _batch(batch),
            "guideline": {
                "version": batch.guideline_version,
                "acknowledged": has_read(conn, actor, batch),
            },
            "sample": _sample(row.sample, mine.id),
            "review_reason": row.review_reason,
            "classes": class_cards(ontology),
            "annotations": [shown(one, ontology) for one in log.rows_of(state)],
            "position": mine.position,
            "to_undo": len(history.done),
            "to_redo": len(history.undone),
            "remarks": threads.of_sample(conn, batch.id, mine.sample_id, about),
            "others": [
                {"assignment": one.id, "author": one.actor, "annotations": [shown(a, ontology) for a in rows]}
                for one, rows in copies.items()
            ],
            "ahead": _ahead(conn, actor, batch, mine),
        }


def readable(conn: sa.Connection, actor: Actor, assignment_id: str, store: Store) -> tuple[Assignment, Batch]:
    """An assignment that the actor may look at, and its batch. Raises: AssignmentNotFound, NotPermitted."""
    found = repository.assignment(conn, assignment_id)
    batch = repository.batch_of(conn, found.batch_id)
    if found.actor_id == actor.id:
        permission = Permission.WORK_REVIEW if found.kind == REVIEW else Permission.WORK_DO
        store.guard.require(actor, permission, dataset=batch.dataset)
    elif not store.guard.allows(actor, Permission.BATCH_MANAGE, dataset=batch.dataset):
        raise AssignmentNotFound(got=assignment_id[:32])
    return found, batch


@verb
def work_events(actor: Actor, assignment: str, *, store: Store) -> list[dict[str, Any]]:
    """The record of an assignment in order: who did what to which annotation, and when.

    Raises: NotPermitted, AssignmentNotFound.
    """
    with store.catalog.read() as conn:
        mine, batch = readable(conn, actor, assignment, store)
        ontology = ontology_of(conn, batch)
        names: dict[str, str] = {}
        items = []
        for event in log.events(conn, mine.id):
            who = names.setdefault(event.actor_id, people.names_of(conn, [event.actor_id])[0])
            after = event.after if event.ann_id else None
            items.append(
                {
                    "position": event.position,
                    "operation": event.operation,
                    "actor": who,
                    "verb": event.verb,
                    "annotation": event.ann_id,
                    "reverts": event.reverts,
                    "at": iso(event.at_us),
                    "active_ms": event.active_ms,
                    "after": None if after is None else shown(after, ontology),
                }
            )
        return items


@verb
def my_work(actor: Actor, *, store: Store) -> dict[str, Any]:
    """One's own work: what is open, sent back first; the batches with work for one; one's own figures."""
    with store.catalog.read() as conn:
        places = people.places_of(conn, actor)
        mine = repository.assignments(conn, actor_id=actor.id)
        mine_in = {one.batch_id for one in mine}
        known = {
            batch.id: batch
            for batch in repository.batches(conn)
            if store.guard.allows(actor, Permission.WORK_DO, dataset=batch.dataset)
        }
        offered = [
            batch
            for batch in known.values()
            if batch.state != BatchState.CLOSED
            and (
                batch.id in mine_in
                or people.is_among(places, batch.people)
                or people.is_among(places, batch.reviewers)
            )
        ]
        order = (State.SENT_BACK, State.DRAFT, State.EXPIRED)
        open_ = [one for one in mine if one.state in OPEN_STATES and one.batch_id in known]
        open_.sort(key=lambda one: (order.index(State(one.state)), one.started_at_us))
        return {
            "open": [_line(conn, one, known[one.batch_id]) for one in open_[:_RECENT]],
            "batches": [
                {**_batch(batch), "state": batch.state, **queue.waiting(conn, actor, [batch])}
                for batch in offered
            ],
            "figures": _figures([one for one in mine if one.kind == ANNOTATE]),
        }


def _figures(mine: list[Assignment]) -> dict[str, Any]:
    """Counts of one person's own assignments, and the median of the active time of one."""
    done = [one for one in mine if one.state in (State.SUBMITTED, State.ACCEPTED)]
    times = sorted(one.active_ms / 1_000 for one in done if one.active_ms)
    return {
        "submitted": len(done),
        "accepted": sum(one.state == State.ACCEPTED for one in done),
        "sent_back": sum(one.state == State.SENT_BACK or one.round > 1 for one in mine),
        "skipped": sum(one.state == State.SKIPPED for one in mine),
        "active_s": round(sum(one.active_ms for one in mine) / 1_000, 1),
        "median_s": round(times[len(times) // 2], 1) if times else None,
    }


def _line(conn: sa.Connection, one: Assignment, batch: Batch) -> dict[str, Any]:
    facts = repository.sample(conn, one.batch_id, one.sample_id).sample
    return {**one.to_dict(), "batch": batch.name, "dataset": batch.dataset, "name": facts["name"]}


def _batch(batch: Batch) -> dict[str, Any]:
    """What whoever works in a batch sees of it."""
    return {
        "id": batch.id,
        "name": batch.name,
        "dataset": batch.dataset,
        "label_set": batch.label_set,
        "overlap": batch.overlap,
        "due": None if batch.due_us is None else iso(batch.due_us),
    }


def _sample(facts: dict[str, Any], assignment: str) -> dict[str, Any]:
    return {
        "id": facts["id"],
        "name": facts["name"],
        "width_px": facts["width_px"],
        "height_px": facts["height_px"],
        "image": f"/api/v1/assignments/{assignment}/image",
    }


def _ahead(conn: sa.Connection, actor: Actor, batch: Batch, mine: Assignment) -> list[dict[str, Any]]:
    """The sample that probably comes next; its image is served before it is taken."""
    if mine.kind != ANNOTATE or mine.actor_id != actor.id or not mine.is_open:
        return []
    return [
        {**_sample(facts, mine.id), "image": f"/api/v1/assignments/{mine.id}/next-image?sample={facts['id']}"}
        for facts in repository.ahead(conn, batch, actor.id, mine.sample_id)
    ]


@verb
def work_image(actor: Actor, assignment: str, *, store: Store, ahead: str = "") -> tuple[str, str]:
    """The dataset and the key of the media of an assignment that the actor may look at.

    Args:
        ahead: Id of the sample that comes next for this person, instead of the one of the assignment. By id, because
            somebody else may take it before its image is asked for, and another image must not stand in for it.
    Raises: NotPermitted, AssignmentNotFound.
    """
    with store.catalog.read() as conn:
        mine, batch = readable(conn, actor, assignment, store)
        facts = repository.sample(conn, batch.id, mine.sample_id).sample
        if ahead:
            if mine.actor_id != actor.id or not mine.is_open:
                raise AssignmentNotFound(got=assignment[:32])
            coming = repository.ahead(conn, batch, actor.id, mine.sample_id)
            if not coming or coming[0]["id"] != ahead:
                raise AssignmentNotFound(got=assignment[:32])
            facts = coming[0]
        return batch.dataset, facts["media"]
