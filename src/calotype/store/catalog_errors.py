"""What the database says when it cannot go on, in our words: it is busy, its disk is full, or its file is damaged."""

from __future__ import annotations

import sqlalchemy as sa

from calotype.foundation.errors import Conflict, External


class WorkspaceBusy(Conflict):
    """Another process holds the write lock, and did for as long as we wait."""

    code = "workspace-busy"
    what = "another process is writing to this workspace and did not end in time"
    fix = "try again; nothing of this command was kept. See whether a process is stopped or hangs"


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


def translate(context: sa.engine.ExceptionContext) -> BaseException | None:
    """For SQLAlchemy's `handle_error`: the error to raise in place of the driver's, or None to leave it."""
    said = str(context.original_exception).lower()
    if "database is locked" in said or "database table is locked" in said:
        return WorkspaceBusy()
    if any(
        words in said for words in ("disk is full", "disk i/o error", "readonly database", "unable to open")
    ):
        return CatalogNotWritable(detail=said)
    if "malformed" in said or "not a database" in said:
        return CatalogDamaged(detail=said)
    return None
