"""What a catalog says of a workspace that was moved, so that a process that still holds the old place is told.

Two rows of `workspace`. `moved_to`: this catalog was left, and the value is where the workspace lies now. `bytes_at`:
media and tables were moved, and the value is where. Who opens an old place follows; who has one open cannot write.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from calotype.foundation.errors import Conflict
from calotype.store.catalog import schema

MOVED_TO = "moved_to"
BYTES_AT = "bytes_at"


class WorkspaceMoved(Conflict):
    """The workspace was moved since this process opened it."""

    code = "workspace-moved"
    what = "this workspace was moved to another storage while this process had it open; nothing was written"
    fix = "run the command again; a server has to be started again"


def marks(conn: sa.Connection) -> dict[str, Any]:
    """The two rows, where they are there."""
    table = schema.workspace
    found = conn.execute(
        sa.select(table.c.key, table.c.value).where(table.c.key.in_((MOVED_TO, BYTES_AT)))
    ).all()
    return {row.key: row.value for row in found}


def put_mark(conn: sa.Connection, key: str, value: dict[str, str]) -> None:
    """Write one of the rows."""
    drop_marks(conn, key)
    conn.execute(schema.workspace.insert().values(key=key, value=value))


def drop_marks(conn: sa.Connection, *keys: str) -> None:
    """Remove the rows, as in a catalog that is to lie in a folder again."""
    conn.execute(schema.workspace.delete().where(schema.workspace.c.key.in_(keys or (MOVED_TO, BYTES_AT))))


def refuse_when_moved(conn: sa.Connection, opened_at: tuple[str, str] | None) -> None:
    """Raises: WorkspaceMoved. `opened_at`: where whoever writes has media and tables open; None is not asked."""
    found = marks(conn)
    at = found.get(BYTES_AT)
    if MOVED_TO in found or (at and opened_at is not None and (at["media"], at["tables"]) != opened_at):
        raise WorkspaceMoved()
