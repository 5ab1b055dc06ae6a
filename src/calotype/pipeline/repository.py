"""Every query of pipelines: the job ledger (`jobs`), the runs and their stages.

A job is identified by its key. One worker at a time takes it under a lease. Each take increments `attempt`, and only
the worker and attempt that hold the lease may renew or finish the job, so a stalled worker cannot overwrite its
successor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    def is_unchanged(self) -> bool:
        """Whether running the job would change nothing."""
        return self.state == "done" and bool((self.result or {}).get("settled"))


def job(conn: sa.Connection, key: str) -> Job | None:
    """The job with a key."""
    row = conn.execute(sa.select(_JOBS).where(_JOBS.c.key == key)).first()
    if row is None:
        return None
    return Job(
        row.key, row.kind, row.run_id, row.state, row.attempt, row.worker, row.lease_until_us, row.result
    )


def enqueue(
    conn: sa.Connection, key: str, *, kind: str, run_id: str, payload: Mapping[str, Any], now_us: int
) -> None:
    """Add a job, unless its key exists."""
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
    """Lease a job; None while another worker's lease is valid. `dead` names a worker that is known to have ended."""
    leased = sa.and_(_JOBS.c.state == "running", _JOBS.c.lease_until_us > now_us)
    free = sa.not_(leased) if dead is None else sa.or_(sa.not_(leased), _JOBS.c.worker == dead)
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
    result = conn.execute(_JOBS.update().where(_JOBS.c.key == key, free).values(values))
    return job(conn, key) if result.rowcount == 1 else None


def renew(conn: sa.Connection, leased_job: Job, *, until_us: int) -> bool:
    """Extend a lease; False if another worker holds the job."""
    result = conn.execute(_JOBS.update().where(*_fence(leased_job)).values(lease_until_us=until_us))
    return result.rowcount == 1


def finish(
    conn: sa.Connection,
    leased_job: Job,
    *,
    state: str,
    now_us: int,
    result: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
) -> bool:
    """End a job; False, with nothing written, if another worker holds it."""
    values = {
        "state": state,
        "lease_until_us": 0,
        "finished_at_us": now_us,
        "result": None if result is None else dict(result),
        "error": None if error is None else dict(error),
    }
    return conn.execute(_JOBS.update().where(*_fence(leased_job)).values(values)).rowcount == 1


def record(
    conn: sa.Connection, key: str, *, kind: str, run_id: str, result: Mapping[str, Any], now_us: int
) -> None:
    """Record a job as done with a known result, without running it."""
    enqueue(conn, key, kind=kind, run_id=run_id, payload={}, now_us=now_us)
    values = {
        "state": "done",
        "result": dict(result),
        "run_id": run_id,
        "lease_until_us": 0,
        "finished_at_us": now_us,
    }
    conn.execute(_JOBS.update().where(_JOBS.c.key == key).values(values))


def _fence(leased_job: Job) -> tuple[sa.ColumnElement[bool], ...]:
    columns = _JOBS.c
    return (
        columns.key == leased_job.key,
        columns.state == "running",
        columns.worker == leased_job.worker,
        columns.attempt == leased_job.attempt,
    )


def add_run(conn: sa.Connection, report: RunReport, *, dataset_id: str) -> None:
    """Add a run with all its stages."""
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
    rows = [_stage_row(report.id, position, stage) for position, stage in enumerate(report.stages)]
    conn.execute(_STAGES.insert(), rows)


def put_stage(conn: sa.Connection, run_id: str, position: int, stage: StageRun) -> None:
    """Update the row of a stage."""
    here = sa.and_(_STAGES.c.run_id == run_id, _STAGES.c.position == position)
    conn.execute(_STAGES.update().where(here).values(_stage_row(run_id, position, stage)))


