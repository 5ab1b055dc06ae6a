"""The lifecycle of a finding: people decide on it, a re-test closes it, and it reopens when it returns.

Rules without IO. A *decision* is made by a person; a *re-test* is a later run of the checks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from calotype.analysis.intervals import wilson
from calotype.findings.model import CheckReport, Finding
from calotype.foundation.clock import iso
from calotype.foundation.errors import Invalid


class State(StrEnum):
    """State of a finding."""

    OPEN = "open"
    ASSIGNED = "assigned"
    FIXED = "fixed"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    CLOSED = "closed"


class Judgement(StrEnum):
    """The judgement of people on a finding: none yet, a real fault, or a false alarm."""

    NONE = ""
    REAL = "real"
    FALSE = "false"


PENDING = (State.OPEN, State.ASSIGNED, State.FIXED)
"""States in which a finding counts for gates."""


class DecisionInvalid(Invalid):
    """A decision with missing or invalid details."""

    code = "finding-decision-invalid"
    what = "a finding cannot become {state}: {detail}"
    fix = "{hint}"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on a finding.

    `rejected` and `accepted` need a note with the reason, `accepted` also needs an end, and `assigned` an assignee.
    """

    state: State
    assignee: str = ""
    note: str = ""
    until_us: int | None = None

    def check(self, now_us: int) -> None:
        """Raises: DecisionInvalid."""
        if self.state is State.CLOSED:
            raise _invalid(self, "only a re-test can close it", "mark it as `fixed` and run `calotype check`")
        if self.state in (State.REJECTED, State.ACCEPTED) and len(self.note.strip()) < 3:
            raise _invalid(self, "a reason is missing", "give the reason in a few words")
        if self.state is State.ACCEPTED and (self.until_us is None or self.until_us <= now_us):
            raise _invalid(
                self,
                "the end of an accepted risk must be in the future",
                "give its end, such as `--until 2027-03-31`",
            )
        if self.state is State.ASSIGNED and not self.assignee.strip():
            raise _invalid(self, "the assignee is missing", "give the assignee with `--to`")
        if len(self.note) > 4_000 or len(self.assignee) > 200:
            raise _invalid(self, "the text is too long", "use at most 4,000 characters, and 200 for a name")


def _invalid(decision: Decision, detail: str, hint: str) -> DecisionInvalid:
    return DecisionInvalid(state=str(decision.state), detail=detail, hint=hint)


@dataclass(frozen=True, slots=True)
class Event:
    """A change of the state of a finding."""

    key: str
    verb: str
    old: State | None
    new: State
    actor: str
    at_us: int
    note: str = ""
    run_id: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "key": self.key,
            "verb": self.verb,
            "from": str(self.old) if self.old else None,
            "to": str(self.new),
            "actor": self.actor,
            "at": iso(self.at_us),
            "note": self.note or None,
            "run": self.run_id or None,
        }


@dataclass(frozen=True, slots=True)
class TrackedFinding:
    """A finding with its state. A re-test of `branch` closes it; `finding` is its newest version."""

    finding: Finding
    branch: str
    state: State
    first_run: str
    last_run: str
    opened_at_us: int
    changed_at_us: int
    assignee: str = ""
    verdict: Judgement = Judgement.NONE
    note: str = ""
    until_us: int | None = None
    n_returns: int = 0

    @property
    def key(self) -> str:
        """Identity of the finding."""
        return self.finding.key

    def exempt(self, now_us: int) -> bool:
        """Whether gates ignore it: rejected, or a risk accepted until a later time."""
        if self.state is State.REJECTED:
            return True
        return self.state is State.ACCEPTED and (self.until_us or 0) > now_us

    def decided(self, decision: Decision, actor: str, at_us: int) -> tuple[TrackedFinding, Event]:
        """The finding after a decision, and the event. Raises: DecisionInvalid."""
        decision.check(at_us)
        if self.state is State.CLOSED:
            raise _invalid(
                decision,
                "it was closed by a re-test",
                "run `calotype check`; it reopens if it is still there",
            )
        verdict = {
            State.REJECTED: Judgement.FALSE,
            State.ACCEPTED: Judgement.REAL,
            State.FIXED: Judgement.REAL,
            State.OPEN: Judgement.NONE,
        }.get(decision.state, self.verdict)
        after = replace(
            self,
            state=decision.state,
            assignee=decision.assignee or self.assignee,
            note=decision.note.strip(),
            until_us=decision.until_us if decision.state is State.ACCEPTED else None,
            verdict=verdict,
            changed_at_us=at_us,
        )
        return after, Event(self.key, str(decision.state), self.state, after.state, actor, at_us, after.note)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            **self.finding.to_dict(),
            "state": str(self.state),
            "branch": self.branch,
            "assignee": self.assignee or None,
            "verdict": str(self.verdict) or None,
            "note": self.note or None,
            "until": iso(self.until_us) if self.until_us is not None else None,
            "returns": self.n_returns,
            "opened_at": iso(self.opened_at_us),
            "changed_at": iso(self.changed_at_us),
            "first_run": self.first_run,
            "last_run": self.last_run,
        }


