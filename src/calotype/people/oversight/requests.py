"""Asking for access, and answering: a yes creates the grant in the same transaction.

What somebody asks for is kept as they typed it and looked up by whoever answers only, so that asking says nothing about
what exists.
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
from calotype.people.granting import (
    check_is_other,
    check_may_give,
    check_owner_left,
    new_grant,
    place_of,
)
from calotype.people.model import GOVERNING, SCOPES, GrantEnded, GrantPlaceInvalid, Person, check_role
from calotype.people.oversight import repository as stored
from calotype.people.oversight.four_eyes import check_second, may_confirm, needs_second, wait_for_grant
from calotype.people.oversight.model import (
    END_TO_CONFIRM,
    MAX_OPEN,
    MAX_PLACE,
    TO_CONFIRM,
    WAITING,
    AccessRequest,
    AccessRequestAnswered,
    AccessRequestNotFound,
    TooManyAccessRequests,
    check_reason,
)
from calotype.people.signing_in import own_account
from calotype.store import Store


@verb
def ask_for_access(
    actor: Actor, role: str, *, store: Store, on: str = "workspace", reason: str = "", for_email: str = ""
) -> AccessRequest:
    """Ask for a role. Asking again for what one has asked for returns the request that is open.

    Args:
        on: `workspace`, `team:NAME` or `dataset:NAME`; kept as written, whether it exists or not.
        for_email: Whose request it is, for those who manage people; empty for oneself.
    Raises: NotPermitted, AccountNeeded, PersonNotFound, RoleUnknown, GrantPlaceInvalid, AccessReasonTooLong,
        TooManyAccessRequests.
    """
    store.guard.require(actor, Permission.PEOPLE_MANAGE if for_email else Permission.ACCOUNT_OWN)
    check_role(role)
    place, why = _typed_place(on), check_reason(reason)
    with store.catalog.write(actor, "access.ask", subject=for_email[:200] or actor.name) as tx:
        person = repository.person(tx.conn, for_email) if for_email else own_account(tx.conn, actor)
        waiting = stored.requests(tx.conn, person_id=person.id, state="waiting")
        same = [
            item
            for item in waiting
            if (item.role, item.place) == (role, place) and item.state != END_TO_CONFIRM
        ]
        if same:
            tx.abandon()
            return same[0]
        if len(waiting) >= MAX_OPEN:
            raise TooManyAccessRequests(who=person.email, limit=MAX_OPEN)
        request = AccessRequest(uuid7(), person.id, person.email, person.name, role, place, why, now_us())
        stored.add_request(tx.conn, request)
        tx.details({"request_id": request.id, "role": role, "on": place, "reason": why})
    return request


@verb
def access_requests(
    actor: Actor, *, store: Store, everyone: bool = False, state: str = ""
) -> list[AccessRequest]:
    """One's own requests, or with `everyone` those of all people for whoever grants roles; newest first, at most 1,000.

    Args:
        state: One of `STATES`, or `waiting` for all that wait for somebody; empty for all.
    Raises: NotPermitted, AccountNeeded.
    """
    store.guard.require(actor, Permission.GRANT_MANAGE if everyone else Permission.ACCOUNT_OWN)
    with store.catalog.read() as conn:
        person_id = "" if everyone else own_account(conn, actor).id
        listed = stored.requests(conn, person_id=person_id, state=state)
    return [replace(item, may_answer=_may_answer(actor, item, store)) for item in listed]


@verb
def answer_request(
    actor: Actor, request_id: str, yes: bool, *, store: Store, until_us: int | None = None, reason: str = ""
) -> AccessRequest:
    """Answer a request of somebody else; a yes grants the role at once.

    With four eyes on governing rights, a yes to a governing role waits for the yes of another owner.

    Args:
        until_us: When the grant ends by itself, in microseconds since 1970; None for never.
        reason: Of the answer; the person who asked reads it.
    Raises: NotPermitted, AccessRequestNotFound, AccessRequestAnswered, OwnRights, RightsTooHigh, GrantPlaceInvalid,
        TeamNotFound, GrantEnded, AccessReasonTooLong, FirstYesGone, LastOwner.
    """
    store.guard.require(actor, Permission.GRANT_MANAGE)
    note, now = check_reason(reason), now_us()
    if until_us is not None and until_us <= now:
        raise GrantEnded(got="before now")
    with store.catalog.write(actor, "access.answer", subject=request_id[:32]) as tx:
        request = _open_request(tx.conn, request_id)
        person = repository.person(tx.conn, request.person_id)
        if request.state != END_TO_CONFIRM:
            check_is_other(actor, person, store)
        check_may_give(actor, request.role, store)
        values: dict[str, Any] = {
            "state": "refused",
            "answered_at_us": now,
            "answered_by": actor.name,
            "note": note,
        }
        if yes and request.state == "open":
            values |= _grant(tx.conn, actor, person, request, until_us)
        elif yes:
            check_second(tx.conn, actor, request, store)
            values |= _confirm(tx.conn, actor, request, now)
        stored.change_request(tx.conn, request.id, **values)
        answered = replace(request, **values)
        tx.details({**answered.to_dict(), "person": person.id})
    return answered


@verb
def withdraw_request(actor: Actor, request_id: str, *, store: Store) -> AccessRequest:
    """Take back one's own open request. Raises: NotPermitted, AccountNeeded, AccessRequestNotFound,
    AccessRequestAnswered."""
    store.guard.require(actor, Permission.ACCOUNT_OWN)
    with store.catalog.write(actor, "access.withdraw", subject=request_id[:32]) as tx:
        request = _open_request(tx.conn, request_id, person_id=own_account(tx.conn, actor).id)
        if request.state == END_TO_CONFIRM:  # the end of one's own role is not one's own wish
            raise AccessRequestNotFound(id=request_id[:32])
        stored.change_request(tx.conn, request.id, state="withdrawn", answered_at_us=now_us())
        tx.details({"role": request.role, "on": request.place})
    return replace(request, state="withdrawn")


def _typed_place(on: str) -> str:
    """A place as written, if it could exist. Raises: GrantPlaceInvalid."""
    place = on.strip()
    scope, _, name = place.partition(":")
    is_one = place == "workspace" or (scope in SCOPES[1:] and name.strip() == name != "")
    if not is_one or len(place) > MAX_PLACE or not place.isprintable():
        raise GrantPlaceInvalid(got=on[:120])
    return place


def _open_request(conn: sa.Connection, request_id: str, *, person_id: str = "") -> AccessRequest:
    """Raises: AccessRequestNotFound, AccessRequestAnswered."""
    listed = stored.requests(conn, request_id=request_id[:32] or "-", person_id=person_id)
    if not listed:
        raise AccessRequestNotFound(id=request_id[:32])
    if listed[0].state not in WAITING:
        raise AccessRequestAnswered(state=listed[0].state)
    return listed[0]


def _grant(
    conn: sa.Connection, actor: Actor, person: Person, request: AccessRequest, until_us: int | None
) -> dict[str, str]:
    """State and grant of a request after a first yes. Raises: GrantPlaceInvalid, TeamNotFound."""
    scope, scope_id = place_of(conn, request.place)
    grant = new_grant(actor, person, request.role, scope, scope_id, request.place, request.reason, until_us)
    if needs_second(conn, actor, request.role, person.id, gives=True):
        wait_for_grant(conn, actor, grant, request)
        return {"state": TO_CONFIRM, "grant_id": grant.id}
    repository.add_grant(conn, grant)
    return {"state": "granted", "grant_id": grant.id}


def _confirm(conn: sa.Connection, actor: Actor, request: AccessRequest, now: int) -> dict[str, str]:
    """State of a request after the second yes, which puts the grant or its end into force. Raises: LastOwner."""
    both = {"answered_by": f"{request.answered_by}, {actor.name}"[:200]}
    if request.state == TO_CONFIRM:
        repository.confirm_grant(conn, request.grant_id)
        return {"state": "granted", **both}
    before = repository.owners(conn, now)
    repository.revoke_grant(conn, request.grant_id, at_us=now, by=actor.name)
    check_owner_left(conn, before, request.who, now)
    return {"state": "ended", **both}


def _may_answer(actor: Actor, request: AccessRequest, store: Store) -> bool:
    if request.state not in WAITING:
        return False
    if request.state != "open":
        return may_confirm(actor, request, store)
    about = Circumstances(about=f"{ACCOUNT}{request.person_id}", governing=request.role in GOVERNING)
    return store.guard.decider.decide(actor, Permission.GRANT_MANAGE, WORKSPACE, about).allowed
