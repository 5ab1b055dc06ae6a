"""The local engine: one run of a pipeline under its lease, stage by stage, through the job ledger."""

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
from calotype.pipeline.stages import Done, Work
from calotype.pipeline.worker import Lease
from calotype.store import Store

MAX_TRIES = 3
_PAUSE_S = 0.2

Body = Callable[[Work, Stage], Done]


def lease(store: Store, pipeline: Pipeline, *, dataset_id: str, run_id: str) -> Lease:
    """The one right to run this pipeline now. Raises: PipelineRunning."""
    key = sha256_json(["pipeline", dataset_id, pipeline.name])
    with store.catalog.bookkeeping() as conn:
        repository.enqueue(
            conn, key, kind="pipeline", run_id=run_id, payload={"pipeline": pipeline.name}, now_us=now_us()
        )
        known = repository.job(conn, key)
        holder = known.worker if known is not None and known.worker else ""
        dead = holder if worker.is_gone(holder) else None
        job = repository.take(
            conn, key, worker=worker.me(), run_id=run_id, now_us=now_us(), lease_us=worker.LEASE_US, dead=dead
        )
        if job is None:
            raise PipelineRunning(where=f"pipeline {pipeline.name}", pipeline=pipeline.name, worker=holder)
        repository.interrupt(conn, dataset_id, pipeline.name)
    return Lease(store, job)


