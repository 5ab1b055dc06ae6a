"""All queries of releases."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from calotype.datasets import repository as datasets
from calotype.datasets.commits import Commit, DatasetInfo, Ref
from calotype.release.model import TAG_PREFIX, File, Release, ReleaseSpec
from calotype.store.catalog import schema

_RELEASES = schema.releases


def add(conn: sa.Connection, info: DatasetInfo, commit: Commit, release: Release) -> None:
    """Insert a release and tag its commit."""
    conn.execute(
        _RELEASES.insert().values(
            dataset_id=info.id,
            version=release.version,
            commit_id=release.commit_id,
            spec=release.spec.to_json(),
            card=dict(release.card),
            files=[file.to_dict() for file in release.files],
            created_at_us=release.created_at_us,
            actor=release.actor,
        )
    )
    tag = Ref(info.id, TAG_PREFIX + release.version, "tag", commit.id, commit.pins, commit.documents, 0)
    datasets.add_ref(conn, tag)


def exists(conn: sa.Connection, info: DatasetInfo, version: str) -> bool:
    """Whether the release or its tag exists."""
    tag = datasets.ref(conn, info.id, TAG_PREFIX + version)
    return tag is not None or get(conn, info, version) is not None


def get(conn: sa.Connection, info: DatasetInfo, version: str) -> Release | None:
    """The release with a version, or None."""
    query = sa.select(_RELEASES).where(_RELEASES.c.dataset_id == info.id, _RELEASES.c.version == version)
    row = conn.execute(query).mappings().first()
    return None if row is None else _release(info, row)


def list_all(conn: sa.Connection, info: DatasetInfo) -> list[Release]:
    """The releases of a dataset, newest first."""
    query = sa.select(_RELEASES).where(_RELEASES.c.dataset_id == info.id)
    ordered = query.order_by(_RELEASES.c.created_at_us.desc(), _RELEASES.c.version.desc())
    return [_release(info, row) for row in conn.execute(ordered).mappings()]


def _release(info: DatasetInfo, row: Any) -> Release:
    return Release(
        dataset=info.name,
        version=row["version"],
        commit_id=row["commit_id"],
        spec=ReleaseSpec.from_json(row["spec"]),
        card=row["card"],
        files=tuple(File(file["path"], file["bytes"], file["sha256"]) for file in row["files"]),
        created_at_us=row["created_at_us"],
        actor=row["actor"],
    )
