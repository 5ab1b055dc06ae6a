"""What the catalog held about a dataset at a time. Everything is read in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from calotype.maturity.model import DAY_US
from calotype.store.catalog import schema

_AUDIT, _RELEASES, _RUNS, _STAGES = schema.audit, schema.releases, schema.runs, schema.run_stages
_CHECK_RUNS, _FINDINGS, _STATES = schema.check_runs, schema.findings, schema.finding_states
_PEOPLE, _WORK, _GUIDELINES = schema.of_people, schema.of_work, schema.of_guidelines
_VENDOR = "vendor-annotator"
Rows = list[Mapping[str, Any]]


@dataclass(frozen=True)
class Facts:
    """Facts about a dataset as of a time, each read when it is first asked for.

    Args:
        chain_problems: Breaks of the hash chain of all audit events, which are the same for every dataset.
    """

    conn: sa.Connection
    dataset_id: str
    name: str
    at_us: int
    chain_problems: int

    def since_us(self, days: int) -> int:
        """The beginning of a window of days."""
        return self.at_us - days * DAY_US

    @cached_property
    def releases(self) -> Rows:
        """Releases, oldest first, with their cards."""
        query = sa.select(_RELEASES.c.version, _RELEASES.c.card, _RELEASES.c.created_at_us).where(
            _RELEASES.c.dataset_id == self.dataset_id, _RELEASES.c.created_at_us <= self.at_us
        )
        return self.rows(query.order_by(_RELEASES.c.created_at_us))

    @cached_property
    def check_run(self) -> Mapping[str, Any] | None:
        """The newest run of all checks on the branch main."""
        query = (
            sa.select(_CHECK_RUNS)
            .where(
                _CHECK_RUNS.c.dataset_id == self.dataset_id,
                _CHECK_RUNS.c.branch == "main",
                _CHECK_RUNS.c.finished_at_us <= self.at_us,
                _CHECK_RUNS.c.only.is_(None),
            )
            .order_by(_CHECK_RUNS.c.finished_at_us.desc(), _CHECK_RUNS.c.id.desc())
            .limit(1)
        )
        return next(iter(self.rows(query)), None)

    def check(self, name: str) -> Mapping[str, Any] | None:
        """A check of the newest run; None where it did not look at anything."""
        checks = self.check_run["checks"] if self.check_run else []
        found = next((one for one in checks if one["name"] == name and one["enabled"]), None)
        return found if found is not None and found["looked_at"] else None

    def gates(self, check: str) -> Rows:
        """The gates of a check in the newest run that could be measured."""
        gates = self.check_run["gates"] if self.check_run else []
        return [one for one in gates if one["check"] == check and one["state"] in ("green", "red")]

    def n_samples(self) -> int:
        """Samples that the newest run of the checks looked at; 0 without one."""
        gates = self.check_run["gates"] if self.check_run else []
        looked = [
            one["looked_at"] for one in (self.check_run or {}).get("checks", ()) if one["unit"] == "samples"
        ]
        measured = [int(one["measured"]) for one in gates if one["name"] == "samples"]
        return max([*looked, *measured], default=0)

    @cached_property
    def audit_actors(self) -> list[tuple[str, int]]:
        """Actors of the audit events about the dataset in the last 90 days, with their counts."""
        query = (
            sa.select(_AUDIT.c.actor, sa.func.count())
            .where(_AUDIT.c.subject == self.name, *self.within(_AUDIT.c.at_us, 90))
            .group_by(_AUDIT.c.actor)
        )
        return [(str(actor), int(n)) for actor, n in self.conn.execute(query)]

    def audit_events(self, verb: str, days: int) -> Rows:
        """Audit events of a verb about the dataset within days, oldest first."""
        query = sa.select(_AUDIT).where(
            _AUDIT.c.verb == verb, _AUDIT.c.subject == self.name, *self.within(_AUDIT.c.at_us, days)
        )
        return [{**row, "details": _plain(row["details"])} for row in self.rows(query.order_by(_AUDIT.c.seq))]

    def findings_of(self, checks: Iterable[str]) -> int:
        """Findings of checks in the newest whole run."""
        if self.check_run is None:
            return 0
        names = set(checks)
        return sum(one["findings"] for one in self.check_run["checks"] if one["name"] in names)

    def runs(self, days: int) -> list[str]:
        """The states of the runs of pipelines on the dataset that ended within days."""
        stages = sa.select(_RUNS.c.state).where(
            _RUNS.c.dataset_id == self.dataset_id, *self.within(_RUNS.c.finished_at_us, days)
        )
        return [str(state) for state in self.conn.scalars(stages)]

    def within(self, column: sa.ColumnElement[Any], days: int) -> tuple[sa.ColumnElement[bool], ...]:
        """Whether a time lies within days before the time of reading."""
        return column > self.since_us(days), column <= self.at_us

    def rows(self, query: sa.Select[Any]) -> Rows:
        """What a query selects."""
        return [dict(row) for row in self.conn.execute(query).mappings()]


def _plain(details: Any) -> dict[str, Any]:
    if isinstance(details, str):
        details = json.loads(details)
    return dict(details)
