"""What the routes of checks answer: a run with its gates, objectives and checks, and a page of its findings."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from calotype.findings.quality_answers import ObjectiveResult, SeverityCounts
from calotype.foundation.answers import Answer, Number, Sha256, Timestamp, optional


class FoundSeverities(Answer):
    """Number of findings by severity; a severity without findings is absent."""

    error: int = optional()
    warning: int = optional()
    info: int = optional()


class CheckRun(Answer):
    """A run of the checks on one state of a dataset."""

    id: str
    at: Timestamp = Field(description="When it ended.")
    actor: str
    duration_s: float
    commit: Sha256 | None = Field(description="Null when the state was not committed.")
    contract: Sha256
    red: bool = Field(description="Whether a gate blocks.")
    counts: SeverityCounts
    open: SeverityCounts = Field(
        description="Findings that still count for gates: not rejected, accepted as a risk, or closed since."
    )


class GateResult(Answer):
    """A gate: what was measured, against which threshold."""

    name: str
    check: str = Field(description="The check it judges; empty for a count of samples or annotations.")
    state: Literal["green", "red", "missing"] = Field(description="`missing` blocks too: no data to judge.")
    measured: Number
    threshold: Number
    unit: str
    detail: str
    fix: str = Field(description="Empty when there is nothing to do.")
    findings: int
    samples: list[str] = Field(description="Names of the first samples that fail.")
    excused: int = Field(description="Findings left out: rejected, accepted as a risk, or waived.")
    on: list[Literal["merge", "release"]] = Field(description="What it blocks.")


class CheckSummary(Answer):
    """The result of one check."""

    name: str
    title: str
    means: str
    fix: str
    unit: str = Field(description="What it looks at, such as `samples`.")
    enabled: bool
    looked_at: int
    kept: int = Field(description="Findings that are listed; the others are only counted.")
    took_ms: int
    family: str
    version: int
    measured_again: int | None = Field(
        description="Samples measured in this run, the others in an earlier one; null after a full run."
    )
    counts: FoundSeverities
    findings: int = Field(description="Findings of all severities.")
    parameters: dict[str, Any] = Field(description="Each check has its own.")
    reference: dict[str, Any] = Field(
        description="What the check learned from all samples, such as usual sizes."
    )


class CheckResults(Answer):
    """A run of the checks."""

    run: CheckRun | None = Field(description="Null before the first run.")
    stale: bool = Field(description="Whether the run tested another state than the one asked for.")
    gates: list[GateResult]
    objectives: list[ObjectiveResult]
    checks: list[CheckSummary]
