"""Signing in a program on another machine: it shows a code, and a person who is signed in allows it in the browser.

The program gets an API token of that person, once. Source: RFC 8628, OAuth 2.0 Device Authorization Grant, of which
this is the same idea with our own tokens.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import ACCOUNT, Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.errors import Conflict, NotFound
from calotype.foundation.ids import uuid7
from calotype.people import repository, sign_in_repository
from calotype.people.model import AccountNeeded, ScopeUnknown, TooManyAttempts
from calotype.people.secret import new_secret, sha256
from calotype.people.tokens import ACCOUNT_CHANGE, SCOPES, fresh_token
from calotype.store import Store
from calotype.store.catalog import schema

TTL_US = 10 * 60_000_000
EVERY_S = 2
TOKEN_DAYS = 90
MAX_WAITING, MAX_WAITING_OF_ADDRESS = 500, 10
WRONG_CODES, WINDOW_US = 20, 15 * 60_000_000
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Without vowels, so that no code is a word."""
_TABLE = schema.of_people.device_sign_ins


class DeviceCodeUnknown(NotFound):
    """No program waits under this code."""

    code = "device-code-unknown"
    what = "no program waits under this code, or its time is over"
    fix = "run `calotype login` again, and enter the code that it shows within ten minutes"


class DeviceSignInRefused(Conflict):
    """The person said no, or the time is over."""

    code = "device-sign-in-refused"
    what = "the sign-in was not allowed in the browser, or not in time"
    fix = "run `calotype login` again, or create a token on the page Account and pass it with --token"


@dataclass(frozen=True, slots=True)
class Begun:
    """What a program shows, and what it asks with. `every_s`: seconds between two questions."""

    device_code: str
    user_code: str
    until_us: int
    every_s: int


@dataclass(frozen=True, slots=True)
class DeviceSignIn:
    """A program that waits: the machine it names, the network address it came from, and what it asks for."""

    device: str
    address: str
    scopes: tuple[str, ...]
    created_at_us: int
    until_us: int


