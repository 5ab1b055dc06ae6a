"""The scorecard of the demo: which planted faults the checks have found.

A fault counts as found if a check for its kind has a finding on the same image.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from calotype.demo.faults import Planted
from calotype.findings.model import Finding

FOUND_BY: Mapping[str, frozenset[str]] = {
    "exact_duplicate": frozenset({"exact-duplicates"}),
    "near_duplicate": frozenset({"near-duplicates"}),
    "leakage": frozenset({"split-leakage", "near-duplicates"}),
    "mislabel": frozenset({"label-errors"}),
    "shifted_box": frozenset({"shape-mismatch", "box-errors", "box-outliers"}),
    "degenerate_box": frozenset({"degenerate-shapes"}),
    "box_outside": frozenset({"box-bounds"}),
    "unlabelled": frozenset({"unlabelled"}),
    "blur": frozenset({"image-quality"}),
    "dark": frozenset({"image-quality"}),
    "overexposed": frozenset({"image-quality"}),
    "missing_licence": frozenset({"licence"}),
}
"""Kind of fault -> the checks that can find it."""


@dataclass(frozen=True, slots=True)
class Score:
    """One kind of fault: the numbers planted and found, and the checks that found them.

    `n_findings` is the number of all findings of these checks; beyond the planted faults they may be true or false.
    """

    kind: str
    planted: int
    found: int
    by: str
    n_findings: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As `--json` shows it."""
        return {
            "fault": self.kind,
            "planted": self.planted,
            "found": self.found,
            "by": self.by,
            "told": self.n_findings,
        }


def score(planted: Iterable[Planted], findings: Iterable[Finding], quarantined: Iterable[str]) -> list[Score]:
    """Score each kind of fault.

    Args:
        quarantined: Paths of quarantined files; they count as found for `unreadable`.
    """
    findings = tuple(findings)
    n_findings = Counter(finding.check for finding in findings)
    found_on = {(finding.check, PurePosixPath(finding.sample).name) for finding in findings}
    quarantined_names = {PurePosixPath(path).name for path in quarantined}
    n_planted: Counter[str] = Counter()
    n_found: Counter[str] = Counter()
    by: dict[str, Counter[str]] = {}
    for fault in planted:
        n_planted[fault.kind] += 1
        names = {PurePosixPath(fault.file).name}
        if "copy_of" in fault.detail:  # a finding on either image of a pair counts
            names.add(PurePosixPath(str(fault.detail["copy_of"])).name)
        candidates = FOUND_BY.get(fault.kind, frozenset())
        checks = sorted({check for check in candidates for name in names if (check, name) in found_on})
        if fault.kind == "unreadable" and names & quarantined_names:
            checks = ["quarantined at import"]
        if checks:
            n_found[fault.kind] += 1
            by.setdefault(fault.kind, Counter()).update(checks)
    return [
        Score(
            kind,
            n,
            n_found[kind],
            _checks_text(kind, by.get(kind)),
            sum(n_findings[check] for check in by.get(kind, ())),
        )
        for kind, n in n_planted.items()
    ]


def _checks_text(kind: str, checks: Counter[str] | None) -> str:
    if checks:
        return ", ".join(check for check, _ in checks.most_common())
    return "" if FOUND_BY.get(kind) or kind == "unreadable" else "no check for this"
