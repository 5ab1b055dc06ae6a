"""Where the findings of one tested state stand: open, assigned, accepted, rejected, fixed; and the waivers in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.findings import repository as lives
from calotype.findings.exemptions import Waiver, waives
from calotype.findings.lifecycle import State
from calotype.findings.model import SEVERITIES, CheckReport
from calotype.foundation.actor import Actor, Permission
from calotype.store import Store

MOST_ACCEPTED = 200
"""Accepted risks that are told one by one; all are counted."""
_APART = (State.ASSIGNED, State.ACCEPTED, State.REJECTED)


@dataclass(frozen=True, slots=True)
class AcceptedRisk:
    """A finding that somebody lives with until a day, and why."""

    key: str
    check: str
    severity: str
    sample: str
    what: str
    because: str
    until: date

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {**{name: getattr(self, name) for name in self.__slots__}, "until": self.until.isoformat()}


@dataclass(frozen=True, slots=True)
class Summary:
    """The findings of one state. `states` is severity -> state -> how many, all that were counted.

    *Open* are those that wait for somebody, also those that were called fixed and are still there; *fixed* those that
    an earlier run found on the branch and that a re-test closed. A waiver comes with the number of findings that it
    covers.
    """

    states: Mapping[str, Mapping[str, int]]
    accepted: tuple[AcceptedRisk, ...]
    waivers: tuple[tuple[Waiver, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        waivers = [
            {
                "check": one.check,
                "where": one.where,
                "because": one.reason,
                "owner": one.owner,
                "until": one.until.isoformat(),
                "findings": n,
            }
            for one, n in self.waivers
        ]
        return {
            "states": [{"severity": level, **self.states[level]} for level in SEVERITIES],
            "accepted": [one.to_dict() for one in self.accepted],
            "waivers": waivers,
        }


def summarise(
    actor: Actor, name_ref: str, report: CheckReport, waivers: Sequence[Waiver], *, store: Store
) -> Summary:
    """Where the findings of a run stand, at the time of the run.

    Args:
        name_ref: The state that the run looked at.
        waivers: Those of the contract in force.
    Raises: NotPermitted, DatasetNotFound, RefNotFound.
    """
    store.guard.require(actor, Permission.DATASET_READ, dataset=refs.split_name(name_ref)[0])
    snapshot = datasets.read(actor, name_ref, store=store)
    with store.catalog.read() as conn:
        branch = refs.branch_named(conn, snapshot.dataset, snapshot.ref)
        apart = lives.states_of_run(conn, snapshot.dataset.id, report.run_id, _APART, report.finished_at_us)
        fixed = lives.n_fixed(conn, snapshot.dataset.id, branch) if branch else {}
        risks = lives.accepted_in_run(
            conn, snapshot.dataset.id, report.run_id, report.finished_at_us, limit=MOST_ACCEPTED
        )
    states = {}
    for level in SEVERITIES:
        of = {str(state): apart.get((level, str(state)), 0) for state in _APART}
        states[level] = {"open": report.counts[level] - sum(of.values()), **of, "fixed": fixed.get(level, 0)}
    today = _day(report.finished_at_us)
    in_force = tuple(
        (waiver, sum(waives(waiver, finding) for finding in report.findings))
        for waiver in waivers
        if waiver.until >= today
    )
    accepted = tuple(
        AcceptedRisk(
            life.key,
            life.finding.check,
            life.finding.severity,
            life.finding.sample,
            life.finding.reason,
            life.note,
            _day(life.until_us or 0),
        )
        for life in risks
    )
    return Summary(states, accepted, in_force)


def _day(at_us: int) -> date:
    return datetime.fromtimestamp(at_us / 1e6, tz=UTC).date()
