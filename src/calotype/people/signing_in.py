"""Signing in: passwords, sessions, and who a request comes from.

A session has an idle end and an absolute end, and its secret changes while it is used; the secret before is accepted
for a short time, because a browser sends several requests at once. Source: OWASP, Session Management Cheat Sheet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from calotype.foundation.actor import ACCOUNT, Actor, Ceiling, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.people import repository, sign_in_repository
from calotype.people.model import (
    AccountNeeded,
    Person,
    SessionNotFound,
    SignedInSession,
    SignInRefused,
    TooManyAttempts,
)
from calotype.people.recent import recent
from calotype.people.secret import hash_password, is_token, new_secret, password_matches, sha256
from calotype.people.tokens import ACCOUNT_CHANGE, SCOPES
from calotype.store import Store

MINUTE_US = 60_000_000
IDLE_US = 12 * 60 * MINUTE_US
ABSOLUTE_US = 14 * 24 * 60 * MINUTE_US
ROTATE_US = 60 * MINUTE_US
PREVIOUS_US = MINUTE_US
"""How long the secret before is accepted."""
USED_US = MINUTE_US
"""How exact the last use of a session or token is."""
WINDOW_US = 15 * MINUTE_US
TRIES_PER_ADDRESS = 10
TRIES_PER_MACHINE = 50


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a request comes from, and the new secret of the session where it changed."""

    actor: Actor
    session_id: str = ""
    new_secret: str = ""


def sign_in(email: str, password: str, *, store: Store, browser: str = "", address: str = "") -> str:
    """Sign in with a password; returns the secret of the new session.

    Failed attempts count for the account and for the machine that asks. Raises: SignInRefused, TooManyAttempts.
    """
    now = now_us()
    subjects = {
        _attempts_at(email): TRIES_PER_ADDRESS,
        f"machine:{address}": TRIES_PER_MACHINE,
    }
    with store.catalog.read() as conn:
        for subject, limit in subjects.items():
            check_attempts(conn, subject, limit, now)
        person = repository.find_person(conn, email) if "@" in email else None
        hashed = repository.password_hash(conn, person.id) if person else None
    matches = password_matches(hashed, password)
    if person is None or not matches or person.disabled_at_us is not None:
        with store.catalog.bookkeeping() as conn:
            for subject in subjects:
                sign_in_repository.add_attempt(conn, subject, now_us=now, keep_us=WINDOW_US)
        raise SignInRefused()
    return start_session(person, store=store, browser=browser, address=address)


def start_session(person: Person, *, store: Store, browser: str = "", address: str = "") -> str:
    """A session for a person whose identity was just proved; returns its secret. Raises: SignInRefused."""
    now, secret, session_id = now_us(), new_secret(), uuid7()
    actor = Actor(f"{ACCOUNT}{person.id}", person.email, roles=())
    with store.catalog.write(actor, "person.sign-in", subject=person.email) as tx:
        if repository.person(tx.conn, person.id).disabled_at_us is not None:
            raise SignInRefused()
        sign_in_repository.forget_attempts(tx.conn, _attempts_at(person.email))
        sign_in_repository.add_session(
            tx.conn, session_id, person.id, sha256(secret), browser=browser, address=address, now_us=now
        )
        tx.details({"session": session_id, "address": address[:200]})
    return secret


def from_session(secret: str, *, store: Store) -> SignedIn | None:
    """Who has this session; None where it ended or never was. See `recent` for what is read again when."""
    digest = sha256(secret)
    return recent(store, digest, now_us(), lambda: _from_session(digest, store))


def _from_session(digest: str, store: Store) -> SignedIn | None:
    now = now_us()
    with store.catalog.read() as conn:
        row = sign_in_repository.session(conn, digest)
        if row is None or row["ended_at_us"] is not None:
            return None
        is_old = row["secret_sha256"] != digest
        if (
            now - row["created_at_us"] > ABSOLUTE_US
            or now - row["used_at_us"] > IDLE_US
            or (is_old and now - row["rotated_at_us"] > PREVIOUS_US)
        ):
            return None
        actor = _actor(conn, row["person_id"])
    if actor is None:
        return None
    fresh = ""
    if not is_old and now - row["rotated_at_us"] > ROTATE_US:
        fresh = _rotate(store, row["id"], digest, now)
    elif now - row["used_at_us"] > USED_US:
        _note_use(store, row["id"], now)
    return SignedIn(actor, row["id"], fresh)


def from_token(token: str, *, store: Store) -> SignedIn | None:
    """Who has this API token, with the ceiling of its scopes; None where it ended or never was."""
    if not is_token(token):
        return None
    digest = sha256(token)
    return recent(store, digest, now_us(), lambda: _from_token(digest, store))


def _from_token(digest: str, store: Store) -> SignedIn | None:
    now = now_us()
    with store.catalog.read() as conn:
        row = sign_in_repository.token_row(conn, digest)
        if row is None or row["revoked_at_us"] is not None or now >= row["until_us"]:
            return None
        permissions = frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in row["scopes"]))
        ids = row["dataset_ids"]
        names = frozenset(repository.dataset_names(conn, ids)) if ids else None
        actor = _actor(conn, row["person_id"], Ceiling(permissions, names))
    if actor is not None and now - (row["used_at_us"] or 0) > USED_US and not store.catalog.read_only:
        with store.catalog.bookkeeping() as conn:
            sign_in_repository.change_token(conn, row["id"], used_at_us=now)
    return None if actor is None else SignedIn(replace(actor, request=(("token", row["id"]),)))


