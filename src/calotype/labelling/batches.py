"""The verbs of batches: open, list, show, pause, resume, extend, close."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from statistics import median
from typing import Any

import sqlalchemy as sa

from calotype.datasets import refs
from calotype.datasets import repository as dataset_repository
from calotype.datasets.commits import Ref
from calotype.datasets.committing import is_clean
from calotype.datasets.model import Sample
from calotype.datasets.reading import open_ref
from calotype.datasets.snapshot import LabelSetNotFound, Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us, to_us
from calotype.foundation.ids import uuid7, uuid8
from calotype.foundation.verbs import verb
from calotype.labelling import batch_commits, people, repository
from calotype.labelling.errors import BatchClosed, BatchExists, BatchInvalid
from calotype.labelling.model import (
    ANNOTATE,
    MAX_SAMPLES,
    Batch,
    BatchOptions,
    BatchState,
    BatchStatus,
    SampleState,
    State,
    check_batch_name,
    check_options,
)
from calotype.labelling.record.rows import IMPORTED, PRELABEL, Plain, to_plain
from calotype.store import Store

BRANCH = "batch/"
_ORDINARY = BatchOptions()
_READ_AT_ONCE = 5_000


@verb
def open_batch(
    actor: Actor, name: str, batch: str, *, store: Store, options: BatchOptions = _ORDINARY
) -> BatchStatus:
    """Open a batch: fix its samples, who labels and reviews them, and make its branch.

    The batch starts from the newest commit of its base branch; what that branch has uncommitted is not in it.

    Args:
        name: The dataset.
        batch: Name of the batch, which its branch gets too, after `batch/`.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, BatchInvalid, BatchExists, WorkerUnknown, LabelSetNotFound,
        QueryInvalid.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.BATCH_MANAGE, dataset=dataset_name)
    check_batch_name(batch)
    check_options(options)
    due_us = _due_us(options.due)
    state, notices = _start(dataset_name, options, store)
    ids = _ids(state, options)
    info, branch = state.dataset, BRANCH + batch
    with store.catalog.write(actor, "batch.open", subject=dataset_name) as tx:
        if any(known.name == batch for known in repository.batches(tx.conn, dataset_id=info.id)):
            raise BatchExists(dataset=dataset_name, name=batch)
        if dataset_repository.ref(tx.conn, info.id, branch) is not None:
            raise refs.RefExists(dataset=dataset_name, ref=branch)
        created = _new(tx.conn, actor, state, batch, options, due_us)
        repository.add_batch(tx.conn, created)
        repository.add_samples(tx.conn, _rows(state, created, ids))
        start = Ref(info.id, branch, "branch", state.commit_id, state.pins, state.documents, 0)
        dataset_repository.add_ref(tx.conn, start)
        tx.details({"batch": batch, "samples": len(ids), "commit": state.commit_id, "branch": branch})
        return replace(_status(tx.conn, created), notices=notices)


def _start(dataset: str, options: BatchOptions, store: Store) -> tuple[Snapshot, tuple[str, ...]]:
    """The newest commit of the base branch, and a notice where the branch has edits that are not in it."""
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        start = refs.commit_at(conn, info, options.base)
        opened = Ref(info.id, options.base, "branch", start.id, start.pins, start.documents, 0)
        state = open_ref(conn, store, info, opened, name=options.base)
        base = dataset_repository.ref(conn, info.id, options.base)
    dirty = base is not None and base.kind == "branch" and not is_clean(base, start)
    return state, (f"uncommitted edits of {options.base} are not in it",) if dirty else ()


def _new(
    conn: sa.Connection, actor: Actor, state: Snapshot, name: str, options: BatchOptions, due_us: int | None
) -> Batch:
    return Batch(
        id=uuid7(),
        dataset_id=state.dataset.id,
        dataset=state.dataset.name,
        name=name,
        branch=BRANCH + name,
        label_set=options.label_set,
        guideline_version=batch_commits.published_version(conn, state.dataset.id),
        query=options.where,
        people=people.ids_of(conn, actor, options.to),
        reviewers=people.ids_of(conn, actor, options.reviewers),
        overlap=options.overlap,
        review_share=options.review,
        priority=options.priority,
        due_us=due_us,
        prelabels=options.prelabels,
        min_score=options.min_score,
        lease_s=options.lease_s,
        state=str(BatchState.OPEN),
        created_by=actor.name,
        created_at_us=now_us(),
        closed_at_us=None,
    )


