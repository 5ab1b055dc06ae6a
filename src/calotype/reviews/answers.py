"""Response models of reviews."""

from __future__ import annotations

from pydantic import Field

from calotype.foundation.answers import Answer, Number, Timestamp
from calotype.labelling.answers import WorkOutcome


class Outcomes(Answer):
    """What became of several samples."""

    items: list[WorkOutcome]


class WaitingReview(Answer):
    """A sample that waits for a review."""

    batch: str
    sample: str
    name: str
    reason: str
    by: list[str]
    annotations: list[int] = Field(description="Number of annotations of each copy.")
    agreement: Number | None = Field(description="Of several copies, 0 to 1.")
    since: Timestamp


class WaitingReviews(Answer):
    """The samples that wait for a review, the longest first."""

    items: list[WaitingReview]
