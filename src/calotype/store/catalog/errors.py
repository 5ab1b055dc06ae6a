"""What the database says when it cannot go on, in our words: it is busy, away, full or damaged, or cut us off."""

from __future__ import annotations

import sqlalchemy as sa

from calotype.foundation.errors import Conflict, External


class WorkspaceBusy(Conflict):
    """Another process holds the write lock, and did for as long as we wait."""

    code = "workspace-busy"
    what = "another process is writing to this workspace and did not end in time"
    fix = "try again; nothing of this command was kept. See whether a process is stopped or hangs"


class WriterCut(Conflict):
    """The database server ended the session of a writer in the middle, mostly because the writer stood still."""

    code = "writer-cut"
    what = "the database server ended this write: it stood still for too long, or the server was stopped"
    fix = "run the same command again; nothing of this one was kept"


class CatalogUnreachable(External):
    """The database server does not answer, or went away in the middle."""

    code = "catalog-unreachable"
    what = "the catalog's database server cannot be reached: {detail}"
    fix = (
        "see that it runs and that address, user and CALOTYPE_CATALOG_PASSWORD are right; then look with"
        " `calotype log` whether the last command was kept before you run it again"
    )


class CatalogNotWritable(External):
    """The disk under the catalog is full or fails."""

    code = "catalog-not-writable"
    what = "the catalog cannot be written: {detail}"
    fix = "make room on the disk or give access, then run the same command again; nothing is half done"


class CatalogDamaged(External):
    """The database file is not what was written."""

    code = "catalog-damaged"
    what = "the catalog cannot be read: {detail}"
    fix = "keep the folder as it is, and bring the workspace back with `calotype restore BACKUP FOLDER`"


_BY_WORDS: tuple[tuple[tuple[str, ...], type[Conflict | External]], ...] = (
    (("database is locked", "database table is locked"), WorkspaceBusy),
    (("disk is full", "disk i/o error", "readonly database", "unable to open"), CatalogNotWritable),
    (("malformed", "not a database"), CatalogDamaged),
)
_BY_STATE: dict[str, type[Conflict | External]] = {
    "55P03": WorkspaceBusy,  # lock_timeout
    "40P01": WorkspaceBusy,  # deadlock
    "53100": CatalogNotWritable,  # disk full
    "25006": CatalogNotWritable,  # a standby: read only
    "42501": CatalogNotWritable,  # no privilege
    "XX001": CatalogDamaged,
    "XX002": CatalogDamaged,
}
_AWAY = (
    "08",
    "25P03",
    "28",
    "3D",
    "53",
    "57",
)  # connection, stood still, access, database, resources, shutdown


def translate(context: sa.engine.ExceptionContext) -> BaseException | None:
    """For SQLAlchemy's `handle_error`: the error to raise in place of the driver's, or None to leave it."""
    error = context.original_exception
    if context.dialect.name == "postgresql":
        return _of_postgresql(error, context.is_disconnect)
    said = str(error).lower()
    for words, kind in _BY_WORDS:
        if any(word in said for word in words):
            return kind(detail=said)
    return None


def _of_postgresql(error: BaseException, is_disconnect: bool) -> BaseException | None:
    told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    state, said = str(told.get("C", "")), str(told.get("M", error))
    kind = _BY_STATE.get(state)
    if kind is None and (state.startswith(_AWAY) or is_disconnect or (not state and _is_of_the_line(error))):
        kind = CatalogUnreachable
    return None if kind is None else kind(detail=said[:300])


def _is_of_the_line(error: BaseException) -> bool:
    return isinstance(error, OSError) or type(error).__name__ == "InterfaceError"
