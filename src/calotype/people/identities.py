"""People whom a provider has identified: whose account that is, and which roles their groups give.

A person is known by issuer and subject. An address alone never suffices: it links an account only where the provider
has verified it and the account belongs to nobody at that provider yet. New accounts are only for people whose groups
give them a role. Roles from groups are compared at each sign-in, and end by themselves without one; roles that
somebody granted stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.errors import CalotypeError
from calotype.foundation.ids import uuid7
from calotype.people import identity_repository, repository, sign_in_repository, signing_in
from calotype.people.model import FROM_GROUPS, EmailInvalid, Grant, Person, clean_email
from calotype.people.oversight.four_eyes import needs_second, wait_for_grant
from calotype.people.secret import sha256
from calotype.store import Store

GROUP_GRANT_US = signing_in.ABSOLUTE_US
"""How long a role from a group holds after a sign-in: as long as the session at most."""
STATE_US = 60 * signing_in.MINUTE_US


class IdentityRefused(CalotypeError):
    """A sign-in through a provider was refused; `reason` is one of a few words that hold nothing of the answer."""

    code = "identity-refused"
    what = "the sign-in through the provider was refused: {reason}"
    fix = "sign in again; if it stays, ask an owner of the workspace"


@dataclass(frozen=True, slots=True)
class GroupRole:
    """Members of the group have the role on the workspace, on `team:NAME` or on `dataset:NAME`."""

    group: str
    role: str
    on: str = "workspace"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a provider says about a person, checked."""

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
    groups: frozenset[str] = frozenset()


def sign_in_identified(
    identity: Identity,
    table: Iterable[GroupRole],
    *,
    store: Store,
    browser: str = "",
    address: str = "",
) -> str:
    """Sign in whom a provider has identified; returns the secret of the new session.

    Raises: IdentityRefused, SignInRefused.
    """
    now = now_us()
    with store.catalog.write(_nobody(identity), "person.identified", subject=identity.email[:200]) as tx:
        wanted = _roles(tx.conn, identity, table)
        person = _person(tx.conn, identity, has_role=bool(wanted), now=now)
        added, ended = _compare_grants(tx.conn, person, wanted, identity, now)
        tx.details({"person": person.id, "issuer": identity.issuer, "added": added, "ended": ended})
    return signing_in.start_session(person, store=store, browser=browser, address=address)


def use_state(state: str, *, store: Store) -> None:
    """Note that the answer to a sign-in was used. Raises: IdentityRefused where it was used before."""
    now = now_us()
    try:
        with store.catalog.bookkeeping() as conn:
            identity_repository.add_state(conn, sha256(state), now_us=now, keep_us=STATE_US)
    except sa.exc.IntegrityError:
        raise IdentityRefused(reason="state") from None


def _nobody(identity: Identity) -> Actor:
    return Actor("provider", identity.issuer[:200], roles=())


def _person(conn: sa.Connection, identity: Identity, *, has_role: bool, now: int) -> Person:
    """The account of an identity, linked or new. Raises: IdentityRefused."""
    known = identity_repository.person_id(conn, identity.issuer, identity.subject)
    linked = None if known is None else repository.person(conn, known)
    person = linked or _link(conn, identity, has_role=has_role, now=now)
    if person.disabled_at_us is not None:
        raise IdentityRefused(reason="account")
    return person


def _link(conn: sa.Connection, identity: Identity, *, has_role: bool, now: int) -> Person:
    """Raises: IdentityRefused."""
    if not identity.email_verified:
        raise IdentityRefused(reason="email")
    try:
        email = clean_email(identity.email)
    except EmailInvalid:
        raise IdentityRefused(reason="email") from None
    person = repository.find_person(conn, email)
    if person is None:
        if not has_role:
            raise IdentityRefused(reason="closed")
        name = "".join(char for char in identity.name if char.isprintable()).strip()[:100] or email
        person = Person(uuid7(), email, name, "person", now, identity.issuer[:200])
        repository.add_person(conn, person)
    elif (
        person.kind != "person"
        or person.disabled_at_us is not None
        or identity_repository.has_identity(conn, person.id)
    ):
        raise IdentityRefused(reason="account")
    identity_repository.add_identity(conn, identity.issuer, identity.subject, person.id, now_us=now)
    return person


def _roles(
    conn: sa.Connection, identity: Identity, table: Iterable[GroupRole]
) -> dict[tuple[str, str, str], str]:
    """(role, scope, id of the place) -> place, of the groups of an identity. Places that do not exist are left out."""
    teams = {team.name: team.id for team in repository.all_teams(conn)}
    wanted: dict[tuple[str, str, str], str] = {}
    for row in table:
        if row.group not in identity.groups:
            continue
        scope, _, name = row.on.partition(":")
        if scope == "workspace":
            place_id: str | None = ""
        else:
            place_id = teams.get(name) if scope == "team" else repository.dataset_id(conn, name)
        if place_id is not None:
            wanted[row.role, scope, place_id] = row.on
    return wanted


def _compare_grants(
    conn: sa.Connection, person: Person, wanted: dict[tuple[str, str, str], str], identity: Identity, now: int
) -> tuple[list[str], list[str]]:
    """Make the grants from groups what the groups give now; returns what was added and what ended.

    With four eyes, a governing role from a group waits for an owner: who manages the provider does not decide alone.
    """
    by, until_us, added, ended = identity.issuer[:200], now + GROUP_GRANT_US, [], []
    for grant in repository.grants(conn, person_id=person.id):
        if grant.source != FROM_GROUPS:
            continue
        if grant.holds(now) and wanted.pop((grant.role, grant.scope, grant.scope_id), None) is not None:
            identity_repository.extend_grant(conn, grant.id, until_us)
        else:
            repository.revoke_grant(conn, grant.id, at_us=now, by=by)
            ended.append(f"{grant.role} on {grant.place}")
    for (role, scope, scope_id), place in wanted.items():
        given = (role, scope, scope_id, place, "member of a group", by, now, until_us)
        grant = Grant(uuid7(), person.id, person.email, *given, source=FROM_GROUPS)
        if needs_second(conn, _nobody(identity), role, person.id, gives=True):
            wait_for_grant(conn, _nobody(identity), grant)
            continue
        repository.add_grant(conn, grant)
        added.append(f"{role} on {place}")
    return added, ended


def check_attempts(address: str, *, store: Store) -> None:
    """Raises: TooManyAttempts, where sign-ins from this machine failed too often."""
    with store.catalog.read() as conn:
        signing_in.check_attempts(conn, f"machine:{address}", signing_in.TRIES_PER_MACHINE, now_us())


def note_refusal(address: str, *, store: Store) -> None:
    """Count a failed sign-in of this machine."""
    with store.catalog.bookkeeping() as conn:
        sign_in_repository.add_attempt(
            conn, f"machine:{address}", now_us=now_us(), keep_us=signing_in.WINDOW_US
        )
