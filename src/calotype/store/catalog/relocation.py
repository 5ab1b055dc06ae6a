"""Relocation of a workspace, recorded in its catalog so that processes using the old location notice.

Two rows of `workspace`. `moved_to`: the catalog was abandoned; the value is the new location of the workspace.
`bytes_at`: media and tables have moved; the value is their location. Opening an old location follows these rows; a
process that already has it open can no longer write.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from calotype.foundation.errors import Conflict
from calotype.store.catalog import schema

MOVED_TO = "moved_to"
DATA_MOVED_TO = "bytes_at"


class WorkspaceMoved(Conflict):
    """The workspace was moved after this process opened it."""

    code = "workspace-moved"
    what = "this workspace was moved to other storage while this process had it open; nothing was written"
    fix = "run the command again; restart a running server"


def read_relocation(conn: sa.Connection) -> dict[str, Any]:
    """The relocation rows that exist."""
    table = schema.workspace
    rows = conn.execute(
        sa.select(table.c.key, table.c.value).where(table.c.key.in_((MOVED_TO, DATA_MOVED_TO)))
    ).all()
    return {row.key: row.value for row in rows}


def write_relocation(conn: sa.Connection, key: str, value: dict[str, str]) -> None:
    """Write a relocation row."""
    clear_relocation(conn, key)
    conn.execute(schema.workspace.insert().values(key=key, value=value))


def clear_relocation(conn: sa.Connection, *keys: str) -> None:
    """Delete relocation rows (all by default), for example in a catalog that returns to its folder."""
    conn.execute(
        schema.workspace.delete().where(schema.workspace.c.key.in_(keys or (MOVED_TO, DATA_MOVED_TO)))
    )


def check_not_moved(conn: sa.Connection, opened_locations: tuple[str, str] | None) -> None:
    """Refuse a write to an old location. `opened_locations`: the writer's media and tables; None skips that check.

    Raises: WorkspaceMoved.
    """
    relocation = read_relocation(conn)
    locations = relocation.get(DATA_MOVED_TO)
    if MOVED_TO in relocation or (
        locations
        and opened_locations is not None
        and (locations["media"], locations["tables"]) != opened_locations
    ):
        raise WorkspaceMoved()
