"""What the routes of govern answer."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from calotype.foundation.answers import Answer, Timestamp


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
