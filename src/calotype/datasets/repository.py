"""Catalog queries of datasets: datasets, refs, commits, documents."""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa

from calotype.datasets.commits import Commit, DatasetInfo, Ref
from calotype.foundation.clock import now_us
from calotype.store.catalog import schema

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


def _commit(row: Any) -> Commit:
    values = dict(row)
    values["parents"] = tuple(values["parents"])
    return Commit(**values)
