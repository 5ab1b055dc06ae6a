"""The verbs of findings: list, decide, read the history, stage fixes and undo them."""

from __future__ import annotations

from calotype.findings.actions import undo
from calotype.findings.fixes import StagedFix, fix, undo_fix
from calotype.findings.summary import Summary, summarise
from calotype.findings.triage import (
    Decided,
    FindingNotFound,
    FindingPage,
    history,
    keys_of,
    precision,
    state_counts,
    tracked,
    triage,
)
from calotype.findings.undoing import Undone
from calotype.findings.worklist.listing import (
    CheckRunNotFound,
    Group,
    ListFilter,
    Page,
    changes_of_run,
    groups,
    listed,
    matching_keys,
    open_by_severity,
)

__all__ = [
    "CheckRunNotFound",
    "Decided",
    "FindingNotFound",
    "FindingPage",
    "Group",
    "ListFilter",
    "Page",
    "StagedFix",
    "Summary",
    "Undone",
    "changes_of_run",
    "fix",
    "groups",
    "history",
    "keys_of",
    "listed",
    "matching_keys",
    "open_by_severity",
    "precision",
    "state_counts",
    "summarise",
    "tracked",
    "triage",
    "undo",
    "undo_fix",
]
