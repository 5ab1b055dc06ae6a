"""The catalog: the SQL database that alone defines commits, branches and tags.

A SQLite file or a PostgreSQL database (`engines`). A committed write survives a power failure. Write transactions take
the single write lock when they start, so a check made inside one still holds when it commits.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.errors import CalotypeError, Conflict
from calotype.foundation.hash_chain import START, event_hash
from calotype.foundation.turns import Turns
from calotype.store.catalog import schema
from calotype.store.catalog.engines import WRITE, Timeouts, open_engine, open_read_only_engine
from calotype.store.catalog.errors import CatalogNotWritable, CatalogUnreachable, WriteInterrupted
from calotype.store.catalog.read_only import WorkspaceReadOnly, why_not_writable
from calotype.store.catalog.relocation import check_not_moved

HEAD_REVISION = "0012"
"""The newest migration; a test compares it with the migration scripts."""

BUSY_TIMEOUT_S = 75.0


class WorkspaceTooNew(Conflict):
    """The catalog was written by a newer version of Calotype."""

    code = "workspace-too-new"
    what = "this workspace has catalog revision {found}, but this version supports revisions up to {known}"
    fix = "upgrade calotype to the version that wrote the workspace"


class Transaction:
    """A write transaction and its audit event, which are committed together."""

    def __init__(self, conn: sa.Connection, details: dict[str, Any]) -> None:
        self.conn = conn
        self._details = details
        self.abandoned = False

    def details(self, facts: dict[str, Any]) -> None:
        """Add facts to the audit event."""
        self._details.update(facts)

    def abandon(self) -> None:
        """Roll back without an audit event, because the caller has to try again."""
        self.abandoned = True


class Catalog:
    """Opens and migrates the database, and provides transactions."""

    def __init__(self, location: Path | str, timeouts: Timeouts | None = None) -> None:
        """
        Args:
            location: A SQLite file, or the URL of a PostgreSQL database (`postgresql://user@host/database`).

        Raises: CatalogUrlInvalid, TeamExtraMissing, CatalogUnreachable, WorkspaceTooNew.
        """
        self.location = location
        self.opened_locations: tuple[str, str] | None = None
        """Addresses of the media and tables opened with this catalog; writes are refused once they have moved."""
        timeouts = timeouts or Timeouts(busy_s=BUSY_TIMEOUT_S)
        self.engine = open_engine(location, timeouts)
        self.turns = Turns(location.parent / "turns" if isinstance(location, Path) else self.engine)
        """Where writers of the same branch queue."""
        self._queue_s = timeouts.busy_s / 3
        self.read_only = ""
        """Why nothing can be written; empty if something can."""
        self.writes = 0
        """Number of write transactions that this process has ended: what it remembers of the catalog holds as long as
        this stays the same, except for what other processes write."""
        self._copy: Path | None = None
        try:
            self._migrate()
        except CatalogNotWritable as error:
            self.close()
            if not isinstance(location, Path) or not location.is_file():
                raise
            self._open_for_reading(location, error)
        except CalotypeError:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A read transaction with a consistent snapshot."""
        with self.engine.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def write(self, actor: Actor, verb: str, *, subject: str) -> Iterator[Transaction]:
        """A write transaction that commits its changes and an audit event, or nothing."""
        with self.bookkeeping() as conn:
            details: dict[str, Any] = {}
            transaction = Transaction(conn, details)
            yield transaction
            if transaction.abandoned:
                conn.rollback()
            else:
                _append_audit(conn, actor=actor, verb=verb, subject=subject, details=details)

    def record_reading(self, actor: Actor, verb: str, *, subject: str, details: dict[str, Any]) -> None:
        """Add an audit event for a verb that only reads; where nothing can be written, reading goes on without it."""
        with suppress(CatalogNotWritable), self.write(actor, verb, subject=subject) as tx:
            tx.details(details)

    @contextmanager
    def bookkeeping(self) -> Iterator[sa.Connection]:
        """A write transaction without an audit event: for leases, progress and caches.

        Raises: WorkspaceReadOnly, which code that only caches may ignore.
        """
        if self.read_only:
            raise WorkspaceReadOnly(detail=self.read_only)
        with self._write_turn(), self.engine.connect() as conn:
            writer = conn.execution_options(**{WRITE: True})
            with writer.begin():
                check_not_moved(writer, self.opened_locations)
                try:
                    yield writer
                except CatalogUnreachable as error:  # before COMMIT was sent, so nothing was stored
                    raise WriteInterrupted() from error
            self.writes += 1

    def _write_turn(self) -> AbstractContextManager[bool]:
        """A place in the queue for the write lock.

        SQLite alone would let a writer that has waited long ask less often than one that just came, and a writer that
        waits would occupy a connection. PostgreSQL serves sessions in the order of asking.
        """
        is_file = isinstance(self.location, Path)
        return self.turns.taking("catalog", patience_s=self._queue_s, long_turn_s=None, processes=is_file)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)

    def _open_for_reading(self, file: Path, reason: CatalogNotWritable) -> None:
        """Open a catalog whose folder cannot be written. Raises: CatalogNotWritable if it must be upgraded first."""
        self.engine, self._copy = open_read_only_engine(file)
        self.read_only = why_not_writable(file.parent)
        try:
            if self._revision() != HEAD_REVISION:
                raise reason
        except CalotypeError:
            self.close()
            raise

    def _migrate(self) -> None:
        revision = self._revision()
        if revision == HEAD_REVISION:
            return
        if revision is not None and revision > HEAD_REVISION:
            raise WorkspaceTooNew(where=self.engine.url.database or "", found=revision, known=HEAD_REVISION)
        from calotype.store.catalog.migrations.upgrade import (
            upgrade,  # imports alembic, which is slow; needed once per workspace
        )

        upgrade(self.engine)

    def _revision(self) -> str | None:
        with self.engine.connect() as conn:
            if not sa.inspect(conn).has_table("alembic_version"):
                return None
            revision: str | None = conn.scalar(sa.text("SELECT version_num FROM alembic_version"))
            return revision


def _append_audit(
    conn: sa.Connection, *, actor: Actor, verb: str, subject: str, details: dict[str, Any]
) -> None:
    last = conn.execute(sa.select(schema.audit.c.hash).order_by(schema.audit.c.seq.desc()).limit(1)).scalar()
    if actor.request:
        details = {**details, "request": dict(actor.request)}
    event = {"at_us": now_us(), "actor": actor.id, "verb": verb, "subject": subject, "details": details}
    previous = last or START
    row = {**event, "previous": previous, "hash": event_hash(event, previous=previous)}
    conn.execute(schema.audit.insert().values(**row))
