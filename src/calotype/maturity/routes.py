"""The HTTP door of maturity."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, action, room_routes
from calotype.maturity import answers, service

routes = room_routes("maturity")
_At = Annotated[
    str,
    Query(
        max_length=40, description="A day (2027-01-31), a time (2027-01-31T08:00) or an age (12h, 7d, 4w)."
    ),
]


@routes.get("/maturity", **action(Permission.ACCOUNT_OWN))
def show_maturity_overview(ask: Ask, at: _At = "") -> answers.MaturityReadings:
    """How far each dataset is on the hierarchy of needs, for those whose audit trail one may read."""
    return answers.MaturityReadings.of(service.maturity_overview(ask.actor, store=ask.store, at=at).to_dict())


@routes.get("/datasets/{dataset}/maturity", **action(Permission.AUDIT_READ))
def show_maturity(dataset: Named, ask: Ask, at: _At = "") -> answers.MaturityReading:
    """How far a dataset is on the hierarchy of needs: each indicator with its value, target and evidence."""
    return answers.MaturityReading.of(service.maturity(ask.actor, dataset, store=ask.store, at=at).to_dict())
