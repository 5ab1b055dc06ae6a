"""The verbs of precedents: keep a ruling, list them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import iso, now_us
from calotype.foundation.errors import Invalid, NotFound
from calotype.foundation.ids import uuid7
from calotype.foundation.verbs import verb
from calotype.guidelines import facts
from calotype.store import Store
from calotype.store.catalog import schema

_P, _T, _C = schema.of_guidelines.precedents, schema.of_work.threads, schema.of_work.comments
MAX_TEXT = 10_000


class QuestionNotFound(NotFound):
    """There is no such question."""

    code = "question-not-found"
    what = "{dataset} has no question {got}"
    fix = "list them with `calotype work questions {dataset}`"


class PrecedentInvalid(Invalid):
    """A precedent without a ruling or a reason."""

    code = "precedent-invalid"
    what = "{detail}"
    fix = "say what is right and why, so that others can judge the next case by it"


@dataclass(frozen=True, slots=True)
class Precedent:
    """A ruling to keep.

    Args:
        ruling: What is right, in words.
        reason: Why.
        sample: Id or name of the sample; empty with a `thread`, whose sample it is.
        class_name: The class that it is about; empty for none.
        region: Left, top, width, height in pixels of the upright image; None for the whole image.
        thread: Id of the question that it answers; empty for none.
    """

    ruling: str
    reason: str
    sample: str = ""
    class_name: str = ""
    region: tuple[float, float, float, float] | None = None
    thread: str = ""


@verb
def add_precedent(actor: Actor, name: str, precedent: Precedent, *, store: Store) -> dict[str, Any]:
    """Keep a ruling as a precedent of the guideline that is in force.

    Raises: NotPermitted, DatasetNotFound, SampleNotFound, QuestionNotFound, PrecedentInvalid.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.GUIDELINE_EDIT, dataset=dataset_name)
    for place in ("ruling", "reason"):
        if not 1 <= len(getattr(precedent, place).strip()) <= MAX_TEXT:
            raise PrecedentInvalid(where=place, detail=f"a {place} has 1 to {MAX_TEXT:,} characters")
    if precedent.thread:
        sample_id, class_name, question = _asked(precedent.thread, dataset_name, store)
    else:
        sample_id = datasets.read(actor, name, store=store).sample(precedent.sample).sample_id
        class_name, question = "", ""
    kept = uuid7()
    with store.catalog.write(actor, "precedent.add", subject=dataset_name) as tx:
        info = refs.dataset(tx.conn, dataset_name)
        values = {
            "id": kept,
            "dataset_id": info.id,
            "guideline_version": facts.published_version(tx.conn, info.id),
            "class_name": precedent.class_name or class_name,
            "sample_id": sample_id,
            "region": None if precedent.region is None else list(precedent.region),
            "question": question,
            "ruling": precedent.ruling.strip(),
            "reason": precedent.reason.strip(),
            "thread_id": precedent.thread[:32],
            "created_by": actor.name,
            "created_at_us": now_us(),
            "retired_at_us": None,
        }
        tx.conn.execute(_P.insert().values(**values))
        tx.details({"precedent": kept, "sample": sample_id, "class": values["class_name"]})
        return _shown(tx.conn, [kept])[0]


@verb
def precedents(actor: Actor, name: str, *, store: Store, class_name: str = "") -> list[dict[str, Any]]:
    """The precedents of a dataset, the newest first; of one class or of all. Raises: NotPermitted, DatasetNotFound."""
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        query = sa.select(_P.c.id).where(_P.c.dataset_id == info.id, _P.c.retired_at_us.is_(None))
        if class_name:
            query = query.where(_P.c.class_name == class_name)
        return _shown(
            conn, list(conn.scalars(query.order_by(_P.c.created_at_us.desc(), _P.c.id).limit(1_000)))
        )


def _asked(thread: str, dataset: str, store: Store) -> tuple[str, str, str]:
    """Sample, class and text of the question that a precedent answers. Raises: QuestionNotFound."""
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        query = sa.select(_T.c.sample_id, _T.c.class_name, _C.c.text).join(_C, _C.c.thread_id == _T.c.id)
        query = query.where(_T.c.id == thread[:32], _T.c.dataset_id == info.id)
        row = conn.execute(query.order_by(_C.c.at_us, _C.c.id).limit(1)).first()
    if row is None:
        raise QuestionNotFound(dataset=dataset, got=thread[:32])
    return str(row.sample_id), str(row.class_name), str(row.text)


def _shown(conn: sa.Connection, ids: Sequence[str]) -> list[dict[str, Any]]:
    rows = {row.id: row for row in conn.execute(sa.select(_P).where(_P.c.id.in_(ids)))}
    return [
        {
            "id": row.id,
            "class": row.class_name,
            "sample": row.sample_id,
            "region": row.region,
            "question": row.question,
            "ruling": row.ruling,
            "reason": row.reason,
            "guideline_version": row.guideline_version,
            "by": row.created_by,
            "at": iso(row.created_at_us),
        }
        for row in (rows[one] for one in ids)
    ]