def _ids(state: Snapshot, options: BatchOptions) -> list[str]:
    """The samples of a batch, in the order of their names. Raises: BatchInvalid."""
    for label_set in {options.prelabels} - {""}:
        if label_set not in state.label_sets:
            known = ", ".join(state.label_sets) or "none"
            raise LabelSetNotFound(dataset=state.dataset.name, got=label_set[:80], known=known)
    ids = state.ids(options.where or None, label_set=options.label_set)
    if options.ids:
        wanted = set(options.ids)
        missing = sorted(wanted - set(ids))
        if missing:
            hint = "name samples of the newest commit that the query matches"
            raise BatchInvalid(detail=f"{missing[0][:40]!r} is not one of the samples", hint=hint)
        ids = [one for one in ids if one in wanted]
    if not 1 <= len(ids) <= MAX_SAMPLES:
        hint = f"a batch has 1 to {MAX_SAMPLES:,} samples; try the query with `calotype samples`"
        raise BatchInvalid(detail=f"the query matches {len(ids):,} samples", hint=hint)
    return ids


def _rows(state: Snapshot, batch: Batch, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of `batch_samples`, with what the work begins with."""
    at_us = now_us()
    for start in range(0, len(ids), _READ_AT_ONCE):
        part = list(ids[start : start + _READ_AT_ONCE])
        samples = {sample.sample_id: sample for sample in state.iter_samples(ids=part)}
        seeds = _seeds(state, batch, part)
        for n, sample_id in enumerate(part):
            yield {
                "batch_id": batch.id,
                "sample_id": sample_id,
                "position": start + n,
                "sample": _facts(samples[sample_id]),
                "seed": seeds.get(sample_id, []),
                "state": str(SampleState.WAITING),
                "n_open": 0,
                "n_submitted": 0,
                "review_reason": "",
                "accepted_assignment": None,
                "landed_commit": "",
                "changed_at_us": at_us,
            }


def _facts(sample: Sample) -> dict[str, Any]:
    return {
        "id": sample.sample_id,
        "name": sample.name,
        "width_px": sample.width_px,
        "height_px": sample.height_px,
        "media": sample.media_sha256,
        "mime": sample.mime,
        "n_bytes": sample.n_bytes,
    }


def _seeds(state: Snapshot, batch: Batch, ids: Sequence[str]) -> dict[str, list[Plain]]:
    """Sample -> the annotations that the label set has, and those of the prelabels, under ids of their own."""
    seeds: dict[str, list[Plain]] = {}
    if batch.label_set in state.label_sets:
        for sample_id, there in state.annotations_of(ids, label_set=batch.label_set).items():
            seeds.setdefault(sample_id, []).extend(to_plain(one, IMPORTED) for one in there)
    if batch.prelabels and batch.prelabels != batch.label_set:
        for sample_id, guesses in state.annotations_of(ids, label_set=batch.prelabels).items():
            kept = [one for one in guesses if one.score is None or one.score >= batch.min_score]
            seeds.setdefault(sample_id, []).extend(
                to_plain(
                    replace(
                        one,
                        ann_id=uuid8(batch.id, one.ann_id),
                        author=one.author or batch.prelabels,
                        import_id="",
                    ),
                    PRELABEL,
                )
                for one in kept
            )
    return seeds


@verb
def batches(actor: Actor, name: str, *, store: Store) -> list[BatchStatus]:
    """The batches of a dataset with their progress, the most urgent first. Raises: NotPermitted, DatasetNotFound."""
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.BATCH_MANAGE, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        return [_status(conn, batch) for batch in repository.batches(conn, dataset_id=info.id)]


@verb
def batch(actor: Actor, name: str, batch: str, *, store: Store) -> BatchStatus:
    """One batch with its progress. Raises: NotPermitted, DatasetNotFound, BatchNotFound."""
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.BATCH_MANAGE, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        return _status(conn, repository.batch_by_name(conn, info.id, dataset_name, batch))


@verb
def left_out(actor: Actor, name: str, *, store: Store) -> list[str]:
    """What a release does not hold of the batches of a dataset, in words: work that is not accepted, or not landed.

    Raises: NotPermitted, DatasetNotFound.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    lines = []
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        for one in repository.batches(conn, dataset_id=info.id):
            progress = repository.progress(conn, one.id)
            waiting = progress.waiting + progress.submitted if one.state != BatchState.CLOSED else 0
            to_land = progress.accepted - progress.landed
            if waiting or to_land:
                lines.append(
                    f"left out of batch {one.name}: {waiting} samples that are not accepted "
                    f"({progress.submitted} wait for a review), {to_land} accepted that have not landed"
                )
    return lines


@verb
def pause_batch(actor: Actor, name: str, batch: str, *, store: Store) -> BatchStatus:
    """Hand out no more work of a batch; what people hold can be finished.

    Raises: NotPermitted, DatasetNotFound, BatchNotFound, BatchClosed.
    """
    return _change(actor, name, batch, "batch.pause", store=store, state=str(BatchState.PAUSED))


@verb
def resume_batch(actor: Actor, name: str, batch: str, *, store: Store) -> BatchStatus:
    """Hand out the work of a paused batch again. Raises: NotPermitted, DatasetNotFound, BatchNotFound, BatchClosed."""
    return _change(actor, name, batch, "batch.resume", store=store, state=str(BatchState.OPEN))


@verb
def extend_batch(
    actor: Actor,
    name: str,
    batch: str,
    *,
    store: Store,
    due: str | None = None,
    priority: int | None = None,
    to: Sequence[str] | None = None,
    reviewers: Sequence[str] | None = None,
) -> BatchStatus:
    """Change the due day, the priority or the people of a batch; None leaves each as it is.

    Raises: NotPermitted, DatasetNotFound, BatchNotFound, BatchClosed, BatchInvalid, WorkerUnknown.
    """
    values: dict[str, Any] = {}
    if due is not None:
        values["due_us"] = _due_us(due)
    if priority is not None:
        check_options(BatchOptions(priority=priority))
        values["priority"] = priority
    for column, names in (("people", to), ("reviewers", reviewers)):
        if names is not None:
            with store.catalog.read() as conn:
                values[column] = list(people.ids_of(conn, actor, names))
    return _change(actor, name, batch, "batch.extend", store=store, **values)


@verb
def close_batch(
    actor: Actor, name: str, batch: str, *, store: Store
) -> tuple[BatchStatus, batch_commits.Landed]:
    """Land what is accepted, and end the batch: nobody gets work of it any more, and drafts stay where they are.

    Raises: NotPermitted, DatasetNotFound, BatchNotFound, BatchClosed, WorkingStateMoved.
    """
    landed = batch_commits.land_batch(actor, name, batch, store=store)
    status = _change(
        actor, name, batch, "batch.close", store=store, state=str(BatchState.CLOSED), closed_at_us=now_us()
    )
    return status, landed


def _change(actor: Actor, name: str, batch: str, what: str, *, store: Store, **values: Any) -> BatchStatus:
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.BATCH_MANAGE, dataset=dataset_name)
    with store.catalog.write(actor, what, subject=dataset_name) as tx:
        info = refs.dataset(tx.conn, dataset_name)
        current = repository.batch_by_name(tx.conn, info.id, dataset_name, batch)
        if current.state == BatchState.CLOSED:
            hint = "open a new batch for the samples that are left"
            raise BatchClosed(name=current.name, dataset=dataset_name, state=current.state, hint=hint)
        if values:
            repository.change_batch(tx.conn, current.id, **values)
        tx.details(
            {"batch": current.name, **{key: value for key, value in values.items() if value is not None}}
        )
        return _status(tx.conn, repository.batch_by_name(tx.conn, info.id, dataset_name, batch))


def _status(conn: sa.Connection, batch: Batch) -> BatchStatus:
    done = repository.assignments(
        conn, batch_id=batch.id, kind=ANNOTATE, states=(State.SUBMITTED, State.ACCEPTED), limit=2_000
    )
    times = [one.active_ms / 1_000 for one in done if one.active_ms]
    return BatchStatus(
        batch,
        repository.progress(conn, batch.id),
        people.names_of(conn, batch.people),
        people.names_of(conn, batch.reviewers),
        round(median(times), 1) if times else None,
    )


def _due_us(text: str) -> int | None:
    """Raises: BatchInvalid."""
    if not text:
        return None
    try:
        if len(text) == 10:
            instant = datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)
        else:
            instant = datetime.fromisoformat(text)
    except ValueError:
        hint = "write it as 2027-03-31 or 2027-03-31T17:00:00Z"
        raise BatchInvalid(detail=f"{text[:40]!r} is not a date", hint=hint) from None
    return to_us(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
