"""Catalog queries of identities at a provider, and of answers that were used."""

from __future__ import annotations

import sqlalchemy as sa

from calotype.store.catalog import schema

_IDENTITIES, _STATES = schema.of_people.identities, schema.of_people.used_states
_GRANTS = schema.of_people.grants


def person_id(conn: sa.Connection, issuer: str, subject: str) -> str | None:
    """The person whom an issuer knows under this subject."""
    is_it = (_IDENTITIES.c.issuer == issuer) & (_IDENTITIES.c.subject == subject)
    found: str | None = conn.scalar(sa.select(_IDENTITIES.c.person_id).where(is_it))
    return found


def has_identity(conn: sa.Connection, person_id: str) -> bool:
    """Whether a person has an identity at any issuer."""
    return (
        conn.scalar(sa.select(_IDENTITIES.c.subject).where(_IDENTITIES.c.person_id == person_id)) is not None
    )


def add_identity(conn: sa.Connection, issuer: str, subject: str, person_id: str, *, now_us: int) -> None:
    """Insert an identity."""
    values = {"issuer": issuer, "subject": subject, "person_id": person_id, "created_at_us": now_us}
    conn.execute(_IDENTITIES.insert().values(**values))


def extend_grant(conn: sa.Connection, grant_id: str, until_us: int) -> None:
    """Move the end of a grant."""
    conn.execute(_GRANTS.update().where(_GRANTS.c.id == grant_id).values(until_us=until_us))


def add_state(conn: sa.Connection, sha256: str, *, now_us: int, keep_us: int) -> None:
    """Insert a used answer, and forget old ones. Raises IntegrityError where it was used before."""
    conn.execute(_STATES.delete().where(_STATES.c.at_us < now_us - keep_us))
    conn.execute(_STATES.insert().values(sha256=sha256, at_us=now_us))
