"""API tokens: what programs sign in with. The token is shown once; its SHA-256 is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import ACCOUNT, Actor, Circumstances, Permission
from calotype.foundation.clock import iso, now_us
from calotype.foundation.ids import uuid7
from calotype.foundation.verbs import verb
from calotype.people import repository, sign_in_repository
from calotype.people.model import (
    MAX_DAYS,
    AccountNeeded,
    ApiToken,
    GrantEnded,
    GrantPlaceInvalid,
    Person,
    RightsTooHigh,
    ScopeUnknown,
    TokenNotFound,
    clean_name,
)
from calotype.people.secret import new_token, sha256
from calotype.store import Store

_READ = frozenset({Permission.DATASET_READ, Permission.EXPORT, Permission.ACCOUNT_OWN})
_WRITE = _READ | {
    Permission.DATASET_CREATE,
    Permission.DATASET_EDIT,
    Permission.DATASET_COMMIT,
    Permission.CHECK_RUN,
    Permission.FINDING_TRIAGE,
    Permission.FINDING_JUDGE,
    Permission.CONTRACT_EDIT,
    Permission.PIPELINE_RUN,
    Permission.WORK_DO,
    Permission.WORK_REVIEW,
    Permission.BATCH_MANAGE,
    Permission.GUIDELINE_EDIT,
}
SCOPES: dict[str, frozenset[Permission]] = {
    "read": _READ,
    "write": _WRITE,
    "release": _READ | {Permission.RELEASE_CREATE},
    "audit": frozenset({Permission.AUDIT_READ, Permission.ACCOUNT_OWN}),
}
"""What a token may do at most. No scope holds people, grants or maintenance: these need a person."""
OVERLAP_HOURS, MAX_OVERLAP_HOURS = 24, 168
ACCOUNT_CHANGE = Circumstances(changes_account=True)
"""No token makes another one or changes its account, or it would outlive its end."""


@verb
def create_token(
    actor: Actor, name: str, *, store: Store, scopes: Sequence[str] = ("read",), datasets: Sequence[str] = (),
    days: int = 90, for_email: str = "",
) -> tuple[ApiToken, str]:  # fmt: skip
    """Create an API token; returns it with the token itself, which is stored nowhere.

    Args:
        scopes: Names of `SCOPES`; the token may do what these and the roles of its person both allow.
        datasets: Names of the datasets it is for; none means all that the person may see.
        days: Days until it ends, 1 to 365.
        for_email: The account of a service, or on the machine of the workspace of anybody; default: one's own.
    Raises: NotPermitted, AccountNeeded, PersonNotFound, PersonNameInvalid, ScopeUnknown, GrantEnded,
        GrantPlaceInvalid, RightsTooHigh.
    """
    store.guard.require(actor, Permission.ACCOUNT_OWN, circumstances=ACCOUNT_CHANGE)
    wanted = sorted(set(scopes)) or ["read"]
    for scope in wanted:
        if scope not in SCOPES:
            raise ScopeUnknown(got=scope[:40], known=", ".join(SCOPES))
    if not 1 <= days <= MAX_DAYS:
        raise GrantEnded(got=f"in {days} days")
    values, token = fresh_token(clean_name(name), wanted, days)
    token_id = values["id"]
    with store.catalog.write(actor, "token.create", subject=for_email or actor.name) as tx:
        person = _whose(tx.conn, actor, for_email, store)
        visible = store.guard.visible(actor, Permission.DATASET_READ, list(datasets))
        ids = [_dataset_id(tx.conn, dataset if dataset in visible else "") for dataset in datasets]
        sign_in_repository.add_token(tx.conn, **values, person_id=person.id, dataset_ids=ids)
        tx.details({"token": token_id, "name": values["name"], "scopes": wanted, "datasets": list(datasets)})
        created = [
            item for item in sign_in_repository.tokens(tx.conn, person_id=person.id) if item.id == token_id
        ]
    return created[0], token


@verb
def rotate_token(
    actor: Actor, which: str, *, store: Store, overlap_hours: int = OVERLAP_HOURS, for_email: str = ""
) -> tuple[ApiToken, str]:
    """Replace an API token by a new one with the same name, scopes, datasets and length of life; returns both.

    Args:
        which: Id or name of a token in force; of several with one name, the newest.
        overlap_hours: Hours for which the old token still works, 0 to 168; never longer than its own end.
        for_email: As in `create_token`.
    Raises: NotPermitted, AccountNeeded, PersonNotFound, TokenNotFound, GrantEnded, RightsTooHigh.
    """
    store.guard.require(actor, Permission.ACCOUNT_OWN, circumstances=ACCOUNT_CHANGE)
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        raise GrantEnded(got=f"in {overlap_hours} hours")
    now, secret, token_id = now_us(), new_token(), uuid7()
    with store.catalog.write(actor, "token.rotate", subject=for_email or actor.name) as tx:
        person = _whose(tx.conn, actor, for_email, store)
        listed = sign_in_repository.tokens(tx.conn, person_id=person.id)
        old = next((item for item in listed if item.until_us > now and which in (item.id, item.name)), None)
        if old is None:
            raise TokenNotFound(id=which[:40])
        life = min(old.until_us - old.created_at_us, MAX_DAYS * 86_400_000_000)
        fresh = {
            "id": token_id,
            "prefix": secret[:13],
            "secret_sha256": sha256(secret),
            "created_at_us": now,
            "until_us": now + life,
            "used_at_us": None,
        }
        sign_in_repository.copy_token(tx.conn, old.id, **fresh)
        ends_us = min(old.until_us, now + overlap_hours * 3_600_000_000)
        sign_in_repository.change_token(tx.conn, old.id, until_us=ends_us)
        tx.details({"token": token_id, "name": old.name, "instead_of": old.id, "old_ends": iso(ends_us)})
        listed = sign_in_repository.tokens(tx.conn, person_id=person.id)
        return next(item for item in listed if item.id == token_id), secret


@verb
def tokens(actor: Actor, *, store: Store, everyone: bool = False) -> list[ApiToken]:
    """One's own API tokens, or those of everyone, newest first. Raises: NotPermitted, AccountNeeded."""
    store.guard.require(actor, Permission.PEOPLE_READ if everyone else Permission.ACCOUNT_OWN)
    now = now_us()
    with store.catalog.read() as conn:
        person_id = None if everyone else _own_id(actor)
        listed = sign_in_repository.tokens(conn, person_id=person_id)
    return [token for token in listed if token.until_us > now]


