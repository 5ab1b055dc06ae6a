"""What the routes of govern answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from calotype.foundation.answers import Answer, Timestamp, optional


class AuditEvent(Answer):
    """Something that was done."""

    seq: int = Field(description="Number of the event, from 1 without gaps.")
    at: Timestamp
    actor: str
    verb: str = Field(description="Such as `dataset.commit`.")
    subject: str = Field(description="What it was done to, such as the name of a dataset.")
    details: dict[str, Any] = Field(description="Each verb has its own.")


class AuditLog(Answer):
    """Events, newest first."""

    items: list[AuditEvent]
    intact: bool = Field(description="Whether the chain of all events is unbroken.")


class Organisation(Answer):
    """How the organisation shares the work on data, which decides what roles allow."""

    model: Literal["central", "decentral", "hybrid"]
    models: list[str] = Field(description="All models.")


class AccessCell(Answer):
    """What one role allows: one decision."""

    role: str
    held: Literal["workspace", "team"] = Field(
        description="Where the role is held: on the whole workspace, or in the team or on the dataset in question."
    )
    action: str
    kind: Literal["workspace", "team", "dataset", "branch", "release", "sample"]
    allowed: bool
    rule: str = Field(description="Name of the rule that decides.")
    before: bool = optional("Whether the first model allows it; only with `diff`.")
    rule_before: str = optional("The rule of the first model; only with `diff`.")


class AccessMatrix(Answer):
    """The decisions under a model, or those that differ between two."""

    model: str
    diff: str = Field(description="The second model; empty for one.")
    items: list[AccessCell]
