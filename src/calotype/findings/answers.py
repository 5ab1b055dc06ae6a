"""Response models of findings: findings with state and history, fixes, comparisons."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from calotype.findings.quality_answers import Finding, Severity, SeverityCounts
from calotype.foundation.answers import Answer, MediaKey, Timestamp, optional

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

    items: list[TrackedFinding] = Field(description="At most 1,000; all are decided.")
    decision: str = Field(description="Id of the decision, to undo it.")
    decided: int = Field(description="Number of findings.")
    skipped: dict[str, str] = Field(description="Key of a finding that was left out -> the reason.")


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


class FindingSample(Answer):
    """The sample of a finding."""

    id: str
    name: str
    media: MediaKey
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")


class ListedFinding(Answer):
    """A finding of a run, and its state."""

    position: int = Field(description="Place in the whole list, from 0.")
    key: str
    state: FindingState | None = Field(description="Null for a finding that is not tracked.")
    assignee: str | None
    note: str | None
    repair: bool = Field(description="Whether the check suggests a fix that can be staged.")
    check: str
    severity: Severity
    sample: FindingSample | None = Field(
        description="Null when the sample no longer exists, or there is none."
    )
    sample_name: str | None
    annotation: str | None = Field(description="Id of the annotation.")
    label_set: str | None
    reason: str
    facts: dict[str, Any] = Field(description="The figures; each check has its own.")
    fault: str | None = Field(description="Kind of fault, for a check with several kinds.")
    class_: str | None = Field(
        alias="class", description="Class of the annotation when it was tested; null without an annotation."
    )
    box: list[float] | None = Field(
        description="x, y, width and height of the annotation in pixels, as it was tested."
    )
    until: Timestamp | None = Field(description="End of an accepted risk.")


class FindingPage(Answer):
    """A page of the findings of a run."""

    total: int
    offset: int
    as_of: int = Field(description="Ask for other pages with this number: the list keeps its rows and order.")
    items: list[ListedFinding]


class FindingGroup(Answer):
    """Findings of a run with the same value."""

    value: str | int | float | bool | None = Field(description="Null for findings without a value.")
    findings: int
    open: int = Field(description="Those that still count for gates now.")
    counts: SeverityCounts


class FindingGroups(Answer):
    """The findings of a run in groups, in the order of the list."""

    total: int
    groups: list[FindingGroup]


class RetestChanges(Answer):
    """What a run of the checks changed: keys of findings."""

    closed: list[str]
    still_open: list[str] = Field(description="Marked as fixed, and still there.")
    new: list[str]
    returned: list[str] = Field(description="Closed by an earlier run, and there again.")
    expired: list[str] = Field(description="Their accepted risk has ended.")


class UndoneAction(Answer):
    """A decision or a fix that was undone."""

    action: str = Field(description="Id of the decision or fix.")
    kind: Literal["decision", "fix"]
    findings: list[str] = Field(description="Keys of the findings that have their former state again.")
    skipped: dict[str, str] = Field(description="Key of a finding that was changed since -> the reason.")
    committed: bool = Field(
        description="Whether the fix was committed already: its reversal is an edit for the next commit."
    )
