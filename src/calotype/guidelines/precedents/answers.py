"""Response models of precedents."""

from __future__ import annotations

from pydantic import Field

from calotype.foundation.answers import Answer, Number, Timestamp


class Precedent(Answer):
    """A ruling on a difficult case that is kept."""

    id: str
    class_: str = Field(alias="class", description="Empty where it is about no class.")
    sample: str
    region: list[Number] | None = Field(
        description="Left, top, width, height in pixels; null: the whole image."
    )
    question: str
    ruling: str
    reason: str
    guideline_version: int
    by: str
    at: Timestamp


class Precedents(Answer):
    """Precedents, the newest first."""

    items: list[Precedent]
