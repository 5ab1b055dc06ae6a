"""Catalog queries of the audit trail and of the organisation."""

from __future__ import annotations

import sqlalchemy as sa

from calotype.govern.model import DEFAULT_MODEL, AuditEvent
from calotype.store.catalog import schema

_AUDIT, _WORKSPACE = schema.audit, schema.workspace
_MODEL = "organisation_model"


def events(conn: sa.Connection, *, subject: str | None, limit: int) -> list[AuditEvent]:
    """Events of one subject or of all, newest first."""
    query = sa.select(_AUDIT).order_by(_AUDIT.c.seq.desc()).limit(limit)
    if subject is not None:
        query = query.where(_AUDIT.c.subject == subject)
    return [AuditEvent(**row) for row in conn.execute(query).mappings()]


def organisation_model(conn: sa.Connection) -> str:
    """The model of the organisation."""
    model = conn.scalar(sa.select(_WORKSPACE.c.value).where(_WORKSPACE.c.key == _MODEL))
    return DEFAULT_MODEL if model is None else str(model)


def set_organisation_model(conn: sa.Connection, model: str) -> None:
    """Replace the model of the organisation."""
    conn.execute(_WORKSPACE.delete().where(_WORKSPACE.c.key == _MODEL))
    conn.execute(_WORKSPACE.insert().values(key=_MODEL, value=model))
