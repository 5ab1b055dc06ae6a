"""A SQLite catalog on a disk that cannot be written: a read-only mount, or a full one.

SQLite in WAL mode wants to create two files beside the database even to read. If they are there, it reads through
them; without them no writer is active, so the file cannot change and is read as it is; a log that its writer left
behind is applied in a private copy elsewhere. Source: "Write-Ahead Logging", section "Read-Only Databases", sqlite.org.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from calotype.store.catalog.errors import CatalogNotWritable

_NEEDED_BYTES = 100_000
"""What SQLite needs beside a database that it opens for writing, rounded up."""


class WorkspaceReadOnly(CatalogNotWritable):
    """A write in a workspace that is open for reading only."""

    code = "workspace-read-only"
    what = "the workspace is open for reading only: {detail}"
    fix = "open it where it can be written, then run the same command again; nothing was changed"


def open_read_only(file: Path, set_up: Callable[[sa.Engine], None]) -> tuple[sa.Engine, Path | None]:
    """An engine that reads a catalog without writing to its folder, and the folder of a private copy if it made one.

    Args:
        file: The database.
        set_up: Adds the listeners that every engine has.
    Raises: CatalogNotWritable, CatalogDamaged.
    """
    log = file.with_name(f"{file.name}-wal")
    n_log_bytes = log.stat().st_size if log.is_file() else 0
    if log.is_file():
        engine = _engine(file, "mode=ro", set_up)
        try:
            _probe(engine)
            return engine, None
        except CatalogNotWritable:
            engine.dispose()
    if not n_log_bytes:
        return _engine(file, "mode=ro&immutable=1", set_up), None
    folder = Path(tempfile.mkdtemp(prefix="calotype-catalog-"))
    for part in (file, log):
        shutil.copyfile(part, folder / part.name)
    return _engine(folder / file.name, "mode=rw", set_up), folder


def why_not_writable(folder: Path) -> str:
    """Why nothing can be written to a folder, for messages."""
    disk = os.statvfs(folder)
    if disk.f_flag & os.ST_RDONLY:
        return "its disk is mounted read-only"
    if disk.f_bavail * disk.f_frsize < _NEEDED_BYTES:
        return "its disk is full"
    return "its folder cannot be written"


def _engine(file: Path, options: str, set_up: Callable[[sa.Engine], None]) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///file:{quote(str(file))}?{options}&uri=true",
        connect_args={"check_same_thread": False},
        poolclass=sa.pool.QueuePool,
    )
    sa.event.listen(engine, "connect", _explicit_transactions)
    set_up(engine)
    return engine


def _explicit_transactions(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _probe(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        conn.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
