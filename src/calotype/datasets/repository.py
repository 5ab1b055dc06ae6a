"""Catalog queries of datasets: datasets, refs, commits, documents, and the journal of edits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from calotype.datasets.commits import Commit, DatasetInfo, EditEntry, Ref, state_of
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.store.catalog import schema

MAX_EDITS = 1_000
"""Edits of a branch that can be undone; older ones stay, and are part of the next commit."""

_EDITS = schema.edits
_DATASETS, _REFS, _COMMITS, _DOCUMENTS = schema.datasets, schema.refs, schema.commits, schema.documents


def add_dataset(conn: sa.Connection, info: DatasetInfo) -> None:
    """Insert a dataset."""
    conn.execute(_DATASETS.insert().values(**{f: getattr(info, f) for f in DatasetInfo.__slots__}))


def dataset_by_name(conn: sa.Connection, name: str) -> DatasetInfo | None:
    """The dataset of this name."""
    row = conn.execute(sa.select(_DATASETS).where(_DATASETS.c.name == name)).mappings().first()
    return None if row is None else DatasetInfo(**row)


def all_datasets(conn: sa.Connection) -> list[DatasetInfo]:
    """All datasets, ordered by name."""
    rows = conn.execute(sa.select(_DATASETS).order_by(_DATASETS.c.name)).mappings()
    return [DatasetInfo(**row) for row in rows]


def add_ref(conn: sa.Connection, ref: Ref) -> None:
    """Insert a branch or tag."""
    conn.execute(
        _REFS.insert().values(
            dataset_id=ref.dataset_id,
            name=ref.name,
            kind=ref.kind,
            commit_id=ref.commit_id,
            pins=dict(ref.pins),
            documents=dict(ref.documents),
            sequence=ref.sequence,
        )
    )


def ref(conn: sa.Connection, dataset_id: str, name: str) -> Ref | None:
    """One branch or tag."""
    query = sa.select(_REFS).where(_REFS.c.dataset_id == dataset_id, _REFS.c.name == name)
    row = conn.execute(query).mappings().first()
    return None if row is None else Ref(**row)


def refs(conn: sa.Connection, dataset_id: str) -> list[Ref]:
    """All branches and tags, branches first."""
    query = sa.select(_REFS).where(_REFS.c.dataset_id == dataset_id).order_by(_REFS.c.kind, _REFS.c.name)
    return [Ref(**row) for row in conn.execute(query).mappings()]


def move_ref(conn: sa.Connection, old: Ref, new: Ref) -> bool:
    """Move a ref if it still equals `old` (compare and set). Returns whether it moved."""
    statement = (
        _REFS.update()
        .where(
            _REFS.c.dataset_id == old.dataset_id, _REFS.c.name == old.name, _REFS.c.sequence == old.sequence
        )
        .values(
            commit_id=new.commit_id,
            pins=dict(new.pins),
            documents=dict(new.documents),
            sequence=old.sequence + 1,
        )
    )
    return conn.execute(statement).rowcount == 1


def log_move(conn: sa.Connection, old: Ref, *, new_commit: str | None, actor: str, verb: str) -> None:
    """Add an entry to the reflog."""
    conn.execute(
        schema.reflog.insert().values(
            dataset_id=old.dataset_id,
            ref=old.name,
            old_commit=old.commit_id,
            new_commit=new_commit,
            actor=actor,
            verb=verb,
            at_us=now_us(),
        )
    )


def add_commit(conn: sa.Connection, commit: Commit) -> None:
    """Insert a commit."""
    values = {f: getattr(commit, f) for f in Commit.__slots__}
    values |= {"parents": list(commit.parents), "pins": dict(commit.pins)}
    values |= {"documents": dict(commit.documents), "stats": dict(commit.stats)}
    conn.execute(_COMMITS.insert().values(**values))


def commit(conn: sa.Connection, commit_id: str) -> Commit | None:
    """One commit by its full id."""
    row = conn.execute(sa.select(_COMMITS).where(_COMMITS.c.id == commit_id)).mappings().first()
    return None if row is None else _commit(row)


def commits_starting_with(conn: sa.Connection, dataset_id: str, prefix: str) -> list[Commit]:
    """Up to two commits whose id begins with a prefix; two mean that the prefix is ambiguous."""
    upper = prefix + "g"  # ids are hexadecimal
    query = sa.select(_COMMITS).where(
        _COMMITS.c.dataset_id == dataset_id, _COMMITS.c.id >= prefix, _COMMITS.c.id < upper
    )
    return [_commit(row) for row in conn.execute(query.limit(2)).mappings()]


def commits_of(conn: sa.Connection, dataset_id: str) -> dict[str, Commit]:
    """All commits of a dataset by id."""
    query = sa.select(_COMMITS).where(_COMMITS.c.dataset_id == dataset_id)
    return {row["id"]: _commit(row) for row in conn.execute(query).mappings()}


def put_document(conn: sa.Connection, kind: str, body: str) -> str:
    """Store a document under its hash and return the hash."""
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    if document(conn, sha256) is None:
        conn.execute(_DOCUMENTS.insert().values(sha256=sha256, kind=kind, body=body))
    return sha256


def document(conn: sa.Connection, sha256: str) -> str | None:
    """The document with this hash."""
    return conn.execute(sa.select(_DOCUMENTS.c.body).where(_DOCUMENTS.c.sha256 == sha256)).scalar()


def import_of(conn: sa.Connection, import_id: str) -> dict[str, Any] | None:
    """The row of an import, as a dict."""
    table = schema.imports
    row = conn.execute(sa.select(table).where(table.c.id == import_id)).mappings().first()
    return None if row is None else dict(row)


# ---- the journal: edits of a branch since its last commit


def add_edit(
    conn: sa.Connection,
    actor: Actor,
    old: Ref,
    new: Ref,
    *,
    verb: str,
    details: Mapping[str, Any],
    counts: Mapping[str, Mapping[str, int]],
) -> EditEntry:
    """Add an edit that moved a branch from `old` to `new`. Undone edits can no longer be redone.

    An edit of the same `run` as the last one (a part of one import, an upload after another) is joined to it.
    """
    conn.execute(_EDITS.delete().where(_edits_of(old), _EDITS.c.undone))
    last = last_edit(conn, old)
    if last is not None and last.applies_to(old) and _same_action(last, actor, details):
        entry = EditEntry(
            **{name: getattr(last, name) for name in EditEntry.__slots__}
            | {"verb": verb, "details": _joined(last.details, details), "after": state_of(new)}
            | {"counts": _sum(last.counts, counts)}
        )
        values = {name: getattr(entry, name) for name in ("verb", "details", "counts", "after")}
        conn.execute(_EDITS.update().where(_EDITS.c.id == entry.id).values(**values))
        return entry
    position = 1 if last is None else last.position + 1
    entry = EditEntry(
        uuid7(),
        old.dataset_id,
        old.name,
        position,
        verb,
        dict(details),
        counts,
        state_of(old),
        state_of(new),
        False,
        actor.id,
        actor.name,
        now_us(),
    )
    conn.execute(_EDITS.insert().values(**{name: getattr(entry, name) for name in EditEntry.__slots__}))
    conn.execute(_EDITS.delete().where(_edits_of(old), _EDITS.c.position <= position - MAX_EDITS))
    return entry


def clear_edits(conn: sa.Connection, ref: Ref) -> None:
    """Remove the entries of a branch, whose edits are committed now."""
    conn.execute(_EDITS.delete().where(_edits_of(ref)))


def last_edit(conn: sa.Connection, ref: Ref) -> EditEntry | None:
    """The newest edit that is not undone."""
    query = (
        sa.select(_EDITS).where(_edits_of(ref), sa.not_(_EDITS.c.undone)).order_by(_EDITS.c.position.desc())
    )
    row = conn.execute(query.limit(1)).mappings().first()
    return None if row is None else EditEntry(**row)


def _commit(row: Any) -> Commit:
    values = dict(row)
    values["parents"] = tuple(values["parents"])
    return Commit(**values)


def _edits_of(ref: Ref) -> sa.ColumnElement[bool]:
    return sa.and_(_EDITS.c.dataset_id == ref.dataset_id, _EDITS.c.branch == ref.name)


def _same_action(last: EditEntry, actor: Actor, details: Mapping[str, Any]) -> bool:
    run = details.get("run")
    return bool(run) and run == last.details.get("run") and last.actor_id == actor.id


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Details of both parts of an action: the numbers of their files are added up."""
    files = [part["files"] for part in (first, second) if "files" in part]
    return {**first, **second, **({"files": sum(files)} if files else {})}


def _sum(
    first: Mapping[str, Mapping[str, int]], second: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    tables = [*dict.fromkeys([*first, *second])]
    return {
        table: {
            name: first.get(table, {}).get(name, 0) + second.get(table, {}).get(name, 0)
            for name in ("written", "removed")
        }
        for table in tables
    }
