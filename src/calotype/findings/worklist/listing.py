"""The findings of one run as a work list: filtered, grouped and ordered from columns.

A run never changes, so its list keeps its rows and their order while people decide; only the states move. `as_of` is
the number of an event: filters by state then take the states of that moment, and a list stays as it was opened.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.datasets.reading import open_ref
from calotype.datasets.snapshot import Snapshot
from calotype.findings import repository
from calotype.findings.lifecycle import PENDING, State, TrackedFinding
from calotype.findings.model import SEVERITIES, Finding
from calotype.findings.repository import FindingFilter
from calotype.findings.worklist import grouping
from calotype.findings.worklist import rows as run_rows
from calotype.findings.worklist.states import states_of
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.errors import NotFound
from calotype.foundation.verbs import verb
from calotype.store import Store
from calotype.store.tables.tables import TableDamaged

T = TypeVar("T")
MAX_PAGE = 10_000


class CheckRunNotFound(NotFound):
    """No run of checks with this id."""

    code = "check-run-not-found"
    what = "check run {got!r} does not exist"
    fix = "run `calotype check NAME --json` and use its run_id"


@dataclass(frozen=True, slots=True)
class ListFilter:
    """A filter of the findings of a run; empty fields match all. `where` is a query over their samples."""

    states: tuple[State, ...] = ()
    check: str = ""
    severity: str = ""
    class_name: str = ""
    fault: str = ""
    assignee: str = ""
    sample_id: str = ""
    where: str = ""
    as_of: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A finding at its place in the list, and its state if it is tracked.

    `class_name` and `box_xywh_px` are those of the annotation that it is about, as they were tested.
    """

    position: int
    finding: Finding
    class_name: str | None
    box_xywh_px: list[float] | None
    tracked: TrackedFinding | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a work list. `as_of` is the event that the list was opened at, `branch` the one that the run tested."""

    total: int
    as_of: int
    branch: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Findings with the same value: how many, by severity, and how many still count for gates now."""

    value: str | int | float | bool | None
    n: int
    n_pending: int
    counts: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "value": self.value,
            "findings": self.n,
            "open": self.n_pending,
            "counts": dict(self.counts),
        }


class _List:
    """The columns of a run, and the state of each finding, for one call."""

    def __init__(self, actor: Actor, dataset: str, run_id: str, store: Store) -> None:
        self._actor, self._dataset, self._store = actor, dataset, store
        with store.catalog.read() as conn:
            run = run_rows.tested_run(conn, run_id)
            if run is None or run.dataset != dataset:
                raise CheckRunNotFound(got=run_id[:80])
            self.run = run
            self.columns = store.tables.cached(
                ("findings", run.dataset_id, run_id), lambda: run_rows.columns(conn, run_id)
            )
            self.last_event, self._decided = states_of(store, conn, run.dataset_id, run_id)

    @cached_property
    def snapshot(self) -> Snapshot:
        """The tested state; the working state where the run kept no pins."""
        if self.run.ref is None:
            return self._working
        with self._store.catalog.read() as conn:
            info = refs.dataset(conn, self._dataset)
            return open_ref(conn, self._store, info, self.run.ref, name="")

    @cached_property
    def _working(self) -> Snapshot:
        return datasets.read(self._actor, self._dataset, store=self._store)

    def of_state(self, read: Callable[[Snapshot], T]) -> T:
        """Read from the tested state; from the working state where `gc` has removed the tested one."""
        try:
            return read(self.snapshot)
        except TableDamaged:
            return read(self._working)

    def has_state(self, states: Collection[State], as_of: int | None = None) -> np.ndarray:
        """Findings in one of these states, now or at an event, as a mask; those not tracked count as open."""
        changed = {key: one.state for key, one in self._decided.items()}
        if as_of is not None and as_of < self.last_event:
            with self._store.catalog.read() as conn:
                changed |= run_rows.states_before(conn, self.run.dataset_id, as_of)
        mask = np.full(self.columns.num_rows, State.OPEN in states)
        places = pc.index_in(pa.array(list(changed), pa.string()), value_set=self._keys).to_pylist()
        for place, state in zip(places, changed.values(), strict=True):
            if place is not None:
                mask[place] = (state or "open") in states
        return mask

    @cached_property
    def _keys(self) -> pa.Array:
        return self.columns["key"].combine_chunks()

    def matches(self, filter_: ListFilter) -> np.ndarray:
        """Rows that match a filter, as a mask."""
        table = self.columns
        mask = np.ones(table.num_rows, bool)
        for column, value in (
            ("check_name", filter_.check),
            ("fault", filter_.fault),
            ("sample_id", filter_.sample_id),
        ):
            if value:
                mask &= _equal(table[column], value)
        if filter_.severity:
            mask &= _equal(table["severity"], SEVERITIES.index(filter_.severity))
        if filter_.states:
            mask &= self.has_state(filter_.states, filter_.as_of)
        if filter_.assignee:
            assigned = {key for key, one in self._decided.items() if one.assignee == filter_.assignee}
            mask &= _within(table["key"], sorted(assigned))
        if filter_.class_name:
            mask &= _equal(self.group_values("class"), filter_.class_name)
        if filter_.where:
            mask &= self._on_samples(filter_.where)
        return mask

    def _on_samples(self, where: str) -> np.ndarray:
        """Findings on the samples that match a query. Findings about the whole dataset match none."""
        run = self.run

        def create() -> pa.Table:
            ids = self.of_state(lambda state: state.ids(where))
            return pa.table({"matches": _within(self.columns["sample_id"], ids)})

        if "finding" in where:  # people decide on findings without changing the state
            return np.asarray(create()["matches"].to_numpy())
        matches = self._store.tables.cached(("findings where", run.dataset_id, run.id, where), create)
        return np.asarray(matches["matches"].to_numpy())

    def group_values(self, by: str) -> pa.ChunkedArray:
        """The value of each finding to group by; see `grouping.values`."""
        run = self.run

        def create() -> pa.Table:
            return self.of_state(lambda state: pa.table({"value": grouping.values(state, self.columns, by)}))

        if by in grouping.COLUMNS:
            return self.columns[grouping.COLUMNS[by]]
        return self._store.tables.cached(("findings by", run.dataset_id, run.id, by), create)["value"]


