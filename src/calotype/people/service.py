"""The verbs of people, teams and grants.

Nobody changes their own rights, only owners give or take governing roles, and the last owner stays.
"""

from __future__ import annotations

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.foundation.verbs import verb
from calotype.people import repository, sign_in_repository
from calotype.people.granting import (
    check_is_other,
    check_may_act_on,
    check_may_give,
    check_owner_left,
    new_grant,
    place_of,
)
from calotype.people.invitations import invite
from calotype.people.model import (
    Grant,
    GrantEnded,
    GrantNotFound,
    GrantPlaceInvalid,
    Person,
    PersonExists,
    Team,
    TeamExists,
    check_role,
    check_team_name,
    clean_email,
    clean_name,
)
from calotype.people.oversight.four_eyes import (
    needs_second,
    refuse_alone,
    refuse_taking,
    refuse_taking_over,
    wait_for_end,
    wait_for_grant,
)
from calotype.store import Store

__all__ = [
    "add_member",
    "add_person",
    "add_team",
    "disable_person",
    "enable_person",
    "grant_role",
    "grants",
    "invite_again",
    "own_datasets",
    "people",
    "remove_member",
    "revoke_grant",
    "teams",
]


@verb
def people(actor: Actor, *, store: Store) -> list[Person]:
    """All accounts, ordered by address. Raises: NotPermitted."""
    store.guard.require(actor, Permission.PEOPLE_READ)
    with store.catalog.read() as conn:
        return repository.all_people(conn)


@verb
def add_person(
    actor: Actor, email: str, name: str, *, store: Store, kind: str = "person", role: str = "", team: str = ""
) -> tuple[Person, str]:
    """Add an account; returns it with the secret of its invitation, which is stored nowhere (empty for a service).

    Args:
        kind: `person`, or `service` for a program, which signs in with API tokens only.
        role: A role to begin with: in `team` if that is given, otherwise on the whole workspace.
    Raises: NotPermitted, EmailInvalid, PersonNameInvalid, PersonExists, RoleUnknown, RightsTooHigh, TeamNotFound.
    """
    store.guard.require(actor, Permission.PEOPLE_MANAGE)
    if role or team:
        store.guard.require(actor, Permission.GRANT_MANAGE)
    now = now_us()
    kind = "service" if kind == "service" else "person"
    new = Person(uuid7(), clean_email(email), clean_name(name), kind, now, actor.name)
    if role:
        check_role(role)
        check_may_give(actor, role, store)
    with store.catalog.write(actor, "person.add", subject=new.email) as tx:
        if repository.find_person(tx.conn, new.email) is not None:
            raise PersonExists(email=new.email)
        if role:
            refuse_alone(tx.conn, actor, role, None, "adding a person with it")
        repository.add_person(tx.conn, new)
        if team:
            found = repository.team(tx.conn, team)
            repository.put_member(tx.conn, found.id, new.id, role or "annotator", at_us=now)
        elif role:
            repository.add_grant(
                tx.conn, new_grant(actor, new, role, "workspace", "", "workspace", "first role", None)
            )
        secret = invite(tx.conn, new, now_us=now) if kind == "person" else ""
        tx.details({"person": new.id, "kind": kind, "role": role, "team": team})
    return new, secret


@verb
def invite_again(actor: Actor, who: str, *, store: Store) -> tuple[Person, str]:
    """A new invitation, also for somebody who forgot the password; earlier invitations end.

    Raises: NotPermitted, PersonNotFound, RightsTooHigh.
    """
    store.guard.require(actor, Permission.PEOPLE_MANAGE)
    with store.catalog.write(actor, "person.invite", subject=who[:200]) as tx:
        found = repository.person(tx.conn, who)
        check_may_act_on(tx.conn, actor, found, store)
        refuse_taking_over(tx.conn, actor, found, "an invitation to this account")
        tx.details({"person": found.id})
        return found, invite(tx.conn, found, now_us=now_us())