@dataclass
class StateChanges:
    """Changes to tracked findings: new findings, changed findings, and events."""

    opened: list[TrackedFinding] = field(default_factory=list)
    changed: list[TrackedFinding] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def retest(
    report: CheckReport, tracked_findings: Mapping[str, TrackedFinding], *, branch: str
) -> StateChanges:
    """Update tracked findings from a run on a branch.

    New findings are opened. A finding reopens if it returned after it was closed (a false alarm returns as rejected),
    if it was marked as fixed but is still there, or if its accepted risk ended. A finding that the run looked for and
    did not find is closed if it belongs to this branch.

    Args:
        tracked_findings: Those of the dataset that are not closed, and closed ones that this run found again.
    """
    findings = {finding.key: finding for finding in report.findings}
    at_us = report.finished_at_us
    changes = StateChanges()
    for key, finding in findings.items():
        tracked = tracked_findings.get(key)
        if tracked is None:
            new = TrackedFinding(finding, branch, State.OPEN, report.run_id, report.run_id, at_us, at_us)
            changes.opened.append(new)
            changes.events.append(
                Event(key, "opened", None, State.OPEN, report.actor, at_us, run_id=report.run_id)
            )
            continue
        _still_there(changes, tracked, finding, report, branch)
    complete = {summary.name for summary in report.checks if summary.enabled and summary.complete}
    for key, tracked in tracked_findings.items():
        was_checked = tracked.finding.check in complete and tracked.branch == branch
        if key not in findings and was_checked and tracked.state is not State.CLOSED:
            _change(changes, tracked, report, "closed", State.CLOSED)
    return changes


def _still_there(
    changes: StateChanges, tracked: TrackedFinding, finding: Finding, report: CheckReport, branch: str
) -> None:
    # A finding that has reached main is closed by re-tests of main.
    home_branch = branch if branch == "main" else tracked.branch
    updated = replace(tracked, finding=finding, branch=home_branch)
    is_expired = tracked.state is State.ACCEPTED and not tracked.exempt(report.finished_at_us)
    is_tested_here = tracked.branch == branch or branch == "main"
    if tracked.state is State.CLOSED and is_tested_here:
        state = State.REJECTED if tracked.verdict is Judgement.FALSE else State.OPEN
        _change(changes, replace(updated, n_returns=tracked.n_returns + 1), report, "returned", state)
    elif tracked.state is State.FIXED and is_tested_here:
        _change(changes, updated, report, "still-there", State.OPEN)
    elif is_expired:
        _change(changes, replace(updated, until_us=None), report, "expired", State.OPEN)
    elif updated != tracked:
        changes.changed.append(replace(updated, last_run=report.run_id))


def _change(
    changes: StateChanges, tracked: TrackedFinding, report: CheckReport, verb: str, state: State
) -> None:
    after = replace(tracked, state=state, last_run=report.run_id, changed_at_us=report.finished_at_us)
    changes.changed.append(after)
    changes.events.append(
        Event(
            tracked.key, verb, tracked.state, state, report.actor, report.finished_at_us, run_id=report.run_id
        )
    )


@dataclass(frozen=True, slots=True)
class Precision:
    """Share of the findings of a check that people confirmed; `share` is None before anybody judged."""

    check: str
    n_real: int
    n_false: int
    share: float | None
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {name: getattr(self, name) for name in self.__slots__}


def precision(check: str, verdicts: Collection[Judgement]) -> Precision:
    """The share of judged findings that are real, with its 95 % interval."""
    n_real = sum(verdict is Judgement.REAL for verdict in verdicts)
    n = n_real + sum(verdict is Judgement.FALSE for verdict in verdicts)
    return Precision(check, n_real, n - n_real, n_real / n if n else None, *wilson(n_real, n))
