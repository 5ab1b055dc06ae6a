"""Staging what findings suggest as one edit of the working state, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from calotype.findings import repairs, triage
from calotype.findings import repository as lives
from calotype.findings.lifecycle import PENDING, Decision, Life, Retest, State
from calotype.findings.repairs import Edit, FindingNotRepairable, FindingOutdated
from calotype.findings.repository import Fix, Wanted
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.errors import Conflict, NotFound
from calotype.foundation.ids import uuid7
from calotype.store import Store

Tables = dict[str, pa.Table]
"""`samples` and `ann/<label set>` -> some rows."""


class FixNotFound(NotFound):
    """No fix that could be taken back."""

    code = "fix-not-found"
    what = "{dataset} has no fix {got!r} that is applied"
    fix = "a fix is named in the answer of `calotype fix`; without a name the newest is taken back"


class FixOutdated(Conflict):
    """Rows that a fix touched were changed again since."""

    code = "fix-outdated"
    what = "{n} rows that fix {got} of {dataset} touched were changed again since"
    fix = "mend these samples by hand: {samples}; or go back with `calotype rollback`"


@dataclass(frozen=True, slots=True)
class Fixed:
    """What was staged: the fix by its id, the findings it mends, and those that it left out with the reason."""

    id: str
    keys: tuple[str, ...]
    left_out: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {"fix": self.id, "findings": list(self.keys), "left_out": dict(self.left_out)}


def fix(actor: Actor, name: str, keys: Sequence[str], *, store: Store) -> Fixed:
    """Stage what findings suggest as one edit of a branch's working state; they count as fixed until the re-test.

    Findings that suggest nothing, or whose data moved on, are left out and told.

    Args:
        name: `dataset` or `dataset@branch`.
    Raises: NotPermitted, DatasetNotFound, FindingNotFound, FindingNotRepairable (when nothing is left to do).
    """
    dataset, branch = refs.split_name(name)
    store.guard.require(actor, Permission.FINDING_TRIAGE, dataset=dataset)
    found = _pending(dataset, keys, store)
    planned: dict[str, Any] = {}

    def plan(snapshot: Snapshot) -> Change:
        edit = repairs.opened(snapshot, [life.finding for life in found.values()], author=actor.name)
        left_out: dict[str, str] = {}
        for key, life in found.items():
            try:
                repairs.repair(edit, life.finding)
            except (FindingNotRepairable, FindingOutdated) as error:
                left_out[key] = getattr(error, "detail", error.message)
        if len(left_out) == len(found):
            key = next(iter(left_out))
            raise FindingNotRepairable(key=key[:8], check=found[key].finding.check, detail=left_out[key])
        planned.update(left_out=left_out, before=_before(snapshot, edit), after=_after(edit))
        return edit.change()

    made = uuid7()

    def record(conn: sa.Connection) -> None:
        info = refs.dataset(conn, dataset)
        mended = tuple(key for key in found if key not in planned["left_out"])
        home = branch.removesuffix("+") or "main"
        packed = _pack(planned["before"]), _pack(planned["after"])
        lives.add_fix(conn, Fix(made, info.id, home, mended, *packed, "applied", actor.name, now_us()))
        _decide(conn, info.id, [found[key] for key in mended], Decision(State.FIXED), actor, f"fix {made}")

    details = {"fix": made, "findings": len(found)}
    datasets.apply(actor, name, plan, store=store, verb="finding.fix", details=details, record=record)
    left_out = planned["left_out"]
    return Fixed(made, tuple(key for key in found if key not in left_out), left_out)


def undo_fix(actor: Actor, name: str, fix_id: str = "", *, store: Store) -> Fixed:
    """Take a staged fix back: its rows are as they were, its findings open. Without an id, the newest.

    Raises: NotPermitted, DatasetNotFound, FixNotFound, FixOutdated (nothing is written).
    """
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.FINDING_TRIAGE, dataset=dataset)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        kept = lives.fix(conn, info.id, fix_id)
    if kept is None or kept.state != "applied":
        raise FixNotFound(dataset=dataset, got=fix_id[:80])
    before, after = _unpack(kept.before), _unpack(kept.after)

    def plan(snapshot: Snapshot) -> Change:
        moved = _moved(snapshot, before, after)
        if moved:
            raise FixOutdated(
                n=len(moved), got=kept.id, dataset=dataset, samples=", ".join(sorted(moved)[:5])
            )
        return _inverse(before, after)

    def record(conn: sa.Connection) -> None:
        lives.mark_undone(conn, kept.id, now_us())
        found = lives.lives(conn, info.id, Wanted(keys=kept.keys, states=(State.FIXED,)))
        _decide(conn, info.id, list(found.values()), Decision(State.OPEN), actor, f"undo of fix {kept.id}")

    details = {"fix": kept.id, "findings": len(kept.keys)}
    where = f"{dataset}@{kept.branch}+"
    datasets.apply(actor, where, plan, store=store, verb="finding.undo-fix", details=details, record=record)
    return Fixed(kept.id, kept.keys, {})


def _pending(dataset: str, keys: Sequence[str], store: Store) -> dict[str, Life]:
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        known = lives.lives(conn, info.id, Wanted(keys=tuple(dict.fromkeys(keys))))
    for key in keys:
        if key not in known:
            raise triage.FindingNotFound(dataset=dataset, got=key[:80])
    found = {key: known[key] for key in dict.fromkeys(keys) if known[key].state in PENDING}
    if not found:
        raise triage.FindingNotFound(dataset=dataset, got="that waits to be mended")
    return found


def _decide(
    conn: sa.Connection, dataset_id: str, found: Sequence[Life], decision: Decision, actor: Actor, note: str
) -> None:
    done = Retest()
    for life in found:
        after, event = life.decided(Decision(decision.state, note=note), actor.name, now_us())
        done.changed.append(after)
        done.events.append(event)
    lives.keep(conn, dataset_id, done)


def _before(snapshot: Snapshot, edit: Edit) -> Tables:
    """The rows that an edit replaces or removes."""
    gone = sorted(edit.remove_samples)
    found = {rows.SAMPLES: snapshot.samples(ids=[*sorted(set(edit.put_samples) - set(gone)), *gone])}
    for label_set in snapshot.label_sets:
        touched = [key for key in (*edit.put, *edit.remove) if key[0] == label_set]
        of = {edit.annotations[key].sample_id for key in touched if key in edit.annotations}
        table = snapshot.annotations(label_set, sample_ids=sorted({*of, *gone}))
        wanted = pc.or_(
            pc.is_in(table["ann_id"], value_set=pa.array([ann_id for _, ann_id in touched], pa.string())),
            pc.is_in(table["sample_id"], value_set=pa.array(gone, pa.string())),
        )
        found[rows.annotation_table(label_set)] = table.filter(wanted)
    return found


def _after(edit: Edit) -> Tables:
    """The rows that an edit puts."""
    found = {rows.SAMPLES: rows.samples_to_arrow(edit.kept_samples())}
    for label_set, put in edit.kept().items():
        found[rows.annotation_table(label_set)] = rows.annotations_to_arrow(put)
    return found


def _inverse(before: Tables, after: Tables) -> Change:
    sets = {name for name in (*before, *after) if name != rows.SAMPLES}
    empty = rows.ANNOTATION_SCHEMA.empty_table()
    added = {name: _ids(after.get(name, empty)) - _ids(before.get(name, empty)) for name in sets}
    return Change(
        put_samples=before.get(rows.SAMPLES, rows.SAMPLE_SCHEMA.empty_table()),
        put_annotations={rows.label_set_of(name): before[name] for name in sets if name in before},
        remove_annotations={rows.label_set_of(name): sorted(ids) for name, ids in added.items() if ids},
    )


def _moved(snapshot: Snapshot, before: Tables, after: Tables) -> set[str]:
    """Samples of rows that are not as the fix left them: changed, or back although it removed them."""
    moved: set[str] = set()
    for name in {*before, *after}:
        key = rows.key_of(name)
        empty = rows.schema_of(name).empty_table()
        old, new = before.get(name, empty), after.get(name, empty)
        ids = sorted(set(old["sample_id"].to_pylist()) | set(new["sample_id"].to_pylist()))
        now = (
            snapshot.samples(ids=ids)
            if name == rows.SAMPLES
            else snapshot.annotations(rows.label_set_of(name), sample_ids=ids)
        )
        concerned = pa.array(sorted({*old[key].to_pylist(), *new[key].to_pylist()}), pa.string())
        now = now.filter(pc.is_in(now[key], value_set=concerned))
        compared = [column for column in now.schema.names if column != key and column not in rows.PROVENANCE]
        same = equal_ids(new, now, key, compared)
        for table in (new, now):
            moved.update(
                table.filter(pc.invert(pc.is_in(table[key], value_set=same)))["sample_id"].to_pylist()
            )
    return moved


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
