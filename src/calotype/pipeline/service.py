"""Pipeline verbs: run a pipeline, list runs."""

from __future__ import annotations

import sqlalchemy as sa

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress, silent
from calotype.foundation.verbs import verb
from calotype.pipeline import engine, repository, worker
from calotype.pipeline.model import Pipeline
from calotype.pipeline.runs import CurrentRuns, RunNotFound, RunReport
from calotype.pipeline.stages import Ports, RunContext
from calotype.pipeline.text import load
from calotype.store import Store

MAX_RUNNING = 50

__all__ = ["current", "get", "load", "run", "runs"]


@verb(here="a pipeline names folders of that machine")
def run(
    actor: Actor, pipeline: Pipeline, *, store: Store, ports: Ports, progress: Progress = silent
) -> RunReport:
    """Run the stages of a pipeline in order. Only missing or outdated work is done.

    The next run resumes an interrupted one. A failing stage ends the run; the results of earlier stages stay.

    Raises: NotPermitted, PipelineRunning, PipelineGateRed, PipelineReleaseTaken, and what the stages raise.
    """
    store.guard.require(actor, Permission.PIPELINE_RUN, dataset=pipeline.dataset)
    dataset_id = _dataset_id(actor, pipeline.dataset, store=store)
    run_id = engine.new_run_id()
    lease = engine.acquire_lease(store, pipeline, dataset_id=dataset_id, run_id=run_id)
    with worker.keep_alive(lease):
        context = RunContext(actor, pipeline, store, ports, engine.guard_progress(progress, lease), run_id)
        return engine.start(context, lease, dataset_id=dataset_id, now=now_us()).execute()


@verb
def runs(actor: Actor, *, store: Store, dataset: str | None = None, limit: int = 200) -> list[RunReport]:
    """Runs on the datasets that the actor may read, newest first, without their stages.

    Raises: NotPermitted, DatasetNotFound.
    """
    if dataset is not None:
        store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        if dataset is not None:
            refs.dataset(conn, dataset)
        names = [dataset] if dataset is not None else _visible(actor, conn, store)
        return repository.runs(conn, datasets=names, limit=max(1, min(limit, 1_000)))


@verb
def current(actor: Actor, *, store: Store) -> CurrentRuns:
    """The runs in progress on the datasets that the actor may read, with their stages, and the latest run.

    Raises: NotPermitted.
    """
    with store.catalog.read() as conn:
        names = _visible(actor, conn, store)
        running = repository.running(conn, datasets=names, limit=MAX_RUNNING)
        latest = repository.runs(conn, datasets=names, limit=1)
    return CurrentRuns(tuple(running), latest[0] if latest else None)


@verb
def get(actor: Actor, run_id: str, *, store: Store) -> RunReport:
    """One run with its stages, by its id or a unique prefix of it.

    Raises: NotPermitted, RunNotFound.
    """
    with store.catalog.read() as conn:
        report = repository.run(conn, run_id, datasets=_visible(actor, conn, store)) if run_id else None
    if report is None:
        raise RunNotFound(got=run_id[:80])
    return report


def _visible(actor: Actor, conn: sa.Connection, store: Store) -> list[str]:
    """The datasets with runs that the actor may read: others must not show, neither by name nor by what is left out."""
    return store.guard.visible(actor, Permission.DATASET_READ, repository.names_with_runs(conn))


def _dataset_id(actor: Actor, name: str, *, store: Store) -> str:
    """The dataset's id; creates the dataset if it does not exist."""
    try:
        return datasets.read(actor, name, store=store).dataset.id
    except refs.DatasetNotFound:
        try:
            return datasets.create(actor, name, store=store).id
        except refs.DatasetExists:  # another process created it first
            return datasets.read(actor, name, store=store).dataset.id
