"""Findings and objectives as answers show them; shared by the rooms that test, browse and release."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from calotype.foundation.answers import Answer, Number

Severity = Literal["error", "warning", "info"]


class Finding(Answer):
    """One thing that a check found."""

    key: str = Field(description="Identity of the finding in all commits and runs.")
    check: str
    fault: str | None = Field(
        description="Which of the check's faults it is, for a check that knows several."
    )
    severity: Severity
    sample_id: str | None = Field(description="Null for a finding about the whole dataset.")
    sample: str | None = Field(description="Name of the sample.")
    annotation_id: str | None
    label_set: str | None
    reason: str = Field(description="The finding as a sentence, with its figures.")
    facts: dict[str, Any] = Field(description="The figures; each check has its own.")


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
