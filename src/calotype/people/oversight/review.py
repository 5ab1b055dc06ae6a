"""The access review: what is held and not used, ends soon, or hangs on one person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.verbs import verb
from calotype.people import repository, sign_in_repository
from calotype.people.holdings import Holding, holdings
from calotype.people.model import ApiToken, Person
from calotype.people.oversight import repository as stored
from calotype.people.oversight.model import (
    DAY_US,
    ENDING_DAYS,
    KINDS,
    UNUSED_DAYS,
    ReviewItemNotFound,
    ReviewRow,
    check_reason,
)
from calotype.store import Store

_UNUSED_US, _ENDING_US = UNUSED_DAYS * DAY_US, ENDING_DAYS * DAY_US


@verb
def access_review(
    actor: Actor, *, store: Store, with_kept: bool = False, at_us: int | None = None
) -> list[ReviewRow]:
    """What somebody should look at, in the order of `KINDS`, then by address.

    A grant is unused when the audit trail holds no event of its person about what the grant covers for 90 days: about
    the dataset, about one of the team's datasets or the team, or about anything for a role on the whole workspace.
    Refusals do not count, and a grant younger than that is not listed.

    Args:
        with_kept: Also the rows that somebody kept within 90 days.
        at_us: The time from which ages are counted, in microseconds since 1970; now by default.
    Raises: NotPermitted.
    """
    store.guard.require(actor, Permission.PEOPLE_READ)
    with store.catalog.read() as conn:
        rows = _rows(conn, now_us() if at_us is None else at_us)
    return [row for row in rows if with_kept or row.kept is None]


@verb
def keep_in_review(actor: Actor, kind: str, id: str, *, store: Store, reason: str) -> ReviewRow:
    """Keep what a row of the review is about: it is not shown again for 90 days. The audit trail says who and why.

    Args:
        kind: One of `KINDS`.
        id: Of the grant, the token or the person.
    Raises: NotPermitted, ReviewItemNotFound, AccessReasonTooLong.
    """
    store.guard.require(actor, Permission.GRANT_MANAGE)
    why, now = check_reason(reason), now_us()
    with store.catalog.write(actor, stored.KEEP_VERB, subject=id[:32]) as tx:
        same = [row for row in _rows(tx.conn, now) if (row.kind, row.id) == (kind, id)]
        if not same:
            raise ReviewItemNotFound(kind=kind[:40], id=id[:32])
        tx.details({"kind": kind, "id": id, "who": same[0].who, "by": actor.name, "reason": why})
    return same[0]


def _rows(conn: sa.Connection, now: int) -> list[ReviewRow]:
    """All rows, with who kept each lately."""
    people = repository.all_people(conn)
    held = holdings(conn, now)
    since = {grant.id: grant.created_at_us for grant in repository.grants(conn)}
    rows: list[ReviewRow] = []
    uses = stored.last_uses(conn, since_us=now - _UNUSED_US)
    for person in people:
        rows += _of_person(person, held[person.id])
        if person.disabled_at_us is None:
            rows += _unused_grants(person, held[person.id], since, uses.get(person.id, {}), now)
    rows += _of_tokens(sign_in_repository.tokens(conn), {person.email: person for person in people}, now)
    rows += _last_owner(people, repository.owners(conn, now), held)
    kept = stored.kept(conn, since_us=now - _UNUSED_US)
    rows.sort(key=lambda row: (KINDS.index(row.kind), row.who, row.id))
    return [replace(row, kept=kept.get((row.kind, row.id))) for row in rows]


def _of_person(person: Person, held: Sequence[Holding]) -> Iterator[ReviewRow]:
    if person.disabled_at_us is None and not held:
        yield ReviewRow(
            "person-without-role", person.id, person.email, person.name, since_us=person.created_at_us
        )
    if person.disabled_at_us is not None and held:
        roles = ", ".join(sorted({holding.role for holding in held}))
        places = ", ".join(sorted({holding.place for holding in held}))
        yield ReviewRow(
            "disabled-with-role", person.id, person.email, person.name, roles, places, person.disabled_at_us
        )


def _unused_grants(
    person: Person, held: Sequence[Holding], since: dict[str, int], uses: dict[str, int], now: int
) -> Iterator[ReviewRow]:
    for holding in held:
        if not holding.grant or since[holding.grant] > now - _UNUSED_US:
            continue
        covered = None if holding.reaches is None else {*holding.reaches, *_names(holding)}
        if not any(covered is None or subject in covered for subject in uses):
            yield ReviewRow(
                "grant-unused",
                holding.grant,
                person.email,
                person.name,
                holding.role,
                holding.place,
                since[holding.grant],
                until_us=holding.until_us,
            )


def _names(holding: Holding) -> set[str]:
    """How the audit trail names the place itself."""
    return {holding.place.partition(":")[2]}


def _of_tokens(tokens: Sequence[ApiToken], people: dict[str, Person], now: int) -> Iterator[ReviewRow]:
    for token in tokens:
        if token.until_us <= now:
            continue
        about = (token.id, token.who, people[token.who].name, token.name)
        times = (token.created_at_us, token.used_at_us, token.until_us)
        if (token.used_at_us or token.created_at_us) <= now - _UNUSED_US:
            yield ReviewRow("token-unused", *about, ", ".join(token.datasets), *times)
        if token.until_us <= now + _ENDING_US:
            yield ReviewRow("token-ending", *about, ", ".join(token.datasets), *times)


def _last_owner(
    people: Sequence[Person], owners: set[str], held: dict[str, list[Holding]]
) -> Iterator[ReviewRow]:
    """A workspace with one owner is closed for good when that person is gone."""
    if len(owners) != 1:
        return
    for person in people:
        if person.id in owners:
            grant = next(item for item in held[person.id] if item.role == "owner" and item.reaches is None)
            yield ReviewRow(
                "last-owner", person.id, person.email, person.name, "owner", grant.place, person.created_at_us
            )
