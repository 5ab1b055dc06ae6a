"""Audit events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calotype.foundation.clock import iso


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One action: who did what to which subject. Each event holds the hash of the previous one."""

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
