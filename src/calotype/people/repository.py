"""Catalog queries of people, teams, grants and invitations."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import RoleOn
from calotype.people.model import Grant, Membership, Person, PersonNotFound, Team, TeamNotFound
from calotype.store.catalog import schema

_PEOPLE, _TEAMS, _MEMBERS, _DATASET_TEAMS, _GRANTS, _REQUESTS, _INVITATIONS, *_ = schema.of_people
_DATASETS = schema.datasets


def add_person(conn: sa.Connection, person: Person) -> None:
    """Insert an account."""
    values = {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "kind": person.kind,
        "created_at_us": person.created_at_us,
        "created_by": person.created_by,
    }
    conn.execute(_PEOPLE.insert().values(**values))


def person(conn: sa.Connection, who: str) -> Person:
    """The person with this address or id. Raises: PersonNotFound."""
    found = find_person(conn, who)
    if found is None:
        raise PersonNotFound(who=who[:200])
    return found


def find_person(conn: sa.Connection, who: str) -> Person | None:
    """The person with this address or id, if there is one."""
    column = _PEOPLE.c.email if "@" in who else _PEOPLE.c.id
    row = conn.execute(sa.select(_PEOPLE).where(column == who.strip().lower())).mappings().first()
    return None if row is None else _person(row)


def all_people(conn: sa.Connection) -> list[Person]:
    """All accounts, ordered by address."""
    return [_person(row) for row in conn.execute(sa.select(_PEOPLE).order_by(_PEOPLE.c.email)).mappings()]


def change_person(conn: sa.Connection, person_id: str, **values: Any) -> None:
    """Change columns of an account."""
    conn.execute(_PEOPLE.update().where(_PEOPLE.c.id == person_id).values(**values))


def password_hash(conn: sa.Connection, person_id: str) -> str | None:
    """The stored hash of a password."""
    hashed: str | None = conn.scalar(sa.select(_PEOPLE.c.password_hash).where(_PEOPLE.c.id == person_id))
    return hashed


def _person(row: Any) -> Person:
    return Person(
        row["id"],
        row["email"],
        row["name"],
        row["kind"],
        row["created_at_us"],
        row["created_by"],
        row["disabled_at_us"],
        row["password_hash"] is not None,
    )


def add_team(conn: sa.Connection, team_id: str, name: str, *, at_us: int, by: str) -> None:
    """Insert a team."""
    conn.execute(_TEAMS.insert().values(id=team_id, name=name, created_at_us=at_us, created_by=by))


def team(conn: sa.Connection, name: str) -> Team:
    """The team of a name, with its members and datasets. Raises: TeamNotFound."""
    found = [item for item in all_teams(conn) if item.name == name]
    if not found:
        raise TeamNotFound(name=name[:100])
    return found[0]


def all_teams(conn: sa.Connection) -> list[Team]:
    """All teams with members and datasets, ordered by name."""
    members: dict[str, list[Membership]] = {}
    joined = sa.select(_MEMBERS.c.team_id, _PEOPLE.c.email, _PEOPLE.c.name, _MEMBERS.c.role)
    for team_id, email, name, role in conn.execute(joined.join(_PEOPLE).order_by(_PEOPLE.c.email)):
        members.setdefault(team_id, []).append(Membership(email, name, role))
    datasets: dict[str, list[str]] = {}
    owned = sa.select(_DATASET_TEAMS.c.team_id, _DATASETS.c.name).join(_DATASETS).order_by(_DATASETS.c.name)
    for team_id, name in conn.execute(owned):
        datasets.setdefault(team_id, []).append(name)
    rows = conn.execute(sa.select(_TEAMS.c.id, _TEAMS.c.name).order_by(_TEAMS.c.name))
    return [Team(id, name, tuple(members.get(id, ())), tuple(datasets.get(id, ()))) for id, name in rows]


def put_member(conn: sa.Connection, team_id: str, person_id: str, role: str, *, at_us: int) -> None:
    """Put a person into a team with a role, or change the role."""
    remove_member(conn, team_id, person_id)
    values = {"team_id": team_id, "person_id": person_id, "role": role, "created_at_us": at_us}
    conn.execute(_MEMBERS.insert().values(**values))


def remove_member(conn: sa.Connection, team_id: str, person_id: str) -> bool:
    """Take a person out of a team; whether they were in it."""
    matches = (_MEMBERS.c.team_id == team_id) & (_MEMBERS.c.person_id == person_id)
    return conn.execute(_MEMBERS.delete().where(matches)).rowcount > 0


def put_dataset_team(conn: sa.Connection, dataset_id: str, team_id: str | None) -> None:
    """Give a dataset to a team, or to none."""
    conn.execute(_DATASET_TEAMS.delete().where(_DATASET_TEAMS.c.dataset_id == dataset_id))
    if team_id is not None:
        conn.execute(_DATASET_TEAMS.insert().values(dataset_id=dataset_id, team_id=team_id))


def dataset_id(conn: sa.Connection, name: str) -> str | None:
    """The id of a dataset."""
    found: str | None = conn.scalar(sa.select(_DATASETS.c.id).where(_DATASETS.c.name == name))
    return found


def dataset_names(conn: sa.Connection, ids: list[str]) -> tuple[str, ...]:
    """The names of datasets, ordered."""
    names = conn.scalars(
        sa.select(_DATASETS.c.name).where(_DATASETS.c.id.in_(ids)).order_by(_DATASETS.c.name)
    )
    return tuple(names)


def add_grant(conn: sa.Connection, grant: Grant) -> None:
    """Insert a grant."""
    names = (
        "id",
        "person_id",
        "role",
        "scope",
        "scope_id",
        "reason",
        "created_by",
        "created_at_us",
        "until_us",
        "source",
    )
    conn.execute(_GRANTS.insert().values(**{name: getattr(grant, name) for name in names}))


def revoke_grant(conn: sa.Connection, grant_id: str, *, at_us: int, by: str) -> None:
    """End a grant."""
    values = {"revoked_at_us": at_us, "revoked_by": by}
    conn.execute(_GRANTS.update().where(_GRANTS.c.id == grant_id).values(**values))


def confirm_grant(conn: sa.Connection, grant_id: str) -> None:
    """Put a grant into force that waited for a second owner."""
    conn.execute(_GRANTS.update().where(_GRANTS.c.id == grant_id).values(revoked_at_us=None, revoked_by=None))


def grants(conn: sa.Connection, *, person_id: str | None = None) -> list[Grant]:
    """Grants that were not revoked, of one person or of all, oldest first."""
    query = (
        sa.select(
            _GRANTS,
            _PEOPLE.c.email.label("who"),
            _TEAMS.c.name.label("team"),
            _DATASETS.c.name.label("dataset"),
        )
        .join(_PEOPLE, _PEOPLE.c.id == _GRANTS.c.person_id)
        .outerjoin(_TEAMS, _TEAMS.c.id == _GRANTS.c.scope_id)
        .outerjoin(_DATASETS, _DATASETS.c.id == _GRANTS.c.scope_id)
        .where(_GRANTS.c.revoked_at_us.is_(None))
        .order_by(_GRANTS.c.id)
    )
    if person_id is not None:
        query = query.where(_GRANTS.c.person_id == person_id)
    return [_grant(row) for row in conn.execute(query).mappings()]


def _grant(row: Any) -> Grant:
    place = {
        "workspace": "workspace",
        "team": f"team:{row['team']}",
        "dataset": f"dataset:{row['dataset'] or row['scope_id']}",
    }[row["scope"]]
    return Grant(
        row["id"],
        row["person_id"],
        row["who"],
        row["role"],
        row["scope"],
        row["scope_id"],
        place,
        row["reason"],
        row["created_by"],
        row["created_at_us"],
        row["until_us"],
        row["revoked_at_us"],
        row["source"],
    )


def roles_of(conn: sa.Connection, person_id: str) -> tuple[RoleOn, ...]:
    """What a person holds: own grants, and the roles in teams on the datasets of these teams."""
    of_team: dict[str, list[str]] = {}
    owned = sa.select(_DATASET_TEAMS.c.team_id, _DATASETS.c.name).join(_DATASETS)
    for team_id, name in conn.execute(owned):
        of_team.setdefault(team_id, []).append(name)
    roles = []
    for grant in grants(conn, person_id=person_id):
        if grant.scope == "workspace":
            roles.append(RoleOn(grant.role, None, grant.until_us))
        elif grant.scope == "team":
            roles += [RoleOn(grant.role, name, grant.until_us) for name in of_team.get(grant.scope_id, ())]
        else:
            roles.append(RoleOn(grant.role, grant.place.removeprefix("dataset:"), grant.until_us))
    mine = sa.select(_MEMBERS.c.team_id, _MEMBERS.c.role).where(_MEMBERS.c.person_id == person_id)
    for team_id, role in conn.execute(mine):
        roles += [RoleOn(role, name) for name in of_team.get(team_id, ())]
    return tuple(roles)


def owners(conn: sa.Connection, now_us: int) -> set[str]:
    """Ids of the people who are owners of the workspace, not disabled, and without an end."""
    disabled = {item.id for item in all_people(conn) if item.disabled_at_us is not None}
    return {
        grant.person_id
        for grant in grants(conn)
        if grant.role == "owner"
        and grant.scope == "workspace"
        and grant.until_us is None
        and grant.holds(now_us)
        and grant.person_id not in disabled
    }


def add_invitation(
    conn: sa.Connection,
    invitation_id: str,
    secret_sha256: str,
    *,
    person_id: str | None,
    at_us: int,
    until_us: int,
) -> None:
    """Insert an invitation; earlier ones for the same person, or for the first owner, end."""
    same = _INVITATIONS.c.person_id.is_(None) if person_id is None else _INVITATIONS.c.person_id == person_id
    conn.execute(_INVITATIONS.delete().where(same, _INVITATIONS.c.used_at_us.is_(None)))
    values = {"person_id": person_id, "created_at_us": at_us, "until_us": until_us}
    conn.execute(_INVITATIONS.insert().values(id=invitation_id, secret_sha256=secret_sha256, **values))


def invitation(conn: sa.Connection, secret_sha256: str, now_us: int) -> Any | None:
    """The id and person of an invitation that can be used now."""
    usable = (_INVITATIONS.c.used_at_us.is_(None)) & (_INVITATIONS.c.until_us > now_us)
    query = sa.select(_INVITATIONS.c.id, _INVITATIONS.c.person_id)
    return conn.execute(query.where(_INVITATIONS.c.secret_sha256 == secret_sha256, usable)).first()


def use_invitation(conn: sa.Connection, invitation_id: str, now_us: int) -> None:
    """Mark an invitation as used."""
    conn.execute(_INVITATIONS.update().where(_INVITATIONS.c.id == invitation_id).values(used_at_us=now_us))
