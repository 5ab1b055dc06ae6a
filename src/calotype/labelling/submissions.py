"""What becomes of a sample when somebody submits or gives back: a review with its reason, or acceptance at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import sqlalchemy as sa

from calotype.analysis.boxes import copies as agreement
from calotype.foundation.clock import now_us
from calotype.guidelines.facts import missing_attributes
from calotype.labelling import queue, repository
from calotype.labelling.errors import WorkIncomplete
from calotype.labelling.model import ANNOTATE, Assignment, Batch, SampleState, State
from calotype.labelling.record import log
from calotype.labelling.record.rows import Plain
from calotype.vision.ontology import Ontology

AGREED = 0.8
"""From this agreement on, copies by several people need no review."""
NEW_PERSON = 5
"""Samples that somebody must have accepted in a dataset before only a share of their work is reviewed."""
SKIPS_TO_END = 2


def submitted(conn: sa.Connection, batch: Batch, mine: Assignment) -> None:
    """Count a submission; with the last of the overlap, the sample is accepted or waits for a review."""
    row = repository.sample(conn, batch.id, mine.sample_id)
    n_submitted = row.n_submitted + 1
    repository.change_sample(
        conn,
        batch.id,
        mine.sample_id,
        n_open=max(0, row.n_open - 1),
        n_submitted=n_submitted,
        changed_at_us=now_us(),
    )
    if n_submitted < batch.overlap:
        return
    copies = queue.copies_of(conn, batch.id, mine.sample_id)
    reason = review_reason(conn, batch, mine.sample_id, list(copies), list(copies.values()))
    if reason:
        repository.change_sample(
            conn, batch.id, mine.sample_id, state=str(SampleState.SUBMITTED), review_reason=reason
        )
    else:
        rows = list(copies.values())
        best = agreement.champion(rows)
        accept(conn, batch, mine.sample_id, next(one for one, copy in copies.items() if copy is best))


def accept(conn: sa.Connection, batch: Batch, sample_id: str, by: Assignment) -> None:
    """Accept a sample with the work of one assignment; the others count as done."""
    repository.change_sample(
        conn,
        batch.id,
        sample_id,
        state=str(SampleState.ACCEPTED),
        accepted_assignment=by.id,
        changed_at_us=now_us(),
    )
    for one in repository.assignments(
        conn, batch_id=batch.id, sample_id=sample_id, kind=ANNOTATE, states=(State.SUBMITTED,)
    ):
        repository.change_assignment(conn, one.id, state=str(State.ACCEPTED))


def review_reason(
    conn: sa.Connection,
    batch: Batch,
    sample_id: str,
    done: Sequence[Assignment],
    copies: Sequence[Sequence[Plain]],
) -> str:
    """Why a submitted sample needs a reviewer; empty where it does not.

    Several copies are reviewed where they do not agree. Otherwise a share of the samples is, drawn by a hash of batch
    and sample; where any review is wanted at all, also the first samples of everyone, and what was sent back before.
    """
    if len(copies) > 1 and agreement.agreement(copies) < AGREED:
        return "copies differ"
    if not batch.review_share:
        return ""
    if any(one.round > 1 for one in done):
        return "sent back before"
    if _share_of(batch.id, sample_id) < batch.review_share:
        return "sampled"
    for one in done:
        if _n_accepted(conn, batch, one.actor_id) < NEW_PERSON:
            return "new here"
    return ""


def _share_of(batch_id: str, sample_id: str) -> float:
    """A number from 0 to 1 that depends on batch and sample only."""
    digest = hashlib.blake2b(f"{batch_id}/{sample_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _n_accepted(conn: sa.Connection, batch: Batch, actor_id: str) -> int:
    """Accepted samples of a person in the dataset, counted up to what matters."""
    n = 0
    for other in repository.batches(conn, dataset_id=batch.dataset_id):
        n += len(
            repository.assignments(
                conn,
                batch_id=other.id,
                actor_id=actor_id,
                kind=ANNOTATE,
                states=(State.ACCEPTED,),
                limit=NEW_PERSON,
            )
        )
        if n >= NEW_PERSON:
            break
    return n


def given_back(conn: sa.Connection, batch: Batch, mine: Assignment, state: State) -> None:
    """Free the place of whoever skips or releases; the second skip ends a sample, the first where nobody else is."""
    row = repository.sample(conn, batch.id, mine.sample_id)
    values: dict[str, object] = {"changed_at_us": now_us()}
    if mine.kind == ANNOTATE and repository.holds_place(mine.state):
        values["n_open"] = max(0, row.n_open - 1)
    if state is State.SKIPPED and mine.kind == ANNOTATE:
        skips = repository.assignments(
            conn, batch_id=batch.id, sample_id=mine.sample_id, kind=ANNOTATE, states=(State.SKIPPED,)
        )
        only_one = len(batch.people) == 1 and not batch.people[0].startswith("team:")
        if len(skips) >= SKIPS_TO_END or only_one:
            values["state"] = str(SampleState.SKIPPED)
    repository.change_sample(conn, batch.id, mine.sample_id, **values)


def require_complete(conn: sa.Connection, mine: Assignment, ontology: Ontology) -> None:
    """Raises: WorkIncomplete, for an annotation whose class is not there any more, or that lacks an attribute."""
    for row in log.rows_of(log.present(conn, mine.id)):
        class_ = ontology.by_id(row["class_id"])
        if class_ is None:
            detail = f"annotation {row['ann_id']} has a class that the ontology has no more"
            raise WorkIncomplete(where=row["ann_id"], detail=detail)
        if missing := missing_attributes(class_, row.get("attributes", {})):
            detail = (
                f"annotation {row['ann_id']} of class {class_.name!r} has no valid value of {missing[0]!r}"
            )
            raise WorkIncomplete(where=row["ann_id"], detail=detail)
