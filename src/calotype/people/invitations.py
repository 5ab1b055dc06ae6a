"""Invitations: a secret that lets one person in once, to choose a password."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from calotype.foundation.actor import ACCOUNT, Actor
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.people import repository
from calotype.people.model import Grant, InvitationInvalid, Person, PersonExists, clean_email, clean_name
from calotype.people.secret import hash_password, new_secret, sha256
from calotype.store import Store

INVITATION_US = 7 * 86_400_000_000
FIRST_OWNER_US = 86_400_000_000


def invite(conn: sa.Connection, person: Person, *, now_us: int) -> str:
    """A new invitation for an account; returns its secret."""
    secret = new_secret()
    until_us = now_us + INVITATION_US
    repository.add_invitation(
        conn, uuid7(), sha256(secret), person_id=person.id, at_us=now_us, until_us=until_us
    )
    return secret


def first_owner_secret(store: Store) -> str | None:
    """The secret of the link for the first owner, good for a day; None where the workspace has an owner.

    Only the machine of the server can ask: this is how a team server begins.
    """
    now = now_us()
    with store.catalog.read() as conn:
        if repository.owners(conn, now):
            return None
    secret = new_secret()
    with store.catalog.write(Actor.local(), "person.first-owner-link", subject="workspace") as tx:
        until_us = now + FIRST_OWNER_US
        repository.add_invitation(
            tx.conn, uuid7(), sha256(secret), person_id=None, at_us=now, until_us=until_us
        )
    return secret


def invited(secret: str, *, store: Store) -> Person | None:
    """Whom an invitation is for; None for the link of the first owner. Raises: InvitationInvalid."""
    with store.catalog.read() as conn:
        row = repository.invitation(conn, sha256(secret), now_us())
        if row is None:
            raise InvitationInvalid()
        return None if row.person_id is None else repository.person(conn, row.person_id)


def accept_invitation(secret: str, *, store: Store, password: str, name: str = "", email: str = "") -> Person:
    """Choose a password with an invitation; with the link of the first owner, become the owner.

    Args:
        name: Another name than the one that the invitation was written with; required for the first owner.
        email: Address of the first owner; other accounts keep theirs.
    Raises: InvitationInvalid, PasswordInvalid, EmailInvalid, PersonNameInvalid, PersonExists.
    """
    person = invited(secret, store=store)
    now = now_us()
    if person is None:
        person = Person(uuid7(), clean_email(email), clean_name(name), "person", now, "first-owner-link")
        is_first = True
    else:
        is_first = False
        person = replace(person, name=clean_name(name) if name.strip() else person.name)
    hashed = hash_password(password, email=person.email, name=person.name)
    actor = Actor(f"{ACCOUNT}{person.id}", person.email, roles=())
    with store.catalog.write(actor, "person.accept-invitation", subject=person.email) as tx:
        row = repository.invitation(tx.conn, sha256(secret), now)
        if row is None or (row.person_id is None) is not is_first:
            raise InvitationInvalid()
        repository.use_invitation(tx.conn, row.id, now)
        if is_first:
            _become_owner(tx.conn, person, now)
        elif repository.person(tx.conn, person.id).disabled_at_us is not None:
            raise InvitationInvalid()
        repository.change_person(tx.conn, person.id, password_hash=hashed, name=person.name)
        tx.details({"person": person.id, "first_owner": is_first})
        return repository.person(tx.conn, person.id)


def _become_owner(conn: sa.Connection, person: Person, now: int) -> None:
    """Raises: InvitationInvalid, PersonExists."""
    if repository.owners(conn, now):
        raise InvitationInvalid()
    if repository.find_person(conn, person.email) is not None:
        raise PersonExists(email=person.email)
    repository.add_person(conn, person)
    grant = Grant(
        uuid7(), person.id, person.email, "owner", "workspace", "", "workspace", "first owner", person.email, now, None
    )  # fmt: skip
    repository.add_grant(conn, grant)
