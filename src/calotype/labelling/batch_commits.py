"""Landing: accepted work becomes a commit on the branch of its batch, with a record of where each label comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.committing import NothingToCommit
from calotype.datasets.model import Annotation
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.verbs import verb
from calotype.labelling import repository
from calotype.labelling.model import Batch, Landed, SampleState
from calotype.labelling.record import log
from calotype.labelling.record.rows import IMPORTED, ORIGIN, Plain, from_plain, same_label
from calotype.store import Store
from calotype.store.catalog import schema
from calotype.store.catalog.upserts import insert

__all__ = ["Landed", "land_batch", "published_version"]
VERB = "batch.land"
_RECORDS, _GUIDELINES = schema.of_work.label_records, schema.of_guidelines.guidelines
_AT_ONCE = 500


@dataclass
class _Pile:
    """Accepted samples of a batch, with their rows."""

    samples: list[Any]
    put: list[Annotation]
    removed: list[str]
    records: list[dict[str, Any]]


@verb
def land_batch(actor: Actor, name: str, batch: str, *, store: Store) -> Landed:
    """Commit what was accepted since the last time to the branch of the batch.

    Only what differs from the branch is written: drafts, submitted and sent back work stay in the queue.

    Raises: NotPermitted, DatasetNotFound, BatchNotFound, BranchProtected, WorkingStateMoved.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.BATCH_MANAGE, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        current = repository.batch_by_name(conn, info.id, dataset_name, batch)
        pile = _pile(conn, current)
    if not pile.samples:
        return Landed("", current.branch, 0, 0, 0)
    branch = f"{dataset_name}@{current.branch}"

    def plan(_state: Snapshot) -> Change:
        put = {current.label_set: pile.put} if pile.put else {}
        removed = {current.label_set: pile.removed} if pile.removed else {}
        return Change(put_annotations=put, remove_annotations=removed)

    details = {"batch": current.name, "samples": len(pile.samples), "annotations": len(pile.put)}
    datasets.apply(actor, branch, plan, store=store, verb=VERB, details=details)
    commit = _commit(actor, branch, current, len(pile.samples), store=store)
    with store.catalog.write(actor, VERB, subject=dataset_name) as tx:
        _keep(tx.conn, [{**record, "commit_id": commit} for record in pile.records])
        for sample in pile.samples:
            repository.change_sample(tx.conn, current.id, sample.sample_id, landed_commit=commit)
        tx.details({**details, "commit": commit})
    return Landed(commit, current.branch, len(pile.samples), len(pile.put), len(pile.removed))


def _commit(actor: Actor, branch: str, batch: Batch, n_samples: int, *, store: Store) -> str:
    """The commit that holds the landed rows; that of before where they change nothing."""
    message = f"Batch {batch.name}: accepted work on {n_samples} sample{'' if n_samples == 1 else 's'}"
    try:
        return datasets.commit(actor, branch, message, store=store).id
    except NothingToCommit:
        return datasets.log(actor, branch, store=store, limit=1)[0].id


def _pile(conn: sa.Connection, batch: Batch) -> _Pile:
    pile = _Pile(repository.samples_in(conn, batch.id, SampleState.ACCEPTED, landed=False), [], [], [])
    for sample in pile.samples:
        if sample.accepted_assignment:
            _add(conn, pile, batch, sample)
    return pile


def _add(conn: sa.Connection, pile: _Pile, batch: Batch, sample: Any) -> None:
    """Add one sample: what differs from the branch, and a record of every label that a person saw."""
    accepted = repository.assignment(conn, sample.accepted_assignment)
    before = {row["ann_id"]: row for row in sample.seed}
    now = log.present(conn, accepted.id)
    at_us = now_us()
    authors = [
        one
        for one in repository.assignments(
            conn, batch_id=batch.id, sample_id=sample.sample_id, kind="annotate"
        )
        if one.submitted_at_us is not None
    ]
    active_ms = sum(one.active_ms for one in authors)
    rows = [row for row in now.values() if row is not None]
    for row in rows:
        earlier = before.get(row["ann_id"])
        if row[ORIGIN] != IMPORTED or earlier is None or not same_label(row, earlier):
            pile.put.append(_landed(row))
        pile.records.append(
            {
                "dataset_id": batch.dataset_id,
                "ann_id": row["ann_id"],
                "label_set": batch.label_set,
                "batch_id": batch.id,
                "assignment_id": accepted.id,
                "author": ", ".join(dict.fromkeys(one.actor for one in authors))[:200],
                "reviewer": accepted.actor if accepted.kind == "review" else "",
                "origin": row[ORIGIN],
                "guideline_version": accepted.guideline_version,
                "active_ms": active_ms // max(1, len(rows)),
                "at_us": at_us,
            }
        )
    there = {key for key, row in before.items() if row[ORIGIN] == IMPORTED}
    pile.removed += sorted(there - {row["ann_id"] for row in rows})


def _landed(row: Plain) -> Annotation:
    """The annotation as the dataset keeps it: a person stands for it now, so it has no model's confidence."""
    return replace(from_plain(row), score=None)


def _keep(conn: sa.Connection, records: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(records), _AT_ONCE):
        statement = insert(conn, _RECORDS)
        columns = [c.name for c in _RECORDS.columns if c.name not in ("dataset_id", "ann_id")]
        changed = {name: statement.excluded[name] for name in columns}
        conn.execute(
            statement.on_conflict_do_update(index_elements=["dataset_id", "ann_id"], set_=changed),
            list(records[start : start + _AT_ONCE]),
        )


def published_version(conn: sa.Connection, dataset_id: str) -> int:
    """The newest published version of a dataset's guideline; 0 where none is."""
    query = sa.select(sa.func.max(_GUIDELINES.c.version))
    query = query.where(_GUIDELINES.c.dataset_id == dataset_id, _GUIDELINES.c.state == "published")
    return int(conn.execute(query).scalar() or 0)
