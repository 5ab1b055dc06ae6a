"""Compares two runs of checks: new, fixed and remaining findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calotype.findings.model import CheckReport, Finding


@dataclass(frozen=True, slots=True)
class Comparison:
    """Findings of two states. `unsure` names checks that ran on only one state or did not keep all findings."""

    before: str
    after: str
    new: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    remaining: tuple[Finding, ...]
    unsure: tuple[str, ...]

    @classmethod
    def of(cls, before: CheckReport, after: CheckReport) -> Comparison:
        """Compare two runs."""
        before_by_key = {finding.key: finding for finding in before.findings}
        after_by_key = {finding.key: finding for finding in after.findings}
        complete = [{c.name for c in run.checks if c.enabled and c.complete} for run in (before, after)]
        enabled = {c.name for run in (before, after) for c in run.checks if c.enabled}
        return cls(
            before.commit_id or before.state_sha256,
            after.commit_id or after.state_sha256,
            tuple(f for key, f in after_by_key.items() if key not in before_by_key),
            tuple(f for key, f in before_by_key.items() if key not in after_by_key),
            tuple(f for key, f in after_by_key.items() if key in before_by_key),
            tuple(sorted(enabled - (complete[0] & complete[1]))),
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        lists = {name: [f.to_dict() for f in getattr(self, name)] for name in ("new", "fixed", "remaining")}
        return {"before": self.before, "after": self.after, **lists, "unsure": list(self.unsure)}

    def __str__(self) -> str:
        head = f"{len(self.new)} new, {len(self.fixed)} fixed, {len(self.remaining)} remaining"
        lines = [head, *(f"  new    {f.check}: {f.sample or 'dataset'}: {f.reason}" for f in self.new[:20])]
        lines += [f"  fixed  {f.check}: {f.sample or 'dataset'}: {f.reason}" for f in self.fixed[:20]]
        if self.unsure:
            lines.append(f"  not fully compared: {', '.join(self.unsure)}")
        return "\n".join(lines)
