"""Every query of pipelines: the job ledger (`jobs`), the runs and their stages.

A job is known by its key. It is taken under a lease by one worker at a time; each taking raises `attempt`, and only
the worker and attempt that hold it may renew or finish it: who was away too long cannot overwrite who came after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.foundation.ids import uuid7
from calotype.pipeline.runs import RunReport, StageRun, State
from calotype.store.catalog import schema
from calotype.store.catalog.upserts import insert

_JOBS, _RUNS, _STAGES = schema.jobs, schema.runs, schema.run_stages


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the ledger."""

    key: str
    kind: str
    run_id: str
    state: str
    attempt: int
    worker: str | None
    lease_until_us: int
    result: Mapping[str, Any] | None

    @property
    def is_settled(self) -> bool:
        """Whether doing it would change nothing."""
        return self.state == "done" and bool((self.result or {}).get("settled"))


def job(conn: sa.Connection, key: str) -> Job | None:
    """The job of a key."""
    row = conn.execute(sa.select(_JOBS).where(_JOBS.c.key == key)).first()
    if row is None:
        return None
    return Job(
        row.key, row.kind, row.run_id, row.state, row.attempt, row.worker, row.lease_until_us, row.result
    )


def enqueue(
    conn: sa.Connection, key: str, *, kind: str, run_id: str, payload: Mapping[str, Any], now_us: int
) -> None:
    """Put a job in; nothing happens when its key is there."""
    row = {
        "id": uuid7(),
        "key": key,
        "kind": kind,
        "run_id": run_id,
        "payload": dict(payload),
        "state": "queued",
        "attempt": 0,
        "lease_until_us": 0,
        "created_at_us": now_us,
    }
    conn.execute(insert(conn, _JOBS).values(row).on_conflict_do_nothing(index_elements=["key"]))


def take(
    conn: sa.Connection,
    key: str,
    *,
    worker: str,
    run_id: str,
    now_us: int,
    lease_us: int,
    dead: str | None = None,
) -> Job | None:
    """Take a job that nobody holds; None when its lease runs. `dead` is a worker known to be gone."""
    held = sa.and_(_JOBS.c.state == "running", _JOBS.c.lease_until_us > now_us)
    free = sa.not_(held) if dead is None else sa.or_(sa.not_(held), _JOBS.c.worker == dead)
    values = {
        "state": "running",
        "worker": worker,
        "run_id": run_id,
        "attempt": _JOBS.c.attempt + 1,
        "lease_until_us": now_us + lease_us,
        "started_at_us": now_us,
        "finished_at_us": None,
        "error": None,
    }
    done = conn.execute(_JOBS.update().where(_JOBS.c.key == key, free).values(values))
    return job(conn, key) if done.rowcount == 1 else None


def renew(conn: sa.Connection, held: Job, *, until_us: int) -> bool:
    """Hold on for longer; False when somebody else has it."""
    done = conn.execute(_JOBS.update().where(*_fence(held)).values(lease_until_us=until_us))
    return done.rowcount == 1


def finish(
    conn: sa.Connection,
    held: Job,
    *,
    state: str,
    now_us: int,
    result: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
) -> bool:
    """End a job; False when somebody else has it, and then nothing is written."""
    values = {
        "state": state,
        "lease_until_us": 0,
        "finished_at_us": now_us,
        "result": None if result is None else dict(result),
        "error": None if error is None else dict(error),
    }
    return conn.execute(_JOBS.update().where(*_fence(held)).values(values)).rowcount == 1


def record(
    conn: sa.Connection, key: str, *, kind: str, run_id: str, result: Mapping[str, Any], now_us: int
) -> None:
    """Write down a job as done without doing it: what is known to be its result."""
    enqueue(conn, key, kind=kind, run_id=run_id, payload={}, now_us=now_us)
    values = {
        "state": "done",
        "result": dict(result),
        "run_id": run_id,
        "lease_until_us": 0,
        "finished_at_us": now_us,
    }
    conn.execute(_JOBS.update().where(_JOBS.c.key == key).values(values))


def _fence(held: Job) -> tuple[sa.ColumnElement[bool], ...]:
    columns = _JOBS.c
    return (
        columns.key == held.key,
        columns.state == "running",
        columns.worker == held.worker,
        columns.attempt == held.attempt,
    )


