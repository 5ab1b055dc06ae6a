"""Findings that gates leave out: judged a false alarm, accepted as a risk for a time, or waived by the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from calotype.checks.life import Life, State, Verdict
from calotype.checks.model import Finding


@dataclass(frozen=True, slots=True)
class Excuses:
    """Key -> why, and how many findings of each check and severity that is."""

    why: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def of(self, check: str, severities: Iterable[str]) -> int:
        """How many findings of a check count nowhere."""
        return sum(self.counts.get((check, severity), 0) for severity in severities)

    def covers(self, finding: Finding) -> bool:
        """Whether gates leave it out."""
        return finding.key in self.why


NONE = Excuses()


def excuses(findings: Iterable[Finding], lives: Mapping[str, Life], now_us: int) -> Excuses:
    """Which of these findings gates leave out, by what people said of them."""
    why: dict[str, str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        life = lives.get(finding.key)
        if life is None:
            continue
        false_again = life.state is State.CLOSED and life.verdict is Verdict.FALSE
        if life.excused(now_us) or false_again:
            why[finding.key] = str(life.state)
            counts[finding.check, finding.severity] += 1
    return Excuses(why, dict(counts))
