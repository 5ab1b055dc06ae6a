"""The catalog: one SQL database that alone says what a commit, a branch and a tag is.

A SQLite file or a PostgreSQL database (`engines`). When a write returns, it survives a power cut. Write transactions
take the one write lock at once, so a check made inside one still holds when it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.errors import CalotypeError, Conflict
from calotype.foundation.ids import sha256_json
from calotype.store.catalog import schema
from calotype.store.catalog.engines import WRITE, Waits, open_engine
from calotype.store.catalog.errors import CatalogUnreachable, WriterCut
from calotype.store.catalog.relocation import refuse_when_moved

HEAD_REVISION = "0004"
"""The newest migration; a test compares it with the scripts."""

BUSY_TIMEOUT_S = 75.0


class WorkspaceTooNew(Conflict):
    """The catalog was written by a newer Calotype."""

    code = "workspace-too-new"
    what = "this workspace is at catalog revision {found}, this program knows up to {known}"
    fix = "upgrade calotype to the version that wrote the workspace"


class Transaction:
    """One write transaction of one verb; its audit event is written with it or not at all."""

    def __init__(self, conn: sa.Connection, details: dict[str, Any]) -> None:
        self.conn = conn
        self._details = details
        self.abandoned = False

    def details(self, facts: dict[str, Any]) -> None:
        """Add facts to the audit event of this verb."""
        self._details.update(facts)

    def abandon(self) -> None:
        """End without effect and without an audit event: the caller found that it has to try again."""
        self.abandoned = True


class Catalog:
    """Opens the database, migrates it when needed, hands out transactions."""

    def __init__(self, place: Path | str, waits: Waits | None = None) -> None:
        """
        Args:
            place: A SQLite file, or the address of a PostgreSQL database (`postgresql://user@host/database`).

        Raises: CatalogUrlInvalid, TeamExtraMissing, CatalogUnreachable, WorkspaceTooNew.
        """
        self.place = place
        self.bytes_at: tuple[str, str] | None = None
        """Addresses of the media and tables that belong to it as opened; a write is refused once they moved."""
        self.engine = open_engine(place, waits or Waits(busy_s=BUSY_TIMEOUT_S))
        try:
            self._migrate()
        except CalotypeError:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent read of the catalog."""
        with self.engine.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def write(self, actor: Actor, verb: str, *, subject: str) -> Iterator[Transaction]:
        """The transaction of one verb: all of it and its audit event, or nothing."""
        with self.bookkeeping() as conn:
            details: dict[str, Any] = {}
            transaction = Transaction(conn, details)
            yield transaction
            if transaction.abandoned:
                conn.rollback()
            else:
                _append_audit(conn, actor=actor, verb=verb, subject=subject, details=details)

    @contextmanager
    def bookkeeping(self) -> Iterator[sa.Connection]:
        """A write that is no verb: leases, progress, caches. Nothing that a person could be asked about."""
        with self.engine.connect() as conn:
            writer = conn.execution_options(**{WRITE: True})
            with writer.begin():
                refuse_when_moved(writer, self.bytes_at)
                try:
                    yield writer
                except CatalogUnreachable as error:  # before COMMIT was sent, so nothing is kept for certain
                    raise WriterCut() from error

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def _migrate(self) -> None:
        found = self._revision()
        if found == HEAD_REVISION:
            return
        if found is not None and found > HEAD_REVISION:
            raise WorkspaceTooNew(where=self.engine.url.database or "", found=found, known=HEAD_REVISION)
        from calotype.store.catalog.migrations.upgrade import (
            upgrade,  # heavy (alembic), needed once per workspace
        )

        upgrade(self.engine)

    def _revision(self) -> str | None:
        with self.engine.connect() as conn:
            if not sa.inspect(conn).has_table("alembic_version"):
                return None
            found: str | None = conn.scalar(sa.text("SELECT version_num FROM alembic_version"))
            return found


def _append_audit(
    conn: sa.Connection, *, actor: Actor, verb: str, subject: str, details: dict[str, Any]
) -> None:
    last = conn.execute(sa.select(schema.audit.c.hash).order_by(schema.audit.c.seq.desc()).limit(1)).scalar()
    event = {"at_us": now_us(), "actor": actor.id, "verb": verb, "subject": subject, "details": details}
    previous = last or "0" * 64
    row = {**event, "previous": previous, "hash": event_hash(event, previous=previous)}
    conn.execute(schema.audit.insert().values(**row))


def event_hash(event: dict[str, Any], *, previous: str) -> str:
    """The link of the audit chain: SHA-256 over the event and the hash of the event before it."""
    return sha256_json({**event, "previous": previous})
