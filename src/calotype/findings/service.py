"""The verbs of findings: list, decide, read the history, stage fixes and undo them."""

from __future__ import annotations

from calotype.findings.fixes import Fixed, fix, undo_fix
from calotype.findings.summary import Summary, summarise
from calotype.findings.triage import (
    FindingNotFound,
    Listed,
    history,
    keys_of,
    state_counts,
    tracked,
    triage,
    trust,
)

__all__ = [
    "FindingNotFound",
    "Fixed",
    "Listed",
    "Summary",
    "fix",
    "history",
    "keys_of",
    "state_counts",
    "summarise",
    "tracked",
    "triage",
    "trust",
    "undo_fix",
]