@dataclass
class Run:
    """One run that is going on."""

    work: Work
    lease: Lease
    dataset_id: str
    report: RunReport
    body: Body = stages.do
    read: dict[int, str] = field(default_factory=dict)
    again: dict[int, dict[str, Any]] = field(default_factory=dict)
    settled: tuple[str, int] = ("", 0)

    def all(self) -> RunReport:
        """Every stage in turn; the first that fails ends the run. Raises what the stage raised."""
        for at, stage in enumerate(self.work.pipeline.stages):
            self._put(at, state=State.RUNNING, started_at_us=now_us())
            try:
                self._one(at, stage)
            except BaseException as error:
                self._failed(at, error)
                raise
        self.lease.check()
        self._end(State.DONE, None)
        return self.report

    def _one(self, at: int, stage: Stage) -> None:
        self.lease.check()
        found = stages.read_files(self.work, stage)
        state = self.work.state()
        inputs: dict[str, Any] = {} if found is None else {"files": found.count}
        inputs |= {"samples": state.count()["samples"], "commit": (state.commit_id or "")[:12] or None}
        self._put(at, inputs=inputs)
        seen = stages.input_version(stage, state)
        if seen is None:
            done = self._tried(stage, None)
        else:
            self.read[at] = "" if found is None else found.sha256
            key = self._key(at, stage, seen)
            with self.work.store.catalog.read() as conn:
                known = repository.job(conn, key)
            if known is not None and known.is_settled:
                self.again[at] = dict((known.result or {})["outputs"])
                self._put(at, state=State.UNCHANGED, outputs=self.again[at], finished_at_us=now_us())
                return
            done = self._tried(stage, key)
            if done.complete:
                self.again[at] = dict(done.again or done.outputs)
        self._settle()
        state_of = State.DONE if done.changed else State.UNCHANGED
        self._put(at, state=state_of, outputs=dict(done.outputs), finished_at_us=now_us())

    def _tried(self, stage: Stage, key: str | None) -> Done:
        """The body, tried again where another try may help."""
        for tries in range(1, MAX_TRIES + 1):
            held = None if key is None else self._take(stage, key)
            try:
                done = self.body(self.work, stage)
            except CalotypeError as error:
                if held is not None:
                    held.finish("failed", error=error.to_dict())
                hopeless = isinstance(error, JobLeaseLost) or not code_of(error.code).retryable
                if hopeless or tries == MAX_TRIES:
                    raise
                time.sleep(_PAUSE_S * 2**tries)
                continue
            if held is not None:
                result = {"outputs": dict(done.again or done.outputs), "settled": False}
                held.finish("done" if done.complete else "partial", result=result)
            return done
        raise Bug(detail="a stage ended neither done nor failed")

    def _take(self, stage: Stage, key: str) -> Lease:
        """The job of this stage. Whoever holds the pipeline may take over what an earlier run left."""
        with self.work.store.catalog.bookkeeping() as conn:
            payload = {"pipeline": self.work.pipeline.name, "stage": stage.model_dump(mode="json")}
            repository.enqueue(
                conn, key, kind=stage.kind, run_id=self.report.id, payload=payload, now_us=now_us()
            )
            known = repository.job(conn, key)
            job = repository.take(
                conn,
                key,
                worker=worker.me(),
                run_id=self.report.id,
                now_us=now_us(),
                lease_us=worker.LEASE_US,
                dead=known.worker if known is not None else None,
            )
        if job is None:
            raise JobLeaseLost(kind=stage.kind)
        return Lease(self.work.store, job)

    def _settle(self) -> None:
        """Write down that the stages that are complete would do nothing on the state as it is now.

        Done after every stage, and when one fails: a killed run then does not begin anew. Only such jobs are passed
        over; one that was done and changed its own input is done again when that input comes back (a rollback).
        """
        state = self.work.state()
        now = (state.state_sha256, len(self.again))
        if now == self.settled or not self.again:
            return
        self.settled = now
        with self.work.store.catalog.bookkeeping() as conn:
            for at, told in self.again.items():
                stage = self.work.pipeline.stages[at]
                seen = stages.input_version(stage, state)
                if seen is not None:
                    key = self._key(at, stage, seen)
                    known = repository.job(conn, key)
                    if known is None or not known.is_settled:
                        result = {"outputs": told, "settled": True}
                        repository.record(
                            conn, key, kind=stage.kind, run_id=self.report.id, result=result, now_us=now_us()
                        )

    def _key(self, at: int, stage: Stage, seen: str) -> str:
        return sha256_json([self.dataset_id, stage.sha256, self._place(stage), self.read[at], seen])

    def _place(self, stage: Stage) -> str:
        path = getattr(stage, "path", None)
        return "" if path is None else str(self.work.pipeline.at(path).resolve())

    def _put(self, at: int, **changes: Any) -> None:
        stage = replace(self.report.stages[at], **changes)
        listed = (*self.report.stages[:at], stage, *self.report.stages[at + 1 :])
        self.report = replace(self.report, stages=listed)
        with self.work.store.catalog.bookkeeping() as conn:
            repository.put_stage(conn, self.report.id, at, stage)

    def _failed(self, at: int, error: BaseException) -> None:
        if isinstance(error, JobLeaseLost):
            return  # the run is somebody else's now
        ours = isinstance(error, CalotypeError)
        told = error.to_dict() if isinstance(error, CalotypeError) else {"what": type(error).__name__}
        stopped = isinstance(error, KeyboardInterrupt | SystemExit)
        state = State.INTERRUPTED if stopped else State.FAILED
        outputs = dict(error.fields["outputs"]) if isinstance(error, PipelineGateRed) else {}
        self._put(at, state=state, outputs=outputs, finished_at_us=now_us())
        if ours:
            self._settle()
        self._end(state, None if stopped else told)

    def _end(self, state: State, error: dict[str, Any] | None) -> None:
        at_us = now_us()
        self.report = replace(self.report, state=state, finished_at_us=at_us, error=error)
        verb = "pipeline.finish"
        with self.work.store.catalog.write(self.work.actor, verb, subject=self.work.dataset) as tx:
            repository.end_run(tx.conn, self.report.id, state=state, at_us=at_us, error=error)
            if not repository.finish(tx.conn, self.lease.job, state="done", now_us=at_us):
                raise JobLeaseLost(kind="pipeline")
            told = {stage.name: str(stage.state) for stage in self.report.stages}
            tx.details({"run": self.report.id, "state": str(state), "stages": told})


def start(work: Work, held: Lease, *, dataset_id: str, now: int, body: Body = stages.do) -> Run:
    """Write down that a run begins."""
    pipeline = work.pipeline
    waiting = tuple(
        StageRun(f"{at + 1} {stage.kind}", stage.kind) for at, stage in enumerate(pipeline.stages)
    )
    report = RunReport(
        work.run_id,
        work.dataset,
        pipeline.name,
        pipeline.sha256,
        State.RUNNING,
        work.actor.name,
        now,
        stages=waiting,
    )
    with work.store.catalog.write(work.actor, "pipeline.run", subject=work.dataset) as tx:
        repository.add_run(tx.conn, report, dataset_id=dataset_id)
        tx.details({"run": report.id, "pipeline": pipeline.name, "pipeline_sha256": pipeline.sha256})
    return Run(work, held, dataset_id, report, body)


def watched(progress: Progress, held: Lease) -> Progress:
    """Progress that stops the work once the lease is lost."""

    def show(what: str, done: int, total: int) -> None:
        held.check()
        progress(what, done, total)

    return show


def new_id() -> str:
    """The id of a run."""
    return uuid7()
