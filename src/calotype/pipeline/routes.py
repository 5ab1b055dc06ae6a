"""The HTTP door of pipelines: what ran. Nothing is started from here, since a pipeline names paths of the machine."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import Query, Request, Response

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Events, Named, action, events_answer, room_routes, wants_events
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


@routes.get("/runs/current", response_model=answers.CurrentRuns, **READ, **events_answer())
def current_runs(ask: Ask, request: Request) -> Response | answers.CurrentRuns:
    """The runs in progress. With `Accept: text/event-stream`, again whenever they change, as events."""

    def encoded() -> bytes:
        return msgspec.json.encode(service.current(ask.actor, store=ask.store).to_dict())

    found = answers.CurrentRuns.of(service.current(ask.actor, store=ask.store).to_dict())
    return Events(request, ("current_runs", ask.actor), encoded) if wants_events(request) else found


@routes.get("/runs/{run_id}", **READ)
def show_run(run_id: Named, ask: Ask) -> answers.Run:
    """One run with its stages."""
    return answers.Run.of(service.get(ask.actor, run_id, store=ask.store).to_dict())
