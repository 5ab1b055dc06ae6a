"""Who has access, and why somebody has it or not: the rules, asked about other people and about oneself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from calotype.datasets.refs import DatasetNotFound
from calotype.foundation.actor import (
    ACCOUNT,
    ACTIONS,
    PARTS,
    ROLES,
    TEAM,
    WORKSPACE,
    Actor,
    Circumstances,
    Permission,
    Ruling,
    kind_of,
)
from calotype.foundation.clock import now_us
from calotype.foundation.errors import Invalid
from calotype.foundation.verbs import verb
from calotype.people import repository
from calotype.people.holdings import Holding, actor_with, holdings
from calotype.people.model import Person
from calotype.store import Store


class ActionUnknown(Invalid):
    """There is no action of this name."""

    code = "action-unknown"
    what = "action {got!r} does not exist"
    fix = "the actions are " + ", ".join(Permission)


class ResourceInvalid(Invalid):
    """The text names no kind of resource."""

    code = "resource-invalid"
    what = "{got!r} is not a resource"
    fix = (
        "write workspace, team:NAME, dataset:NAME, branch:DATASET@NAME, release:DATASET@VERSION or "
        "sample:DATASET@ID"
    )


class ActionElsewhere(Invalid):
    """The action concerns other kinds of resources."""

    code = "action-elsewhere"
    what = "{action} is not decided on a {kind}"
    fix = "ask about {kinds}"


@dataclass(frozen=True, slots=True)
class Resource:
    """What access is asked about.

    Args:
        text: As it was written.
        name: As decisions name it: a dataset, `team:NAME` or the workspace.
        part: Kind of a part of the dataset; empty for all of it.
        grantable: The places where a role could be granted that would hold here, the smallest first.
    """

    text: str
    name: str
    part: str
    grantable: tuple[str, ...]

    def is_reached_by(self, holding: Holding) -> bool:
        """Whether a role that somebody holds counts here."""
        return holding.reaches is None or self.name in holding.reaches


@dataclass(frozen=True, slots=True)
class Access:
    """A person who has access: by which rule, and each grant or team that is enough for it."""

    person: Person
    rule: str
    by: tuple[Holding, ...]

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        person = {"who": self.person.email, "name": self.person.name, "kind": self.person.kind}
        return {**person, "rule": self.rule, "by": [holding.to_dict() for holding in self.by]}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why somebody may do something, or not.

    Args:
        says: What the rule says, in words.
        by: The grants and teams that are enough, where it is allowed.
        would_allow: Grants (role, place) of which each would allow it, the one that allows least first; none where a
            guard forbids it.
    """

    who: str
    action: str
    resource: str
    allowed: bool
    rule: str
    says: str
    by: tuple[Holding, ...] = ()
    would_allow: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "who": self.who,
            "action": self.action,
            "resource": self.resource,
            "allowed": self.allowed,
            "rule": self.rule,
            "says": self.says,
            "by": [holding.to_dict() for holding in self.by],
            "would_allow": [{"role": role, "on": place} for role, place in self.would_allow],
        }


@verb
def who_can(actor: Actor, action: str, resource: str, *, store: Store) -> list[Access]:
    """Everyone with an account, not disabled, who may do something, ordered by address.

    Args:
        action: A permission such as `dataset.export`; for a dataset `export` is enough.
        resource: `workspace`, `team:NAME`, `dataset:NAME`, `branch:DATASET@NAME`, `release:DATASET@VERSION` or
            `sample:DATASET@ID`.
    Raises: NotPermitted, ActionUnknown, ActionElsewhere, ResourceInvalid, DatasetNotFound, TeamNotFound.
    """
    store.guard.require(actor, Permission.PEOPLE_READ)
    permission = parse_action(action)
    now = now_us()
    with store.catalog.read() as conn:
        about = _resource(conn, permission, resource)
        people = [person for person in repository.all_people(conn) if person.disabled_at_us is None]
        held = holdings(conn, now)
    found = []
    for person in people:
        ruling = _ruling(store, actor_with(person, held[person.id]), permission, about)
        if ruling.allowed:
            found.append(
                Access(person, ruling.rule, _enough(store, person, held[person.id], permission, about))
            )
    return found


