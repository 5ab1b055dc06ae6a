"""Audit events, and the models of an organisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from calotype.foundation.clock import iso
from calotype.foundation.errors import Invalid

MODELS = ("central", "decentral", "hybrid")
"""Who decides about data: one data team, each team for itself, or a centre that sets the standards."""
DEFAULT_MODEL = "central"


class ModelUnknown(Invalid):
    """There is no model of organisation of this name."""

    code = "organisation-model-unknown"
    what = "{got!r} is not a model of an organisation"
    fix = "the models are " + ", ".join(MODELS)


def check_model(model: str) -> None:
    """Raises: ModelUnknown."""
    if model not in MODELS:
        raise ModelUnknown(got=model[:100])


@dataclass(frozen=True, slots=True)
class Organisation:
    """How an organisation shares the work on data."""

    model: str

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {"model": self.model, "models": list(MODELS)}


@dataclass(frozen=True, slots=True)
class Cell:
    """One decision of the matrix: a role, where it is held (`workspace` or `team`), an action, a kind of resource."""

    role: str
    held: str
    action: str
    kind: str
    allowed: bool
    rule: str

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell whose decision is not the same under two models."""

    before: Cell
    after: Cell

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it: the cell under the second model, with what the first one says."""
        return {**self.after.to_dict(), "before": self.before.allowed, "rule_before": self.before.rule}


@dataclass(frozen=True, slots=True)
class Matrix:
    """The decisions under one model, or with `other` those that differ under another."""

    model: str
    cells: tuple[Cell, ...] = ()
    other: str = ""
    differences: tuple[Difference, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        items = [item.to_dict() for item in (self.differences if self.other else self.cells)]
        return {"model": self.model, "diff": self.other, "items": items}


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
