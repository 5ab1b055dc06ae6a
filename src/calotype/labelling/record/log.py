"""The event log of assignments and the present state that follows from it: their queries.

Nothing writes the present state except together with the event that it follows from (`append`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.foundation.clock import now_us
from calotype.labelling.model import Assignment
from calotype.labelling.record.rows import ORIGIN, Plain
from calotype.store.catalog import schema
from calotype.store.catalog.upserts import insert

_E, _P = schema.of_work.work_events, schema.of_work.work_annotations
BEGIN, UNDO, REDO, SUBMIT = "begin", "undo", "redo", "submit"
BESIDE = (BEGIN, UNDO, REDO, SUBMIT, "release", "skip", "accept", "send-back", "reopen")
"""Verbs of events that are not changes that a person can undo."""
PART = "."
"""Separates the id of an operation from the number of the event, where one operation has several."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `before` and `after` are the annotation, or None where it does not exist."""

    position: int
    operation: str
    actor_id: str
    verb: str
    ann_id: str
    before: Plain | None
    after: Plain | None
    reverts: str = ""
    active_ms: int = 0
    at_us: int = 0


def append(conn: sa.Connection, assignment: Assignment, events: Sequence[Event]) -> None:
    """Add events, and bring the present state up to date with them."""
    if not events:
        return
    at_us = now_us()
    conn.execute(
        _E.insert(),
        [
            {
                "assignment_id": assignment.id,
                "position": e.position,
                "operation_id": e.operation,
                "actor_id": e.actor_id,
                "verb": e.verb,
                "ann_id": e.ann_id,
                "before": e.before,
                "after": e.after,
                "reverts": e.reverts,
                "active_ms": e.active_ms,
                "at_us": e.at_us or at_us,
            }
            for e in events
        ],
    )
    put(conn, assignment.id, events)


def put(conn: sa.Connection, assignment_id: str, events: Sequence[Event]) -> None:
    """Write the present state of the annotations that events concern."""
    latest = {ann_id: (event, row) for event in events for ann_id, row in _rows_of(event)}
    values = [
        {
            "assignment_id": assignment_id,
            "ann_id": ann_id,
            "row": row,
            "origin": "" if row is None else str(row[ORIGIN]),
            "author": "" if row is None else row.get("author", ""),
            "operation_id": event.operation,
            "position": event.position,
        }
        for ann_id, (event, row) in latest.items()
    ]
    if not values:
        return
    statement = insert(conn, _P)
    changed = {
        name: statement.excluded[name] for name in ("row", "origin", "author", "operation_id", "position")
    }
    keys = ["assignment_id", "ann_id"]
    conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), values)


def _rows_of(event: Event) -> Iterable[tuple[str, Plain | None]]:
    if event.verb == BEGIN:
        return [(row["ann_id"], row) for row in (event.after or {}).get("annotations", ())]
    return [(event.ann_id, event.after)] if event.ann_id else []


def fold(events: Iterable[Event]) -> dict[str, Plain | None]:
    """The state that follows from events: annotation -> its values, None where it was deleted."""
    state: dict[str, Plain | None] = {}
    for event in events:
        state.update(_rows_of(event))
    return state


def present(
    conn: sa.Connection, assignment_id: str, ids: Sequence[str] | None = None
) -> dict[str, Plain | None]:
    """The present state: annotation -> its values, None where it was deleted; of some annotations or of all."""
    query = sa.select(_P.c.ann_id, _P.c.row).where(_P.c.assignment_id == assignment_id)
    if ids is not None:
        query = query.where(_P.c.ann_id.in_(ids))
    return {row.ann_id: row.row for row in conn.execute(query.order_by(_P.c.ann_id))}