def sign_out(secret: str, *, store: Store) -> None:
    """End the session of this secret."""
    signed_in = from_session(secret, store=store)
    if signed_in is not None:
        with store.catalog.write(signed_in.actor, "person.sign-out", subject=signed_in.actor.name) as tx:
            person_id = signed_in.actor.id.removeprefix(ACCOUNT)
            sign_in_repository.end_sessions(
                tx.conn, person_id, now_us=now_us(), session_id=signed_in.session_id
            )


def change_password(actor: Actor, old: str, new: str, *, store: Store, session_id: str = "") -> None:
    """Change one's own password; all other sessions end. API tokens stay.

    Raises: NotPermitted, AccountNeeded, SignInRefused, PasswordInvalid, TooManyAttempts.
    """
    store.guard.require(actor, Permission.ACCOUNT_OWN, circumstances=ACCOUNT_CHANGE)
    now, subject = now_us(), _attempts_at(actor.name)
    with store.catalog.read() as conn:
        check_attempts(conn, subject, TRIES_PER_ADDRESS, now)
        person = own_account(conn, actor)
        hashed = repository.password_hash(conn, person.id)
    if not password_matches(hashed, old):
        with store.catalog.bookkeeping() as conn:
            sign_in_repository.add_attempt(conn, subject, now_us=now, keep_us=WINDOW_US)
        raise SignInRefused()
    fresh = hash_password(new, email=person.email, name=person.name)
    with store.catalog.write(actor, "person.change-password", subject=person.email) as tx:
        repository.change_person(tx.conn, person.id, password_hash=fresh)
        ended = sign_in_repository.end_sessions(tx.conn, person.id, now_us=now, but=session_id or "-")
        tx.details({"sessions_ended": ended})


def sessions(actor: Actor, *, store: Store, this: str = "") -> list[SignedInSession]:
    """One's own sessions, newest first. Raises: NotPermitted, AccountNeeded."""
    store.guard.require(actor, Permission.ACCOUNT_OWN, circumstances=ACCOUNT_CHANGE)
    now = now_us()
    with store.catalog.read() as conn:
        person = own_account(conn, actor)
        return sign_in_repository.sessions(
            conn, person.id, created_after_us=now - ABSOLUTE_US, used_after_us=now - IDLE_US, this=this
        )


def end_session(actor: Actor, session_id: str, *, store: Store) -> None:
    """End one of one's own sessions. Raises: NotPermitted, AccountNeeded, SessionNotFound."""
    store.guard.require(actor, Permission.ACCOUNT_OWN, circumstances=ACCOUNT_CHANGE)
    with store.catalog.write(actor, "person.end-session", subject=actor.name) as tx:
        person = own_account(tx.conn, actor)
        if not sign_in_repository.end_sessions(
            tx.conn, person.id, now_us=now_us(), session_id=session_id or "-"
        ):
            raise SessionNotFound(id=session_id[:40])
        tx.details({"session": session_id})


def own_account(conn: sa.Connection, actor: Actor) -> Person:
    """The account of an actor. Raises: AccountNeeded."""
    kind, _, person_id = actor.id.partition(":")
    found = repository.find_person(conn, person_id) if kind == "person" else None
    if found is None:
        raise AccountNeeded(actor=actor.name)
    return found


def _actor(conn: sa.Connection, person_id: str, ceiling: Ceiling | None = None) -> Actor | None:
    """The actor of an account with what it holds now; None where the account is disabled."""
    person = repository.find_person(conn, person_id)
    if person is None or person.disabled_at_us is not None:
        return None
    roles = repository.roles_of(conn, person_id)
    return Actor(f"{ACCOUNT}{person.id}", person.email, person.kind, (), roles, ceiling)


def _rotate(store: Store, session_id: str, digest: str, now: int) -> str:
    """A new secret for a session; empty where another request was first, or nothing can be written."""
    if store.catalog.read_only:
        return ""
    secret = new_secret()
    with store.catalog.bookkeeping() as conn:
        row = sign_in_repository.session(conn, digest)
        if row is None or row["secret_sha256"] != digest or row["ended_at_us"] is not None:
            return ""
        sign_in_repository.change_session(
            conn,
            session_id,
            secret_sha256=sha256(secret),
            previous_sha256=digest,
            rotated_at_us=now,
            used_at_us=now,
        )
    return secret


def _note_use(store: Store, session_id: str, now: int) -> None:
    if not store.catalog.read_only:  # where it is, the session ends when it would have without this use
        with store.catalog.bookkeeping() as conn:
            sign_in_repository.change_session(conn, session_id, used_at_us=now)


def _attempts_at(email: str) -> str:
    """What failed attempts at an account count under: a few bits of a hash, because people type passwords there."""
    return f"account:{sha256(email.strip().lower())[:6]}"


def check_attempts(conn: sa.Connection, subject: str, limit: int, now: int) -> None:
    """Whether another attempt is allowed now. Raises: TooManyAttempts."""
    times = sign_in_repository.attempts_since(conn, subject, now - WINDOW_US)
    if len(times) >= limit:
        raise TooManyAttempts(wait_s=max(1, (times[-limit] + WINDOW_US - now) // 1_000_000))
