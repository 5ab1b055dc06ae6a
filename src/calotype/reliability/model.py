"""What a verification looks at and finds, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """Whether something is lost, or only left untidy by a process that died."""

    LOST = "lost"
    UNTIDY = "untidy"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be: what kind, where, what, and how to fix it."""

    kind: str
    place: str
    what: str
    fix: str
    severity: Severity = Severity.LOST
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        told = {name: str(getattr(self, name)) for name in ("kind", "severity", "place", "what", "fix")}
        return {**told, "facts": dict(self.facts)}


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` looked at and what it found. Only lost things make it fail; untidy ones lose nothing."""

    checked: Mapping[str, int]
    problems: tuple[Problem, ...]
    untidy: tuple[Problem, ...]
    audit_head: str
    deep: bool

    @property
    def ok(self) -> bool:
        """Nothing is missing or damaged."""
        return not self.problems

    @property
    def commits(self) -> int:
        """How many commits were checked."""
        return self.checked["commits"]

    @property
    def media(self) -> int:
        """How many different media were looked for."""
        return self.checked["media"]

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "ok": self.ok,
            "deep": self.deep,
            **dict(self.checked),
            "audit_head": self.audit_head,
            "problems": [problem.to_dict() for problem in self.problems],
            "untidy": [problem.to_dict() for problem in self.untidy],
        }


@dataclass(frozen=True, slots=True)
class Mend:
    """What to do about one problem; `can` is False where a person has to act."""

    problem: Problem
    action: str
    can: bool

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {"problem": self.problem.to_dict(), "action": self.action, "can": self.can}


@dataclass(frozen=True, slots=True)
class Repaired:
    """The plan of a repair, and when it was carried out, how many problems were mended and what is left."""

    plan: tuple[Mend, ...]
    done: bool
    mended: int = 0
    left: Verified | None = None

    @property
    def ok(self) -> bool:
        """Nothing is lost (any more)."""
        if self.left is not None:
            return self.left.ok
        return not any(mend.problem.severity is Severity.LOST for mend in self.plan)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        left = None if self.left is None else self.left.to_dict()
        plan = [mend.to_dict() for mend in self.plan]
        return {"ok": self.ok, "done": self.done, "mended": self.mended, "plan": plan, "left": left}
