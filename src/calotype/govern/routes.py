"""The HTTP door of govern."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, action, room_routes
from calotype.govern import answers, service

routes = room_routes("govern")


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
