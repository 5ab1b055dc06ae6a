"""Queries of labelling work: batches, their samples, assignments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from calotype.labelling.errors import AssignmentNotFound, BatchNotFound
from calotype.labelling.model import ANNOTATE, Assignment, Batch, Progress, SampleState, State
from calotype.store.catalog import schema

TABLES = schema.of_work
_B, _S, _A = TABLES.batches, TABLES.batch_samples, TABLES.assignments
_CHUNK = 2_000
_WANTED: sa.BindParameter[str] = sa.bindparam("wanted")
_ONE_ASSIGNMENT = sa.select(_A).where(_A.c.id == _WANTED)
_ONE_SAMPLE = sa.select(_S).where(_S.c.batch_id == sa.bindparam("batch"), _S.c.sample_id == _WANTED)
_ONE_BATCH = (
    sa.select(_B, schema.datasets.c.name.label("dataset"))
    .join(schema.datasets, schema.datasets.c.id == _B.c.dataset_id)
    .where(_B.c.id == _WANTED)
)
"""Statements that every operation needs; building them each time would cost more than running them."""
_HOLDS_A_PLACE = (State.DRAFT, State.SENT_BACK)


def add_batch(conn: sa.Connection, batch: Batch) -> None:
    """Insert a batch."""
    values = {
        column.name: getattr(batch, column.name) for column in _B.columns if hasattr(batch, column.name)
    }
    values |= {"people": list(batch.people), "reviewers": list(batch.reviewers)}
    conn.execute(_B.insert().values(**values))


def change_batch(conn: sa.Connection, batch_id: str, **values: Any) -> None:
    """Set columns of a batch."""
    conn.execute(_B.update().where(_B.c.id == batch_id).values(**values))


def batches(conn: sa.Connection, *, dataset_id: str = "", states: Sequence[str] = ()) -> list[Batch]:
    """Batches, the most urgent first: by priority, due day, age."""
    query = sa.select(_B, schema.datasets.c.name.label("dataset")).join(
        schema.datasets, schema.datasets.c.id == _B.c.dataset_id
    )
    if dataset_id:
        query = query.where(_B.c.dataset_id == dataset_id)
    if states:
        query = query.where(_B.c.state.in_(states))
    found = [_batch(row) for row in conn.execute(query).mappings()]
    return sorted(found, key=lambda b: (-b.priority, b.due_us or 2**62, b.created_at_us, b.id))


def batch_by_name(conn: sa.Connection, dataset_id: str, dataset: str, name: str) -> Batch:
    """Raises: BatchNotFound."""
    for batch in batches(conn, dataset_id=dataset_id):
        if name in (batch.name, batch.id):
            return batch
    raise BatchNotFound(dataset=dataset, got=name[:80])


def batch_of(conn: sa.Connection, batch_id: str) -> Batch:
    """The batch of an assignment."""
    return _batch(conn.execute(_ONE_BATCH, {"wanted": batch_id}).mappings().one())


def _batch(row: Any) -> Batch:
    values = dict(row)
    return Batch(**{**values, "people": tuple(values["people"]), "reviewers": tuple(values["reviewers"])})


def add_samples(conn: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert samples of a batch, in parts."""
    part: list[Mapping[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == _CHUNK:
            conn.execute(_S.insert(), part)
            part = []
    if part:
        conn.execute(_S.insert(), part)


def sample(conn: sa.Connection, batch_id: str, sample_id: str) -> Any:
    """The row of one sample of a batch."""
    return conn.execute(_ONE_SAMPLE, {"batch": batch_id, "wanted": sample_id}).one()


def change_sample(conn: sa.Connection, batch_id: str, sample_id: str, **values: Any) -> None:
    """Set columns of a sample of a batch."""
    conn.execute(_S.update().where(_S.c.batch_id == batch_id, _S.c.sample_id == sample_id).values(**values))


def samples_in(conn: sa.Connection, batch_id: str, state: str, *, landed: bool | None = None) -> list[Any]:
    """Samples of a batch in a state, in order; landed or not where that is asked."""
    query = sa.select(_S).where(_S.c.batch_id == batch_id, _S.c.state == state).order_by(_S.c.position)
    if landed is not None:
        query = query.where((_S.c.landed_commit != "") if landed else (_S.c.landed_commit == ""))
    return list(conn.execute(query))


def progress(conn: sa.Connection, batch_id: str) -> Progress:
    """Counts of a batch."""
    n = sa.func.count()
    states = sa.select(_S.c.state, n).where(_S.c.batch_id == batch_id).group_by(_S.c.state)
    by_state = {str(row[0]): int(row[1]) for row in conn.execute(states)}
    landed = conn.execute(
        sa.select(n).where(_S.c.batch_id == batch_id, _S.c.landed_commit != "")
    ).scalar_one()
    theirs = sa.select(_A.c.state, n).where(_A.c.batch_id == batch_id, _A.c.kind == ANNOTATE)
    work = {str(row[0]): int(row[1]) for row in conn.execute(theirs.group_by(_A.c.state))}
    count = {state: int(by_state.get(str(state), 0)) for state in SampleState}
    return Progress(
        samples=sum(count.values()),
        waiting=count[SampleState.WAITING],
        submitted=count[SampleState.SUBMITTED],
        accepted=count[SampleState.ACCEPTED],
        skipped=count[SampleState.SKIPPED],
        landed=int(landed),
        in_work=int(work.get(str(State.DRAFT), 0)),
        sent_back=int(work.get(str(State.SENT_BACK), 0)),
    )


def add_assignment(conn: sa.Connection, assignment: Assignment) -> None:
    """Insert an assignment."""
    conn.execute(_A.insert().values(**{c.name: getattr(assignment, c.name) for c in _A.columns}))


def assignment(conn: sa.Connection, assignment_id: str) -> Assignment:
    """Raises: AssignmentNotFound."""
    row = conn.execute(_ONE_ASSIGNMENT, {"wanted": assignment_id[:32]}).mappings().first()
    if row is None:
        raise AssignmentNotFound(got=assignment_id[:32])
    return Assignment(**row)


def assignments(
    conn: sa.Connection,
    *,
    batch_id: str = "",
    sample_id: str = "",
    actor_id: str = "",
    states: Sequence[str] = (),
    kind: str = "",
    limit: int = 100_000,
) -> list[Assignment]:
    """Assignments that match, the oldest first."""
    query = sa.select(_A).order_by(_A.c.started_at_us, _A.c.id).limit(limit)
    wanted = (
        (_A.c.batch_id, batch_id),
        (_A.c.sample_id, sample_id),
        (_A.c.actor_id, actor_id),
        (_A.c.kind, kind),
    )
    for column, value in wanted:
        if value:
            query = query.where(column == value)
    if states:
        query = query.where(_A.c.state.in_(states))
    return [Assignment(**row) for row in conn.execute(query).mappings()]


def change_assignment(conn: sa.Connection, assignment_id: str, **values: Any) -> None:
    """Set columns of an assignment."""
    conn.execute(_A.update().where(_A.c.id == assignment_id).values(**values))


def lapse(conn: sa.Connection, now_us: int) -> int:
    """End the leases that are over, and give their places back; how many ended."""
    query = sa.select(_A.c.id, _A.c.batch_id, _A.c.sample_id, _A.c.kind)
    over = list(conn.execute(query.where(_A.c.state == State.DRAFT, _A.c.lease_until_us < now_us)))
    for row in over:
        change_assignment(conn, row.id, state=str(State.EXPIRED))
        if row.kind == ANNOTATE:
            conn.execute(
                _S.update()
                .where(_S.c.batch_id == row.batch_id, _S.c.sample_id == row.sample_id)
                .values(n_open=_S.c.n_open - 1)
            )
    return len(over)


def next_waiting(conn: sa.Connection, batch: Batch, actor_id: str) -> Any | None:
    """The first sample of a batch that has a place left for somebody who has not had it yet."""
    theirs = (
        sa.select(_A.c.id)
        .where(
            _A.c.batch_id == _S.c.batch_id,
            _A.c.sample_id == _S.c.sample_id,
            _A.c.actor_id == actor_id,
            _A.c.state != State.RELEASED,
        )
        .exists()
    )
    query = sa.select(_S).where(
        _S.c.batch_id == batch.id,
        _S.c.state == SampleState.WAITING,
        _S.c.n_open + _S.c.n_submitted < batch.overlap,
        ~theirs,
    )
    return conn.execute(query.order_by(_S.c.position).limit(1)).first()


def next_to_review(conn: sa.Connection, batch: Batch, actor_id: str) -> Any | None:
    """The submitted sample that waits longest for a reviewer, and that this person did not label."""
    mine_or_taken = (
        sa.select(_A.c.id)
        .where(
            _A.c.batch_id == _S.c.batch_id,
            _A.c.sample_id == _S.c.sample_id,
            sa.or_(
                sa.and_(_A.c.kind == ANNOTATE, _A.c.actor_id == actor_id, _A.c.state != State.RELEASED),
                sa.and_(_A.c.kind != ANNOTATE, _A.c.state == State.DRAFT),
            ),
        )
        .exists()
    )
    query = sa.select(_S).where(
        _S.c.batch_id == batch.id, _S.c.state == SampleState.SUBMITTED, ~mine_or_taken
    )
    return conn.execute(query.order_by(_S.c.changed_at_us, _S.c.position).limit(1)).first()


def ahead(conn: sa.Connection, batch: Batch, actor_id: str, after: str) -> list[dict[str, Any]]:
    """Facts of the samples that come next for this person, to fetch their images before."""
    row = next_waiting(conn, batch, actor_id)
    return [] if row is None or row.sample_id == after else [dict(row.sample)]


def holds_place(state: str) -> bool:
    """Whether an assignment in this state counts in `n_open`."""
    return state in _HOLDS_A_PLACE
