"""Catalog queries of this room. Reads whole tables on purpose, because the catalog itself is verified."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.contracts.classification import held_datasets
from calotype.datasets.commits import Commit, Pins, Ref
from calotype.store.catalog import schema

_COMMITS, _REFS, _REFLOG, _DATASETS = schema.commits, schema.refs, schema.reflog, schema.datasets

RELEASE_TAG = "release/"
"""Prefix of release tags; a test compares it with the room `release`, which this room must not import."""


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release, as stored in the catalog."""

    dataset_id: str
    version: str
    commit_id: str
    files: tuple[Mapping[str, Any], ...]


def dataset_names(conn: sa.Connection) -> dict[str, str]:
    """Id -> name of every dataset, ordered by name."""
    rows = conn.execute(sa.select(_DATASETS.c.id, _DATASETS.c.name).order_by(_DATASETS.c.name))
    return {row.id: row.name for row in rows}


def commits(conn: sa.Connection) -> Iterator[Commit]:
    """All commits of all datasets, oldest first."""
    for row in conn.execute(sa.select(_COMMITS).order_by(_COMMITS.c.created_at_us, _COMMITS.c.id)).mappings():
        yield Commit(**{**row, "parents": tuple(row["parents"])})


def commit(conn: sa.Connection, commit_id: str) -> Commit | None:
    """One commit; None if it does not exist."""
    row = conn.execute(sa.select(_COMMITS).where(_COMMITS.c.id == commit_id)).mappings().first()
    return None if row is None else Commit(**{**row, "parents": tuple(row["parents"])})


def reset_ref(conn: sa.Connection, name: str, kind: str, to: Commit) -> bool:
    """Point a ref at a commit, with the commit's state as its working state; creates a missing ref."""
    values = {"commit_id": to.id, "pins": dict(to.pins), "documents": dict(to.documents)}
    is_this_ref = (_REFS.c.dataset_id == to.dataset_id) & (_REFS.c.name == name)
    edits = schema.edits
    conn.execute(edits.delete().where(edits.c.dataset_id == to.dataset_id, edits.c.branch == name))
    if (
        conn.execute(
            _REFS.update().where(is_this_ref).values(**values, sequence=_REFS.c.sequence + 1)
        ).rowcount
        == 1
    ):
        return True
    row = {"dataset_id": to.dataset_id, "name": name, "kind": kind, "sequence": 0, "protection": None}
    conn.execute(_REFS.insert().values(**row, **values))
    return True


def refs(conn: sa.Connection) -> list[Ref]:
    """All branches and tags of all datasets."""
    query = sa.select(_REFS).order_by(_REFS.c.dataset_id, _REFS.c.kind, _REFS.c.name)
    return [Ref(**row) for row in conn.execute(query).mappings()]


def all_pins(conn: sa.Connection) -> dict[str, set[int]]:
    """Table (`<dataset id>/<table>`) -> every version that a commit or a ref pins, or that an undo can restore."""
    edits = schema.edits.c
    queries = [sa.select(source.c.dataset_id, source.c.pins) for source in (_COMMITS, _REFS)]
    queries += [sa.select(edits.dataset_id, state["pins"]) for state in (edits.before, edits.after)]
    versions: dict[str, set[int]] = {}
    for query in queries:
        pins: Pins
        for dataset_id, pins in conn.execute(query):
            for table, pin in pins.items():
                versions.setdefault(f"{dataset_id}/{table}", set()).add(pin)
    return versions


def forget_edits(conn: sa.Connection, before_us: int) -> int:
    """Remove edits that were made before a time from the journal; their states are not kept. Returns: how many.

    Those of datasets under a hold stay.
    """
    edits = schema.edits
    old = edits.delete().where(edits.c.at_us < before_us)
    return conn.execute(old.where(edits.c.dataset_id.not_in(held_datasets(conn)))).rowcount


def document_hashes(conn: sa.Connection) -> dict[str, bool]:
    """SHA-256 of every document -> whether its body matches this hash."""
    rows = conn.execute(sa.select(schema.documents.c.sha256, schema.documents.c.body))
    return {row.sha256: hashlib.sha256(row.body.encode()).hexdigest() == row.sha256 for row in rows}


def releases(conn: sa.Connection) -> list[ReleaseRow]:
    """All releases."""
    table = schema.releases
    rows = conn.execute(sa.select(table.c.dataset_id, table.c.version, table.c.commit_id, table.c.files))
    return [ReleaseRow(row.dataset_id, row.version, row.commit_id, tuple(row.files)) for row in rows]


def imports(conn: sa.Connection) -> list[tuple[str, str, str]]:
    """Import records: (dataset id, id, source)."""
    table = schema.imports
    return [(row.dataset_id, row.id, row.source) for row in conn.execute(sa.select(table))]


def logged_moves(conn: sa.Connection) -> list[tuple[str, str, str | None, str | None, int]]:
    """The reflog, oldest first: (dataset id, ref, old commit, new commit, microseconds)."""
    rows = conn.execute(sa.select(_REFLOG).order_by(_REFLOG.c.id))
    return [(row.dataset_id, row.ref, row.old_commit, row.new_commit, row.at_us) for row in rows]