@verb
def why(actor: Actor, who: str, action: str, resource: str, *, store: Store) -> Explanation:
    """Whether somebody may do something, by which rule, and which grant would change a no.

    About oneself everyone may ask, about others whoever reads people and grants. What one may not see is answered like
    what does not exist. Raises: NotPermitted, PersonNotFound, ActionUnknown, ActionElsewhere, ResourceInvalid,
    DatasetNotFound, TeamNotFound.
    """
    is_own = who.strip().lower() == actor.name and actor.id.startswith(ACCOUNT)
    store.guard.require(actor, Permission.ACCOUNT_OWN if is_own else Permission.PEOPLE_READ)
    sees_people = store.guard.allows(actor, Permission.PEOPLE_READ)
    permission = parse_action(action)
    now = now_us()
    with store.catalog.read() as conn:
        person = repository.person(conn, who)
        about = _resource(conn, permission, resource, must_exist=sees_people)
        held = holdings(conn, now)[person.id]
    if person.disabled_at_us is not None:
        return Explanation(
            person.email, str(permission), about.text, False, "account-disabled", "the account is disabled"
        )
    asked = actor_with(person, held)
    if is_own:
        asked = replace(asked, ceiling=actor.ceiling)
    ruling = _ruling(store, asked, permission, about)
    return Explanation(
        person.email,
        str(permission),
        about.text,
        ruling.allowed,
        ruling.rule,
        store.guard.decider.says(ruling.rule),
        _enough(store, person, held, permission, about) if ruling.allowed else (),
        () if ruling.allowed else tuple(_remedies(store, asked, permission, about)),
    )


def parse_action(text: str) -> Permission:
    """The permission of this name; `dataset.` may be left out. Raises: ActionUnknown."""
    name = text.strip()
    for permission in Permission:
        if permission in (name, f"dataset.{name}"):
            return permission
    raise ActionUnknown(got=text[:100])


def _resource(conn: sa.Connection, permission: Permission, text: str, *, must_exist: bool = True) -> Resource:
    """Raises: ResourceInvalid, ActionElsewhere, DatasetNotFound, TeamNotFound."""
    about = _parsed(text)
    kind = about.part or kind_of(about.name)
    if kind not in ACTIONS[permission]:
        raise ActionElsewhere(action=str(permission), kind=kind, kinds=" or ".join(ACTIONS[permission]))
    if must_exist and kind == "team":
        repository.team(conn, about.name.removeprefix(TEAM))
    elif must_exist and kind != "workspace" and repository.dataset_id(conn, about.name) is None:
        raise DatasetNotFound(name=about.name[:120])
    return about


def _parsed(text: str) -> Resource:
    """Raises: ResourceInvalid."""
    kind, _, name = text.strip().partition(":")
    dataset, _, rest = name.partition("@")
    if text.strip() == "workspace":
        return Resource(text, WORKSPACE, "", ("workspace",))
    if kind == "team" and name:
        return Resource(text, f"{TEAM}{name}", "", (f"{TEAM}{name}", "workspace"))
    if not dataset or kind not in ("dataset", *PARTS) or bool(rest) != (kind in PARTS):
        raise ResourceInvalid(got=text[:200])
    return Resource(text, dataset, kind if rest else "", (f"dataset:{dataset}", "workspace"))


def _ruling(store: Store, actor: Actor, permission: Permission, about: Resource) -> Ruling:
    return store.guard.decider.decide(actor, permission, about.name, Circumstances(part=about.part))


def _enough(
    store: Store, person: Person, held: Sequence[Holding], permission: Permission, about: Resource
) -> tuple[Holding, ...]:
    """What a person holds of which each alone, here, would be enough."""
    return tuple(
        holding
        for holding in held
        if about.is_reached_by(holding)
        and _ruling(store, actor_with(person, [holding]), permission, about).allowed
    )


def _remedies(
    store: Store, asked: Actor, permission: Permission, about: Resource
) -> Iterator[tuple[str, str]]:
    """Grants of which each would turn a no into a yes, the one that allows least first."""
    found = []
    for place in about.grantable:
        name = None if place == "workspace" else about.name
        for role in ROLES:
            if _is_unsuitable(role, asked):
                continue
            more = Holding(role, place, "", None, None if name is None else (name,))
            if _ruling(store, replace(asked, grants=(*asked.grants, *more.roles)), permission, about).allowed:
                alone = replace(asked, grants=more.roles)
                allows = sum(_ruling(store, alone, each, about).allowed for each in Permission)
                found.append((about.grantable.index(place), allows, role, place))
    yield from ((role, place) for _, _, role, place in sorted(found))


def _is_unsuitable(role: str, asked: Actor) -> bool:
    """Roles that do not suit somebody: a program's to a person, and a vendor's to who holds others, which it
    would take away."""
    if role == "service":
        return asked.kind != "service"
    return role == "vendor-annotator" and any(grant.role != role for grant in asked.grants)
