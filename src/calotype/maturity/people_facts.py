"""What the catalog held about people and their rights at a time."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from calotype.foundation.actor import ACCOUNT
from calotype.maturity.facts import Facts, Rows
from calotype.maturity.model import DAY_US
from calotype.store.catalog import schema

_AUDIT, _PEOPLE, _WORK = schema.audit, schema.of_people, schema.of_work
_VENDOR = "vendor-annotator"


def grants(facts: Facts) -> Rows:
    """Grants that were in force, of the workspace, the dataset's team, or the dataset."""
    grants, teams = _PEOPLE.grants, _PEOPLE.dataset_teams
    team = sa.select(teams.c.team_id).where(teams.c.dataset_id == facts.dataset_id)
    covers = sa.or_(
        grants.c.scope == "workspace", grants.c.scope_id == facts.dataset_id, grants.c.scope_id.in_(team)
    )
    in_force = sa.and_(
        grants.c.created_at_us <= facts.at_us,
        sa.or_(grants.c.revoked_at_us.is_(None), grants.c.revoked_at_us > facts.at_us),
        sa.or_(grants.c.until_us.is_(None), grants.c.until_us > facts.at_us),
    )
    return facts.rows(sa.select(grants).where(covers, in_force))


def unused(facts: Facts, grants: Rows, days: int) -> int:
    """How many grants are older than days and belong to people without an audit event in that time."""
    old = [one for one in grants if one["created_at_us"] <= facts.since_us(days)]
    actors = [f"{ACCOUNT}{one['person_id']}" for one in old]
    query = (
        sa.select(_AUDIT.c.actor)
        .distinct()
        .where(_AUDIT.c.actor.in_(actors), *facts.within(_AUDIT.c.at_us, days))
    )
    active = {str(actor) for actor in facts.conn.scalars(query)}
    return sum(actor not in active for actor in actors)


def vendors(facts: Facts) -> list[str]:
    """Ids of the actors who work from outside."""
    return [f"{ACCOUNT}{one['person_id']}" for one in grants(facts) if one["role"] == _VENDOR]


def roles_of(facts: Facts, actors: Iterable[str]) -> dict[str, set[str]]:
    """Actor -> the roles that they hold here."""
    roles: dict[str, set[str]] = {actor: set() for actor in actors}
    for one in grants(facts):
        roles.get(f"{ACCOUNT}{one['person_id']}", set()).add(one["role"])
    return roles


def assigned(facts: Facts) -> dict[str, int]:
    """Actor -> images that were assigned to them."""
    work, batches = _WORK.assignments, _WORK.batches
    query = (
        sa.select(work.c.actor_id, sa.func.count(work.c.sample_id.distinct()))
        .join(batches, batches.c.id == work.c.batch_id)
        .where(batches.c.dataset_id == facts.dataset_id, work.c.started_at_us <= facts.at_us)
        .group_by(work.c.actor_id)
    )
    return {str(actor): int(n) for actor, n in facts.conn.execute(query)}


def answered_requests(facts: Facts, days: int) -> list[float]:
    """Days from asking for access to the yes, of requests for the dataset that were granted within days."""
    table = _PEOPLE.access_requests
    query = sa.select(table.c.asked_at_us, table.c.answered_at_us).where(
        table.c.state == "granted",
        table.c.place == f"dataset:{facts.name}",
        *facts.within(table.c.answered_at_us, days),
    )
    return [(answered - asked) / DAY_US for asked, answered in facts.conn.execute(query)]