@verb
def disable_person(actor: Actor, who: str, *, store: Store) -> Person:
    """Disable an account: its sessions and API tokens end at once. Its work and its name stay.

    Raises: NotPermitted, PersonNotFound, RightsTooHigh, LastOwner.
    """
    store.guard.require(actor, Permission.PEOPLE_MANAGE)
    with store.catalog.write(actor, "person.disable", subject=who[:200]) as tx:
        found = repository.person(tx.conn, who)
        check_may_act_on(tx.conn, actor, found, store)
        now = now_us()
        before = repository.owners(tx.conn, now)
        repository.change_person(tx.conn, found.id, disabled_at_us=now)
        check_owner_left(tx.conn, before, found.email, now)
        ended = sign_in_repository.end_sessions(tx.conn, found.id, now_us=now)
        revoked = sign_in_repository.end_tokens(tx.conn, found.id, now_us=now)
        tx.details({"person": found.id, "sessions": ended, "tokens": revoked})
        return repository.person(tx.conn, found.id)


@verb
def enable_person(actor: Actor, who: str, *, store: Store) -> Person:
    """Enable an account again; its grants are in force as before, its sessions and tokens stay ended.

    Raises: NotPermitted, PersonNotFound, RightsTooHigh.
    """
    store.guard.require(actor, Permission.PEOPLE_MANAGE)
    with store.catalog.write(actor, "person.enable", subject=who[:200]) as tx:
        found = repository.person(tx.conn, who)
        check_may_act_on(tx.conn, actor, found, store)
        refuse_taking_over(tx.conn, actor, found, "enabling this account")
        repository.change_person(tx.conn, found.id, disabled_at_us=None)
        tx.details({"person": found.id})
        return repository.person(tx.conn, found.id)


@verb
def teams(actor: Actor, *, store: Store) -> list[Team]:
    """All teams with their members and datasets, ordered by name. Raises: NotPermitted."""
    store.guard.require(actor, Permission.PEOPLE_READ)
    with store.catalog.read() as conn:
        return repository.all_teams(conn)


@verb
def add_team(actor: Actor, name: str, *, store: Store) -> Team:
    """Create a team. Raises: NotPermitted, PersonNameInvalid, TeamExists."""
    store.guard.require(actor, Permission.PEOPLE_MANAGE)
    check_team_name(name)
    with store.catalog.write(actor, "team.add", subject=name) as tx:
        if any(team.name == name for team in repository.all_teams(tx.conn)):
            raise TeamExists(name=name)
        repository.add_team(tx.conn, uuid7(), name, at_us=now_us(), by=actor.name)
        return repository.team(tx.conn, name)


@verb
def add_member(actor: Actor, team: str, who: str, *, store: Store, role: str = "annotator") -> Team:
    """Put a person into a team, with a role on the team's datasets; again: change that role.

    Raises: NotPermitted, TeamNotFound, PersonNotFound, RoleUnknown, OwnRights, RightsTooHigh.
    """
    store.guard.require(actor, Permission.GRANT_MANAGE)
    check_role(role)
    check_may_give(actor, role, store)
    with store.catalog.write(actor, "team.member", subject=team[:100]) as tx:
        found, person = repository.team(tx.conn, team), repository.person(tx.conn, who)
        check_is_other(actor, person, store)
        refuse_alone(tx.conn, actor, role, person, "a role in a team")
        for before in (one for one in found.members if one.email == person.email and one.role != role):
            refuse_taking(tx.conn, actor, before.role, person, "another role in the team")
        repository.put_member(tx.conn, found.id, person.id, role, at_us=now_us())
        tx.details({"person": person.id, "email": person.email, "role": role})
        return repository.team(tx.conn, team)


@verb
def remove_member(actor: Actor, team: str, who: str, *, store: Store) -> Team:
    """Take a person out of a team. Raises: NotPermitted, TeamNotFound, PersonNotFound, FourEyesNeeded."""
    store.guard.require(actor, Permission.GRANT_MANAGE)
    with store.catalog.write(actor, "team.remove-member", subject=team[:100]) as tx:
        found, person = repository.team(tx.conn, team), repository.person(tx.conn, who)
        for member in (one for one in found.members if one.email == person.email):
            refuse_taking(tx.conn, actor, member.role, person, "taking a person out of the team")
        removed = repository.remove_member(tx.conn, found.id, person.id)
        tx.details({"person": person.id, "email": person.email, "removed": removed})
        return repository.team(tx.conn, team)


