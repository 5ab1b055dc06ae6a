"""The life of a finding: people decide on it, only a re-test closes it, and it opens again when it returns.

Pure rules. A *decision* is what a person says of a finding; a *re-test* is what a run of the checks says.
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
    """Where a finding is in its life."""

    OPEN = "open"
    ASSIGNED = "assigned"
    FIXED = "fixed"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    CLOSED = "closed"


class Judgement(StrEnum):
    """What people said of a finding: a real fault, a false alarm, or nothing yet."""

    NONE = ""
    REAL = "real"
    FALSE = "false"


PENDING = (State.OPEN, State.ASSIGNED, State.FIXED)
"""States in which a finding still counts at the gates."""


class DecisionInvalid(Invalid):
    """A decision that lacks what it needs."""

    code = "finding-decision-invalid"
    what = "a finding cannot become {state}: {detail}"
    fix = "{hint}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decides on a finding.

    `rejected` and `accepted` need a note that says why, `accepted` an end as well, `assigned` somebody's name.
    """

    state: State
    assignee: str = ""
    note: str = ""
    until_us: int | None = None

    def check(self, now_us: int) -> None:
        """Raises: DecisionInvalid."""
        if self.state is State.CLOSED:
            raise _lacks(self, "only a re-test closes it", "say `fixed` and run `calotype check`")
        if self.state in (State.REJECTED, State.ACCEPTED) and len(self.note.strip()) < 3:
            raise _lacks(self, "it needs a reason", "say in a few words why, with `--because`")
        if self.state is State.ACCEPTED and (self.until_us is None or self.until_us <= now_us):
            raise _lacks(
                self, "an accepted risk ends at a day to come", "give its end, as `--until 2027-03-31`"
            )
        if self.state is State.ASSIGNED and not self.assignee.strip():
            raise _lacks(self, "nobody is named", "name somebody with `--to`")
        if len(self.note) > 4_000 or len(self.assignee) > 200:
            raise _lacks(self, "the text is too long", "use at most 4,000 characters, 200 for a name")


def _lacks(decision: Decision, detail: str, hint: str) -> DecisionInvalid:
    return DecisionInvalid(state=str(decision.state), detail=detail, hint=hint)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a finding."""

    key: str
    verb: str
    old: State | None
    new: State
    actor: str
    at_us: int
    note: str = ""
    run_id: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
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
class Life:
    """A finding with its life. `branch` is where a re-test closes it; `finding` is it as it was last seen."""

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
        """The finding's identity."""
        return self.finding.key

    def exempt(self, now_us: int) -> bool:
        """Whether gates leave it out: rejected, or a risk accepted until a day to come."""
        if self.state is State.REJECTED:
            return True
        return self.state is State.ACCEPTED and (self.until_us or 0) > now_us

    def decided(self, decision: Decision, actor: str, at_us: int) -> tuple[Life, Event]:
        """After somebody's decision. Raises: DecisionInvalid."""
        decision.check(at_us)
        if self.state is State.CLOSED:
            raise _lacks(
                decision, "a re-test closed it", "run `calotype check`: it opens again if it is still there"
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
        """As every door shows it."""
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
class Retest:
    """What a run changes in the lives of findings."""

    opened: list[Life] = field(default_factory=list)
    changed: list[Life] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def retest(report: CheckReport, lives: Mapping[str, Life], *, branch: str) -> Retest:
    """What a run on a branch says of the findings so far.

    What it found and nobody knew opens. What came back opens again (a false alarm comes back as rejected), and so does
    what was called fixed and is still there, and a risk whose time is over. What it looked for and did not find is
    closed, if it was opened on this branch.

    Args:
        lives: Those of the dataset that are not closed, and the closed ones that this run found again.
    """
    found = {finding.key: finding for finding in report.findings}
    at_us = report.finished_at_us
    done = Retest()
    for key, finding in found.items():
        life = lives.get(key)
        if life is None:
            new = Life(finding, branch, State.OPEN, report.run_id, report.run_id, at_us, at_us)
            done.opened.append(new)
            done.events.append(
                Event(key, "opened", None, State.OPEN, report.actor, at_us, run_id=report.run_id)
            )
            continue
        _still_there(done, life, finding, report, branch)
    complete = {summary.name for summary in report.checks if summary.enabled and summary.complete}
    for key, life in lives.items():
        looked = life.finding.check in complete and life.branch == branch
        if key not in found and looked and life.state is not State.CLOSED:
            _change(done, life, report, "closed", State.CLOSED)
    return done


def _still_there(done: Retest, life: Life, finding: Finding, report: CheckReport, branch: str) -> None:
    home = branch if branch == "main" else life.branch  # what has reached main is closed there
    seen = replace(life, finding=finding, branch=home)
    over = life.state is State.ACCEPTED and not life.exempt(report.finished_at_us)
    here = life.branch == branch or branch == "main"
    if life.state is State.CLOSED and here:
        back = State.REJECTED if life.verdict is Judgement.FALSE else State.OPEN
        _change(done, replace(seen, n_returns=life.n_returns + 1), report, "returned", back)
    elif life.state is State.FIXED and here:
        _change(done, seen, report, "still-there", State.OPEN)
    elif over:
        _change(done, replace(seen, until_us=None), report, "expired", State.OPEN)
    elif seen != life:
        done.changed.append(replace(seen, last_run=report.run_id))


def _change(done: Retest, life: Life, report: CheckReport, verb: str, state: State) -> None:
    after = replace(life, state=state, last_run=report.run_id, changed_at_us=report.finished_at_us)
    done.changed.append(after)
    done.events.append(
        Event(life.key, verb, life.state, state, report.actor, report.finished_at_us, run_id=report.run_id)
    )


@dataclass(frozen=True, slots=True)
class Precision:
    """How often people confirmed what a check found. `share` is None before anybody judged."""

    check: str
    n_real: int
    n_false: int
    share: float | None
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


def precision(check: str, verdicts: Collection[Judgement]) -> Precision:
    """The share of judged findings that were real, with its 95 % interval."""
    real = sum(verdict is Judgement.REAL for verdict in verdicts)
    n = real + sum(verdict is Judgement.FALSE for verdict in verdicts)
    return Precision(check, real, n - real, real / n if n else None, *wilson(real, n))
