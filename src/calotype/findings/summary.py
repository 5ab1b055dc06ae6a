"""Summarises the findings of a tested state by severity and lifecycle state, with accepted risks and waivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.findings import repository
from calotype.findings.exemptions import Waiver, waives
from calotype.findings.lifecycle import State, TrackedFinding
from calotype.findings.model import SEVERITIES, CheckReport
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import iso
from calotype.store import Store

MAX_ACCEPTED_RISKS = 200
"""Maximum number of accepted risks that are listed; all are counted."""
_COUNTED_STATES = (State.ASSIGNED, State.ACCEPTED, State.REJECTED)


@dataclass(frozen=True, slots=True)
class AcceptedRisk:
    """A finding accepted as a risk until a given day, with the reason."""

    key: str
    check: str
    severity: str
    sample: str
    what: str
    because: str
    until: date

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {**{name: getattr(self, name) for name in self.__slots__}, "until": self.until.isoformat()}


@dataclass(frozen=True, slots=True)
class Summary:
    """The findings of one state. `states` is severity -> state -> number of findings.

    *Open* includes findings that were marked as fixed but are still there. *Fixed* are findings of earlier runs on the
    branch that a re-test closed since the release before. `waivers` are the waivers in force with the number of
    findings that each covers.
    """

    states: Mapping[str, Mapping[str, int]]
    accepted: tuple[AcceptedRisk, ...]
    waivers: tuple[tuple[Waiver, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        waivers = [
            {
                "check": waiver.check,
                "where": waiver.where,
                "because": waiver.reason,
                "owner": waiver.owner,
                "until": waiver.until.isoformat(),
                "findings": n,
            }
            for waiver, n in self.waivers
        ]
        return {
            "states": [{"severity": level, **self.states[level]} for level in SEVERITIES],
            "accepted": [risk.to_dict() for risk in self.accepted],
            "waivers": waivers,
        }


def n_open(actor: Actor, name: str, *, store: Store) -> int:
    """Number of findings of a dataset, on all branches, that are open or assigned.

    Raises: NotPermitted, DatasetNotFound.
    """
    store.guard.require(actor, Permission.DATASET_READ, dataset=name)
    with store.catalog.read() as conn:
        by_check = repository.counts(conn, refs.dataset(conn, name).id).values()
    return sum(states.get(state, 0) for states in by_check for state in (State.OPEN, State.ASSIGNED))


def summarise(
    actor: Actor,
    name_ref: str,
    report: CheckReport,
    waivers: Sequence[Waiver],
    *,
    store: Store,
    since_us: int = 0,
) -> Summary:
    """Summarise the findings of a run as of the time of the run.

    Args:
        name_ref: The tested state.
        waivers: The waivers of the contract in force.
        since_us: Count findings as fixed if they were closed after this time, in microseconds since 1970.
    Raises: NotPermitted, DatasetNotFound, RefNotFound.
    """
    store.guard.require(actor, Permission.DATASET_READ, dataset=refs.split_name(name_ref)[0])
    snapshot = datasets.read(actor, name_ref, store=store)
    with store.catalog.read() as conn:
        branch = refs.branch_named(conn, snapshot.dataset, snapshot.ref)
        counts_by_state = repository.states_of_run(
            conn, snapshot.dataset.id, report.run_id, _COUNTED_STATES, report.finished_at_us
        )
        fixed = repository.n_fixed(conn, snapshot.dataset.id, branch, since_us) if branch else {}
        risks = repository.accepted_in_run(
            conn, snapshot.dataset.id, report.run_id, report.finished_at_us, limit=MAX_ACCEPTED_RISKS
        )
    states = {}
    for level in SEVERITIES:
        counts = {str(state): counts_by_state.get((level, str(state)), 0) for state in _COUNTED_STATES}
        states[level] = {
            "open": report.counts[level] - sum(counts.values()),
            **counts,
            "fixed": fixed.get(level, 0),
        }
    today = _day(report.finished_at_us)
    in_force = tuple(
        (waiver, sum(waives(waiver, finding) for finding in report.findings))
        for waiver in waivers
        if waiver.until >= today
    )
    return Summary(states, tuple(_accepted_risk(risk) for risk in risks), in_force)


def _accepted_risk(tracked: TrackedFinding) -> AcceptedRisk:
    finding = tracked.finding
    return AcceptedRisk(
        tracked.key,
        finding.check,
        finding.severity,
        finding.sample,
        finding.reason,
        tracked.note,
        _day(tracked.until_us or 0),
    )


def _day(at_us: int) -> date:
    return date.fromisoformat(iso(at_us)[:10])
