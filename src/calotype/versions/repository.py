"""Every catalog query of versions: merges, their conflicts, protection of branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from calotype.datasets.commits import Ref
from calotype.store.catalog import schema
from calotype.versions.model import Clash, Merge, MergeConflict

_REFS, _MERGES, _CONFLICTS = schema.refs, schema.merges, schema.merge_conflicts


def protect_ref(conn: sa.Connection, ref: Ref, rules: Mapping[str, Any] | None) -> None:
    """Set how changes may reach a branch. Edits under way notice: the branch counts as moved."""
    statement = _REFS.update().where(_REFS.c.dataset_id == ref.dataset_id, _REFS.c.name == ref.name)
    rules = None if rules is None else dict(rules)
    conn.execute(statement.values(protection=rules or sa.null(), sequence=_REFS.c.sequence + 1))


def put_merge(conn: sa.Connection, merge: Merge) -> None:
    """Insert or renew a merge."""
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
    """Merges of a dataset, newest first; of one state where it is given."""
    query = sa.select(_MERGES).where(_MERGES.c.dataset_id == dataset_id)
    if state:
        query = query.where(_MERGES.c.state == state)
    query = query.order_by(_MERGES.c.created_at_us.desc(), _MERGES.c.id)
    return [Merge(**row) for row in conn.execute(query).mappings()]


def put_conflicts(conn: sa.Connection, merge_id: str, conflicts: Sequence[MergeConflict]) -> None:
    """Set the conflicts of a merge anew."""
    conn.execute(_CONFLICTS.delete().where(_CONFLICTS.c.merge_id == merge_id))
    if not conflicts:
        return
    values = [
        {
            "merge_id": merge_id,
            "position": one.position,
            "kind": one.clash.kind,
            "table_name": one.clash.table,
            "row_id": one.clash.row_id,
            "sample_id": one.clash.sample_id,
            "fields": list(one.clash.fields),
            "base": one.clash.base,
            "ours": one.clash.ours,
            "theirs": one.clash.theirs,
            "resolution": one.resolution,
            "state": one.state,
            "resolved_by": one.resolved_by,
            "resolved_at_us": one.resolved_at_us,
        }
        for one in conflicts
    ]
    conn.execute(_CONFLICTS.insert(), values)


def settle_conflicts(conn: sa.Connection, merge_id: str, conflicts: Sequence[MergeConflict]) -> None:
    """Write how conflicts are settled."""
    names = ("resolution", "state", "resolved_by", "resolved_at_us")
    where = (_CONFLICTS.c.merge_id == merge_id) & (_CONFLICTS.c.position == sa.bindparam("at"))
    columns = {name: sa.bindparam(f"new_{name}", type_=_CONFLICTS.c[name].type) for name in names}
    values = [{"at": one.position, **{f"new_{n}": getattr(one, n) for n in names}} for one in conflicts]
    if values:
        conn.execute(_CONFLICTS.update().where(where).values(**columns), values)


def conflicts_of(conn: sa.Connection, merge_id: str) -> list[MergeConflict]:
    """The conflicts of a merge in order."""
    query = sa.select(_CONFLICTS).where(_CONFLICTS.c.merge_id == merge_id).order_by(_CONFLICTS.c.position)
    return [_conflict(row) for row in conn.execute(query).mappings()]


def _conflict(row: Any) -> MergeConflict:
    clash = Clash(
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
        row["position"], clash, row["state"], row["resolution"], row["resolved_by"], row["resolved_at_us"]
    )
