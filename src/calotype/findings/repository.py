"""Every catalog query of the lives of findings: states, events, fixes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from calotype.findings.lifecycle import Event, Judgement, Life, Retest, State
from calotype.findings.model import Finding
from calotype.store.catalog import schema

_STATES, _EVENTS, _FIXES = schema.finding_states, schema.finding_events, schema.finding_fixes
_FOUND = schema.findings
_AT_ONCE = 500
_CHUNK = 5_000


class PartialRun(Protocol):
    """A run that looked only at what changed since an earlier run, and carried over the rest."""

    @property
    def taken_over(self) -> Collection[str]: ...
    @property
    def touched_ids(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings a list is of; empty fields ask for nothing."""

    keys: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    check: str = ""
    severity: str = ""
    assignee: str = ""
    sample_id: str = ""

    def conditions(self, dataset_id: str) -> list[sa.ColumnElement[bool]]:
        """As SQL; keys are asked in parts by those who read."""
        found = [_STATES.c.dataset_id == dataset_id]
        if self.states:
            found.append(_STATES.c.state.in_([str(state) for state in self.states]))
        for column, value in (
            ("check_name", self.check),
            ("assignee", self.assignee),
            ("sample_id", self.sample_id),
        ):
            if value:
                found.append(_STATES.c[column] == value)
        if self.severity:
            found.append(_STATES.c.finding["severity"].as_string() == self.severity)
        return found


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair that was staged from findings: rows as they were and as they became, as Arrow IPC."""

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


def lives(conn: sa.Connection, dataset_id: str, wanted: Wanted) -> dict[str, Life]:
    """Key -> life of those that are wanted, newest first."""
    conditions = wanted.conditions(dataset_id)
    if not wanted.keys:
        return _read(conn, conditions)
    found: dict[str, Life] = {}
    for start in range(0, len(wanted.keys), _AT_ONCE):
        part = _STATES.c.key.in_(wanted.keys[start : start + _AT_ONCE])
        found.update(_read(conn, [*conditions, part]))
    return found


def page(
    conn: sa.Connection, dataset_id: str, wanted: Wanted, *, offset: int, limit: int
) -> tuple[int, list[Life]]:
    """How many are wanted, and some of them: worst first, then oldest first."""
    conditions = wanted.conditions(dataset_id)
    if wanted.keys:
        conditions.append(_STATES.c.key.in_(wanted.keys[:_CHUNK]))
    total = conn.execute(sa.select(sa.func.count()).select_from(_STATES).where(*conditions)).scalar() or 0
    severity = _STATES.c.finding["severity"].as_string()
    worst = sa.case((severity == "error", 0), (severity == "warning", 1), else_=2)
    query = sa.select(_STATES).where(*conditions).order_by(worst, _STATES.c.opened_at_us, _STATES.c.key)
    rows = conn.execute(query.offset(offset).limit(limit)).mappings()
    return int(total), [_from_row(row) for row in rows]


def not_closed(conn: sa.Connection, dataset_id: str) -> dict[str, Life]:
    """All that live."""
    return _read(conn, [_STATES.c.dataset_id == dataset_id, _STATES.c.state != str(State.CLOSED)])


def concerned(
    conn: sa.Connection, dataset_id: str, found: Collection[str], part: PartialRun | None = None
) -> dict[str, Life]:
    """All that live, and the closed ones among these keys; after a run that went on from another, without the open ones
    that nothing has happened to."""
    closed = sa.select(_STATES.c.key).where(
        _STATES.c.dataset_id == dataset_id, _STATES.c.state == str(State.CLOSED)
    )
    again = tuple(sorted(set(conn.execute(closed).scalars()) & set(found)))
    back = lives(conn, dataset_id, Wanted(keys=again)) if again else {}
    if part is None or not part.taken_over:
        return {**not_closed(conn, dataset_id), **back}
    return {**_touched(conn, dataset_id, part), **back}


def _touched(conn: sa.Connection, dataset_id: str, part: PartialRun) -> dict[str, Life]:
    alive = [_STATES.c.dataset_id == dataset_id, _STATES.c.state != str(State.CLOSED)]
    quiet = [str(State.OPEN), str(State.ASSIGNED)]
    other = _STATES.c.check_name.not_in(sorted(part.taken_over))
    found = _read(conn, [*alive, sa.or_(_STATES.c.state.not_in(quiet), other, _STATES.c.sample_id.is_(None))])
    ids = part.touched_ids
    for start in range(0, len(ids), _CHUNK):
        found.update(_read(conn, [*alive, _STATES.c.sample_id.in_(ids[start : start + _CHUNK])]))
    return found


def last_event(conn: sa.Connection, dataset_id: str) -> int:
    """The number of the newest event; as long as it stays, no life has changed."""
    query = sa.select(sa.func.max(_EVENTS.c.id)).where(_EVENTS.c.dataset_id == dataset_id)
    return int(conn.execute(query).scalar() or 0)


def counts(conn: sa.Connection, dataset_id: str) -> dict[str, dict[str, int]]:
    """Check -> state -> how many."""
    by = (_STATES.c.check_name, _STATES.c.state)
    query = sa.select(*by, sa.func.count()).where(_STATES.c.dataset_id == dataset_id).group_by(*by)
    found: dict[str, dict[str, int]] = {}
    for check, state, n in conn.execute(query):
        found.setdefault(check, {})[state] = int(n)
    return found


def states_of_run(
    conn: sa.Connection, dataset_id: str, run_id: str, states: Collection[State], now_us: int
) -> dict[tuple[str, str], int]:
    """(severity, state) -> how many of a run's findings are in these states; risks accepted until now are over."""
    by = (_FOUND.c.severity, _STATES.c.state)
    query = sa.select(*by, sa.func.count()).select_from(_of_run(dataset_id))
    wanted = _STATES.c.state.in_([str(state) for state in states])
    query = query.where(_FOUND.c.check_run_id == run_id, wanted, _not_over(now_us)).group_by(*by)
    return {(severity, state): int(n) for severity, state, n in conn.execute(query)}