def _equal(column: pa.ChunkedArray, value: Any) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.equal(column, value), False).to_numpy(zero_copy_only=False))


def _within(column: pa.ChunkedArray, values: Sequence[str]) -> np.ndarray:
    is_in = pc.is_in(column, value_set=pa.array(values, pa.string()), skip_nulls=True)
    return np.asarray(is_in.to_numpy(zero_copy_only=False))


def _open(actor: Actor, name: str, run_id: str, store: Store) -> _List:
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    return _List(actor, dataset, run_id, store)


def _ordered(list_: _List, mask: np.ndarray, group_by: str) -> tuple[np.ndarray, list[Group]]:
    """Numbers of the matching rows: by group if asked, worst first, then in the order of the run; and the groups."""
    rows = np.flatnonzero(mask)
    severity = np.asarray(list_.columns["severity"].to_numpy())[rows]
    if not group_by:
        return rows[np.lexsort((rows, severity))], []
    values = list_.group_values(group_by).take(pa.array(rows))
    pending = list_.has_state(PENDING)[rows]
    counted, ranks = grouping.groups(values, severity, pending, by_severity=group_by == "check")
    return rows[np.lexsort((rows, severity, ranks))], [
        Group(value, n, n_pending, dict(zip(SEVERITIES, counts, strict=True)))
        for value, n, n_pending, counts in counted
    ]


@verb
def listed(
    actor: Actor,
    name: str,
    run_id: str,
    filter_: ListFilter,
    *,
    store: Store,
    group_by: str = "",
    offset: int = 0,
    limit: int = 100,
) -> Page:
    """A page of the findings of a run: by group if asked, worst first.

    Raises: NotPermitted, CheckRunNotFound, FindingGroupUnknown, QueryInvalid, QueryFieldUnknown.
    """
    list_ = _open(actor, name, run_id, store)
    rows, _ = _ordered(list_, list_.matches(filter_), group_by)
    chosen = rows[max(0, offset) :][: max(0, min(limit, MAX_PAGE))]
    table = list_.columns.take(pa.array(chosen))
    places = list_.of_state(lambda state: grouping.places(state, table))
    positions = table["position"].to_pylist()
    with store.catalog.read() as conn:
        findings = run_rows.findings(conn, run_id, positions)
        keys = FindingFilter(keys=tuple(table["key"].to_pylist()))
        tracked = repository.tracked_findings(conn, list_.run.dataset_id, keys) if keys.keys else {}
    as_of = list_.last_event if filter_.as_of is None else filter_.as_of
    return Page(
        len(rows),
        as_of,
        list_.run.branch,
        tuple(
            Row(position, findings[position], class_name, box, tracked.get(findings[position].key))
            for position, class_name, box in zip(
                positions, places["class"].to_pylist(), places["box"].to_pylist(), strict=True
            )
        ),
    )


@verb
def groups(
    actor: Actor, name: str, run_id: str, filter_: ListFilter, group_by: str, *, store: Store
) -> tuple[Group, ...]:
    """The matching findings of a run by `check`, `class`, `fault` or `field:NAME`, in the order of `listed`.

    Raises: NotPermitted, CheckRunNotFound, FindingGroupUnknown, QueryInvalid, QueryFieldUnknown.
    """
    list_ = _open(actor, name, run_id, store)
    return tuple(_ordered(list_, list_.matches(filter_), group_by)[1])


@verb
def matching_keys(
    actor: Actor, name: str, run_id: str, filter_: ListFilter, *, store: Store
) -> tuple[str, ...]:
    """Keys of all findings of a run that match, in the order of `listed`.

    Raises: as `listed`.
    """
    list_ = _open(actor, name, run_id, store)
    rows, _ = _ordered(list_, list_.matches(filter_), "")
    return tuple(list_.columns["key"].take(pa.array(rows)).to_pylist())


@verb
def changes_of_run(actor: Actor, name: str, run_id: str, *, store: Store) -> dict[str, list[str]]:
    """What a run changed: `opened`, `returned`, `still-there`, `expired` or `closed` -> keys of findings.

    Raises: NotPermitted, CheckRunNotFound.
    """
    list_ = _open(actor, name, run_id, store)
    with store.catalog.read() as conn:
        return run_rows.changes_of_run(conn, list_.run.dataset_id, run_id)


@verb
def open_by_severity(
    actor: Actor, name: str, run_id: str, counts: Mapping[str, int], *, store: Store
) -> dict[str, int]:
    """How many findings of a run still count for gates, by severity: not rejected, accepted, or closed since.

    Args:
        counts: All findings of the run by severity, also those that were only counted.
    Raises: NotPermitted, DatasetNotFound.
    """
    dataset = refs.split_name(name)[0]
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    now = now_us()
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        _, decided = states_of(store, conn, info.id, run_id)
        done = run_rows.count_by_severity(
            conn, run_id, [key for key, one in decided.items() if not one.is_pending(now)]
        )
    return {severity: max(0, n - done.get(severity, 0)) for severity, n in counts.items()}
