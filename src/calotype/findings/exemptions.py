"""Findings that gates leave out: judged a false alarm, accepted as a risk for a time, or waived by the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Protocol

from calotype.findings.lifecycle import Judgement, Life, State
from calotype.findings.model import Finding


class Waiver(Protocol):
    """A waiver of a contract: findings of a check that count nowhere until a day, and who answers for that."""

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
    """Key -> why, and how many findings of each check and severity that is."""

    why: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def of(self, check: str, severities: Iterable[str]) -> int:
        """How many findings of a check count nowhere."""
        return sum(self.counts.get((check, severity), 0) for severity in severities)

    def covers(self, finding: Finding) -> bool:
        """Whether gates leave it out."""
        return finding.key in self.why


NONE = Exemptions()


def exemptions(
    findings: Iterable[Finding], lives: Mapping[str, Life], now_us: int, waivers: Sequence[Waiver] = ()
) -> Exemptions:
    """Which of these findings gates leave out: by what people said of them, and by the contract's waivers of today."""
    today = datetime.fromtimestamp(now_us / 1e6, tz=UTC).date()
    holding = [waiver for waiver in waivers if waiver.until >= today]
    why: dict[str, str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        reason = _judged(lives.get(finding.key), now_us) or _waived(finding, holding)
        if reason:
            why[finding.key] = reason
            counts[finding.check, finding.severity] += 1
    return Exemptions(why, dict(counts))


def _judged(life: Life | None, now_us: int) -> str:
    if life is None:
        return ""
    false_again = life.state is State.CLOSED and life.verdict is Judgement.FALSE
    return str(life.state) if life.exempt(now_us) or false_again else ""


def waives(waiver: Waiver, finding: Finding) -> bool:
    """Whether a waiver is about this finding, on whatever day."""
    return waiver.check == finding.check and (
        waiver.where == finding.key or fnmatchcase(finding.sample or finding.about, waiver.where)
    )


def _waived(finding: Finding, waivers: Sequence[Waiver]) -> str:
    for waiver in waivers:
        if waives(waiver, finding):
            return f"waived by {waiver.owner} until {waiver.until}: {waiver.reason}"
    return ""