def end_run(
    conn: sa.Connection, run_id: str, *, state: State, at_us: int, error: Mapping[str, Any] | None
) -> None:
    """Record the end of a run."""
    values = {"state": str(state), "finished_at_us": at_us, "error": None if error is None else dict(error)}
    conn.execute(_RUNS.update().where(_RUNS.c.id == run_id).values(values))


def interrupt(conn: sa.Connection, dataset_id: str, pipeline: str) -> list[str]:
    """Mark runs whose process ended as interrupted; only the holder of the pipeline's lease may call this."""
    still_running = sa.and_(
        _RUNS.c.dataset_id == dataset_id, _RUNS.c.pipeline == pipeline, _RUNS.c.state == str(State.RUNNING)
    )
    ids = list(conn.scalars(sa.select(_RUNS.c.id).where(still_running)))
    if ids:
        interrupted = str(State.INTERRUPTED)
        stages = sa.and_(_STAGES.c.run_id.in_(ids), _STAGES.c.state == str(State.RUNNING))
        conn.execute(_STAGES.update().where(stages).values(state=interrupted))
        conn.execute(_RUNS.update().where(_RUNS.c.id.in_(ids)).values(state=interrupted))
    return ids


def names_with_runs(conn: sa.Connection) -> list[str]:
    """The datasets on which there was a run, ordered."""
    name = schema.datasets.c.name
    joined = schema.datasets.join(_RUNS, _RUNS.c.dataset_id == schema.datasets.c.id)
    return list(conn.scalars(sa.select(name).select_from(joined).distinct().order_by(name)))


def runs(conn: sa.Connection, *, datasets: list[str], limit: int) -> list[RunReport]:
    """Runs on these datasets without their stages, newest first."""
    query = _with_names().order_by(_RUNS.c.started_at_us.desc(), _RUNS.c.id.desc()).limit(limit)
    query = query.where(schema.datasets.c.name.in_(datasets))
    return [_report(row, ()) for row in conn.execute(query)]


def run(conn: sa.Connection, run_id: str, *, datasets: list[str]) -> RunReport | None:
    """One run on these datasets with its stages; `run_id` may be a prefix of the id that is unique among them."""
    is_it = _RUNS.c.id.startswith(run_id, autoescape=True) & schema.datasets.c.name.in_(datasets)
    query = _with_names().where(is_it).limit(2)
    matches = conn.execute(query).all()
    if len(matches) != 1:
        return None
    return _with_stages(conn, matches)[0]


def running(conn: sa.Connection, *, datasets: list[str], limit: int) -> list[RunReport]:
    """Runs on these datasets that have not ended, with their stages, newest first."""
    newest_first = (_RUNS.c.started_at_us.desc(), _RUNS.c.id.desc())
    query = _with_names().where(_RUNS.c.state == str(State.RUNNING), schema.datasets.c.name.in_(datasets))
    query = query.order_by(*newest_first).limit(limit)
    return _with_stages(conn, conn.execute(query).all())


def _with_stages(conn: sa.Connection, rows: Sequence[Any]) -> list[RunReport]:
    ids = [row.id for row in rows]
    stages: dict[str, list[StageRun]] = {run_id: [] for run_id in ids}
    query = sa.select(_STAGES).where(_STAGES.c.run_id.in_(ids)).order_by(_STAGES.c.position)
    for row in conn.execute(query) if ids else ():
        stages[row.run_id].append(
            StageRun(
                row.name,
                row.kind,
                State(row.state),
                row.inputs,
                row.outputs,
                row.started_at_us,
                row.finished_at_us,
            )
        )
    return [_report(row, tuple(stages[row.id])) for row in rows]


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


def _stage_row(run_id: str, position: int, stage: StageRun) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "position": position,
        "name": stage.name,
        "kind": stage.kind,
        "state": str(stage.state),
        "inputs": dict(stage.inputs),
        "outputs": dict(stage.outputs),
        "started_at_us": stage.started_at_us,
        "finished_at_us": stage.finished_at_us,
    }
