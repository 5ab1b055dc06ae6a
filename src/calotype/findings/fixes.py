"""Stages the repairs suggested by findings as one edit of the working state, and undoes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from calotype.datasets import refs, rows
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.differences import equal_ids
from calotype.datasets.snapshot import Snapshot
from calotype.findings import repairs, repository, triage, undoing
from calotype.findings.lifecycle import PENDING, Decision, State, StateChanges, TrackedFinding
from calotype.findings.model import Finding
from calotype.findings.repairs import Edit, FindingNotRepairable, FindingOutdated
from calotype.findings.repository import FindingFilter, Fix
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.errors import Conflict, NotFound
from calotype.foundation.ids import uuid7
from calotype.foundation.verbs import verb
from calotype.store import Store

FIX, UNDO_FIX = "finding.fix", "finding.undo-fix"
"""Names of the edits in the audit log and in the journal."""

Tables = dict[str, pa.Table]
"""Table (`samples` or `ann/<label set>`) -> rows."""


class FixNotFound(NotFound):
    """There is no such fix to undo."""

    code = "fix-not-found"
    what = "{dataset} has no applied fix {got!r}"
    fix = "use the id printed by `calotype fix`, or omit it to undo the newest fix"


class FixOutdated(Conflict):
    """Rows of the fix were changed after it was staged."""

    code = "fix-outdated"
    what = "rows of {n} samples were changed after fix {got} of {dataset}"
    fix = "edit these samples manually: {samples}; or restore an earlier commit with `calotype rollback`"


@dataclass(frozen=True, slots=True)
class StagedFix:
    """A staged fix: its id, the keys of fixed findings, and those left out with the reason."""

    id: str
    keys: tuple[str, ...]
    left_out: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {"fix": self.id, "findings": list(self.keys), "left_out": dict(self.left_out)}


@verb
def fix(actor: Actor, name: str, keys: Sequence[str], *, store: Store, set_class: str = "") -> StagedFix:
    """Stage the repairs suggested by findings as one edit of a working state, and mark the findings as fixed.

    Findings without a repair, or whose data changed, are left out and reported.

    Args:
        name: `dataset` or `dataset@branch`.
        set_class: Give the annotations this class instead of what the findings suggest.
    Raises: NotPermitted, DatasetNotFound, FindingNotFound, FindingNotRepairable (if no finding can be repaired).
    """
    dataset, branch = refs.split_name(name)
    store.guard.require(actor, Permission.FINDING_TRIAGE, dataset=dataset)
    pending = _pending(dataset, keys, store)
    planned: dict[str, Any] = {}

    def plan(snapshot: Snapshot) -> Change:
        edit = repairs.open_edit(
            snapshot, [tracked.finding for tracked in pending.values()], author=actor.name
        )
        left_out: dict[str, str] = {}
        for key, tracked in pending.items():
            try:
                repairs.repair(edit, _with_class(tracked.finding, set_class))
            except (FindingNotRepairable, FindingOutdated) as error:
                left_out[key] = getattr(error, "detail", error.message)
        if len(left_out) == len(pending):
            key = next(iter(left_out))
            raise FindingNotRepairable(key=key[:8], check=pending[key].finding.check, detail=left_out[key])
        planned.update(left_out=left_out, before=_before(snapshot, edit), after=_after(edit))
        return edit.change()

    fix_id = uuid7()

    def record(conn: sa.Connection) -> None:
        info = refs.dataset(conn, dataset)
        fixed_keys = tuple(key for key in pending if key not in planned["left_out"])
        branch_name = branch.removesuffix("+") or "main"
        packed = _pack(planned["before"]), _pack(planned["after"])
        repository.add_fix(
            conn, Fix(fix_id, info.id, branch_name, fixed_keys, *packed, "applied", actor.name, now_us())
        )
        before = [pending[key] for key in fixed_keys]
        changes = _decide(conn, info.id, before, Decision(State.FIXED), actor, f"fix {fix_id}")
        undoing.remember(conn, info.id, before, changes, actor, of_fix=fix_id)

    details = {"fix": fix_id, "findings": len(pending)}
    datasets.apply(actor, name, plan, store=store, verb=FIX, details=details, record=record)
    left_out = planned["left_out"]
    return StagedFix(fix_id, tuple(key for key in pending if key not in left_out), left_out)


def _with_class(finding: Finding, set_class: str) -> Finding:
    """The finding with another class as its repair, where a person chose one."""
    if not set_class:
        return finding
    if not finding.annotation_id:
        raise FindingNotRepairable(key=finding.key, check=finding.check, detail="it is about no annotation")
    repair = {"do": "set-class", "class": set_class}
    return replace(finding, facts={**finding.facts, "repair": repair})


@verb
def undo_fix(actor: Actor, name: str, fix_id: str = "", *, store: Store) -> StagedFix:
    """Undo a staged fix (default: the newest): restore its rows and reopen its findings.

    Raises: NotPermitted, DatasetNotFound, FixNotFound, FixOutdated (nothing is written).
    """
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.FINDING_TRIAGE, dataset=dataset)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        staged = repository.fix(conn, info.id, fix_id)
    if staged is None or staged.state != "applied":
        raise FixNotFound(dataset=dataset, got=fix_id[:80])
    before, after = _unpack(staged.before), _unpack(staged.after)

    def plan(snapshot: Snapshot) -> Change:
        changed = _changed_since(snapshot, before, after)
        if changed:
            raise FixOutdated(
                n=len(changed), got=staged.id, dataset=dataset, samples=", ".join(sorted(changed)[:5])
            )
        return _inverse(before, after)

    def record(conn: sa.Connection) -> None:
        repository.set_applied(conn, staged.id, undone_at_us=now_us())
        _reopen(conn, info.id, staged, actor)

    details = {"fix": staged.id, "findings": len(staged.keys)}
    branch_name = f"{dataset}@{staged.branch}+"
    datasets.apply(actor, branch_name, plan, store=store, verb=UNDO_FIX, details=details, record=record)
    return StagedFix(staged.id, staged.keys, {})


def follow_edit(
    conn: sa.Connection,
    dataset_id: str,
    actor: Actor,
    verb: str,
    details: Mapping[str, Any],
    *,
    undone: bool,
) -> None:
    """Set a fix and its findings as the rows are, after the edit that staged or reverted it was undone or redone.

    Edits of other verbs have no effect on findings. A finding that was decided on since keeps its state.
    """
    if verb not in (FIX, UNDO_FIX):
        return
    staged = repository.fix(conn, dataset_id, str(details.get("fix", "")) or "none")
    if staged is None:
        return
    is_applied = (verb == FIX) != undone
    repository.set_applied(conn, staged.id, undone_at_us=None if is_applied else now_us())
    if not is_applied:
        return _reopen(conn, dataset_id, staged, actor)
    found = repository.tracked_findings(
        conn, dataset_id, FindingFilter(keys=staged.keys, states=(State.OPEN, State.ASSIGNED))
    )
    _decide(conn, dataset_id, list(found.values()), Decision(State.FIXED), actor, f"fix {staged.id}")
    return None


def _reopen(conn: sa.Connection, dataset_id: str, staged: Fix, actor: Actor) -> None:
    """Give the findings of a fix the states before it; those that the fix was redone for are open."""
    fixed = repository.tracked_findings(
        conn, dataset_id, FindingFilter(keys=staged.keys, states=(State.FIXED,))
    )
    states = repository.fix(conn, dataset_id, undoing.states_of(staged.id))
    if states is not None:
        changes, _ = undoing.restored(states, fixed, actor, f"fix {staged.id}")
        repository.save_changes(conn, dataset_id, changes)
        fixed = {key: fixed[key] for key in fixed.keys() - {after.key for after in changes.changed}}
    _decide(conn, dataset_id, list(fixed.values()), Decision(State.OPEN), actor, f"undo of fix {staged.id}")


def _pending(dataset: str, keys: Sequence[str], store: Store) -> dict[str, TrackedFinding]:
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        tracked_findings = repository.tracked_findings(
            conn, info.id, FindingFilter(keys=tuple(dict.fromkeys(keys)))
        )
    for key in keys:
        if key not in tracked_findings:
            raise triage.FindingNotFound(dataset=dataset, got=key[:80])
    pending = {
        key: tracked_findings[key] for key in dict.fromkeys(keys) if tracked_findings[key].state in PENDING
    }
    if not pending:
        raise triage.FindingNotFound(dataset=dataset, got="to fix")
    return pending


def _decide(
    conn: sa.Connection,
    dataset_id: str,
    findings: Sequence[TrackedFinding],
    decision: Decision,
    actor: Actor,
    note: str,
) -> StateChanges:
    changes = StateChanges()
    for tracked in findings:
        after, event = tracked.decided(Decision(decision.state, note=note), actor.name, now_us())
        changes.changed.append(after)
        changes.events.append(event)
    repository.save_changes(conn, dataset_id, changes)
    return changes


def _before(snapshot: Snapshot, edit: Edit) -> Tables:
    """The rows that an edit replaces or removes."""
    removed = sorted(edit.remove_samples)
    tables = {rows.SAMPLES: snapshot.samples(ids=[*sorted(set(edit.put_samples) - set(removed)), *removed])}
    for label_set in snapshot.label_sets:
        touched = [key for key in (*edit.put, *edit.remove) if key[0] == label_set]
        sample_ids = {edit.annotations[key].sample_id for key in touched if key in edit.annotations}
        table = snapshot.annotations(label_set, sample_ids=sorted({*sample_ids, *removed}))
        is_affected = pc.or_(
            pc.is_in(table["ann_id"], value_set=pa.array([ann_id for _, ann_id in touched], pa.string())),
            pc.is_in(table["sample_id"], value_set=pa.array(removed, pa.string())),
        )
        tables[rows.annotation_table(label_set)] = table.filter(is_affected)
    return tables


def _after(edit: Edit) -> Tables:
    """The rows that an edit writes."""
    tables = {rows.SAMPLES: rows.samples_to_arrow(edit.remaining_samples())}
    for label_set, put in edit.remaining_annotations().items():
        tables[rows.annotation_table(label_set)] = rows.annotations_to_arrow(put)
    return tables


def _inverse(before: Tables, after: Tables) -> Change:
    names = {name for name in (*before, *after) if name != rows.SAMPLES}
    empty = rows.ANNOTATION_SCHEMA.empty_table()
    added = {name: _ids(after.get(name, empty)) - _ids(before.get(name, empty)) for name in names}
    return Change(
        put_samples=before.get(rows.SAMPLES, rows.SAMPLE_SCHEMA.empty_table()),
        put_annotations={rows.label_set_of(name): before[name] for name in names if name in before},
        remove_annotations={rows.label_set_of(name): sorted(ids) for name, ids in added.items() if ids},
    )


def _changed_since(snapshot: Snapshot, before: Tables, after: Tables) -> set[str]:
    """Samples with rows that were changed, or added again, after the fix."""
    changed: set[str] = set()
    for name in {*before, *after}:
        key = rows.key_of(name)
        empty = rows.schema_of(name).empty_table()
        old, new = before.get(name, empty), after.get(name, empty)
        ids = sorted(set(old["sample_id"].to_pylist()) | set(new["sample_id"].to_pylist()))
        current = (
            snapshot.samples(ids=ids)
            if name == rows.SAMPLES
            else snapshot.annotations(rows.label_set_of(name), sample_ids=ids)
        )
        affected = pa.array(sorted({*old[key].to_pylist(), *new[key].to_pylist()}), pa.string())
        current = current.filter(pc.is_in(current[key], value_set=affected))
        compared = [
            column for column in current.schema.names if column != key and column not in rows.PROVENANCE
        ]
        equal = equal_ids(new, current, key, compared)
        for table in (new, current):
            changed.update(
                table.filter(pc.invert(pc.is_in(table[key], value_set=equal)))["sample_id"].to_pylist()
            )
    return changed


def _ids(table: pa.Table) -> set[str]:
    return set(table["ann_id"].to_pylist())


def _pack(tables: Tables) -> bytes:
    packed = {}
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        packed[name] = sink.getvalue().to_pybytes()
    return msgspec.msgpack.encode(packed)


def _unpack(data: bytes) -> Tables:
    packed = msgspec.msgpack.decode(data, type=dict[str, bytes])
    return {name: pa.ipc.open_stream(body).read_all() for name, body in packed.items()}
