"""What the routes of requests and of the review answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calotype.foundation.answers import Answer, Timestamp


class AccessRequest(Answer):
    """A role that a person asks for, and the answer."""

    id: str
    who: str = Field(description="Address of the person.")
    name: str
    role: str
    on: str = Field(description="As the person wrote it; it need not exist.")
    reason: str
    asked_at: Timestamp
    state: Literal["open", "to-confirm", "end-to-confirm", "granted", "ended", "refused", "withdrawn"]
    answered_at: Timestamp | None
    answered_by: str
    note: str = Field(description="The reason of the answer.")
    grant: str = Field(description="Id of the grant that a yes created.")
    may_answer: bool = Field(description="Whether whoever asks this route may answer the request.")


class FourEyes(Answer):
    """Whether governing rights need a second owner."""

    on: bool
    off_asked_by: str = Field(description="Who wants to switch it off and waits for another owner.")


class AccessRequests(Answer):
    """Requests for access, newest first."""

    items: list[AccessRequest]


class KeepDecision(Answer):
    """Who kept a row of the review."""

    by: str
    at: Timestamp
    reason: str


class ReviewRow(Answer):
    """Something that somebody should look at."""

    kind: Literal[
        "grant-unused",
        "token-unused",
        "token-ending",
        "person-without-role",
        "disabled-with-role",
        "last-owner",
    ]
    id: str = Field(description="Of the grant, the token or the person.")
    who: str = Field(description="Address of the person.")
    name: str
    role: str = Field(description="The role, or the name of the token.")
    on: str = Field(description="Where it holds; for a token its datasets.")
    since: Timestamp
    last_used: Timestamp | None
    until: Timestamp | None = Field(description="When it ends by itself.")
    kept: KeepDecision | None = Field(description="Who kept it within the last 90 days.")


class AccessReview(Answer):
    """What somebody should look at, by kind and address."""

    items: list[ReviewRow]
