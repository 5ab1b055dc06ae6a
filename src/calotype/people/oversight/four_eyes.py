"""Four eyes on governing rights: what one owner gives or takes, another one confirms.

A grant that waits is stored as one that was revoked, so that whatever does not know of the wait does not count it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import ACCOUNT, WORKSPACE, Actor, Circumstances, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.foundation.verbs import verb
from calotype.people import repository
from calotype.people.model import GOVERNING, Grant, Person
from calotype.people.oversight import repository as stored
from calotype.people.oversight.model import (
    DAY_US,
    END_TO_CONFIRM,
    TO_CONFIRM,
    AccessRequest,
    FirstYesGone,
    FourEyes,
    FourEyesNeeded,
)
from calotype.store import Store

OFF_DAYS = 7
"""How long one owner's wish to switch it off waits for another one."""
_BOTH = Circumstances(governing=True)


@verb
def four_eyes(actor: Actor, *, store: Store) -> FourEyes:
    """Whether governing rights need a second owner, which everyone may know. Raises: NotPermitted."""
    store.guard.require(actor, Permission.ACCOUNT_OWN)
    with store.catalog.read() as conn:
        return stored.four_eyes(conn)


@verb
def set_four_eyes(actor: Actor, on: bool, *, store: Store) -> FourEyes:
    """Ask for a second owner wherever governing rights are given or taken, or stop; only owners do.

    Stopping takes two owners as well, where there are two: the first call waits a week for that of another one.

    Raises: NotPermitted.
    """
    store.guard.require(actor, Permission.GRANT_MANAGE, circumstances=_BOTH)
    with store.catalog.write(actor, "organisation.four-eyes", subject="workspace") as tx:
        before, now = stored.four_eyes(tx.conn), now_us()
        after = FourEyes(on)
        if not on and before.on and _owners(tx.conn) - {_id_of(actor)}:
            is_asked = before.off_by not in ("", actor.name) and now - before.off_at_us < OFF_DAYS * DAY_US
            after = FourEyes(False) if is_asked else FourEyes(True, actor.name, now)
        stored.set_four_eyes(tx.conn, after)
        tx.details({"from": before.to_dict(), "to": after.to_dict()})
    return after


def needs_second(conn: sa.Connection, actor: Actor, role: str, person_id: str, *, gives: bool) -> bool:
    """Whether another owner has to confirm. A disabled owner counts, or disabling the others would end the rule.

    Nobody confirms what they would gain themselves; what they would lose they may.
    """
    if role not in GOVERNING or not stored.four_eyes(conn).on:
        return False
    return bool(_owners(conn) - {_id_of(actor)} - ({person_id} if gives else set()))


def wait_for_grant(
    conn: sa.Connection, actor: Actor, grant: Grant, request: AccessRequest | None = None
) -> Grant:
    """Keep a grant until somebody confirms it: one that nobody asked for, or the answer to a request."""
    waiting = stored.requests(conn, person_id=grant.person_id, state=TO_CONFIRM)
    same = [r for r in waiting if request is None and (r.role, r.place) == (grant.role, grant.place)]
    if same:
        return replace(grant, id=same[0].grant_id, waits=True)
    repository.add_grant(conn, grant)
    repository.revoke_grant(conn, grant.id, at_us=grant.created_at_us, by=actor.name)
    values = {"state": TO_CONFIRM, "answered_at_us": grant.created_at_us, "answered_by": actor.name}
    if request is None:
        _add(conn, grant, grant.reason, **values)
    else:
        stored.change_request(conn, request.id, **values, grant_id=grant.id)
    return replace(grant, waits=True)


def wait_for_end(conn: sa.Connection, actor: Actor, grant: Grant) -> Grant:
    """Keep the wish to end a grant until somebody confirms it."""
    waiting = stored.requests(conn, person_id=grant.person_id, state=END_TO_CONFIRM)
    if not any(request.grant_id == grant.id for request in waiting):
        values = {"state": END_TO_CONFIRM, "answered_at_us": now_us(), "answered_by": actor.name}
        _add(conn, grant, "", **values)
    return replace(grant, waits=True)


def check_second(conn: sa.Connection, actor: Actor, request: AccessRequest, store: Store) -> None:
    """Whether an actor may say the second yes. Raises: NotPermitted, FirstYesGone."""
    own = Circumstances(governing=True, own_work=request.answered_by == actor.name)
    store.guard.require(actor, Permission.GRANT_MANAGE, circumstances=own)
    first = repository.find_person(conn, request.answered_by) if "@" in request.answered_by else None
    if first is not None and (first.disabled_at_us is not None or first.id not in _owners(conn)):
        raise FirstYesGone(who=first.email)


def may_confirm(actor: Actor, request: AccessRequest, store: Store) -> bool:
    """Whether an actor may say the second yes, as far as the rules go."""
    gains = "" if request.state == END_TO_CONFIRM else f"{ACCOUNT}{request.person_id}"
    about = Circumstances(about=gains, governing=True, own_work=request.answered_by == actor.name)
    return store.guard.decider.decide(actor, Permission.GRANT_MANAGE, WORKSPACE, about).allowed


def refuse_alone(conn: sa.Connection, actor: Actor, role: str, person: Person | None, verb: str) -> None:
    """Raises: FourEyesNeeded, where an act would give a governing role without a second owner."""
    if needs_second(conn, actor, role, person.id if person else "", gives=True):
        raise FourEyesNeeded(verb=verb, role=role)


def refuse_taking(conn: sa.Connection, actor: Actor, role: str, person: Person, verb: str) -> None:
    """Raises: FourEyesNeeded, where an act would take a governing role away without a second owner."""
    if needs_second(conn, actor, role, person.id, gives=False):
        raise FourEyesNeeded(verb=verb, role=role)


def refuse_taking_over(conn: sa.Connection, actor: Actor, person: Person, verb: str) -> None:
    """An invitation to the account of another owner lets in as that owner, who could then confirm.

    On the machine of the workspace it is possible, or nobody could help an owner who forgot the password.

    Raises: FourEyesNeeded.
    """
    if actor.id.startswith(ACCOUNT) and actor.id != f"{ACCOUNT}{person.id}":
        for grant in repository.grants(conn, person_id=person.id):
            if needs_second(conn, actor, grant.role, person.id, gives=False):
                raise FourEyesNeeded(verb=verb, role=grant.role)


def _add(conn: sa.Connection, grant: Grant, reason: str, **values: Any) -> None:
    at = values["answered_at_us"]
    request = AccessRequest(
        uuid7(), grant.person_id, grant.who, "", grant.role, grant.place, reason, at, grant_id=grant.id
    )
    stored.add_request(conn, request)
    stored.change_request(conn, request.id, **values)


def _owners(conn: sa.Connection) -> set[str]:
    """Ids of the people who hold the role of an owner of the workspace now, disabled ones too."""
    now = now_us()
    return {
        grant.person_id
        for grant in repository.grants(conn)
        if (grant.role, grant.scope) == ("owner", "workspace") and grant.holds(now)
    }


def _id_of(actor: Actor) -> str:
    return actor.id.removeprefix(ACCOUNT) if actor.id.startswith(ACCOUNT) else ""