def begin(device: str, scopes: Sequence[str], *, store: Store, address: str = "") -> Begun:
    """A program asks to be let in; nobody is signed in yet. Raises: ScopeUnknown, TooManyAttempts."""
    now, device_code, user_code = now_us(), new_secret(), _new_code()
    wanted = sorted(set(scopes)) or ["read"]
    for scope in wanted:
        if scope not in SCOPES:
            raise ScopeUnknown(got=scope[:40], known=", ".join(SCOPES))
    shown = "".join(letter for letter in device if letter.isprintable())[:100].strip() or "a program"
    with store.catalog.bookkeeping() as conn:
        conn.execute(_TABLE.delete().where(_TABLE.c.until_us < now))
        waiting = sa.select(sa.func.count()).select_from(_TABLE).where(_TABLE.c.state == "waiting")
        of_address = waiting.where(_TABLE.c.address == address[:100])
        counts = conn.execute(waiting).scalar_one(), conn.execute(of_address).scalar_one()
        if counts[0] >= MAX_WAITING or counts[1] >= MAX_WAITING_OF_ADDRESS:
            raise TooManyAttempts(wait_s=TTL_US // 1_000_000)
        row = {"id": uuid7(), "device": shown, "address": address[:100], "scopes": wanted, "state": "waiting"}
        hashes = {"device_sha256": sha256(device_code), "code_sha256": sha256(_plain(user_code))}
        conn.execute(_TABLE.insert().values(**row, **hashes, created_at_us=now, until_us=now + TTL_US))
    return Begun(device_code, user_code, now + TTL_US, EVERY_S)


def show_device(actor: Actor, code: str, *, store: Store) -> DeviceSignIn:
    """The program that waits under a code. Raises: NotPermitted, AccountNeeded, DeviceCodeUnknown, TooManyAttempts."""
    person_id = _own_id(actor, store)
    row = _waiting(code, person_id, store)
    scopes = tuple(row["scopes"])
    return DeviceSignIn(row["device"], row["address"], scopes, row["created_at_us"], row["until_us"])


def answer_device(actor: Actor, code: str, *, allow: bool, store: Store) -> None:
    """Let the program in as oneself, or not. Raises: as `show_device`."""
    person_id = _own_id(actor, store)
    row = _waiting(code, person_id, store)
    with store.catalog.write(actor, "token.allow" if allow else "token.refuse", subject=row["device"]) as tx:
        which = (_TABLE.c.id == row["id"]) & (_TABLE.c.state == "waiting")
        values = {"state": "allowed" if allow else "refused", "person_id": person_id}
        if tx.conn.execute(_TABLE.update().where(which).values(**values)).rowcount != 1:
            raise DeviceCodeUnknown()
        tx.details({"device": row["device"], "address": row["address"], "scopes": row["scopes"]})


def take(device_code: str, *, store: Store) -> str | None:
    """The API token of a program that was let in, once; None while nobody answered. Raises: DeviceSignInRefused."""
    now = now_us()
    row = _of_device(device_code, store)
    if row is None or row["until_us"] < now or row["state"] not in ("waiting", "allowed"):
        raise DeviceSignInRefused()
    if row["state"] == "waiting":
        return None
    values, token = fresh_token(row["device"], row["scopes"], TOKEN_DAYS)
    with store.catalog.read() as conn:
        person = repository.person(conn, row["person_id"])
    actor = Actor(f"{ACCOUNT}{person.id}", person.email, roles=())
    with store.catalog.write(actor, "token.create", subject=person.email) as tx:
        which = (_TABLE.c.id == row["id"]) & (_TABLE.c.state == "allowed")
        taken = tx.conn.execute(_TABLE.update().where(which).values(state="taken")).rowcount
        if taken != 1 or repository.person(tx.conn, person.id).disabled_at_us is not None:
            raise DeviceSignInRefused()
        sign_in_repository.add_token(tx.conn, **values, dataset_ids=[], person_id=person.id)
        tx.details({"token": values["id"], "name": row["device"], "scopes": row["scopes"], "datasets": []})
    return token


def _new_code() -> str:
    letters = [secrets.choice(_LETTERS) for _ in range(8)]
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"


def _plain(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalpha())


def _own_id(actor: Actor, store: Store) -> str:
    """Raises: NotPermitted, AccountNeeded."""
    store.guard.require(actor, Permission.ACCOUNT_OWN, circumstances=ACCOUNT_CHANGE)
    if not actor.id.startswith(ACCOUNT):
        raise AccountNeeded(actor=actor.name)
    return actor.id.removeprefix(ACCOUNT)


def _waiting(code: str, person_id: str, store: Store) -> Any:
    """Raises: DeviceCodeUnknown, TooManyAttempts."""
    now, subject = now_us(), f"device-code:{person_id}"
    with store.catalog.read() as conn:
        wrong = sign_in_repository.attempts_since(conn, subject, now - WINDOW_US)
        query = sa.select(_TABLE).where(_TABLE.c.code_sha256 == sha256(_plain(code[:40])))
        row = (
            conn.execute(query.where(_TABLE.c.state == "waiting", _TABLE.c.until_us >= now))
            .mappings()
            .first()
        )
    if len(wrong) >= WRONG_CODES:
        raise TooManyAttempts(wait_s=WINDOW_US // 1_000_000)
    if row is None:
        with store.catalog.bookkeeping() as conn:
            sign_in_repository.add_attempt(conn, subject, now_us=now, keep_us=WINDOW_US)
        raise DeviceCodeUnknown()
    return row


def _of_device(device_code: str, store: Store) -> Any:
    with store.catalog.read() as conn:
        query = sa.select(_TABLE).where(_TABLE.c.device_sha256 == sha256(device_code[:200]))
        return conn.execute(query).mappings().first()
