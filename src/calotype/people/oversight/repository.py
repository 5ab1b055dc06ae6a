"""Catalog queries of access requests, and of what the audit trail says about use."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import ACCOUNT
from calotype.people.oversight.model import WAITING, AccessRequest, FourEyes, KeepDecision
from calotype.store.catalog import schema

_REQUESTS, _PEOPLE, _AUDIT = schema.of_people.access_requests, schema.of_people.people, schema.audit
_WORKSPACE, _FOUR_EYES = schema.workspace, "four_eyes"
KEEP_VERB = "access.keep"
REFUSED_VERB = "access.refused"


def add_request(conn: sa.Connection, request: AccessRequest) -> None:
    """Insert a request."""
    names = ("id", "person_id", "role", "place", "reason", "asked_at_us", "state", "note", "grant_id")
    conn.execute(_REQUESTS.insert().values(**{name: getattr(request, name) for name in names}))


def change_request(conn: sa.Connection, request_id: str, **values: Any) -> None:
    """Change columns of a request."""
    conn.execute(_REQUESTS.update().where(_REQUESTS.c.id == request_id).values(**values))


def requests(
    conn: sa.Connection, *, person_id: str = "", request_id: str = "", state: str = "", limit: int = 1_000
) -> list[AccessRequest]:
    """Requests, newest first: of one person, with one id, or in one state; at most `limit` of them.

    `waiting` stands for all states that wait for somebody.
    """
    query = sa.select(_REQUESTS, _PEOPLE.c.email, _PEOPLE.c.name).join(
        _PEOPLE, _PEOPLE.c.id == _REQUESTS.c.person_id
    )
    for column, value in (("person_id", person_id), ("id", request_id), ("state", state)):
        if value:
            wanted = WAITING if value == "waiting" else (value,)
            query = query.where(_REQUESTS.c[column].in_(wanted))
    rows = conn.execute(query.order_by(_REQUESTS.c.id.desc()).limit(limit)).mappings()
    return [_request(row) for row in rows]


def _request(row: Any) -> AccessRequest:
    names = ("id", "person_id", "role", "place", "reason", "asked_at_us", "state", "answered_at_us")
    return AccessRequest(
        **{name: row[name] for name in names},
        who=row["email"],
        name=row["name"],
        answered_by=row["answered_by"] or "",
        note=row["note"],
        grant_id=row["grant_id"],
    )


def last_uses(conn: sa.Connection, *, since_us: int) -> dict[str, dict[str, int]]:
    """Id of a person -> subject of events -> when that person last did something about it, since a time.

    Refusals do not count.
    """
    query = (
        sa.select(_AUDIT.c.actor, _AUDIT.c.subject, sa.func.max(_AUDIT.c.at_us))
        .where(
            _AUDIT.c.at_us >= since_us,
            _AUDIT.c.verb != REFUSED_VERB,
            _AUDIT.c.actor.startswith(ACCOUNT, autoescape=True),
        )
        .group_by(_AUDIT.c.actor, _AUDIT.c.subject)
    )
    uses: dict[str, dict[str, int]] = {}
    for actor, subject, at_us in conn.execute(query):
        uses.setdefault(actor.removeprefix(ACCOUNT), {})[subject] = at_us
    return uses


def kept(conn: sa.Connection, *, since_us: int) -> dict[tuple[str, str], KeepDecision]:
    """(Kind, id) of rows of the review -> who kept each last, since a time."""
    query = sa.select(_AUDIT.c.at_us, _AUDIT.c.details).where(
        _AUDIT.c.verb == KEEP_VERB, _AUDIT.c.at_us >= since_us
    )
    return {
        (details["kind"], details["id"]): KeepDecision(details["by"], at_us, details["reason"])
        for at_us, details in conn.execute(query.order_by(_AUDIT.c.seq))
    }


def four_eyes(conn: sa.Connection) -> FourEyes:
    """Whether governing rights need a second owner."""
    value = conn.scalar(sa.select(_WORKSPACE.c.value).where(_WORKSPACE.c.key == _FOUR_EYES))
    if value is None:
        return FourEyes()
    return FourEyes(bool(value["on"]), str(value["off_by"]), int(value["off_at_us"]))


def set_four_eyes(conn: sa.Connection, value: FourEyes) -> None:
    """Replace the setting."""
    conn.execute(_WORKSPACE.delete().where(_WORKSPACE.c.key == _FOUR_EYES))
    conn.execute(_WORKSPACE.insert().values(key=_FOUR_EYES, value=asdict(value)))
