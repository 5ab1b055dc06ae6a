"""Response models of findings: findings with state and history, fixes, comparisons."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calotype.findings.quality_answers import Finding
from calotype.foundation.answers import Answer, Timestamp, optional

FindingState = Literal["open", "assigned", "fixed", "rejected", "accepted", "closed"]


class TrackedFinding(Finding):
    """A finding with its state."""

    state: FindingState
    branch: str = Field(description="The branch whose re-test closes it.")
    assignee: str | None
    verdict: Literal["real", "false"] | None = Field(
        description="Judgement by people; null before anybody judged."
    )
    note: str | None
    until: Timestamp | None = Field(description="End of an accepted risk.")
    returns: int = Field(description="Number of times it returned after it was closed.")
    opened_at: Timestamp
    changed_at: Timestamp
    first_run: str
    last_run: str


class FindingEvent(Answer):
    """A change of a finding's state."""

    key: str
    verb: str = Field(description="The new state, or `opened`, `returned`, `still-there`, `expired`.")
    from_: FindingState | None = Field(alias="from")
    to: FindingState
    actor: str
    at: Timestamp
    note: str | None
    run: str | None = Field(description="The run of the checks that caused the change; null for a decision.")


class FindingHistory(TrackedFinding):
    """A finding and all changes of its state."""

    events: list[FindingEvent]


class CheckPrecision(Answer):
    """Share of the findings of a check that people confirmed."""

    check: str
    n_real: int
    n_false: int
    share: float | None = Field(description="Null before anybody judged.")
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float = Field(description="Upper end of the 95 % interval.")


class StateCounts(Answer):
    """Number of findings by state; a state without findings is absent."""

    open: int = optional()
    assigned: int = optional()
    fixed: int = optional()
    rejected: int = optional()
    accepted: int = optional()
    closed: int = optional()


class TrackedFindingPage(Answer):
    """A page of findings with their states."""

    total: int
    offset: int
    items: list[TrackedFinding]
    counts: dict[str, StateCounts] = Field(description="Counts for the whole dataset, by check.")
    precision: dict[str, CheckPrecision] = Field(description="By check.")


class DecidedFindings(Answer):
    """Findings after a decision."""

    items: list[TrackedFinding]


class StagedFix(Answer):
    """An edit of the working state that fixes findings."""

    fix: str = Field(description="Id of the fix.")
    findings: list[str] = Field(description="Keys of the fixed findings.")
    left_out: dict[str, str] = Field(description="Key of a finding that was not fixed -> the reason.")


class FindingComparison(Answer):
    """Findings of two states."""

    before: str = Field(description="Commit id, or hash of an uncommitted state.")
    after: str
    new: list[Finding]
    fixed: list[Finding]
    remaining: list[Finding]
    unsure: list[str] = Field(
        description="Checks that ran on only one state, or that did not keep all findings."
    )
