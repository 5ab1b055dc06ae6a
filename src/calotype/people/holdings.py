"""What people hold: every grant and every role in a team, with the datasets that it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.foundation.actor import ACCOUNT, TEAM, Actor, RoleOn
from calotype.foundation.clock import iso
from calotype.people import repository
from calotype.people.model import Grant, Person, Team


@dataclass(frozen=True, slots=True)
class Holding:
    """A role of a person, and where it comes from.

    Args:
        place: `workspace`, `team:NAME` or `dataset:NAME`.
        grant: Id of the grant; empty for a role in a team.
        reaches: The datasets that it holds on, and the team itself as `team:NAME`; None for the whole workspace.
    """

    role: str
    place: str
    grant: str
    until_us: int | None
    reaches: tuple[str, ...] | None

    @property
    def roles(self) -> tuple[RoleOn, ...]:
        """As an actor carries it."""
        if self.reaches is None:
            return (RoleOn(self.role, None, self.until_us),)
        return tuple(RoleOn(self.role, name, self.until_us) for name in self.reaches)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        until = None if self.until_us is None else iso(self.until_us)
        return {"role": self.role, "on": self.place, "grant": self.grant, "until": until}


def holdings(conn: sa.Connection, now_us: int) -> dict[str, list[Holding]]:
    """Ids of people -> what they hold now."""
    teams = repository.all_teams(conn)
    ids = {person.email: person.id for person in repository.all_people(conn)}
    held: dict[str, list[Holding]] = {person_id: [] for person_id in ids.values()}
    for grant in repository.grants(conn):
        if grant.holds(now_us):
            held[grant.person_id].append(_of_grant(grant, {team.id: team for team in teams}))
    for team in teams:
        for member in team.members:
            held[ids[member.email]].append(
                Holding(member.role, f"{TEAM}{team.name}", "", None, _reached(team))
            )
    return held


def actor_with(person: Person, held: list[Holding]) -> Actor:
    """The actor that a person would be with these roles."""
    grants = tuple(role for holding in held for role in holding.roles)
    return Actor(f"{ACCOUNT}{person.id}", person.email, person.kind, (), grants)


def _of_grant(grant: Grant, teams: dict[str, Team]) -> Holding:
    reaches: tuple[str, ...] | None = None
    if grant.scope == "team":
        reaches = _reached(teams[grant.scope_id])
    elif grant.scope == "dataset":
        reaches = (grant.place.removeprefix("dataset:"),)
    return Holding(grant.role, grant.place, grant.id, grant.until_us, reaches)


def _reached(team: Team) -> tuple[str, ...]:
    return (*team.datasets, f"{TEAM}{team.name}")
