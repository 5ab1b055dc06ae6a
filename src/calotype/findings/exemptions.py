"""Findings that gates ignore: rejected as false alarms, accepted as a risk, or waived by the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Protocol

from calotype.findings.lifecycle import Judgement, State, TrackedFinding
from calotype.findings.model import Finding


class Waiver(Protocol):
    """A waiver of a contract: gates ignore findings of a check until a given day."""

    @property
    def check(self) -> str: ...
    @property
    def where(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def until(self) -> date: ...


@dataclass(frozen=True, slots=True)
class Exemptions:
    """Key of an ignored finding -> the reason, and the number of ignored findings by check and severity."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def of(self, check: str, severities: Iterable[str]) -> int:
        """Number of ignored findings of a check."""
        return sum(self.counts.get((check, severity), 0) for severity in severities)

    def covers(self, finding: Finding) -> bool:
        """Whether gates ignore this finding."""
        return finding.key in self.reasons


NONE = Exemptions()


def exemptions(
    findings: Iterable[Finding],
    tracked_findings: Mapping[str, TrackedFinding],
    now_us: int,
    waivers: Sequence[Waiver] = (),
) -> Exemptions:
    """Determine which findings gates ignore, from decisions and from the waivers in force at `now_us`."""
    today = datetime.fromtimestamp(now_us / 1e6, tz=UTC).date()
    waivers_in_force = [waiver for waiver in waivers if waiver.until >= today]
    reasons: dict[str, str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        reason = _judged(tracked_findings.get(finding.key), now_us) or _waived(finding, waivers_in_force)
        if reason:
            reasons[finding.key] = reason
            counts[finding.check, finding.severity] += 1
    return Exemptions(reasons, dict(counts))


def _judged(tracked: TrackedFinding | None, now_us: int) -> str:
    if tracked is None:
        return ""
    false_again = tracked.state is State.CLOSED and tracked.verdict is Judgement.FALSE
    return str(tracked.state) if tracked.exempt(now_us) or false_again else ""


def waives(waiver: Waiver, finding: Finding) -> bool:
    """Whether a waiver applies to this finding, regardless of its end."""
    return waiver.check == finding.check and (
        waiver.where == finding.key or fnmatchcase(finding.sample or finding.about, waiver.where)
    )


def _waived(finding: Finding, waivers: Sequence[Waiver]) -> str:
    for waiver in waivers:
        if waives(waiver, finding):
            return f"waived by {waiver.owner} until {waiver.until}: {waiver.reason}"
    return ""
