"""Catalog queries of sessions, API tokens and failed attempts to sign in."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from calotype.foundation.ids import uuid7
from calotype.people.model import ApiToken, SignedInSession
from calotype.people.repository import dataset_names
from calotype.store.catalog import schema

_PEOPLE, _SESSIONS = schema.of_people.people, schema.of_people.sessions
_TOKENS, _ATTEMPTS = schema.of_people.tokens, schema.of_people.attempts


def add_session(
    conn: sa.Connection,
    session_id: str,
    person_id: str,
    secret_sha256: str,
    *,
    browser: str,
    address: str,
    now_us: int,
) -> None:
    """Insert a session."""
    times = {"created_at_us": now_us, "rotated_at_us": now_us, "used_at_us": now_us}
    texts = {"browser": browser[:200], "address": address[:200], "previous_sha256": ""}
    row = {"id": session_id, "person_id": person_id, "secret_sha256": secret_sha256, **texts, **times}
    conn.execute(_SESSIONS.insert().values(**row))


def session(conn: sa.Connection, secret_sha256: str) -> Any | None:
    """The row of the session with this secret, present or previous."""
    either = (_SESSIONS.c.secret_sha256 == secret_sha256) | (_SESSIONS.c.previous_sha256 == secret_sha256)
    return conn.execute(sa.select(_SESSIONS).where(either)).mappings().first()


def change_session(conn: sa.Connection, session_id: str, **values: Any) -> None:
    """Change columns of a session."""
    conn.execute(_SESSIONS.update().where(_SESSIONS.c.id == session_id).values(**values))


def sessions(
    conn: sa.Connection, person_id: str, *, created_after_us: int, used_after_us: int, this: str = ""
) -> list[SignedInSession]:
    """The sessions of a person that can still be used, newest first."""
    alive = (
        (_SESSIONS.c.person_id == person_id)
        & _SESSIONS.c.ended_at_us.is_(None)
        & (_SESSIONS.c.created_at_us > created_after_us)
        & (_SESSIONS.c.used_at_us > used_after_us)
    )
    rows = conn.execute(sa.select(_SESSIONS).where(alive).order_by(_SESSIONS.c.id.desc())).mappings()
    return [
        SignedInSession(
            row["id"],
            row["browser"],
            row["address"],
            row["created_at_us"],
            row["used_at_us"],
            row["id"] == this,
        )
        for row in rows
    ]


def end_sessions(
    conn: sa.Connection, person_id: str, *, now_us: int, session_id: str = "", but: str = ""
) -> int:
    """End one session of a person, or all but one; returns how many ended."""
    which = (_SESSIONS.c.person_id == person_id) & _SESSIONS.c.ended_at_us.is_(None)
    if session_id:
        which &= _SESSIONS.c.id == session_id
    if but:
        which &= _SESSIONS.c.id != but
    return conn.execute(_SESSIONS.update().where(which).values(ended_at_us=now_us)).rowcount


def add_token(conn: sa.Connection, **values: Any) -> None:
    """Insert an API token."""
    conn.execute(_TOKENS.insert().values(**values))


def copy_token(conn: sa.Connection, token_id: str, **changed: Any) -> None:
    """Insert a copy of a token with other values in some columns."""
    row = conn.execute(sa.select(_TOKENS).where(_TOKENS.c.id == token_id)).mappings().one()
    conn.execute(_TOKENS.insert().values(**{**row, **changed}))


def token_row(conn: sa.Connection, secret_sha256: str) -> Any | None:
    """The row of the token with this secret."""
    return conn.execute(sa.select(_TOKENS).where(_TOKENS.c.secret_sha256 == secret_sha256)).mappings().first()


def tokens(conn: sa.Connection, *, person_id: str | None = None) -> list[ApiToken]:
    """Tokens that were not revoked, of one person or of all, newest first."""
    query = sa.select(_TOKENS, _PEOPLE.c.email).join(_PEOPLE).where(_TOKENS.c.revoked_at_us.is_(None))
    if person_id is not None:
        query = query.where(_TOKENS.c.person_id == person_id)
    return [
        ApiToken(
            row["id"],
            row["email"],
            row["name"],
            row["prefix"],
            tuple(row["scopes"]),
            dataset_names(conn, row["dataset_ids"]),
            row["created_at_us"],
            row["until_us"],
            row["used_at_us"],
        )
        for row in conn.execute(query.order_by(_TOKENS.c.id.desc())).mappings()
    ]


def change_token(conn: sa.Connection, token_id: str, **values: Any) -> None:
    """Change columns of a token."""
    conn.execute(_TOKENS.update().where(_TOKENS.c.id == token_id).values(**values))


def end_tokens(conn: sa.Connection, person_id: str, *, now_us: int) -> int:
    """Revoke all tokens of a person; returns how many."""
    which = (_TOKENS.c.person_id == person_id) & _TOKENS.c.revoked_at_us.is_(None)
    return conn.execute(_TOKENS.update().where(which).values(revoked_at_us=now_us)).rowcount


def add_attempt(conn: sa.Connection, subject: str, *, now_us: int, keep_us: int) -> None:
    """Note a failed attempt; forget those that are too old to count."""
    conn.execute(_ATTEMPTS.delete().where(_ATTEMPTS.c.at_us < now_us - keep_us))
    conn.execute(_ATTEMPTS.insert().values(id=uuid7(), subject=subject[:200], at_us=now_us))


def attempts_since(conn: sa.Connection, subject: str, since_us: int) -> list[int]:
    """The times of failed attempts, oldest first."""
    query = sa.select(_ATTEMPTS.c.at_us).where(
        _ATTEMPTS.c.subject == subject[:200], _ATTEMPTS.c.at_us >= since_us
    )
    return sorted(conn.scalars(query))


def forget_attempts(conn: sa.Connection, subject: str) -> None:
    """Forget the failed attempts of an address that signed in."""
    conn.execute(_ATTEMPTS.delete().where(_ATTEMPTS.c.subject == subject[:200]))
