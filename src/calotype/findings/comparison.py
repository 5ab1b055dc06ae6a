"""Two runs beside each other: what is new, fixed, remaining."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calotype.findings.model import CheckReport, Finding


@dataclass(frozen=True, slots=True)
class Comparison:
    """From one state to another. `unsure` names checks of which not every finding is kept, or that ran in one only."""

    before: str
    after: str
    new: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    remaining: tuple[Finding, ...]
    unsure: tuple[str, ...]

    @classmethod
    def of(cls, before: CheckReport, after: CheckReport) -> Comparison:
        """The comparison of two runs."""
        old = {finding.key: finding for finding in before.findings}
        now = {finding.key: finding for finding in after.findings}
        complete = [{c.name for c in run.checks if c.enabled and c.complete} for run in (before, after)]
        every = {c.name for run in (before, after) for c in run.checks if c.enabled}
        return cls(
            before.commit_id or before.state_sha256,
            after.commit_id or after.state_sha256,
            tuple(f for key, f in now.items() if key not in old),
            tuple(f for key, f in old.items() if key not in now),
            tuple(f for key, f in now.items() if key in old),
            tuple(sorted(every - (complete[0] & complete[1]))),
        )

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        lists = {name: [f.to_dict() for f in getattr(self, name)] for name in ("new", "fixed", "remaining")}
        return {"before": self.before, "after": self.after, **lists, "unsure": list(self.unsure)}

    def __str__(self) -> str:
        head = f"{len(self.new)} new, {len(self.fixed)} fixed, {len(self.remaining)} remaining"
        lines = [head, *(f"  new    {f.check}: {f.sample or 'dataset'}: {f.reason}" for f in self.new[:20])]
        lines += [f"  fixed  {f.check}: {f.sample or 'dataset'}: {f.reason}" for f in self.fixed[:20]]
        if self.unsure:
            lines.append(f"  not compared in full: {', '.join(self.unsure)}")
        return "\n".join(lines)
