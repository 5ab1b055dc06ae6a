"""The verbs of pipelines: run one, list what ran."""

from __future__ import annotations

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress, silent
from calotype.pipeline import engine, repository, worker
from calotype.pipeline.model import Pipeline
from calotype.pipeline.runs import RunNotFound, RunReport
from calotype.pipeline.stages import Ports, Work
from calotype.pipeline.text import load
from calotype.store import Store

__all__ = ["get", "load", "run", "runs"]


def run(
    actor: Actor, pipeline: Pipeline, *, store: Store, ports: Ports, progress: Progress = silent
) -> RunReport:
    """Run the stages of a pipeline in order; only what is missing or out of date is done.

    A run that was killed is taken up by the next one. A stage that fails ends the run; what came before stays.

    Raises: NotPermitted, PipelineRunning, PipelineGateRed, PipelineReleaseTaken, and what the stages raise.
    """
    store.guard.require(actor, Permission.PIPELINE_RUN, dataset=pipeline.dataset)
    dataset_id = _dataset(actor, pipeline.dataset, store=store)
    run_id = engine.new_id()
    held = engine.lease(store, pipeline, dataset_id=dataset_id, run_id=run_id)
    with worker.kept(held):
        work = Work(actor, pipeline, store, ports, engine.watched(progress, held), run_id)
        return engine.start(work, held, dataset_id=dataset_id, now=now_us()).all()


def runs(actor: Actor, *, store: Store, dataset: str | None = None, limit: int = 200) -> list[RunReport]:
    """Runs on datasets that the actor may see, newest first, without their stages.

    Raises: NotPermitted, DatasetNotFound.
    """
    if dataset is not None:
        store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        if dataset is not None:
            refs.dataset(conn, dataset)
        found = repository.runs(conn, dataset=dataset, limit=max(1, min(limit, 1_000)))
    names = sorted({one.dataset for one in found})
    visible = set(store.guard.visible(actor, Permission.DATASET_READ, names))
    return [one for one in found if one.dataset in visible]


def get(actor: Actor, run_id: str, *, store: Store) -> RunReport:
    """One run with its stages, by its id or a beginning of it that no other has.

    Raises: NotPermitted, RunNotFound.
    """
    with store.catalog.read() as conn:
        found = repository.run(conn, run_id) if run_id else None
    if found is None:
        raise RunNotFound(got=run_id[:80])
    store.guard.require(actor, Permission.DATASET_READ, dataset=found.dataset)
    return found


def _dataset(actor: Actor, name: str, *, store: Store) -> str:
    """Its id; made when it is missing."""
    try:
        return datasets.read(actor, name, store=store).dataset.id
    except refs.DatasetNotFound:
        try:
            return datasets.create(actor, name, store=store).id
        except refs.DatasetExists:  # another process was quicker
            return datasets.read(actor, name, store=store).dataset.id
