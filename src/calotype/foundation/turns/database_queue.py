"""A queue of processes on several machines that share a PostgreSQL catalog: an advisory lock of a transaction."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import sqlalchemy as sa

from calotype.foundation.errors import CalotypeError


class DatabaseQueue:
    """A queue kept by the database server, which serves in the order of asking and drops sessions that end."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        digest = hashlib.sha256(name.encode()).digest()
        self._keys = [int.from_bytes(digest[at : at + 4], "big", signed=True) for at in (0, 4)]

    def enter(self, *, timeout_s: float, give_up_after_s: float | None = None) -> DatabaseTurn | None:
        """Wait for the turn of this process; None if it did not come in time.

        The server does not tell since when another session has its turn, so the shorter time is the limit.
        """
        wait_ms = int(1000 * min(timeout_s, give_up_after_s or timeout_s))
        conn = None
        try:
            conn = self._engine.connect()
            conn.exec_driver_sql(f"SET LOCAL lock_timeout = '{wait_ms}ms'")
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({self._keys[0]}, {self._keys[1]})")
        except (CalotypeError, sa.exc.SQLAlchemyError):
            if conn is not None:
                _close(conn)
            return None
        return DatabaseTurn(conn)


class DatabaseTurn:
    """The turn of this process; `end` passes it on."""

    def __init__(self, conn: sa.Connection) -> None:
        self._conn = conn

    def end(self) -> None:
        """Let the next one in."""
        _close(self._conn)


def _close(conn: sa.Connection) -> None:
    with suppress(
        CalotypeError, sa.exc.SQLAlchemyError
    ):  # the server may have ended the session: its turn is over
        conn.rollback()
    with suppress(CalotypeError, sa.exc.SQLAlchemyError):
        conn.close()
