"""Catalog queries of findings: states, events, fixes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from calotype.findings.lifecycle import Event, Judgement, State, StateChanges, TrackedFinding
from calotype.findings.model import Finding
from calotype.store.catalog import schema

_STATES, _EVENTS, _FIXES = schema.finding_states, schema.finding_events, schema.finding_fixes
_FINDINGS = schema.findings
_MAX_KEYS = 500
_CHUNK = 5_000


class PartialRun(Protocol):
    """A run that checked only changed data and reused the findings of an earlier run for the rest."""

    @property
    def taken_over(self) -> Collection[str]: ...
    @property
    def touched_ids(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """A filter of findings; empty fields match all."""

    keys: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    check: str = ""
    severity: str = ""
    assignee: str = ""
    sample_id: str = ""

    def conditions(self, dataset_id: str) -> list[sa.ColumnElement[bool]]:
        """The filter as SQL conditions, except for the keys, which callers query in chunks."""
        conditions = [_STATES.c.dataset_id == dataset_id]
        if self.states:
            conditions.append(_STATES.c.state.in_([str(state) for state in self.states]))
        for column, value in (
            ("check_name", self.check),
            ("assignee", self.assignee),
            ("sample_id", self.sample_id),
        ):
            if value:
                conditions.append(_STATES.c[column] == value)
        if self.severity:
            conditions.append(_STATES.c.finding["severity"].as_string() == self.severity)
        return conditions


@dataclass(frozen=True, slots=True)
class Fix:
    """What a person did about findings, so that it can be undone.

    A staged fix (`state` is `applied`): the affected rows before and after it, as Arrow IPC. A decision (`decided`):
    the states before it, as msgpack; those before a fix are `of-fix`. Fixes and decisions become `undone`.
    """

    id: str
    dataset_id: str
    branch: str
    keys: tuple[str, ...]
    before: bytes
    after: bytes
    state: str
    actor: str
    at_us: int
    undone_at_us: int | None = None


def tracked_findings(
    conn: sa.Connection, dataset_id: str, filter_: FindingFilter
) -> dict[str, TrackedFinding]:
    """Key -> finding, for all findings that match."""
    conditions = filter_.conditions(dataset_id)
    if not filter_.keys:
        return _read(conn, conditions)
    tracked: dict[str, TrackedFinding] = {}
    for start in range(0, len(filter_.keys), _MAX_KEYS):
        has_key = _STATES.c.key.in_(filter_.keys[start : start + _MAX_KEYS])
        tracked.update(_read(conn, [*conditions, has_key]))
    return tracked


def known_keys(conn: sa.Connection, dataset_id: str, keys: Sequence[str]) -> set[str]:
    """Those of these keys that belong to a finding."""
    known: set[str] = set()
    for start in range(0, len(keys), _MAX_KEYS):
        has_key = _STATES.c.key.in_(keys[start : start + _MAX_KEYS])
        known.update(
            conn.execute(
                sa.select(_STATES.c.key).where(_STATES.c.dataset_id == dataset_id, has_key)
            ).scalars()
        )
    return known


def keys_with_prefix(conn: sa.Connection, dataset_id: str, prefix: str) -> list[str]:
    """The first two keys that begin with a text: enough to know whether it is unique."""
    begins = _STATES.c.key.startswith(prefix, autoescape=True)
    query = sa.select(_STATES.c.key).where(_STATES.c.dataset_id == dataset_id, begins)
    return list(conn.execute(query.order_by(_STATES.c.key).limit(2)).scalars())


def page(
    conn: sa.Connection, dataset_id: str, filter_: FindingFilter, *, offset: int, limit: int
) -> tuple[int, list[TrackedFinding]]:
    """The number of matching findings and a page of them, worst first, then oldest first."""
    conditions = filter_.conditions(dataset_id)
    if filter_.keys:
        conditions.append(_STATES.c.key.in_(filter_.keys[:_CHUNK]))
    total = conn.execute(sa.select(sa.func.count()).select_from(_STATES).where(*conditions)).scalar() or 0
    severity = _STATES.c.finding["severity"].as_string()
    worst = sa.case((severity == "error", 0), (severity == "warning", 1), else_=2)
    query = sa.select(_STATES).where(*conditions).order_by(worst, _STATES.c.opened_at_us, _STATES.c.key)
    rows = conn.execute(query.offset(offset).limit(limit)).mappings()
    return int(total), [_from_row(row) for row in rows]


def unclosed(conn: sa.Connection, dataset_id: str) -> dict[str, TrackedFinding]:
    """All findings that are not closed."""
    return _read(conn, [_STATES.c.dataset_id == dataset_id, _STATES.c.state != str(State.CLOSED)])


def affected(
    conn: sa.Connection, dataset_id: str, keys: Collection[str], partial_run: PartialRun | None = None
) -> dict[str, TrackedFinding]:
    """Findings whose state a run may change: those not closed, and closed ones among these keys.

    A partial run does not affect open findings of checks and samples that it reused.
    """
    closed = sa.select(_STATES.c.key).where(
        _STATES.c.dataset_id == dataset_id, _STATES.c.state == str(State.CLOSED)
    )
    closed_keys = tuple(sorted(set(conn.execute(closed).scalars()) & set(keys)))
    closed_findings = (
        tracked_findings(conn, dataset_id, FindingFilter(keys=closed_keys)) if closed_keys else {}
    )
    if partial_run is None or not partial_run.taken_over:
        return {**unclosed(conn, dataset_id), **closed_findings}
    return {**_affected_by(conn, dataset_id, partial_run), **closed_findings}


def _affected_by(conn: sa.Connection, dataset_id: str, partial_run: PartialRun) -> dict[str, TrackedFinding]:
    unclosed = [_STATES.c.dataset_id == dataset_id, _STATES.c.state != str(State.CLOSED)]
    quiet_states = [str(State.OPEN), str(State.ASSIGNED)]
    is_other_check = _STATES.c.check_name.not_in(sorted(partial_run.taken_over))
    tracked = _read(
        conn,
        [
            *unclosed,
            sa.or_(_STATES.c.state.not_in(quiet_states), is_other_check, _STATES.c.sample_id.is_(None)),
        ],
    )
    ids = partial_run.touched_ids
    for start in range(0, len(ids), _CHUNK):
        tracked.update(_read(conn, [*unclosed, _STATES.c.sample_id.in_(ids[start : start + _CHUNK])]))
    return tracked


def last_event(conn: sa.Connection, dataset_id: str) -> int:
    """The number of the newest event. If it is unchanged, no finding has changed its state."""
    query = sa.select(sa.func.max(_EVENTS.c.id)).where(_EVENTS.c.dataset_id == dataset_id)
    return int(conn.execute(query).scalar() or 0)


def counts(conn: sa.Connection, dataset_id: str) -> dict[str, dict[str, int]]:
    """Check -> state -> number of findings."""
    columns = (_STATES.c.check_name, _STATES.c.state)
    query = sa.select(*columns, sa.func.count()).where(_STATES.c.dataset_id == dataset_id).group_by(*columns)
    counts_: dict[str, dict[str, int]] = {}
    for check, state, n in conn.execute(query):
        counts_.setdefault(check, {})[state] = int(n)
    return counts_


def states_of_run(
    conn: sa.Connection, dataset_id: str, run_id: str, states: Collection[State], now_us: int
) -> dict[tuple[str, str], int]:
    """(severity, state) -> number of findings of a run in these states, without expired accepted risks."""
    columns = (_FINDINGS.c.severity, _STATES.c.state)
    query = sa.select(*columns, sa.func.count()).select_from(_of_run(dataset_id))
    filter_ = _STATES.c.state.in_([str(state) for state in states])
    query = query.where(_FINDINGS.c.check_run_id == run_id, filter_, _not_expired(now_us)).group_by(*columns)
    return {(severity, state): int(n) for severity, state, n in conn.execute(query)}


def accepted_in_run(
    conn: sa.Connection, dataset_id: str, run_id: str, now_us: int, *, limit: int
) -> list[TrackedFinding]:
    """Accepted risks among the findings of a run: worst first, then by end."""
    worst = sa.case((_FINDINGS.c.severity == "error", 0), (_FINDINGS.c.severity == "warning", 1), else_=2)
    query = (
        sa.select(_STATES)
        .select_from(_of_run(dataset_id))
        .where(
            _FINDINGS.c.check_run_id == run_id, _STATES.c.state == str(State.ACCEPTED), _not_expired(now_us)
        )
    )
    ordered = query.order_by(worst, _STATES.c.until_us, _STATES.c.key).limit(limit)
    return [_from_row(row) for row in conn.execute(ordered).mappings()]


def n_fixed(conn: sa.Connection, dataset_id: str, branch: str, since_us: int) -> dict[str, int]:
    """Severity -> number of findings closed by re-tests of the branch since a time, without false alarms."""
    severity = _STATES.c.finding["severity"].as_string().label("level")
    query = sa.select(severity, sa.func.count()).where(
        _STATES.c.dataset_id == dataset_id,
        _STATES.c.branch == branch,
        _STATES.c.state == str(State.CLOSED),
        _STATES.c.verdict != str(Judgement.FALSE),
        _STATES.c.changed_at_us > since_us,
    )
    return {level: int(n) for level, n in conn.execute(query.group_by("level"))}


def _of_run(dataset_id: str) -> sa.Join:
    is_same = sa.and_(_STATES.c.dataset_id == dataset_id, _STATES.c.key == _FINDINGS.c.key)
    return sa.join(_FINDINGS, _STATES, is_same)


def _not_expired(now_us: int) -> sa.ColumnElement[bool]:
    return sa.or_(_STATES.c.state != str(State.ACCEPTED), _STATES.c.until_us > now_us)


def verdicts(conn: sa.Connection, dataset_id: str) -> dict[str, list[Judgement]]:
    """Check -> judgements of people on its findings, including closed ones."""
    query = sa.select(_STATES.c.check_name, _STATES.c.verdict).where(
        _STATES.c.dataset_id == dataset_id, _STATES.c.verdict != ""
    )
    verdicts_: dict[str, list[Judgement]] = {}
    for check, verdict in conn.execute(query):
        verdicts_.setdefault(check, []).append(Judgement(verdict))
    return verdicts_


def save_changes(conn: sa.Connection, dataset_id: str, changes: StateChanges) -> None:
    """Write state changes of findings from a re-test or from decisions."""
    for chunk in _chunks([_to_row(dataset_id, tracked) for tracked in changes.opened]):
        conn.execute(_STATES.insert(), chunk)
    for chunk in _chunks([_to_row(dataset_id, tracked) for tracked in changes.changed]):
        key = sa.and_(_STATES.c.dataset_id == dataset_id, _STATES.c.key == sa.bindparam("b_key"))
        names = [name for name in chunk[0] if name not in ("dataset_id", "key")]
        update = _STATES.update().where(key).values({name: sa.bindparam(f"b_{name}") for name in names})
        conn.execute(update, [{f"b_{name}": value for name, value in row.items()} for row in chunk])
    rows = [
        {
            "dataset_id": dataset_id,
            "key": event.key,
            "verb": event.verb,
            "old_state": str(event.old or ""),
            "new_state": str(event.new),
            "actor": event.actor,
            "note": event.note,
            "run_id": event.run_id or None,
            "at_us": event.at_us,
        }
        for event in changes.events
    ]
    for chunk in _chunks(rows):
        conn.execute(_EVENTS.insert(), chunk)


def history(conn: sa.Connection, dataset_id: str, key: str) -> list[Event]:
    """Events of one finding, oldest first."""
    query = sa.select(_EVENTS).where(_EVENTS.c.dataset_id == dataset_id, _EVENTS.c.key == key)
    return [
        Event(
            row["key"],
            row["verb"],
            State(row["old_state"]) if row["old_state"] else None,
            State(row["new_state"]),
            row["actor"],
            row["at_us"],
            row["note"],
            row["run_id"] or "",
        )
        for row in conn.execute(query.order_by(_EVENTS.c.id)).mappings()
    ]


def add_fix(conn: sa.Connection, fix: Fix) -> None:
    """Insert a fix."""
    conn.execute(_FIXES.insert().values({**asdict(fix), "keys": list(fix.keys)}))


def fix(conn: sa.Connection, dataset_id: str, fix_id: str) -> Fix | None:
    """One fix by id; without an id, the newest applied one."""
    query = sa.select(_FIXES).where(_FIXES.c.dataset_id == dataset_id)
    query = query.where(_FIXES.c.id == fix_id) if fix_id else query.where(_FIXES.c.state == "applied")
    row = conn.execute(query.order_by(_FIXES.c.at_us.desc(), _FIXES.c.id.desc()).limit(1)).mappings().first()
    if row is None:
        return None
    return Fix(**{**dict(row), "keys": tuple(row["keys"])})


def newest_action(conn: sa.Connection, dataset_id: str, actor: str) -> Fix | None:
    """The newest fix or decision of an actor that is not undone."""
    query = sa.select(_FIXES).where(
        _FIXES.c.dataset_id == dataset_id,
        _FIXES.c.actor == actor,
        _FIXES.c.state.in_(["applied", "decided"]),
    )
    row = conn.execute(query.order_by(_FIXES.c.at_us.desc(), _FIXES.c.id.desc()).limit(1)).mappings().first()
    return None if row is None else Fix(**{**dict(row), "keys": tuple(row["keys"])})


def set_applied(conn: sa.Connection, fix_id: str, *, undone_at_us: int | None) -> None:
    """Mark a fix as undone at a time, or as applied if it is None."""
    state = "applied" if undone_at_us is None else "undone"
    conn.execute(_FIXES.update().where(_FIXES.c.id == fix_id).values(state=state, undone_at_us=undone_at_us))


def _chunks(rows: Sequence[dict[str, Any]]) -> Iterable[Sequence[dict[str, Any]]]:
    return (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))


def _read(conn: sa.Connection, conditions: Collection[sa.ColumnElement[bool]]) -> dict[str, TrackedFinding]:
    rows = conn.execute(sa.select(_STATES).where(*conditions).order_by(_STATES.c.key)).mappings()
    return {row["key"]: _from_row(row) for row in rows}


def _to_row(dataset_id: str, tracked: TrackedFinding) -> dict[str, Any]:
    finding = {name: getattr(tracked.finding, name) for name in Finding.__slots__}
    return {
        "dataset_id": dataset_id,
        "key": tracked.key,
        "branch": tracked.branch,
        "check_name": tracked.finding.check,
        "sample_id": tracked.finding.sample_id or None,
        "finding": {**finding, "facts": dict(tracked.finding.facts)},
        "state": str(tracked.state),
        "assignee": tracked.assignee,
        "verdict": str(tracked.verdict),
        "note": tracked.note,
        "until_us": tracked.until_us,
        "first_run": tracked.first_run,
        "last_run": tracked.last_run,
        "n_returns": tracked.n_returns,
        "opened_at_us": tracked.opened_at_us,
        "changed_at_us": tracked.changed_at_us,
    }


def _from_row(row: Mapping[str, Any] | sa.RowMapping) -> TrackedFinding:
    return TrackedFinding(
        finding=Finding(**row["finding"]),
        branch=row["branch"],
        state=State(row["state"]),
        first_run=row["first_run"],
        last_run=row["last_run"],
        opened_at_us=row["opened_at_us"],
        changed_at_us=row["changed_at_us"],
        assignee=row["assignee"],
        verdict=Judgement(row["verdict"]),
        note=row["note"],
        until_us=row["until_us"],
        n_returns=row["n_returns"],
    )
