"""Every catalog query of this room. Reads whole tables of the catalog on purpose: it is the catalog that is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.datasets.commits import Commit, Pins, Ref
from calotype.store.catalog import schema

_COMMITS, _REFS, _REFLOG, _DATASETS = schema.commits, schema.refs, schema.reflog, schema.datasets

RELEASE_TAG = "release/"
"""How the tags of releases begin; a test compares it with the room `release`, which this room may not import."""


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release as the catalog has it."""

    dataset_id: str
    version: str
    commit_id: str
    files: tuple[Mapping[str, Any], ...]


def dataset_names(conn: sa.Connection) -> dict[str, str]:
    """Id -> name of every dataset, in order of name."""
    rows = conn.execute(sa.select(_DATASETS.c.id, _DATASETS.c.name).order_by(_DATASETS.c.name))
    return {row.id: row.name for row in rows}


def commits(conn: sa.Connection) -> Iterator[Commit]:
    """All commits of all datasets, oldest first."""
    for row in conn.execute(sa.select(_COMMITS).order_by(_COMMITS.c.created_at_us, _COMMITS.c.id)).mappings():
        yield Commit(**{**row, "parents": tuple(row["parents"])})


def commit(conn: sa.Connection, commit_id: str) -> Commit | None:
    """One commit."""
    row = conn.execute(sa.select(_COMMITS).where(_COMMITS.c.id == commit_id)).mappings().first()
    return None if row is None else Commit(**{**row, "parents": tuple(row["parents"])})


def put_back(conn: sa.Connection, name: str, kind: str, to: Commit) -> bool:
    """Let a ref name a commit (made when it is gone), with the commit's state as its working state."""
    values = {"commit_id": to.id, "pins": dict(to.pins), "documents": dict(to.documents)}
    mine = (_REFS.c.dataset_id == to.dataset_id) & (_REFS.c.name == name)
    if conn.execute(_REFS.update().where(mine).values(**values, sequence=_REFS.c.sequence + 1)).rowcount == 1:
        return True
    row = {"dataset_id": to.dataset_id, "name": name, "kind": kind, "sequence": 0, "protection": None}
    conn.execute(_REFS.insert().values(**row, **values))
    return True


def refs(conn: sa.Connection) -> list[Ref]:
    """All branches and tags of all datasets."""
    query = sa.select(_REFS).order_by(_REFS.c.dataset_id, _REFS.c.kind, _REFS.c.name)
    return [Ref(**row) for row in conn.execute(query).mappings()]


def all_pins(conn: sa.Connection) -> dict[str, set[int]]:
    """Table (`<dataset id>/<table>`) -> every version that a commit or a ref pins."""
    found: dict[str, set[int]] = {}
    for source in (_COMMITS, _REFS):
        pins: Pins
        for dataset_id, pins in conn.execute(sa.select(source.c.dataset_id, source.c.pins)):
            for table, pin in pins.items():
                found.setdefault(f"{dataset_id}/{table}", set()).add(pin)
    return found


def document_hashes(conn: sa.Connection) -> dict[str, bool]:
    """SHA-256 of every document -> whether its text still has this hash."""
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
    """What the database says of its own pages and foreign keys; empty when all is well or when it cannot tell."""
    if conn.dialect.name != "sqlite":
        return ()
    said = [str(row[0]) for row in conn.execute(sa.text("PRAGMA quick_check(20)"))]
    broken = [f"the database reports: {line}" for line in said if line != "ok"]
    keys = conn.execute(sa.text("PRAGMA foreign_key_check")).fetchmany(20)
    return tuple(broken + [f"a row of {row[0]} names a row of {row[2]} that is not there" for row in keys])


# ---- reachability and marks


def reachable_commits(conn: sa.Connection, *, since_us: int) -> set[str]:
    """Commits that a ref, a release, a merge or a younger entry of the reflog names, and all their ancestors."""
    named: set[str | None] = set(conn.scalars(sa.select(_REFS.c.commit_id)))
    named |= set(conn.scalars(sa.select(schema.releases.c.commit_id)))
    young = sa.select(_REFLOG.c.old_commit, _REFLOG.c.new_commit).where(_REFLOG.c.at_us >= since_us)
    merges = schema.merges.c
    columns = (merges.base_commit, merges.source_commit, merges.target_commit, merges.merge_commit)
    for query in (young, sa.select(*columns)):
        named |= {commit_id for row in conn.execute(query) for commit_id in row}
    parents: dict[str, list[str]] = {
        row.id: row.parents for row in conn.execute(sa.select(_COMMITS.c.id, _COMMITS.c.parents))
    }
    found: set[str] = set()
    waiting = [commit_id for commit_id in named if commit_id is not None]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += parents.get(current, [])
    return found


def unreachable_commits(conn: sa.Connection, *, since_us: int) -> list[str]:
    """Commits that nothing names any more and that are older than an instant."""
    found = reachable_commits(conn, since_us=since_us)
    old = sa.select(_COMMITS.c.id).where(_COMMITS.c.created_at_us < since_us)
    return [commit_id for commit_id in conn.scalars(old) if commit_id not in found]


def remove_commits(conn: sa.Connection, commit_ids: Collection[str]) -> None:
    """Forget commits that nothing names."""
    for commit_id in commit_ids:
        conn.execute(_COMMITS.delete().where(_COMMITS.c.id == commit_id))


def marks(conn: sa.Connection, kind: str) -> dict[str, int]:
    """Name -> when it was first found unreachable, in microseconds."""
    query = sa.select(schema.sweeps.c.name, schema.sweeps.c.marked_at_us).where(schema.sweeps.c.kind == kind)
    return {row.name: row.marked_at_us for row in conn.execute(query)}


def mark(conn: sa.Connection, kind: str, names: Collection[str], at_us: int) -> None:
    """Remember that these were found unreachable, none of which was marked."""
    if names:
        rows = [{"kind": kind, "name": name, "marked_at_us": at_us} for name in names]
        conn.execute(schema.sweeps.insert(), rows)


def unmark(conn: sa.Connection, kind: str, names: Collection[str]) -> None:
    """Forget marks: reachable again, or gone."""
    for name in names:
        conn.execute(schema.sweeps.delete().where(schema.sweeps.c.kind == kind, schema.sweeps.c.name == name))


def forget_measures(conn: sa.Connection, media: Collection[str]) -> None:
    """Drop what was measured of media that are gone."""
    for sha256 in media:
        conn.execute(schema.measures.delete().where(schema.measures.c.media_sha256 == sha256))


# ---- backups


def workspace_id(conn: sa.Connection) -> str:
    """The id that the workspace got when it was made."""
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
"""The kind of mark with which a running backup keeps sweeps from removing anything."""

_HOLD_US = 3_600 * 1_000_000


def is_held(conn: sa.Connection, now_us: int) -> bool:
    """Whether a backup has told of itself within the last hour."""
    return any(at_us > now_us - _HOLD_US for at_us in marks(conn, HOLD).values())


def forget_marks(conn: sa.Connection) -> None:
    """Drop all marks of sweeps and holds."""
    conn.execute(schema.sweeps.delete())
