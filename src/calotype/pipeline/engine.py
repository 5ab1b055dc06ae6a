"""The local engine: runs a pipeline under a lease, stage by stage, through the job ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from calotype.foundation.clock import now_us
from calotype.foundation.codes import code_of
from calotype.foundation.errors import Bug, CalotypeError
from calotype.foundation.ids import sha256_json, uuid7
from calotype.foundation.progress import Progress
from calotype.pipeline import repository, stages, worker
from calotype.pipeline.model import Pipeline, Stage
from calotype.pipeline.runs import JobLeaseLost, PipelineGateRed, PipelineRunning, RunReport, StageRun, State
from calotype.pipeline.stages import RunContext, StageResult
from calotype.pipeline.worker import Lease
from calotype.store import Store

MAX_ATTEMPTS = 3
_RETRY_PAUSE_S = 0.2

StageBody = Callable[[RunContext, Stage], StageResult]


def acquire_lease(store: Store, pipeline: Pipeline, *, dataset_id: str, run_id: str) -> Lease:
    """Acquire the exclusive right to run this pipeline. Raises: PipelineRunning."""
    key = sha256_json(["pipeline", dataset_id, pipeline.name])
    with store.catalog.bookkeeping() as conn:
        repository.enqueue(
            conn, key, kind="pipeline", run_id=run_id, payload={"pipeline": pipeline.name}, now_us=now_us()
        )
        existing = repository.job(conn, key)
        holder = existing.worker if existing is not None and existing.worker else ""
        dead = holder if worker.is_dead(holder) else None
        job = repository.take(
            conn,
            key,
            worker=worker.current(),
            run_id=run_id,
            now_us=now_us(),
            lease_us=worker.LEASE_US,
            dead=dead,
        )
        if job is None:
            raise PipelineRunning(where=f"pipeline {pipeline.name}", pipeline=pipeline.name, worker=holder)
        repository.interrupt(conn, dataset_id, pipeline.name)
    return Lease(store, job)


@dataclass
class Run:
    """A run in progress.

    Attributes:
        file_hashes: Stage index -> hash over the files that the stage reads.
        repeat_outputs: Stage index -> what a complete stage would report if it ran again on the same input.
        recorded: Dataset state and number of complete stages at the last `_record_unchanged`.
    """

    context: RunContext
    lease: Lease
    dataset_id: str
    report: RunReport
    body: StageBody = stages.execute
    file_hashes: dict[int, str] = field(default_factory=dict)
    repeat_outputs: dict[int, dict[str, Any]] = field(default_factory=dict)
    recorded: tuple[str, int] = ("", 0)

    def execute(self) -> RunReport:
        """Run every stage in order; the first failure ends the run. Raises what the stage raises."""
        for index, stage in enumerate(self.context.pipeline.stages):
            self._update_stage(index, state=State.RUNNING, started_at_us=now_us())
            try:
                self._run_stage(index, stage)
            except BaseException as error:
                self._fail(index, error)
                raise
        self.lease.check()
        self._finish(State.DONE, None)
        return self.report

    def _run_stage(self, index: int, stage: Stage) -> None:
        self.lease.check()
        files = stages.input_files(self.context, stage)
        state = self.context.state()
        inputs: dict[str, Any] = {} if files is None else {"files": files.count}
        inputs |= {"samples": state.count()["samples"], "commit": (state.commit_id or "")[:12] or None}
        self._update_stage(index, inputs=inputs)
        version = stages.input_version(stage, state)
        if version is None:
            result = self._attempt(stage, None)
        else:
            self.file_hashes[index] = "" if files is None else files.sha256
            key = self._job_key(index, stage, version)
            with self.context.store.catalog.read() as conn:
                job = repository.job(conn, key)
            if job is not None and job.is_unchanged:
                outputs = dict((job.result or {})["outputs"])
                self.repeat_outputs[index] = outputs
                self._update_stage(index, state=State.UNCHANGED, outputs=outputs, finished_at_us=now_us())
                return
            result = self._attempt(stage, key)
            if result.complete:
                self.repeat_outputs[index] = dict(result.repeat_outputs or result.outputs)
        self._record_unchanged()
        end_state = State.DONE if result.changed else State.UNCHANGED
        self._update_stage(index, state=end_state, outputs=dict(result.outputs), finished_at_us=now_us())

    def _attempt(self, stage: Stage, key: str | None) -> StageResult:
        """Run the stage's body; retry errors that are marked as retryable."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            job_lease = None if key is None else self._take_job(stage, key)
            try:
                result = self.body(self.context, stage)
            except CalotypeError as error:
                if job_lease is not None:
                    job_lease.finish("failed", error=error.to_dict())
                retryable = code_of(error.code).retryable and not isinstance(error, JobLeaseLost)
                if not retryable or attempt == MAX_ATTEMPTS:
                    raise
                time.sleep(_RETRY_PAUSE_S * 2**attempt)
                continue
            if job_lease is not None:
                record = {"outputs": dict(result.repeat_outputs or result.outputs), "settled": False}
                job_lease.finish("done" if result.complete else "partial", result=record)
            return result
        raise Bug(detail="a stage neither finished nor failed")

    def _take_job(self, stage: Stage, key: str) -> Lease:
        """Lease the job of this stage. The holder of the pipeline may take over jobs of an earlier run."""
        with self.context.store.catalog.bookkeeping() as conn:
            payload = {"pipeline": self.context.pipeline.name, "stage": stage.model_dump(mode="json")}
            repository.enqueue(
                conn, key, kind=stage.kind, run_id=self.report.id, payload=payload, now_us=now_us()
            )
            existing = repository.job(conn, key)
            job = repository.take(
                conn,
                key,
                worker=worker.current(),
                run_id=self.report.id,
                now_us=now_us(),
                lease_us=worker.LEASE_US,
                dead=existing.worker if existing is not None else None,
            )
        if job is None:
            raise JobLeaseLost(kind=stage.kind)
        return Lease(self.context.store, job)

    def _record_unchanged(self) -> None:
        """Record that the complete stages would do nothing on the present state.

        Called after every stage and on failure, so that an interrupted run does not start from scratch. Only jobs
        recorded here are skipped: a stage that changed its own input runs again when that input comes back (after a
        rollback).
        """
        state = self.context.state()
        current = (state.state_sha256, len(self.repeat_outputs))
        if current == self.recorded or not self.repeat_outputs:
            return
        self.recorded = current
        with self.context.store.catalog.bookkeeping() as conn:
            for index, outputs in self.repeat_outputs.items():
                stage = self.context.pipeline.stages[index]
                version = stages.input_version(stage, state)
                if version is None:
                    continue
                key = self._job_key(index, stage, version)
                job = repository.job(conn, key)
                if job is None or not job.is_unchanged:
                    result = {"outputs": outputs, "settled": True}
                    repository.record(
                        conn, key, kind=stage.kind, run_id=self.report.id, result=result, now_us=now_us()
                    )

    def _job_key(self, index: int, stage: Stage, version: str) -> str:
        return sha256_json(
            [self.dataset_id, stage.sha256, self._input_path(stage), self.file_hashes[index], version]
        )

    def _input_path(self, stage: Stage) -> str:
        path = getattr(stage, "path", None)
        return "" if path is None else str(self.context.pipeline.resolve(path).resolve())

    def _update_stage(self, index: int, **changes: Any) -> None:
        stage = replace(self.report.stages[index], **changes)
        updated = (*self.report.stages[:index], stage, *self.report.stages[index + 1 :])
        self.report = replace(self.report, stages=updated)
        with self.context.store.catalog.bookkeeping() as conn:
            repository.put_stage(conn, self.report.id, index, stage)

    def _fail(self, index: int, error: BaseException) -> None:
        if isinstance(error, JobLeaseLost):
            return  # the run belongs to another process now
        is_ours = isinstance(error, CalotypeError)
        details = error.to_dict() if isinstance(error, CalotypeError) else {"what": type(error).__name__}
        stopped = isinstance(error, KeyboardInterrupt | SystemExit)
        state = State.INTERRUPTED if stopped else State.FAILED
        outputs = dict(error.fields["outputs"]) if isinstance(error, PipelineGateRed) else {}
        self._update_stage(index, state=state, outputs=outputs, finished_at_us=now_us())
        if is_ours:
            self._record_unchanged()
        self._finish(state, None if stopped else details)

    def _finish(self, state: State, error: dict[str, Any] | None) -> None:
        finished_us = now_us()
        self.report = replace(self.report, state=state, finished_at_us=finished_us, error=error)
        context = self.context
        with context.store.catalog.write(context.actor, "pipeline.finish", subject=context.dataset) as tx:
            repository.end_run(tx.conn, self.report.id, state=state, at_us=finished_us, error=error)
            if not repository.finish(tx.conn, self.lease.job, state="done", now_us=finished_us):
                raise JobLeaseLost(kind="pipeline")
            stage_states = {stage.name: str(stage.state) for stage in self.report.stages}
            tx.details({"run": self.report.id, "state": str(state), "stages": stage_states})


def start(
    context: RunContext, lease: Lease, *, dataset_id: str, now: int, body: StageBody = stages.execute
) -> Run:
    """Record the start of a run."""
    pipeline = context.pipeline
    waiting = tuple(
        StageRun(f"{number} {stage.kind}", stage.kind)
        for number, stage in enumerate(pipeline.stages, start=1)
    )
    report = RunReport(
        context.run_id,
        context.dataset,
        pipeline.name,
        pipeline.sha256,
        State.RUNNING,
        context.actor.name,
        now,
        stages=waiting,
    )
    with context.store.catalog.write(context.actor, "pipeline.run", subject=context.dataset) as tx:
        repository.add_run(tx.conn, report, dataset_id=dataset_id)
        tx.details({"run": report.id, "pipeline": pipeline.name, "pipeline_sha256": pipeline.sha256})
    return Run(context, lease, dataset_id, report, body)


def guard_progress(progress: Progress, lease: Lease) -> Progress:
    """Progress that raises `JobLeaseLost` once the lease is lost, which stops the work."""

    def report(what: str, done: int, total: int) -> None:
        lease.check()
        progress(what, done, total)

    return report


def new_run_id() -> str:
    """A new run id."""
    return uuid7()
