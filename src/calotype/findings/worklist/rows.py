"""Catalog queries of the work list: the findings of one run as columns, and what people decided about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from calotype.datasets.commits import Ref
from calotype.findings.lifecycle import PENDING, State
from calotype.findings.model import SEVERITIES, Finding
from calotype.store.catalog import schema

_RUNS, _FINDINGS, _STATES = schema.check_runs, schema.findings, schema.finding_states
_EVENTS, _DATASETS = schema.finding_events, schema.datasets
_CHUNK = 500
_PENDING = tuple(str(state) for state in PENDING)
_DECIDED = [str(state) for state in State if state not in (State.OPEN, State.CLOSED)]
_TEXTS = ("key", "check_name", "fault", "sample_id", "annotation_id", "label_set", "does")
_RETEST_VERBS = ("opened", "returned", "still-there", "expired", "closed")


@dataclass(frozen=True, slots=True)
class TestedRun:
    """A run of the checks: what it tested. `ref` is None where an older version kept no pins."""

    id: str
    dataset_id: str
    dataset: str
    branch: str
    ref: Ref | None


def tested_run(conn: sa.Connection, run_id: str) -> TestedRun | None:
    """A run by id."""
    columns = (_RUNS.c.dataset_id, _DATASETS.c.name, _RUNS.c.branch, _RUNS.c.commit_id, _RUNS.c.pins)
    query = sa.select(*columns, _RUNS.c.documents).join(_DATASETS, _DATASETS.c.id == _RUNS.c.dataset_id)
    row = conn.execute(query.where(_RUNS.c.id == run_id)).first()
    if row is None:
        return None
    dataset_id, dataset, branch, commit_id, pins, documents = row
    ref = None if pins is None else Ref(dataset_id, "", "commit", commit_id, pins, documents or {}, 0)
    return TestedRun(run_id, dataset_id, dataset, branch, ref)


def newest_run(conn: sa.Connection, dataset_id: str, state_sha256: str) -> str:
    """Id of the newest complete run on a state; of the newest on the dataset where the state was not tested."""
    complete = sa.and_(_RUNS.c.dataset_id == dataset_id, _RUNS.c.only.is_(None))
    is_state = sa.case((_RUNS.c.state_sha256 == state_sha256, 0), else_=1)
    query = sa.select(_RUNS.c.id).where(complete)
    query = query.order_by(is_state, _RUNS.c.finished_at_us.desc(), _RUNS.c.id.desc())
    return str(conn.execute(query.limit(1)).scalar() or "")


def check_names(conn: sa.Connection, run_id: str) -> list[str]:
    """Names of the checks that a run ran, also of those without findings."""
    checks = conn.execute(sa.select(_RUNS.c.checks).where(_RUNS.c.id == run_id)).scalar() or []
    return [str(check["name"]) for check in checks]


def columns(conn: sa.Connection, run_id: str) -> pa.Table:
    """The findings of a run, one row each: position, severity (0 is worst), key, check, fault, place, repair."""
    does = _FINDINGS.c.facts[("facts", "repair", "do")].as_string().label("does")
    names = [name for name in _TEXTS if name != "does"]
    query = sa.select(
        _FINDINGS.c.position, _FINDINGS.c.severity, *(_FINDINGS.c[name] for name in names), does
    )
    rows = conn.execute(query.where(_FINDINGS.c.check_run_id == run_id).order_by(_FINDINGS.c.position)).all()
    position, severity, *texts = zip(*rows, strict=True) if rows else ((),) * (2 + len(_TEXTS))
    ranks = [SEVERITIES.index(value) if value in SEVERITIES else len(SEVERITIES) for value in severity]
    arrays = {"position": pa.array(position, pa.int64()), "severity": pa.array(ranks, pa.int8())}
    arrays |= {
        name: pa.array(values, pa.string()) for name, values in zip([*names, "does"], texts, strict=True)
    }
    return pa.table(arrays)


def findings(conn: sa.Connection, run_id: str, positions: Sequence[int]) -> dict[int, Finding]:
    """Position -> finding, for some findings of a run."""
    read: dict[int, Finding] = {}
    for start in range(0, len(positions), _CHUNK):
        wanted = _FINDINGS.c.position.in_([int(n) for n in positions[start : start + _CHUNK]])
        query = sa.select(_FINDINGS).where(_FINDINGS.c.check_run_id == run_id, wanted)
        read.update({row["position"]: _finding(row) for row in conn.execute(query).mappings()})
    return read


def _finding(row: Mapping[str, Any] | sa.RowMapping) -> Finding:
    facts = row["facts"]
    places = {name: row[name] or "" for name in ("sample_id", "annotation_id", "label_set")}
    return Finding(
        check=row["check_name"],
        severity=row["severity"],
        reason=row["reason"],
        sample=facts["sample"],
        facts=facts["facts"],
        fault=row["fault"],
        about=row["about"],
        key=row["key"],
        **places,
    )


@dataclass(frozen=True, slots=True)
class Decided:
    """What people and re-tests made of a finding that is no longer open."""

    state: str
    assignee: str
    until_us: int | None

    def is_pending(self, now_us: int) -> bool:
        """Whether it counts for gates."""
        if self.state == str(State.ACCEPTED):
            return (self.until_us or 0) <= now_us
        return self.state in _PENDING


def decided(
    conn: sa.Connection, dataset_id: str, run_id: str, keys: Sequence[str] | None = None
) -> dict[str, Decided]:
    """Key -> what became of it, for findings of a run that are no longer open; the others are open, or not tracked.

    Of closed ones, those that a later run closed: ids of runs are in order of time. With `keys`, only of these.
    """
    is_closed_later = sa.and_(_STATES.c.state == str(State.CLOSED), _STATES.c.last_run > run_id)
    query = sa.select(_STATES.c.key, _STATES.c.state, _STATES.c.assignee, _STATES.c.until_us).where(
        _STATES.c.dataset_id == dataset_id, sa.or_(_STATES.c.state.in_(_DECIDED), is_closed_later)
    )
    chunks = [None] if keys is None else [keys[n : n + _CHUNK] for n in range(0, len(keys), _CHUNK)]
    found: dict[str, Decided] = {}
    for chunk in chunks:
        part = query if chunk is None else query.where(_STATES.c.key.in_(chunk))
        found |= {key: Decided(*values) for key, *values in conn.execute(part)}
    return found


def changed_since(conn: sa.Connection, dataset_id: str, event: int) -> list[str]:
    """Keys of the findings whose state changed after an event."""
    query = sa.select(_EVENTS.c.key).where(_EVENTS.c.dataset_id == dataset_id, _EVENTS.c.id > event)
    return sorted(set(conn.execute(query).scalars()))


def count_by_severity(conn: sa.Connection, run_id: str, keys: Sequence[str]) -> dict[str, int]:
    """Severity -> how many of these findings a run has."""
    counts: dict[str, int] = {}
    for start in range(0, len(keys), _CHUNK):
        of_run = sa.and_(
            _FINDINGS.c.check_run_id == run_id, _FINDINGS.c.key.in_(keys[start : start + _CHUNK])
        )
        query = sa.select(_FINDINGS.c.severity, sa.func.count()).where(of_run).group_by(_FINDINGS.c.severity)
        for severity, n in conn.execute(query):
            counts[severity] = counts.get(severity, 0) + int(n)
    return counts


def states_before(conn: sa.Connection, dataset_id: str, event: int) -> dict[str, str]:
    """Key -> state at the time of an event, for findings whose state changed since."""
    query = sa.select(_EVENTS.c.key, _EVENTS.c.old_state).where(
        _EVENTS.c.dataset_id == dataset_id, _EVENTS.c.id > event
    )
    return {key: old for key, old in conn.execute(query.order_by(_EVENTS.c.id.desc()))}


def changes_of_run(conn: sa.Connection, dataset_id: str, run_id: str) -> dict[str, list[str]]:
    """Verb -> keys of the findings whose state a run changed."""
    query = sa.select(_EVENTS.c.verb, _EVENTS.c.key).where(
        _EVENTS.c.dataset_id == dataset_id, _EVENTS.c.run_id == run_id
    )
    changes: dict[str, list[str]] = {verb: [] for verb in _RETEST_VERBS}
    for verb, key in conn.execute(query.order_by(_EVENTS.c.id)):
        changes.setdefault(verb, []).append(key)
    return changes
