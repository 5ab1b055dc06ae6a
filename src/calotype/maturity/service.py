"""The verb of maturity."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.verbs import verb
from calotype.govern.model import time_of
from calotype.maturity.definitions import INDICATORS
from calotype.maturity.facts import Facts
from calotype.maturity.model import (
    Maturity,
    MaturityOverview,
    MaturityTimeInvalid,
    Measurement,
    Pillar,
    PillarReading,
    Reading,
)
from calotype.maturity.pillars import coverage, quality, reliability, security, usability
from calotype.maturity.pillars.parts import unknown
from calotype.store import Store
from calotype.store.catalog import audit_chain

_PILLARS = (security, quality, reliability, usability, coverage)
_MEASURES: dict[str, Callable[[Facts], Measurement]] = {
    id: measure for pillar in _PILLARS for id, measure in pillar.MEASURES.items()
}
_NOT_RECORDED = {id: why for pillar in _PILLARS for id, why in pillar.NOT_RECORDED.items()}


@verb
def maturity(actor: Actor, dataset: str, *, store: Store, at: str = "") -> Maturity:
    """How far a dataset is on the hierarchy of needs, from evidence alone.

    Args:
        at: The time as of which everything is read: a day (2027-01-31), a time or an age (12h, 7d, 4w); empty for now.
    Raises: NotPermitted, DatasetNotFound, AuditTimeInvalid, MaturityTimeInvalid.
    """
    store.guard.require(actor, Permission.AUDIT_READ, dataset=dataset)
    at_us = _time(at)
    with store.catalog.read() as conn:
        return _assess(conn, refs.dataset(conn, dataset).id, dataset, at_us, _chain_problems(conn))


@verb
def maturity_overview(actor: Actor, *, store: Store, at: str = "") -> MaturityOverview:
    """The assessments of all datasets whose audit trail the actor may read, by name.

    Raises: NotPermitted, AuditTimeInvalid, MaturityTimeInvalid.
    """
    store.guard.require(actor, Permission.ACCOUNT_OWN)
    at_us = _time(at)
    seen = [one for one in datasets.datasets(actor, store=store) if one.created_at_us <= at_us]
    may = [one for one in seen if store.guard.allows(actor, Permission.AUDIT_READ, dataset=one.name)]
    with store.catalog.read() as conn:
        broken = _chain_problems(conn)
        return MaturityOverview(tuple(_assess(conn, one.id, one.name, at_us, broken) for one in may))


def _time(text: str) -> int:
    """Raises: AuditTimeInvalid, MaturityTimeInvalid."""
    now = now_us()
    at_us = time_of(text) if text else now
    if at_us > now:
        raise MaturityTimeInvalid(got=text[:40])
    return at_us


def _chain_problems(conn: sa.Connection) -> int:
    return len(audit_chain.walk(conn).problems)


def _assess(conn: sa.Connection, dataset_id: str, name: str, at_us: int, broken: int) -> Maturity:
    facts = Facts(conn, dataset_id, name, at_us, broken)
    readings = [Reading(indicator, _measure(indicator.id, facts)) for indicator in INDICATORS]
    pillars = tuple(
        PillarReading(pillar, tuple(one for one in readings if one.indicator.pillar == pillar))
        for pillar in Pillar
    )
    return Maturity(name, at_us, pillars)


def _measure(id: str, facts: Facts) -> Measurement:
    return unknown(_NOT_RECORDED[id]) if id in _NOT_RECORDED else _MEASURES[id](facts)