def accepted_in_run(
    conn: sa.Connection, dataset_id: str, run_id: str, now_us: int, *, limit: int
) -> list[Life]:
    """Findings of a run whose risk is accepted, worst first, then those that end first."""
    worst = sa.case((_FOUND.c.severity == "error", 0), (_FOUND.c.severity == "warning", 1), else_=2)
    query = (
        sa.select(_STATES)
        .select_from(_of_run(dataset_id))
        .where(_FOUND.c.check_run_id == run_id, _STATES.c.state == str(State.ACCEPTED), _not_over(now_us))
    )
    ordered = query.order_by(worst, _STATES.c.until_us, _STATES.c.key).limit(limit)
    return [_from_row(row) for row in conn.execute(ordered).mappings()]


def n_fixed(conn: sa.Connection, dataset_id: str, branch: str) -> dict[str, int]:
    """Severity -> how many findings a re-test on the branch has closed, less the false alarms."""
    severity = _STATES.c.finding["severity"].as_string().label("level")
    query = sa.select(severity, sa.func.count()).where(
        _STATES.c.dataset_id == dataset_id,
        _STATES.c.branch == branch,
        _STATES.c.state == str(State.CLOSED),
        _STATES.c.verdict != str(Judgement.FALSE),
    )
    return {level: int(n) for level, n in conn.execute(query.group_by("level"))}


def _of_run(dataset_id: str) -> sa.Join:
    same = sa.and_(_STATES.c.dataset_id == dataset_id, _STATES.c.key == _FOUND.c.key)
    return sa.join(_FOUND, _STATES, same)


def _not_over(now_us: int) -> sa.ColumnElement[bool]:
    return sa.or_(_STATES.c.state != str(State.ACCEPTED), _STATES.c.until_us > now_us)


def verdicts(conn: sa.Connection, dataset_id: str) -> dict[str, list[Judgement]]:
    """Check -> the verdicts of people on its findings, closed ones too."""
    query = sa.select(_STATES.c.check_name, _STATES.c.verdict).where(
        _STATES.c.dataset_id == dataset_id, _STATES.c.verdict != ""
    )
    found: dict[str, list[Judgement]] = {}
    for check, verdict in conn.execute(query):
        found.setdefault(check, []).append(Judgement(verdict))
    return found


def keep(conn: sa.Connection, dataset_id: str, done: Retest) -> None:
    """Write what a re-test or decisions changed."""
    for part in _parts([_to_row(dataset_id, life) for life in done.opened]):
        conn.execute(_STATES.insert(), part)
    for part in _parts([_to_row(dataset_id, life) for life in done.changed]):
        key = sa.and_(_STATES.c.dataset_id == dataset_id, _STATES.c.key == sa.bindparam("b_key"))
        names = [name for name in part[0] if name not in ("dataset_id", "key")]
        update = _STATES.update().where(key).values({name: sa.bindparam(f"b_{name}") for name in names})
        conn.execute(update, [{f"b_{name}": value for name, value in row.items()} for row in part])
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
        for event in done.events
    ]
    for part in _parts(rows):
        conn.execute(_EVENTS.insert(), part)


def history(conn: sa.Connection, dataset_id: str, key: str) -> list[Event]:
    """What happened to one finding, oldest first."""
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
    """One fix by id; without an id the newest that is applied."""
    query = sa.select(_FIXES).where(_FIXES.c.dataset_id == dataset_id)
    query = query.where(_FIXES.c.id == fix_id) if fix_id else query.where(_FIXES.c.state == "applied")
    row = conn.execute(query.order_by(_FIXES.c.at_us.desc(), _FIXES.c.id.desc()).limit(1)).mappings().first()
    if row is None:
        return None
    return Fix(**{**dict(row), "keys": tuple(row["keys"])})


def mark_undone(conn: sa.Connection, fix_id: str, at_us: int) -> None:
    """Say that a fix was taken back."""
    conn.execute(_FIXES.update().where(_FIXES.c.id == fix_id).values(state="undone", undone_at_us=at_us))


def _parts(rows: Sequence[dict[str, Any]]) -> Iterable[Sequence[dict[str, Any]]]:
    return (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))


def _read(conn: sa.Connection, conditions: Collection[sa.ColumnElement[bool]]) -> dict[str, Life]:
    rows = conn.execute(sa.select(_STATES).where(*conditions).order_by(_STATES.c.key)).mappings()
    return {row["key"]: _from_row(row) for row in rows}


def _to_row(dataset_id: str, life: Life) -> dict[str, Any]:
    finding = {name: getattr(life.finding, name) for name in Finding.__slots__}
    return {
        "dataset_id": dataset_id,
        "key": life.key,
        "branch": life.branch,
        "check_name": life.finding.check,
        "sample_id": life.finding.sample_id or None,
        "finding": {**finding, "facts": dict(life.finding.facts)},
        "state": str(life.state),
        "assignee": life.assignee,
        "verdict": str(life.verdict),
        "note": life.note,
        "until_us": life.until_us,
        "first_run": life.first_run,
        "last_run": life.last_run,
        "n_returns": life.n_returns,
        "opened_at_us": life.opened_at_us,
        "changed_at_us": life.changed_at_us,
    }


def _from_row(row: Mapping[str, Any] | sa.RowMapping) -> Life:
    return Life(
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
