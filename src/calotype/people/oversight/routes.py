"""The HTTP door of requests for access and of the access review."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from calotype.foundation.actor import ROLES, Permission
from calotype.foundation.http import Ask, Named, action, one_of, room_routes
from calotype.people.model import end_of
from calotype.people.oversight import answers, four_eyes, requests, review
from calotype.people.oversight.model import KINDS, MAX_PLACE, MAX_REASON, STATES

routes = room_routes("people")
Reason = Annotated[str, Field(max_length=MAX_REASON)]


class NewAccessRequest(BaseModel):
    """A role to ask for."""

    role: Annotated[str, Field(max_length=200, json_schema_extra={"enum": list(ROLES)})]
    on: Annotated[
        str, Field(max_length=MAX_PLACE, description="`workspace`, `team:NAME` or `dataset:NAME`.")
    ] = "workspace"
    reason: Reason = ""
    for_email: Annotated[
        str, Field(max_length=200, description="Whose request it is; empty for oneself.")
    ] = ""


class AccessAnswer(BaseModel):
    """Yes or no."""

    yes: bool
    until: Annotated[
        str, Field(max_length=40, description="Last day of the grant, as 2027-01-31; empty for no end.")
    ] = ""
    reason: Reason = ""


class KeptRow(BaseModel):
    """A row of the review to keep."""

    kind: Annotated[str, Field(max_length=40, json_schema_extra={"enum": list(KINDS)})]
    id: Annotated[str, Field(max_length=32, description="Of the grant, the token or the person.")]
    reason: Reason


class NewFourEyes(BaseModel):
    """Whether governing rights need a second owner."""

    on: bool


@routes.get("/access/requests", **action(Permission.ACCOUNT_OWN))
def list_access_requests(
    ask: Ask,
    everyone: Annotated[bool, Query(description="The requests of everyone; needs grant.manage.")] = False,
    state: Annotated[
        str, one_of(("", "waiting", *STATES), "Only these; `waiting`: all that wait for somebody.")
    ] = "",
) -> answers.AccessRequests:
    """Requests for access."""
    listed = requests.access_requests(ask.actor, store=ask.store, everyone=everyone, state=state)
    return answers.AccessRequests.of({"items": [item.to_dict() for item in listed]})


@routes.post("/access/requests", **action(Permission.ACCOUNT_OWN))
def ask_for_access(ask: Ask, body: NewAccessRequest) -> answers.AccessRequest:
    """Ask for a role; the answer is the same whether the place exists or not."""
    asked = requests.ask_for_access(
        ask.actor, body.role, store=ask.store, on=body.on, reason=body.reason, for_email=body.for_email
    )
    return answers.AccessRequest.of(asked.to_dict())


@routes.post("/access/requests/{id}/answer", **action(Permission.GRANT_MANAGE))
def answer_access_request(ask: Ask, id: Named, body: AccessAnswer) -> answers.AccessRequest:
    """Answer a request of somebody else; a yes grants the role at once."""
    end = end_of(body.until) if body.until else None
    answered = requests.answer_request(
        ask.actor, id, body.yes, store=ask.store, until_us=end, reason=body.reason
    )
    return answers.AccessRequest.of(answered.to_dict())


@routes.delete("/access/requests/{id}", **action(Permission.ACCOUNT_OWN))
def withdraw_access_request(ask: Ask, id: Named) -> answers.AccessRequest:
    """Take back one's own open request."""
    return answers.AccessRequest.of(requests.withdraw_request(ask.actor, id, store=ask.store).to_dict())


@routes.get("/access/review", **action(Permission.PEOPLE_READ))
def show_access_review(
    ask: Ask,
    kept: Annotated[bool, Query(description="Also what somebody kept within 90 days.")] = False,
) -> answers.AccessReview:
    """Grants and tokens without use, tokens that end soon, people without a role, and the last owner."""
    rows = review.access_review(ask.actor, store=ask.store, with_kept=kept)
    return answers.AccessReview.of({"items": [row.to_dict() for row in rows]})


@routes.post("/access/review/kept", **action(Permission.GRANT_MANAGE))
def keep_in_access_review(ask: Ask, body: KeptRow) -> answers.ReviewRow:
    """Keep what a row of the review is about; it is not shown again for 90 days."""
    row = review.keep_in_review(ask.actor, body.kind, body.id, store=ask.store, reason=body.reason)
    return answers.ReviewRow.of(row.to_dict())


@routes.get("/organisation/four-eyes", **action(Permission.ACCOUNT_OWN))
def show_four_eyes(ask: Ask) -> answers.FourEyes:
    """Whether governing rights need a second owner."""
    return answers.FourEyes.of(four_eyes.four_eyes(ask.actor, store=ask.store).to_dict())


@routes.put("/organisation/four-eyes", **action(Permission.GRANT_MANAGE))
def set_four_eyes(ask: Ask, body: NewFourEyes) -> answers.FourEyes:
    """Ask for a second owner where governing rights are given or taken, or stop, which two owners decide."""
    return answers.FourEyes.of(four_eyes.set_four_eyes(ask.actor, body.on, store=ask.store).to_dict())
