"""Rules of granting: what a grant is about, and who may give or take it."""

from __future__ import annotations

import sqlalchemy as sa

from calotype.foundation.actor import ACCOUNT, WORKSPACE, Actor, Circumstances, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.people import repository
from calotype.people.model import (
    GOVERNING,
    Grant,
    GrantPlaceInvalid,
    LastOwner,
    OwnRights,
    Person,
    RightsTooHigh,
)
from calotype.store import Store


def new_grant(
    actor: Actor,
    person: Person,
    role: str,
    scope: str,
    scope_id: str,
    place: str,
    reason: str,
    until_us: int | None,
) -> Grant:
    """A grant by the actor, from now on."""
    return Grant(
        uuid7(), person.id, person.email, role, scope, scope_id, place, reason, actor.name, now_us(), until_us
    )


def place_of(conn: sa.Connection, on: str) -> tuple[str, str]:
    """Scope and id of a place. Raises: GrantPlaceInvalid, TeamNotFound."""
    scope, _, name = on.partition(":")
    if on == "workspace":
        return "workspace", ""
    if scope == "team":
        return "team", repository.team(conn, name).id
    found = repository.dataset_id(conn, name) if scope == "dataset" else None
    if found is None:
        raise GrantPlaceInvalid(got=on[:120])
    return "dataset", found


def check_may_give(
    actor: Actor, role: str, store: Store, permission: Permission = Permission.GRANT_MANAGE
) -> None:
    """Raises: RightsTooHigh."""
    circumstances = Circumstances(governing=role in GOVERNING)
    if not store.guard.decider.decide(actor, permission, WORKSPACE, circumstances).allowed:
        raise RightsTooHigh(actor=actor.name, role=role)


def check_may_act_on(conn: sa.Connection, actor: Actor, person: Person, store: Store) -> None:
    """Accounts with a governing role are changed by owners only: an invitation would let in as that person.

    Raises: RightsTooHigh.
    """
    for grant in repository.grants(conn, person_id=person.id):
        if actor.id != f"{ACCOUNT}{person.id}":
            check_may_give(actor, grant.role, store, Permission.PEOPLE_MANAGE)


def check_is_other(actor: Actor, person: Person, store: Store) -> None:
    """Raises: OwnRights."""
    circumstances = Circumstances(about=f"{ACCOUNT}{person.id}")
    if not store.guard.decider.decide(actor, Permission.GRANT_MANAGE, WORKSPACE, circumstances).allowed:
        raise OwnRights(actor=actor.name)


def check_owner_left(conn: sa.Connection, before: set[str], who: str, now: int) -> None:
    """Raises: LastOwner."""
    if before and not repository.owners(conn, now):
        raise LastOwner(who=who)
