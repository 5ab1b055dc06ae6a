"""Audit events and the outcome of a verification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calotype.foundation.clock import iso


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One thing that was done, by whom, to what; chained to the one before it by its hash."""

    seq: int
    at_us: int
    actor: str
    verb: str
    subject: str
    details: Mapping[str, Any]
    previous: str
    hash: str

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "seq": self.seq,
            "at": iso(self.at_us),
            "actor": self.actor,
            "verb": self.verb,
            "subject": self.subject,
            "details": dict(self.details),
        }


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` looked at and what it found wrong."""

    datasets: int
    commits: int
    tables: int
    media: int
    audit_events: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Nothing is missing or damaged."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        plain = ("datasets", "commits", "tables", "media", "audit_events")
        return {
            **{name: getattr(self, name) for name in plain},
            "ok": self.ok,
            "problems": list(self.problems),
        }
