"""Audit events, and the models of an organisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from calotype.contracts.classification import CLASSES, Classification
from calotype.foundation.clock import iso, now_us, to_us
from calotype.foundation.errors import Invalid

CHECKPOINT_VERB = "audit.checkpoint"
MAX_PURPOSES, MAX_TEXT = 20, 200
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class AuditTimeInvalid(Invalid):
    """A time that limits the audit trail cannot be read."""

    code = "audit-time-invalid"
    what = "{got!r} is not a time"
    fix = "write a day (2027-01-31), a time (2027-01-31T08:00), or an age (12h, 7d, 4w)"


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events of the audit trail are meant; what is empty limits nothing.

    Attributes:
        subject: Dataset or other subject of the event.
        who: Actor id, email address or name of the person.
        verb: A verb such as `release.create`, or the first part of several, such as `release`.
        since_us: Earliest time, in microseconds since 1970.
        until_us: Time before which events happened.
        before_seq: Only events with a smaller number.
        seq: Only the event with this number.
    """

    subject: str | None = None
    who: str = ""
    verb: str = ""
    since_us: int | None = None
    until_us: int | None = None
    before_seq: int | None = None
    seq: int | None = None

    @classmethod
    def of(
        cls,
        *,
        subject: str | None = None,
        who: str = "",
        verb: str = "",
        since: str = "",
        until: str = "",
        before_seq: int | None = None,
        seq: int | None = None,
    ) -> AuditFilter:
        """The filter with times as people write them (`time_of`). Raises: AuditTimeInvalid."""
        since_us = time_of(since) if since else None
        return cls(subject, who, verb, since_us, time_of(until) if until else None, before_seq, seq)

    def to_dict(self) -> dict[str, Any]:
        """What limits the events, without what does not."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}


def time_of(text: str) -> int:
    """A point in time from a day, a time or an age before now, in microseconds since 1970; UTC where no zone is given.

    Raises: AuditTimeInvalid.
    """
    try:
        if text[-1:] in _UNITS and text[:-1].isdecimal():
            return now_us() - int(text[:-1]) * (_UNITS[text[-1]] // timedelta(microseconds=1))
        instant = datetime.fromisoformat(text.strip())
        return to_us(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise AuditTimeInvalid(got=text[:40]) from None


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


class DatasetClassUnknown(Invalid):
    """There is no class of data of this name."""

    code = "dataset-class-unknown"
    what = "{got!r} is not a class of data"
    fix = "the classes are " + ", ".join(CLASSES)


class ClassificationInvalid(Invalid):
    """A licence, a purpose or a hold cannot be recorded as given."""

    code = "classification-invalid"
    what = "{name} cannot be {got!r}"
    fix = (
        "write one line of at most {limit} characters; at most {most} purposes; either a hold or its release"
    )


@dataclass(frozen=True, slots=True)
class Changes:
    """What somebody says about the data of a dataset; None leaves a part as it is.

    Args:
        data_class: public, internal, confidential or personal.
        licence: Of the dataset as a whole; empty removes it.
        purposes: What releases may be for; empty allows any purpose.
        hold: Why nothing may be deleted; empty releases the hold.
    """

    data_class: str | None = None
    licence: str | None = None
    purposes: tuple[str, ...] | None = None
    hold: str | None = None

    def __post_init__(self) -> None:
        if self.data_class is not None and self.data_class not in CLASSES:
            raise DatasetClassUnknown(got=self.data_class[:40])
        if self.purposes is not None and len(self.purposes) > MAX_PURPOSES:
            _refuse("purposes", f"{len(self.purposes)} purposes")
        named = {"licence": self.licence or "", "hold": self.hold or ""}
        named |= {f"purpose {number}": text for number, text in enumerate(self.purposes or (), start=1)}
        for name, text in named.items():
            if (
                len(text) > MAX_TEXT
                or not text.isprintable()
                or (name.startswith("purpose") and not text.strip())
            ):
                _refuse(name, text)

    def applied_to(self, before: Classification) -> Classification:
        """The classification with these changes."""
        given: dict[str, Any] = {
            "data_class": self.data_class,
            "licence": None if self.licence is None else self.licence.strip(),
            "purposes": None
            if self.purposes is None
            else tuple(dict.fromkeys(p.strip() for p in self.purposes)),
            "hold": None if self.hold is None else self.hold.strip(),
        }
        return replace(before, **{name: value for name, value in given.items() if value is not None})


def _refuse(name: str, got: str) -> None:
    raise ClassificationInvalid(name=name, got=got[:80], limit=MAX_TEXT, most=MAX_PURPOSES)


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
    actor_name: str = ""
    """Name of the account, if the actor has one."""

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "seq": self.seq,
            "at": iso(self.at_us),
            "actor": self.actor,
            "actor_name": self.actor_name,
            "verb": self.verb,
            "subject": self.subject,
            "details": dict(self.details),
        }

    def to_evidence(self) -> dict[str, Any]:
        """With everything that its hash is computed from."""
        return {**self.to_dict(), "at_us": self.at_us, "previous": self.previous, "hash": self.hash}
