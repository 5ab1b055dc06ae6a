"""Who works in a batch: names as they are written, and the ids that batches keep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from calotype.foundation.actor import ACCOUNT, LOCAL, TEAM, Actor
from calotype.labelling.errors import WorkerUnknown
from calotype.store.catalog import schema

_PEOPLE, _TEAMS, _MEMBERS = schema.of_people.people, schema.of_people.teams, schema.of_people.members


def ids_of(conn: sa.Connection, actor: Actor, names: Sequence[str]) -> tuple[str, ...]:
    """The ids of people and teams by their names.

    In a workspace without accounts, any name is somebody who works on this machine.

    Raises: WorkerUnknown.
    """
    has_accounts = conn.execute(sa.select(sa.func.count()).select_from(_PEOPLE)).scalar_one() > 0
    return tuple(
        dict.fromkeys(_id_of(conn, actor, name.strip(), has_accounts) for name in names if name.strip())
    )


def _id_of(conn: sa.Connection, actor: Actor, name: str, has_accounts: bool) -> str:
    if name in ("me", actor.name, actor.id):
        return actor.id
    if name.startswith(TEAM):
        row = conn.execute(sa.select(_TEAMS.c.id).where(_TEAMS.c.name == name.removeprefix(TEAM))).first()
        if row is None:
            raise WorkerUnknown(got=name[:80])
        return f"{TEAM}{row.id}"
    by = sa.or_(_PEOPLE.c.email == name.lower(), _PEOPLE.c.id == name, _PEOPLE.c.name == name)
    matches = conn.execute(sa.select(_PEOPLE.c.id).where(by, _PEOPLE.c.disabled_at_us.is_(None))).all()
    if len(matches) == 1:
        return f"{ACCOUNT}{matches[0].id}"
    if not has_accounts and 0 < len(name) <= 100 and name.isprintable():
        return f"{LOCAL}{name}"
    raise WorkerUnknown(got=name[:80])


def names_of(conn: sa.Connection, ids: Iterable[str]) -> tuple[str, ...]:
    """The names of people and teams by their ids."""
    return tuple(_name_of(conn, one) for one in ids)


def _name_of(conn: sa.Connection, one: str) -> str:
    if one.startswith(TEAM):
        name = conn.scalar(sa.select(_TEAMS.c.name).where(_TEAMS.c.id == one.removeprefix(TEAM)))
        return f"{TEAM}{name}" if name else one
    if one.startswith(ACCOUNT):
        return conn.scalar(sa.select(_PEOPLE.c.email).where(_PEOPLE.c.id == one.removeprefix(ACCOUNT))) or one
    return one.removeprefix(LOCAL)


def places_of(conn: sa.Connection, actor: Actor) -> frozenset[str]:
    """What stands for an actor in a batch: the id, and the ids of the teams."""
    person = actor.id.removeprefix(ACCOUNT)
    teams = conn.scalars(sa.select(_MEMBERS.c.team_id).where(_MEMBERS.c.person_id == person))
    return frozenset({actor.id, *(f"{TEAM}{team}" for team in teams)})


def is_among(places: frozenset[str], listed: Sequence[str]) -> bool:
    """Whether somebody is among those who are listed; an empty list is everyone."""
    return not listed or not places.isdisjoint(listed)