def integrity(conn: sa.Connection) -> tuple[str, ...]:
    """Integrity errors that the database itself reports; empty if there are none or it has no such check."""
    if conn.dialect.name != "sqlite":
        return ()
    messages = [str(row[0]) for row in conn.execute(sa.text("PRAGMA quick_check(20)"))]
    broken = [f"the database reports: {line}" for line in messages if line != "ok"]
    keys = conn.execute(sa.text("PRAGMA foreign_key_check")).fetchmany(20)
    return tuple(broken + [f"a row of {row[0]} refers to a missing row of {row[2]}" for row in keys])


# ---- reachability and sweep marks


def reachable_commits(conn: sa.Connection, *, since_us: int) -> set[str]:
    """Commits that a ref, release, merge or recent reflog entry refers to, with all their ancestors."""
    referenced: set[str | None] = set(conn.scalars(sa.select(_REFS.c.commit_id)))
    referenced |= set(conn.scalars(sa.select(schema.releases.c.commit_id)))
    recent = sa.select(_REFLOG.c.old_commit, _REFLOG.c.new_commit).where(_REFLOG.c.at_us >= since_us)
    merges = schema.merges.c
    columns = (merges.base_commit, merges.source_commit, merges.target_commit, merges.merge_commit)
    for query in (recent, sa.select(*columns)):
        referenced |= {commit_id for row in conn.execute(query) for commit_id in row}
    parents: dict[str, list[str]] = {
        row.id: row.parents for row in conn.execute(sa.select(_COMMITS.c.id, _COMMITS.c.parents))
    }
    reachable: set[str] = set()
    pending = [commit_id for commit_id in referenced if commit_id is not None]
    while pending:
        current = pending.pop()
        if current not in reachable:
            reachable.add(current)
            pending += parents.get(current, [])
    return reachable


def unreachable_commits(conn: sa.Connection, *, since_us: int) -> list[str]:
    """Commits older than a point in time that nothing refers to, of datasets without a hold."""
    reachable = reachable_commits(conn, since_us=since_us)
    old = sa.select(_COMMITS.c.id).where(
        _COMMITS.c.created_at_us < since_us, _COMMITS.c.dataset_id.not_in(held_datasets(conn))
    )
    return [commit_id for commit_id in conn.scalars(old) if commit_id not in reachable]


def remove_commits(conn: sa.Connection, commit_ids: Collection[str]) -> None:
    """Delete unreachable commits."""
    for commit_id in commit_ids:
        conn.execute(_COMMITS.delete().where(_COMMITS.c.id == commit_id))


def marks(conn: sa.Connection, kind: str) -> dict[str, int]:
    """Name -> when it was first found unreachable, in microseconds."""
    query = sa.select(schema.sweeps.c.name, schema.sweeps.c.marked_at_us).where(schema.sweeps.c.kind == kind)
    return {row.name: row.marked_at_us for row in conn.execute(query)}


def mark(conn: sa.Connection, kind: str, names: Collection[str], at_us: int) -> None:
    """Mark names as unreachable. None of them may be marked already."""
    if names:
        rows = [{"kind": kind, "name": name, "marked_at_us": at_us} for name in names]
        conn.execute(schema.sweeps.insert(), rows)


def unmark(conn: sa.Connection, kind: str, names: Collection[str]) -> None:
    """Delete marks of names that are reachable again or removed."""
    for name in names:
        conn.execute(schema.sweeps.delete().where(schema.sweeps.c.kind == kind, schema.sweeps.c.name == name))


def forget_measures(conn: sa.Connection, media: Collection[str]) -> None:
    """Delete cached measures of removed media."""
    for sha256 in media:
        conn.execute(schema.measures.delete().where(schema.measures.c.media_sha256 == sha256))


# ---- backups


def workspace_id(conn: sa.Connection) -> str:
    """The id given to the workspace on creation."""
    query = sa.select(schema.workspace.c.value).where(schema.workspace.c.key == "id")
    return str(conn.execute(query).scalar())


def audit_head(conn: sa.Connection) -> str:
    """The hash of the newest audit event."""
    query = sa.select(schema.audit.c.hash).order_by(schema.audit.c.seq.desc()).limit(1)
    return str(conn.execute(query).scalar() or "")


def has_event(conn: sa.Connection, link: str) -> bool:
    """Whether an audit event has this hash."""
    return conn.execute(sa.select(schema.audit.c.seq).where(schema.audit.c.hash == link)).first() is not None


HOLD = "hold"
"""Kind of mark that a running copy sets to lock out sweeps."""

_LOCK_EXPIRY_US = 3_600 * 1_000_000


def sweeps_locked(conn: sa.Connection, now_us: int) -> bool:
    """Whether a running copy has renewed its lock within the last hour."""
    return any(at_us > now_us - _LOCK_EXPIRY_US for at_us in marks(conn, HOLD).values())


def forget_marks(conn: sa.Connection) -> None:
    """Delete all marks and locks of sweeps."""
    conn.execute(schema.sweeps.delete())
