"""Threads: remarks of reviewers and questions of annotators, about a sample, a place in it, or an annotation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import iso, now_us
from calotype.foundation.errors import NotFound
from calotype.foundation.ids import uuid7
from calotype.foundation.verbs import verb
from calotype.labelling import queue, repository
from calotype.labelling.errors import OperationInvalid
from calotype.labelling.model import Assignment, Batch, Remark
from calotype.store import Store
from calotype.store.catalog import schema

_T, _C = schema.of_work.threads, schema.of_work.comments
REMARK, QUESTION = "remark", "question"
OPEN, RESOLVED = "open", "resolved"
MAX_TEXT = 10_000


class ThreadNotFound(NotFound):
    """There is no such thread."""

    code = "thread-not-found"
    what = "{dataset} has no thread {got}"
    fix = "list the open ones with `calotype work questions {dataset}`"


@verb
def ask(
    actor: Actor,
    assignment: str,
    text: str,
    *,
    store: Store,
    annotation: str = "",
    place: tuple[float, float] | None = None,
    class_name: str = "",
) -> dict[str, Any]:
    """Ask how something should be labelled; whoever writes the guideline answers.

    Args:
        annotation: Id of the annotation in question; empty for the whole image.
        place: x, y in pixels of the upright image.
        class_name: The class in question.
    Raises: NotPermitted, AssignmentNotFound, OperationInvalid.
    """
    with store.catalog.read() as conn:
        mine = queue.own(conn, actor, assignment)
        batch = repository.batch_of(conn, mine.batch_id)
    store.guard.require(actor, Permission.WORK_DO, dataset=batch.dataset)
    with store.catalog.write(actor, "work.ask", subject=batch.dataset) as tx:
        thread = add(tx.conn, actor, batch, mine, QUESTION, Remark(text, "", annotation), place, class_name)
        tx.details({"batch": batch.name, "sample": mine.sample_id, "thread": thread})
        return of_ids(tx.conn, [thread])[0]


@verb
def answer(actor: Actor, thread: str, text: str, *, store: Store, resolve: bool = True) -> dict[str, Any]:
    """Answer a question or a remark; with `resolve`, it is done.

    Raises: NotPermitted, ThreadNotFound, OperationInvalid.
    """
    with store.catalog.read() as conn:
        row = conn.execute(sa.select(_T).where(_T.c.id == thread[:32])).first()
        batch = None if row is None else repository.batch_of(conn, row.batch_id)
    if row is None or batch is None:
        raise ThreadNotFound(dataset="the workspace", got=thread[:32])
    permission = Permission.GUIDELINE_EDIT if row.kind == QUESTION else Permission.WORK_DO
    store.guard.require(actor, permission, dataset=batch.dataset)
    with store.catalog.write(actor, "work.answer", subject=batch.dataset) as tx:
        _comment(tx.conn, thread, actor, text, "ruling" if row.kind == QUESTION else "answer")
        if resolve:
            close(tx.conn, thread)
        tx.details({"thread": thread, "resolved": resolve})
        return of_ids(tx.conn, [thread])[0]


@verb
def questions(actor: Actor, name: str, *, store: Store, state: str = "") -> list[dict[str, Any]]:
    """The questions of a dataset, the oldest open one first. Raises: NotPermitted, DatasetNotFound."""
    from_dataset = name.partition("@")[0]
    store.guard.require(actor, Permission.GUIDELINE_EDIT, dataset=from_dataset)
    with store.catalog.read() as conn:
        query = sa.select(_T.c.id).join(schema.datasets, schema.datasets.c.id == _T.c.dataset_id)
        query = query.where(schema.datasets.c.name == from_dataset, _T.c.kind == QUESTION)
        if state:
            query = query.where(_T.c.state == state)
        ids = list(conn.scalars(query.order_by(_T.c.state, _T.c.created_at_us).limit(1_000)))
        return of_ids(conn, ids)


def add(
    conn: sa.Connection,
    actor: Actor,
    batch: Batch,
    about: Assignment,
    kind: str,
    remark: Remark,
    place: tuple[float, float] | None = None,
    class_name: str = "",
) -> str:
    """Begin a thread about an assignment; its id. Raises: OperationInvalid."""
    thread = uuid7()
    conn.execute(
        _T.insert().values(
            id=thread,
            dataset_id=batch.dataset_id,
            batch_id=batch.id,
            sample_id=about.sample_id,
            assignment_id=about.id,
            ann_id=remark.annotation[:32],
            place=None if place is None else list(place),
            kind=kind,
            category=remark.category[:200],
            class_name=class_name[:200],
            state=OPEN,
            created_by=actor.name,
            created_at_us=now_us(),
            resolved_at_us=None,
        )
    )
    _comment(conn, thread, actor, remark.note or remark.category, "asked" if kind == QUESTION else "remarked")
    return thread


def _comment(conn: sa.Connection, thread: str, actor: Actor, text: str, verb_: str) -> None:
    text = text.strip()
    if not 1 <= len(text) <= MAX_TEXT:
        raise OperationInvalid(where="text", detail=f"a comment has 1 to {MAX_TEXT:,} characters")
    values = {"id": uuid7(), "thread_id": thread, "verb": verb_, "text": text, "author": actor.name}
    conn.execute(_C.insert().values(**values, at_us=now_us()))


def close(conn: sa.Connection, thread: str) -> None:
    """Mark a thread as resolved."""
    conn.execute(_T.update().where(_T.c.id == thread).values(state=RESOLVED, resolved_at_us=now_us()))


def close_remarks(conn: sa.Connection, batch_id: str, sample_id: str) -> None:
    """Mark the remarks about a sample as resolved: it was accepted."""
    here = (_T.c.batch_id == batch_id, _T.c.sample_id == sample_id, _T.c.kind == REMARK, _T.c.state == OPEN)
    conn.execute(_T.update().where(*here).values(state=RESOLVED, resolved_at_us=now_us()))


def of_sample(
    conn: sa.Connection, batch_id: str, sample_id: str, assignments: Sequence[str]
) -> list[dict[str, Any]]:
    """The threads about a sample in one batch, the oldest first: those about these assignments."""
    query = sa.select(_T.c.id).where(
        _T.c.batch_id == batch_id, _T.c.sample_id == sample_id, _T.c.assignment_id.in_(assignments)
    )
    return of_ids(conn, list(conn.scalars(query.order_by(_T.c.created_at_us))))


def of_ids(conn: sa.Connection, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Threads with their comments, in this order, as JSON-ready values."""
    rows = {row.id: row for row in conn.execute(sa.select(_T).where(_T.c.id.in_(ids)))}
    comments: dict[str, list[dict[str, Any]]] = {}
    query = sa.select(_C).where(_C.c.thread_id.in_(ids)).order_by(_C.c.at_us, _C.c.id)
    for row in conn.execute(query):
        said = {"author": row.author, "text": row.text, "verb": row.verb, "at": iso(row.at_us)}
        comments.setdefault(row.thread_id, []).append(said)
    return [_shown(rows[one], comments.get(one, [])) for one in ids if one in rows]


def _shown(row: Any, comments: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "category": row.category,
        "class": row.class_name,
        "state": row.state,
        "sample": row.sample_id,
        "annotation": row.ann_id,
        "place": row.place,
        "by": row.created_by,
        "at": iso(row.created_at_us),
        "comments": comments,
    }
