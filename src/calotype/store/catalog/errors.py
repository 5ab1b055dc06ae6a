"""Translation of database errors: busy, unreachable, full, damaged, or connection terminated."""

from __future__ import annotations

import sqlalchemy as sa

from calotype.foundation.errors import Conflict, External


class WorkspaceBusy(Conflict):
    """Another process has held the write lock for longer than the busy timeout."""

    code = "workspace-busy"
    what = "another process is writing to this workspace and did not finish in time"
    fix = "try again; nothing was changed. Check for a stopped or hanging process"


class WriteInterrupted(Conflict):
    """The database server terminated a write transaction, usually because it was idle for too long."""

    code = "writer-cut"
    what = "the database server terminated this write: it was idle for too long, or the server was stopped"
    fix = "run the same command again; nothing was changed"


class CatalogUnreachable(External):
    """The database server does not answer, or the connection was lost."""

    code = "catalog-unreachable"
    what = "the catalog's database server cannot be reached: {detail}"
    fix = (
        "check that the server runs and that address, user and CALOTYPE_CATALOG_PASSWORD are correct; then check with"
        " `calotype log` whether the last command took effect before you run it again"
    )


class CatalogNotWritable(External):
    """The catalog's disk refuses to be written."""

    code = "catalog-not-writable"
    what = "the catalog cannot be written: {detail}"
    fix = "{remedy_text}, then run the same command again; nothing was changed"


class CatalogDamaged(External):
    """The database file is corrupt."""

    code = "catalog-damaged"
    what = "the catalog cannot be read: {detail}"
    fix = "leave the folder as it is, and restore the workspace with `calotype restore BACKUP FOLDER`"


_ERRORS_BY_MESSAGE: tuple[tuple[tuple[str, ...], type[Conflict | External]], ...] = (
    (("database is locked", "database table is locked"), WorkspaceBusy),
    (("disk is full", "disk i/o error", "readonly database", "unable to open"), CatalogNotWritable),
    (("malformed", "not a database"), CatalogDamaged),
)
_ERRORS_BY_SQLSTATE: dict[str, type[Conflict | External]] = {
    "55P03": WorkspaceBusy,  # lock_timeout
    "40P01": WorkspaceBusy,  # deadlock
    "53100": CatalogNotWritable,  # disk full
    "25006": CatalogNotWritable,  # a standby: read only
    "42501": CatalogNotWritable,  # no privilege
    "XX001": CatalogDamaged,
    "XX002": CatalogDamaged,
}
_UNREACHABLE_SQLSTATES = (
    "08",
    "25P03",
    "28",
    "3D",
    "53",
    "57",
)  # classes: connection, idle timeout, authorisation, database name, resources, shutdown


def translate(context: sa.engine.ExceptionContext) -> BaseException | None:
    """For SQLAlchemy's `handle_error`: the error to raise instead of the driver's, or None to keep that one."""
    error = context.original_exception
    if context.dialect.name == "postgresql":
        return _translate_postgresql(error, context.is_disconnect)
    message = str(error).lower()
    for fragments, error_class in _ERRORS_BY_MESSAGE:
        if any(fragment in message for fragment in fragments):
            return _error(error_class, message)
    return None


def _error(error_class: type[Conflict | External], message: str, state: str = "") -> Conflict | External:
    if error_class is not CatalogNotWritable:
        return error_class(detail=message)
    full = "full" in message or state == "53100"
    failing = "i/o error" in message
    remedy = (
        "free disk space" if full else "check the disk" if failing else "grant write access to the workspace"
    )
    return CatalogNotWritable(detail=message, remedy_text=remedy)


def _translate_postgresql(error: BaseException, is_disconnect: bool) -> BaseException | None:
    fields = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    state, message = str(fields.get("C", "")), str(fields.get("M", error))
    error_class = _ERRORS_BY_SQLSTATE.get(state)
    if error_class is None and (
        state.startswith(_UNREACHABLE_SQLSTATES)
        or is_disconnect
        or (not state and _is_connection_error(error))
    ):
        error_class = CatalogUnreachable
    return None if error_class is None else _error(error_class, message[:300], state)


def _is_connection_error(error: BaseException) -> bool:
    return isinstance(error, OSError) or type(error).__name__ == "InterfaceError"
