"""Response models of findings and objectives, shared by checks, browse and release."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from calotype.foundation.answers import Answer, Number

Severity = Literal["error", "warning", "info"]


class Finding(Answer):
    """A finding of a check."""

    key: str = Field(description="Identity of the finding across commits and runs.")
    check: str
    fault: str | None = Field(description="Kind of fault, for a check with several kinds.")
    severity: Severity
    sample_id: str | None = Field(description="Null for a finding about the whole dataset.")
    sample: str | None = Field(description="Name of the sample.")
    annotation_id: str | None
    label_set: str | None
    reason: str = Field(description="The finding as a sentence with its figures.")
    facts: dict[str, Any] = Field(description="The figures, which depend on the check.")


class ObjectiveResult(Answer):
    """An objective of the contract and its measured value."""

    name: str
    metric: str
    state: Literal["met", "missed", "not measured"]
    measured: Number | None
    at: Literal["most", "least"] = Field(description="Whether the target is a maximum or a minimum.")
    target: Number
    unit: str = Field(description="Empty for a share from 0 to 1.")
    detail: str


class SeverityCounts(Answer):
    """Number of findings by severity."""

    error: int
    warning: int
    info: int
