"""Catalog queries of versions: merges, their conflicts, protection of branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from calotype.datasets.commits import Ref
from calotype.store.catalog import schema
from calotype.versions.model import ConflictContent, Merge, MergeConflict

_REFS, _MERGES, _CONFLICTS = schema.refs, schema.merges, schema.merge_conflicts


def protect_ref(conn: sa.Connection, ref: Ref, rules: Mapping[str, Any] | None) -> None:
    """Set the protection of a branch. Concurrent edits are retried, because the branch counts as moved."""
    statement = _REFS.update().where(_REFS.c.dataset_id == ref.dataset_id, _REFS.c.name == ref.name)
    rules = None if rules is None else dict(rules)
    conn.execute(statement.values(protection=rules or sa.null(), sequence=_REFS.c.sequence + 1))


def add_approval(conn: sa.Connection, commit_id: str, actor: str, reason: str, at_us: int) -> None:
    """Insert an approval."""
    values = {"commit_id": commit_id, "actor": actor, "reason": reason, "at_us": at_us}
    conn.execute(schema.commit_approvals.insert().values(**values))


def approvals(conn: sa.Connection, commit_id: str) -> list[dict[str, Any]]:
    """The approvals of a commit, oldest first."""
    table = schema.commit_approvals
    query = sa.select(table).where(table.c.commit_id == commit_id).order_by(table.c.at_us, table.c.actor)
    return [dict(row) for row in conn.execute(query).mappings()]


def put_merge(conn: sa.Connection, merge: Merge) -> None:
    """Insert or update a merge."""
    values = {f: getattr(merge, f) for f in Merge.__slots__} | {"counts": dict(merge.counts)}
    if merge_of(conn, merge.id) is None:
        conn.execute(_MERGES.insert().values(**values))
    else:
        conn.execute(_MERGES.update().where(_MERGES.c.id == merge.id).values(**values))


def merge_of(conn: sa.Connection, merge_id: str) -> Merge | None:
    """One merge by its full id."""
    row = conn.execute(sa.select(_MERGES).where(_MERGES.c.id == merge_id)).mappings().first()
    return None if row is None else Merge(**row)


def merges_of(conn: sa.Connection, dataset_id: str, *, state: str = "") -> list[Merge]:
    """Merges of a dataset, newest first, optionally only those in one state."""
    query = sa.select(_MERGES).where(_MERGES.c.dataset_id == dataset_id)
    if state:
        query = query.where(_MERGES.c.state == state)
    query = query.order_by(_MERGES.c.created_at_us.desc(), _MERGES.c.id)
    return [Merge(**row) for row in conn.execute(query).mappings()]


def put_conflicts(conn: sa.Connection, merge_id: str, conflicts: Sequence[MergeConflict]) -> None:
    """Replace the conflicts of a merge."""
    conn.execute(_CONFLICTS.delete().where(_CONFLICTS.c.merge_id == merge_id))
    if not conflicts:
        return
    values = [
        {
            "merge_id": merge_id,
            "position": conflict.position,
            "kind": conflict.content.kind,
            "table_name": conflict.content.table,
            "row_id": conflict.content.row_id,
            "sample_id": conflict.content.sample_id,
            "fields": list(conflict.content.fields),
            "base": conflict.content.base,
            "ours": conflict.content.ours,
            "theirs": conflict.content.theirs,
            "resolution": conflict.resolution,
            "state": conflict.state,
            "resolved_by": conflict.resolved_by,
            "resolved_at_us": conflict.resolved_at_us,
        }
        for conflict in conflicts
    ]
    conn.execute(_CONFLICTS.insert(), values)


def resolve_conflicts(conn: sa.Connection, merge_id: str, conflicts: Sequence[MergeConflict]) -> None:
    """Update the resolutions of conflicts."""
    names = ("resolution", "state", "resolved_by", "resolved_at_us")
    where = (_CONFLICTS.c.merge_id == merge_id) & (_CONFLICTS.c.position == sa.bindparam("conflict_position"))
    columns = {name: sa.bindparam(f"new_{name}", type_=_CONFLICTS.c[name].type) for name in names}
    values = [
        {"conflict_position": conflict.position, **{f"new_{n}": getattr(conflict, n) for n in names}}
        for conflict in conflicts
    ]
    if values:
        conn.execute(_CONFLICTS.update().where(where).values(**columns), values)


def conflicts_of(conn: sa.Connection, merge_id: str) -> list[MergeConflict]:
    """Conflicts of a merge in order of position."""
    query = sa.select(_CONFLICTS).where(_CONFLICTS.c.merge_id == merge_id).order_by(_CONFLICTS.c.position)
    return [_conflict(row) for row in conn.execute(query).mappings()]


def _conflict(row: Any) -> MergeConflict:
    content = ConflictContent(
        row["kind"],
        row["table_name"],
        row["row_id"],
        tuple(row["fields"]),
        row["base"],
        row["ours"],
        row["theirs"],
        row["sample_id"],
    )
    return MergeConflict(
        row["position"], content, row["state"], row["resolution"], row["resolved_by"], row["resolved_at_us"]
    )
