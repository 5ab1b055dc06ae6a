"""All queries of the audit trail."""

from __future__ import annotations

import sqlalchemy as sa

from calotype.govern.model import AuditEvent
from calotype.store.catalog import schema

_AUDIT = schema.audit


def events(conn: sa.Connection, *, subject: str | None, limit: int) -> list[AuditEvent]:
    """Events of one subject or of all, newest first."""
    query = sa.select(_AUDIT).order_by(_AUDIT.c.seq.desc()).limit(limit)
    if subject is not None:
        query = query.where(_AUDIT.c.subject == subject)
    return [AuditEvent(**row) for row in conn.execute(query).mappings()]
