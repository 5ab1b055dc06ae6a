"""The HTTP door of govern."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, action, one_of, room_routes
from calotype.govern import answers, service
from calotype.govern.model import MODELS

routes = room_routes("govern")


class NewModel(BaseModel):
    """Another model of the organisation."""

    model: Literal["central", "decentral", "hybrid"]


@routes.get("/audit", **action(Permission.AUDIT_READ))
def show_audit(
    ask: Ask,
    dataset: Annotated[
        str | None, Query(max_length=200, description="Only events about this dataset.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=5_000, description="Maximum number of events.")] = 200,
) -> answers.AuditLog:
    """Who did what, newest first, and whether the chain of events is intact."""
    events = service.audit(ask.actor, store=ask.store, subject=dataset, limit=limit)
    intact = not service.chain_problems(ask.actor, store=ask.store)
    return answers.AuditLog.of({"items": [event.to_dict() for event in events], "intact": intact})


@routes.get("/organisation", **action(Permission.ACCOUNT_OWN))
def show_organisation(ask: Ask) -> answers.Organisation:
    """The model of the organisation."""
    return answers.Organisation.of(service.organisation(ask.actor, store=ask.store).to_dict())


@routes.put("/organisation", **action(Permission.GRANT_MANAGE))
def set_organisation(ask: Ask, body: NewModel) -> answers.Organisation:
    """Set the model of the organisation, which decides what roles allow."""
    return answers.Organisation.of(service.set_organisation(ask.actor, body.model, store=ask.store).to_dict())


@routes.get("/access/matrix", **action(Permission.ACCOUNT_OWN))
def show_access_matrix(
    ask: Ask,
    model: Annotated[str, one_of(["", *MODELS], "The model; empty for that of the organisation.")] = "",
    diff: Annotated[str, one_of(["", *MODELS], "Another model: only the decisions that differ.")] = "",
) -> answers.AccessMatrix:
    """What each role allows, by where it is held, action and kind of resource."""
    shown = service.access_matrix(ask.actor, store=ask.store, model=model, diff=diff)
    return answers.AccessMatrix.of(shown.to_dict())
