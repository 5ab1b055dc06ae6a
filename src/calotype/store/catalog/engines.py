"""The two databases a catalog may lie in, each set up so that a write holds the only write lock until it ends.

SQLite in WAL mode with `synchronous=FULL`: when a write returns, it survives a power cut. Writers begin with `BEGIN
IMMEDIATE`. PostgreSQL: writers begin with one advisory lock. Both waits end in the same error, `workspace-busy`.
"""

from __future__ import annotations

import importlib.util
import os
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from calotype.foundation.errors import External, Invalid
from calotype.store.catalog.errors import translate
from calotype.store.catalog.text_limits import drop_unsure, refuse_unstorable

WRITE = "calotype_write"
"""The execution option of a connection that begins as the writer."""

_WRITE_LOCK = 0x63616C6F74797065
"""The advisory lock's number: "calotype" in ASCII. Advisory locks belong to one database of a server."""

_PASSWORDS = ("CALOTYPE_CATALOG_PASSWORD", "PGPASSWORD")


class TeamExtraMissing(External):
    """A library for stores on servers is not installed."""

    code = "team-extra-missing"
    what = "{package} is not installed, and {purpose} needs it"
    fix = 'install it with `pip install "calotype[team]"`'


class CatalogUrlInvalid(Invalid):
    """Not the address of a database that we know."""

    code = "catalog-url-invalid"
    what = "the catalog address {got!r} cannot be used: {detail}"
    fix = "write postgresql://USER@HOST:PORT/DATABASE, and put the password into CALOTYPE_CATALOG_PASSWORD"


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a writer waits for another, and how long a writer may stand still in its transaction (seconds).

    Waiting lasts longer than standing still, so that whoever waits behind a stopped process gets through.
    """

    busy_s: float = 75.0
    idle_s: float = 60.0


def open_engine(place: Path | str, waits: Waits) -> sa.Engine:
    """An engine for a SQLite file or a PostgreSQL address.

    Raises: CatalogUrlInvalid, TeamExtraMissing.
    """
    engine = _sqlite(place, waits) if isinstance(place, Path) else _postgresql(checked_url(place), waits)
    sa.event.listen(engine, "handle_error", translate, retval=True)
    sa.event.listen(engine, "handle_error", drop_unsure)
    sa.event.listen(engine, "before_cursor_execute", refuse_unstorable)
    return engine


def checked_url(text: str) -> sa.URL:
    """The address of a PostgreSQL database without a password in it. Raises: CatalogUrlInvalid."""
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise CatalogUrlInvalid(got=text[:20], detail="it is not an address") from None
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise CatalogUrlInvalid(got=shown, detail="only PostgreSQL is known beside the embedded SQLite")
    if url.password is not None:
        raise CatalogUrlInvalid(
            got=shown, detail="a password has no place in it, because addresses get shown"
        )
    if not url.host or not url.database:
        raise CatalogUrlInvalid(got=shown, detail="it lacks the host or the database")
    if set(url.query) - {"sslmode"} or url.query.get("sslmode", "prefer") not in _SSL:
        raise CatalogUrlInvalid(got=shown, detail=f"after ? only sslmode is known, one of {', '.join(_SSL)}")
    return url


def _sqlite(path: Path, waits: Waits) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": waits.busy_s, "check_same_thread": False},
        poolclass=sa.pool.QueuePool,
    )
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we emit BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(conn: sa.Connection) -> None:
    immediate = conn.get_execution_options().get(WRITE, False)
    conn.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN DEFERRED")


def _postgresql(url: sa.URL, waits: Waits) -> sa.Engine:
    if importlib.util.find_spec("pg8000") is None:
        raise TeamExtraMissing(package="pg8000", purpose="a catalog on PostgreSQL")
    password = next((os.environ[name] for name in _PASSWORDS if name in os.environ), None)
    context = _SSL[str(url.query.get("sslmode", "prefer"))]()
    engine = sa.create_engine(
        url.set(drivername="postgresql+pg8000", password=password, query={}),
        connect_args={"ssl_context": context, "application_name": "calotype", "timeout": 30},
        pool_pre_ping=True,  # a server that was restarted in between is no reason to fail
        pool_size=8,
        max_overflow=32,
    )

    engine.dialect.do_terminate = _let_go  # type: ignore[assignment,method-assign]
    engine.dialect.use_insertmanyvalues_wo_returning = (
        True  # many rows in one statement, as the driver cannot
    )

    def set_up(connection: Any, _record: Any) -> None:
        connection._usock.settimeout(None)  # `timeout` was for connecting; a writer may wait longer than that
        cursor = connection.cursor()
        for setting, seconds in (("lock", waits.busy_s), ("idle_in_transaction_session", waits.idle_s)):
            cursor.execute(f"SET {setting}_timeout = '{int(seconds * 1000)}ms'")
        cursor.execute("SET tcp_keepalives_idle = 30")  # the server notices a client whose machine is gone
        cursor.execute("SET synchronous_commit = on")
        connection.commit()

    sa.event.listen(engine, "do_connect", _connect)
    sa.event.listen(engine, "connect", set_up)
    sa.event.listen(engine, "begin", _begin_postgresql)
    return engine


def _connect(dialect: Any, _record: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
    """What `pg8000.connect` does, and let go of the socket of a session that the server refused, which it does not."""
    kind = dialect.loaded_dbapi.Connection
    connection = kind.__new__(kind)
    connection._usock = None
    try:
        connection.__init__(*arguments, **named)
    except (dialect.loaded_dbapi.Error, OSError):
        if connection._usock is not None:
            connection._usock.close()
        raise
    return connection


def _let_go(connection: Any) -> None:
    gone = importlib.import_module("pg8000").InterfaceError
    with suppress(OSError, gone):  # the server may have gone first; nobody has to read of it
        connection.close()


def _begin_postgresql(conn: sa.Connection) -> None:
    # A writer sees what others committed while it waited, so it must not take its snapshot with the lock: READ
    # COMMITTED takes a new one for each statement. A reader wants one snapshot for all of its statements.
    if conn.get_execution_options().get(WRITE, False):
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")
    else:
        conn.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def be_patient(conn: sa.Connection) -> None:
    """Let this transaction rest as long as it likes, for a long piece of work beside it that must not be cut off."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def _unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_SSL: dict[str, Any] = {
    "prefer": lambda: None,  # encrypted where the server offers it
    "disable": lambda: False,
    "require": _unchecked,
    "verify-full": ssl.create_default_context,
}