def events(
    conn: sa.Connection, assignment_id: str, *, operations: Sequence[str] | None = None
) -> list[Event]:
    """The events of an assignment in order; of some operations or of all."""
    query = sa.select(_E).where(_E.c.assignment_id == assignment_id).order_by(_E.c.position)
    if operations is not None:
        query = query.where(_E.c.operation_id.in_(operations))
    return [
        Event(
            row.position,
            row.operation_id,
            row.actor_id,
            row.verb,
            row.ann_id,
            row.before,
            row.after,
            row.reverts,
            row.active_ms,
            row.at_us,
        )
        for row in conn.execute(query)
    ]


def known(conn: sa.Connection, assignment_id: str, operations: Sequence[str]) -> set[str]:
    """Which of these ids of operations the log has already."""
    query = sa.select(_E.c.operation_id).where(
        _E.c.assignment_id == assignment_id, _E.c.operation_id.in_(operations)
    )
    return set(conn.scalars(query))


def outline(conn: sa.Connection, assignment_id: str) -> list[tuple[str, str, str]]:
    """Operation, verb and what it reverts, of each event in order."""
    query = sa.select(_E.c.operation_id, _E.c.verb, _E.c.reverts).where(_E.c.assignment_id == assignment_id)
    return [(row.operation_id, row.verb, row.reverts) for row in conn.execute(query.order_by(_E.c.position))]


def steps(conn: sa.Connection, assignment_id: str) -> tuple[int, int]:
    """How many operations can be undone and redone; `History` says which."""
    row = conn.execute(_STEPS, {"assignment": assignment_id}).one()
    n_edits, n_undos, n_redos, undos_after, redos_after = (int(value or 0) for value in row)
    return n_edits - n_undos + n_redos, undos_after - redos_after


def _steps() -> sa.Select[int, int, int, int, int]:
    here = _E.c.assignment_id == sa.bindparam("assignment")
    is_edit = sa.and_(_E.c.verb.not_in(BESIDE), ~_E.c.operation_id.contains(PART))
    is_undo, is_redo = (
        sa.and_(_E.c.verb == verb, ~_E.c.operation_id.contains(PART)) for verb in (UNDO, REDO)
    )
    last = sa.select(sa.func.coalesce(sa.func.max(_E.c.position), 0)).where(here, is_edit).scalar_subquery()

    def n(what: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((what, 1), else_=0))

    after = _E.c.position > last
    columns = (n(is_edit), n(is_undo), n(is_redo), n(sa.and_(is_undo, after)), n(sa.and_(is_redo, after)))
    return sa.select(*columns).where(here)


_STEPS = _steps()


def state_at(conn: sa.Connection, assignment_id: str, position: int) -> dict[str, Plain | None]:
    """The state after the event of this number. Events are read one after the other."""
    query = sa.select(_E).where(_E.c.assignment_id == assignment_id, _E.c.position <= position)
    rows = conn.execute(query.order_by(_E.c.position))
    return fold(
        Event(row.position, row.operation_id, row.actor_id, row.verb, row.ann_id, row.before, row.after)
        for row in rows
    )


class History:
    """What can be undone and redone, from the outline of a log. An operation may have several events."""

    def __init__(self, outline_: Iterable[tuple[str, str, str]]) -> None:
        self.done: list[str] = []
        self.undone: list[str] = []
        for operation, verb, reverts in outline_:
            self.note(operation, verb, reverts)

    def note(self, operation: str, verb: str, reverts: str = "") -> None:
        """Take account of one more event."""
        base = operation.partition(PART)[0]
        if verb == UNDO:
            if self.done and self.done[-1] == reverts:
                self.undone.append(self.done.pop())
        elif verb == REDO:
            if self.undone and self.undone[-1] == reverts:
                self.done.append(self.undone.pop())
        elif verb not in BESIDE:
            if not self.done or self.done[-1] != base:
                self.done.append(base)
            self.undone.clear()


def rows_of(value: Any) -> list[Plain]:
    """The annotations that exist in a present state."""
    return [row for row in value.values() if row is not None]