@verb
def own_datasets(actor: Actor, team: str, datasets: list[str], *, store: Store, give: bool = True) -> Team:
    """Give datasets to a team, or with `give` False take them from it. A dataset belongs to one team at most.

    Raises: NotPermitted, TeamNotFound, GrantPlaceInvalid.
    """
    store.guard.require(actor, Permission.GRANT_MANAGE)
    with store.catalog.write(actor, "team.datasets", subject=team[:100]) as tx:
        found = repository.team(tx.conn, team)
        for member in found.members:
            check_is_other(actor, repository.person(tx.conn, member.email), store)
        for name in datasets:
            dataset_id = repository.dataset_id(tx.conn, name)
            if dataset_id is None:
                raise GrantPlaceInvalid(got=f"dataset:{name[:100]}")
            repository.put_dataset_team(tx.conn, dataset_id, found.id if give else None)
        tx.details({"datasets": datasets, "give": give})
        return repository.team(tx.conn, team)


@verb
def grants(actor: Actor, *, store: Store, who: str = "") -> list[Grant]:
    """The grants in force or to come, of one person or of all, oldest first. Raises: NotPermitted, PersonNotFound."""
    store.guard.require(actor, Permission.PEOPLE_READ)
    now = now_us()
    with store.catalog.read() as conn:
        person_id = repository.person(conn, who).id if who else None
        return [grant for grant in repository.grants(conn, person_id=person_id) if grant.holds(now)]


@verb
def grant_role(
    actor: Actor, who: str, role: str, *, store: Store, on: str = "workspace", until_us: int | None = None,
    reason: str = "",
) -> Grant:  # fmt: skip
    """Grant a role to a person. With four eyes, a governing role waits for another owner: then `waits` is true.

    Args:
        on: `workspace`, `team:NAME` (all datasets of the team) or `dataset:NAME`.
        until_us: When it ends by itself, in microseconds since 1970; None for never.
        reason: Why; shown in the list of grants and in the audit trail.
    Raises: NotPermitted, PersonNotFound, RoleUnknown, OwnRights, RightsTooHigh, GrantPlaceInvalid, TeamNotFound,
        GrantEnded.
    """
    store.guard.require(actor, Permission.GRANT_MANAGE)
    check_role(role)
    check_may_give(actor, role, store)
    if until_us is not None and until_us <= now_us():
        raise GrantEnded(got="before now")
    with store.catalog.write(actor, "grant.add", subject=who[:200]) as tx:
        person = repository.person(tx.conn, who)
        check_is_other(actor, person, store)
        scope, scope_id = place_of(tx.conn, on)
        grant = new_grant(actor, person, role, scope, scope_id, on, reason[:500], until_us)
        if needs_second(tx.conn, actor, role, person.id, gives=True):
            grant = wait_for_grant(tx.conn, actor, grant)
        else:
            repository.add_grant(tx.conn, grant)
        tx.details({"person": person.id, **grant.to_dict()})
    return grant


@verb
def revoke_grant(actor: Actor, grant_id: str, *, store: Store) -> Grant:
    """End a grant now. With four eyes, the end of a governing role waits for another owner: then `waits` is true.

    Raises: NotPermitted, GrantNotFound, RightsTooHigh, LastOwner.
    """
    store.guard.require(actor, Permission.GRANT_MANAGE)
    now = now_us()
    with store.catalog.write(actor, "grant.revoke", subject=grant_id[:32]) as tx:
        found = [grant for grant in repository.grants(tx.conn) if grant.id == grant_id]
        if not found:
            raise GrantNotFound(id=grant_id[:32])
        check_may_give(actor, found[0].role, store)
        if needs_second(tx.conn, actor, found[0].role, found[0].person_id, gives=False):
            waiting = wait_for_end(tx.conn, actor, found[0])
            tx.details(waiting.to_dict())
            return waiting
        before = repository.owners(tx.conn, now)
        repository.revoke_grant(tx.conn, grant_id, at_us=now, by=actor.name)
        check_owner_left(tx.conn, before, found[0].who, now)
        tx.details(found[0].to_dict())
    return found[0]