@verb
def revoke_token(actor: Actor, token_id: str, *, store: Store) -> ApiToken:
    """Revoke an API token: one's own, or with the permission to manage people anybody's.

    Raises: NotPermitted, TokenNotFound.
    """
    store.guard.require(actor, Permission.ACCOUNT_OWN)
    with store.catalog.write(actor, "token.revoke", subject=token_id[:40]) as tx:
        found = [item for item in sign_in_repository.tokens(tx.conn) if item.id == token_id]
        may_all = store.guard.allows(actor, Permission.PEOPLE_MANAGE)
        if found and found[0].who != actor.name and not may_all:
            found = []
        if not found:
            raise TokenNotFound(id=token_id[:40])
        sign_in_repository.change_token(tx.conn, token_id, revoked_at_us=now_us())
        tx.details(found[0].to_dict())
    return found[0]


def fresh_token(name: str, scopes: Sequence[str], days: int) -> tuple[dict[str, Any], str]:
    """The columns of a new token, without whose it is and on which datasets; and the token itself."""
    now, token = now_us(), new_token()
    values = {
        "id": uuid7(),
        "name": name,
        "prefix": token[:13],
        "secret_sha256": sha256(token),
        "scopes": list(scopes),
        "created_at_us": now,
        "until_us": now + days * 86_400_000_000,
    }
    return values, token


def _whose(conn: sa.Connection, actor: Actor, for_email: str, store: Store) -> Person:
    """Raises: AccountNeeded, PersonNotFound, NotPermitted, RightsTooHigh."""
    if not for_email:
        return repository.person(conn, _own_id(actor))
    person = repository.person(conn, for_email)
    if actor.id == f"{ACCOUNT}{person.id}":
        return person
    store.guard.require(actor, Permission.PEOPLE_MANAGE)
    if person.kind != "service" and actor.id.startswith(ACCOUNT):
        raise RightsTooHigh(actor=actor.name, role=f"of {person.email}")
    return person


def _own_id(actor: Actor) -> str:
    """Raises: AccountNeeded."""
    kind, _, person_id = actor.id.partition(":")
    if kind != "person":
        raise AccountNeeded(actor=actor.name)
    return person_id


def _dataset_id(conn: sa.Connection, name: str) -> str:
    """Raises: GrantPlaceInvalid."""
    found = repository.dataset_id(conn, name)
    if found is None:
        raise GrantPlaceInvalid(got=f"dataset:{name[:100]}")
    return found
