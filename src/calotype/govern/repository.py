"""Catalog queries of the audit trail and of the organisation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import ACCOUNT
from calotype.govern.checkpoint import Checkpoint
from calotype.govern.model import CHECKPOINT_VERB, DEFAULT_MODEL, AuditEvent, AuditFilter
from calotype.store.catalog import schema

_AUDIT, _WORKSPACE = schema.audit, schema.workspace
_PEOPLE = schema.of_people.people
_CHUNK = 5_000
_MODEL = "organisation_model"


def events(conn: sa.Connection, wanted: AuditFilter, *, limit: int) -> list[AuditEvent]:
    """Events that a filter keeps, newest first."""
    query = _select(wanted).order_by(_AUDIT.c.seq.desc()).limit(limit)
    return [AuditEvent(**row) for row in conn.execute(query).mappings()]


def every_event(conn: sa.Connection, wanted: AuditFilter) -> Iterator[AuditEvent]:
    """Events that a filter keeps, oldest first, read in chunks."""
    last = 0
    while True:
        query = _select(wanted).where(_AUDIT.c.seq > last).order_by(_AUDIT.c.seq).limit(_CHUNK)
        rows = [AuditEvent(**row) for row in conn.execute(query).mappings()]
        yield from rows
        if len(rows) < _CHUNK:
            return
        last = rows[-1].seq


def checkpoints(conn: sa.Connection) -> list[tuple[int, Checkpoint]]:
    """The checkpoints that the log itself holds, with the numbers of their events."""
    details = sa.cast(_AUDIT.c.details, sa.Text)  # as text: the JSON may have been tampered with
    query = sa.select(_AUDIT.c.seq, details).where(_AUDIT.c.verb == CHECKPOINT_VERB).order_by(_AUDIT.c.seq)
    return [
        (seq, checkpoint) for seq, text in conn.execute(query) if (checkpoint := _recorded(text)) is not None
    ]


def origin(conn: sa.Connection) -> str:
    """The name of this workspace's log in its checkpoints."""
    workspace = schema.workspace
    return f"calotype-audit/{conn.scalar(sa.select(workspace.c.value).where(workspace.c.key == 'id'))}"


def _recorded(details: str) -> Checkpoint | None:
    try:
        return Checkpoint.of_details(json.loads(details))
    except ValueError:
        return None


def _select(wanted: AuditFilter) -> sa.Select[Any]:
    named = sa.func.coalesce(_PEOPLE.c.name, "").label("actor_name")
    joined = _AUDIT.outerjoin(_PEOPLE, _AUDIT.c.actor == sa.literal(ACCOUNT).concat(_PEOPLE.c.id))
    query = sa.select(*_AUDIT.c, named).select_from(joined)
    if wanted.subject is not None:
        query = query.where(_AUDIT.c.subject == wanted.subject)
    if wanted.who:
        query = query.where(
            sa.or_(
                _AUDIT.c.actor == wanted.who,
                _PEOPLE.c.email == wanted.who.casefold(),
                _PEOPLE.c.name == wanted.who,
            )
        )
    if wanted.verb:
        within = _AUDIT.c.verb.startswith(f"{wanted.verb}.", autoescape=True)
        query = query.where(sa.or_(_AUDIT.c.verb == wanted.verb, within))
    if wanted.since_us is not None:
        query = query.where(_AUDIT.c.at_us >= wanted.since_us)
    if wanted.until_us is not None:
        query = query.where(_AUDIT.c.at_us < wanted.until_us)
    if wanted.before_seq is not None:
        query = query.where(_AUDIT.c.seq < wanted.before_seq)
    return query if wanted.seq is None else query.where(_AUDIT.c.seq == wanted.seq)


def organisation_model(conn: sa.Connection) -> str:
    """The model of the organisation."""
    model = conn.scalar(sa.select(_WORKSPACE.c.value).where(_WORKSPACE.c.key == _MODEL))
    return DEFAULT_MODEL if model is None else str(model)


def set_organisation_model(conn: sa.Connection, model: str) -> None:
    """Replace the model of the organisation."""
    conn.execute(_WORKSPACE.delete().where(_WORKSPACE.c.key == _MODEL))
    conn.execute(_WORKSPACE.insert().values(key=_MODEL, value=model))
