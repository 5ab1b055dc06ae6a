"""Request bodies of reviews."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from calotype.labelling.bodies import ActiveMs, Id, Name, Words, WorkBody
from calotype.labelling.model import Remark


class RemarkBody(WorkBody):
    """What is wrong with a sample, or with one annotation of it."""

    note: Words = ""
    category: Name = ""
    annotation: Annotated[str, Field(max_length=36)] = ""

    def remark(self) -> Remark:
        """As the verbs take it."""
        return Remark(self.note, self.category, self.annotation)


class JudgementBody(WorkBody):
    """What a reviewer decides."""

    verdict: Literal["accept", "send-back"]
    remarks: Annotated[list[RemarkBody], Field(max_length=1_000)] = Field(default_factory=list)
    id: Id | None = None
    active_ms: ActiveMs = 0


class SelectedBody(WorkBody):
    """Which samples that wait for a review."""

    batch: Name = ""
    samples: Annotated[list[Annotated[str, Field(max_length=4_096)]], Field(max_length=10_000)] = Field(
        default_factory=list
    )
    agreement: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.0


class SendBackBody(SelectedBody):
    """Samples that are sent back, with one remark."""

    remark: RemarkBody