def add_run(conn: sa.Connection, report: RunReport, *, dataset_id: str) -> None:
    """A run with all its stages."""
    conn.execute(
        _RUNS.insert().values(
            id=report.id,
            dataset_id=dataset_id,
            pipeline=report.pipeline,
            pipeline_sha256=report.pipeline_sha256,
            state=str(report.state),
            actor=report.actor,
            started_at_us=report.started_at_us,
        )
    )
    rows = [_stage_row(report.id, at, stage) for at, stage in enumerate(report.stages)]
    conn.execute(_STAGES.insert(), rows)


def put_stage(conn: sa.Connection, run_id: str, at: int, stage: StageRun) -> None:
    """How a stage stands now."""
    here = sa.and_(_STAGES.c.run_id == run_id, _STAGES.c.position == at)
    conn.execute(_STAGES.update().where(here).values(_stage_row(run_id, at, stage)))


def end_run(
    conn: sa.Connection, run_id: str, *, state: State, at_us: int, error: Mapping[str, Any] | None
) -> None:
    """The run is over."""
    values = {"state": str(state), "finished_at_us": at_us, "error": None if error is None else dict(error)}
    conn.execute(_RUNS.update().where(_RUNS.c.id == run_id).values(values))


def interrupt(conn: sa.Connection, dataset_id: str, pipeline: str) -> list[str]:
    """Runs that were going on and are not any more; only who holds the pipeline's lease may say so."""
    going = sa.and_(
        _RUNS.c.dataset_id == dataset_id, _RUNS.c.pipeline == pipeline, _RUNS.c.state == str(State.RUNNING)
    )
    ids = list(conn.scalars(sa.select(_RUNS.c.id).where(going)))
    if ids:
        gone = str(State.INTERRUPTED)
        stages = sa.and_(_STAGES.c.run_id.in_(ids), _STAGES.c.state == str(State.RUNNING))
        conn.execute(_STAGES.update().where(stages).values(state=gone))
        conn.execute(_RUNS.update().where(_RUNS.c.id.in_(ids)).values(state=gone))
    return ids


def runs(conn: sa.Connection, *, dataset: str | None, limit: int) -> list[RunReport]:
    """Runs without their stages, newest first."""
    query = _with_names().order_by(_RUNS.c.started_at_us.desc(), _RUNS.c.id.desc()).limit(limit)
    if dataset is not None:
        query = query.where(schema.datasets.c.name == dataset)
    return [_report(row, ()) for row in conn.execute(query)]


def run(conn: sa.Connection, run_id: str) -> RunReport | None:
    """One run with its stages; `run_id` may be the beginning of the id where that is enough."""
    query = _with_names().where(_RUNS.c.id.startswith(run_id, autoescape=True)).limit(2)
    found = conn.execute(query).all()
    if len(found) != 1:
        return None
    query = sa.select(_STAGES).where(_STAGES.c.run_id == found[0].id).order_by(_STAGES.c.position)
    stages = tuple(
        StageRun(
            row.name,
            row.kind,
            State(row.state),
            row.inputs,
            row.outputs,
            row.started_at_us,
            row.finished_at_us,
        )
        for row in conn.execute(query)
    )
    return _report(found[0], stages)


def _with_names() -> sa.Select[Any]:
    datasets = schema.datasets
    return sa.select(_RUNS, datasets.c.name.label("dataset")).join(
        datasets, datasets.c.id == _RUNS.c.dataset_id
    )


def _report(row: Any, stages: tuple[StageRun, ...]) -> RunReport:
    return RunReport(
        row.id,
        row.dataset,
        row.pipeline,
        row.pipeline_sha256,
        State(row.state),
        row.actor,
        row.started_at_us,
        row.finished_at_us,
        row.error,
        stages,
    )


def _stage_row(run_id: str, at: int, stage: StageRun) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "position": at,
        "name": stage.name,
        "kind": stage.kind,
        "state": str(stage.state),
        "inputs": dict(stage.inputs),
        "outputs": dict(stage.outputs),
        "started_at_us": stage.started_at_us,
        "finished_at_us": stage.finished_at_us,
    }
