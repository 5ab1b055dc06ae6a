"""Planted against found: each planted fault is looked up among the findings of its picture. No credit is given
for findings that name another picture or another kind of trouble.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from calotype.app.demo.faults import Planted
from calotype.findings.model import Finding

SHOWN_BY: Mapping[str, frozenset[str]] = {
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
"""Planted kind -> the checks that can show it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of fault: how many were planted, how many of them were found, by what, and how many findings those
    checks have in all: what they tell beside the planted faults may be true or a false alarm."""

    kind: str
    planted: int
    found: int
    by: str
    told: int = 0

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "fault": self.kind,
            "planted": self.planted,
            "found": self.found,
            "by": self.by,
            "told": self.told,
        }


def reckon(planted: Iterable[Planted], findings: Iterable[Finding], set_aside: Iterable[str]) -> list[Line]:
    """A line for each kind of fault.

    Args:
        set_aside: Places of files that were refused at the door; they count as found for `unreadable`.
    """
    findings = tuple(findings)
    told = Counter(finding.check for finding in findings)
    at = {(finding.check, PurePosixPath(finding.sample).name) for finding in findings}
    refused = {PurePosixPath(place).name for place in set_aside}
    n_planted: Counter[str] = Counter()
    n_found: Counter[str] = Counter()
    by: dict[str, Counter[str]] = {}
    for fault in planted:
        n_planted[fault.kind] += 1
        names = {PurePosixPath(fault.file).name}
        if "copy_of" in fault.detail:  # a pair is found at either of its two
            names.add(PurePosixPath(str(fault.detail["copy_of"])).name)
        seen = sorted(
            {check for check in SHOWN_BY.get(fault.kind, ()) for name in names if (check, name) in at}
        )
        if fault.kind == "unreadable" and names & refused:
            seen = ["refused at the door"]
        if seen:
            n_found[fault.kind] += 1
            by.setdefault(fault.kind, Counter()).update(seen)
    return [
        Line(kind, n, n_found[kind], _by(kind, by.get(kind)), sum(told[check] for check in by.get(kind, ())))
        for kind, n in n_planted.items()
    ]


def _by(kind: str, seen: Counter[str] | None) -> str:
    if seen:
        return ", ".join(check for check, _ in seen.most_common())
    return "" if SHOWN_BY.get(kind) or kind == "unreadable" else "no check for this"
