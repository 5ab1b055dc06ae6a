"""The verbs of findings: list, decide, read the history, stage fixes and undo them."""

from __future__ import annotations

from calotype.findings.fixes import StagedFix, fix, undo_fix
from calotype.findings.summary import Summary, summarise
from calotype.findings.triage import (
    FindingNotFound,
    FindingPage,
    history,
    keys_of,
    precision,
    state_counts,
    tracked,
    triage,
)

__all__ = [
    "FindingNotFound",
    "FindingPage",
    "StagedFix",
    "Summary",
    "fix",
    "history",
    "keys_of",
    "precision",
    "state_counts",
    "summarise",
    "tracked",
    "triage",
    "undo_fix",
]
