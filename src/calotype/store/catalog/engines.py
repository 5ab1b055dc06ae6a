"""The two supported databases, both configured so that a write transaction holds the only write lock.

SQLite: WAL mode with `synchronous=FULL`, so that a committed write survives a power failure; writers start with `BEGIN
IMMEDIATE`. PostgreSQL: writers take one advisory lock. Lock timeouts raise the same error, `workspace-busy`.
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
from calotype.store.catalog.read_only import open_read_only
from calotype.store.catalog.text_limits import drop_broken_connection, refuse_unstorable

WRITE = "calotype_write"
"""Execution option of a connection that starts as the writer."""

_WRITE_LOCK = 0x63616C6F74797065
"""Number of the advisory lock: "calotype" in ASCII. Advisory locks are scoped to one database of a server."""

_PASSWORDS = ("CALOTYPE_CATALOG_PASSWORD", "PGPASSWORD")


class TeamExtraMissing(External):
    """A library for storage on servers is not installed."""

    code = "team-extra-missing"
    what = "{purpose} needs {package}, which is not installed"
    fix = 'install it with `pip install "calotype[team]"`'


class CatalogUrlInvalid(Invalid):
    """Not a valid database address."""

    code = "catalog-url-invalid"
    what = "the catalog address {got!r} cannot be used: {detail}"
    fix = "write postgresql://USER@HOST:PORT/DATABASE, and put the password into CALOTYPE_CATALOG_PASSWORD"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a writer waits for the lock, and how long its own transaction may be idle (seconds).

    The lock timeout is the longer one, so that a writer behind a stopped process gets its turn.
    """

    busy_s: float = 75.0
    idle_s: float = 60.0


def open_engine(location: Path | str, timeouts: Timeouts) -> sa.Engine:
    """Create the engine for a SQLite file or a PostgreSQL address.

    Raises: CatalogUrlInvalid, TeamExtraMissing.
    """
    engine = (
        _sqlite(location, timeouts)
        if isinstance(location, Path)
        else _postgresql(parse_catalog_url(location), timeouts)
    )
    _listen(engine)
    return engine


def open_read_only_engine(file: Path) -> tuple[sa.Engine, Path | None]:
    """An engine for a SQLite file in a folder that cannot be written, and the folder of its copy if it needs one.

    Raises: CatalogNotWritable, CatalogDamaged.
    """

    def set_up(engine: sa.Engine) -> None:
        sa.event.listen(engine, "begin", _begin_sqlite)
        _listen(engine)

    return open_read_only(file, set_up)


def _listen(engine: sa.Engine) -> None:
    sa.event.listen(engine, "handle_error", translate, retval=True)
    sa.event.listen(engine, "handle_error", drop_broken_connection)
    sa.event.listen(engine, "before_cursor_execute", refuse_unstorable)


def parse_catalog_url(text: str) -> sa.URL:
    """Parse the address of a PostgreSQL database, which must not contain a password. Raises: CatalogUrlInvalid."""
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise CatalogUrlInvalid(got=text[:20], detail="it is not a URL") from None
    safe_url = url.render_as_string(hide_password=True)
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise CatalogUrlInvalid(got=safe_url, detail="only PostgreSQL and the embedded SQLite are supported")
    if url.password is not None:
        raise CatalogUrlInvalid(
            got=safe_url, detail="it must not contain a password, because addresses are displayed"
        )
    if not url.host or not url.database:
        raise CatalogUrlInvalid(got=safe_url, detail="the host or the database is missing")
    if set(url.query) - {"sslmode"} or url.query.get("sslmode", "prefer") not in _SSL:
        raise CatalogUrlInvalid(
            got=safe_url, detail=f"the only supported option is sslmode: {', '.join(_SSL)}"
        )
    return url


def _sqlite(path: Path, timeouts: Timeouts) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": timeouts.busy_s, "check_same_thread": False},
        poolclass=sa.pool.QueuePool,
        pool_size=8,
        max_overflow=72,  # the server answers 40 requests at once, and a request may read while it writes
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


def _postgresql(url: sa.URL, timeouts: Timeouts) -> sa.Engine:
    if importlib.util.find_spec("pg8000") is None:
        raise TeamExtraMissing(package="pg8000", purpose="a catalog on PostgreSQL")
    password = next((os.environ[name] for name in _PASSWORDS if name in os.environ), None)
    context = _SSL[str(url.query.get("sslmode", "prefer"))]()
    engine = sa.create_engine(
        url.set(drivername="postgresql+pg8000", password=password, query={}),
        connect_args={"ssl_context": context, "application_name": "calotype", "timeout": 30},
        pool_pre_ping=True,  # reconnect after a server restart
        pool_size=8,
        max_overflow=32,
    )

    engine.dialect.do_terminate = _close_quietly  # type: ignore[assignment,method-assign]
    engine.dialect.use_insertmanyvalues_wo_returning = (
        True  # several rows per statement, which the driver cannot do
    )

    def set_up(connection: Any, _record: Any) -> None:
        connection._usock.settimeout(None)  # `timeout` applies to connecting only; a writer may wait longer
        cursor = connection.cursor()
        for setting, seconds in (("lock", timeouts.busy_s), ("idle_in_transaction_session", timeouts.idle_s)):
            cursor.execute(f"SET {setting}_timeout = '{int(seconds * 1000)}ms'")
        cursor.execute(
            "SET tcp_keepalives_idle = 30"
        )  # lets the server detect a client whose machine is gone
        cursor.execute("SET synchronous_commit = on")
        connection.commit()

    sa.event.listen(engine, "do_connect", _connect)
    sa.event.listen(engine, "connect", set_up)
    sa.event.listen(engine, "begin", _begin_postgresql)
    return engine


def _connect(dialect: Any, _record: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Like `pg8000.connect`, but closes the socket if the server refuses the session."""
    connection_class = dialect.loaded_dbapi.Connection
    connection = connection_class.__new__(connection_class)
    connection._usock = None
    try:
        connection.__init__(*arguments, **keywords)
    except (dialect.loaded_dbapi.Error, OSError):
        if connection._usock is not None:
            connection._usock.close()
        raise
    return connection


def _close_quietly(connection: Any) -> None:
    interface_error = importlib.import_module("pg8000").InterfaceError
    with suppress(OSError, interface_error):  # the server may have closed it first
        connection.close()


def _begin_postgresql(conn: sa.Connection) -> None:
    # A writer must see what others committed while it waited for the lock, so its snapshot must not date from then:
    # READ COMMITTED takes one per statement. A reader needs one snapshot for all of its statements.
    if conn.get_execution_options().get(WRITE, False):
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")
    else:
        conn.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def disable_idle_timeout(conn: sa.Connection) -> None:
    """Lift the idle timeout for this transaction, for long work during which it must not be terminated."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def _unverified_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_SSL: dict[str, Any] = {
    "prefer": lambda: None,  # encrypted if the server supports it
    "disable": lambda: False,
    "require": _unverified_context,
    "verify-full": ssl.create_default_context,
}
