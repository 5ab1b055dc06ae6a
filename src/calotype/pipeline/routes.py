"""The HTTP door of pipelines: what ran. Nothing is started from here, since a pipeline names paths of the machine."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, action, room_routes
from calotype.pipeline import answers, service

routes = room_routes("pipeline")

READ = action(Permission.DATASET_READ)


@routes.get("/runs", **READ)
def list_runs(
    ask: Ask,
    dataset: Annotated[str | None, Query(max_length=100, description="Only runs on this dataset.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Maximum number of runs.")] = 200,
) -> answers.RunList:
    """Runs, newest first."""
    found = service.runs(ask.actor, store=ask.store, dataset=dataset, limit=limit)
    return answers.RunList.of({"items": [one.summary() for one in found]})


@routes.get("/runs/{run_id}", **READ)
def show_run(run_id: Named, ask: Ask) -> answers.Run:
    """One run with its stages."""
    return answers.Run.of(service.get(ask.actor, run_id, store=ask.store).to_dict())
