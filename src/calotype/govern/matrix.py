"""The decision matrix: what each role allows, by where it is held, action, kind of resource and model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from calotype.foundation.actor import (
    ACTIONS,
    PARENTS,
    PARTS,
    ROLES,
    Actor,
    Circumstances,
    Permission,
    RoleOn,
    Ruling,
)
from calotype.govern.model import Cell, Difference
from calotype.govern.rules import RoleRules, example_resource

HELD = ("workspace", "team")
"""Where a role is held: on the whole workspace; or in the team, or on the dataset, that the question is about."""


@lru_cache(maxsize=8)
def matrix(model: str) -> tuple[Cell, ...]:
    """All decisions for somebody who has one role, signed in with an account, under a model.

    A role of a team does not reach the workspace, so there are no cells for it there.
    """
    return tuple(_cells(model))


def difference(before: str, after: str) -> tuple[Difference, ...]:
    """The cells whose decision is not the same under both models."""
    pairs = zip(matrix(before), matrix(after), strict=True)
    return tuple(Difference(old, new) for old, new in pairs if old.allowed != new.allowed)


def rows(cells: Sequence[Cell]) -> list[list[str]]:
    """The cells of one kind of resource as a table: an action, then a word for each role.

    `yes`: wherever the role is held. `team`: where it is held in the team or on the dataset. `all`: where it is held on
    the whole workspace. `no`.
    """
    words = {(): "no", ("workspace",): "all", ("team",): "team", HELD: "yes"}
    if all(cell.kind == "workspace" for cell in cells):
        words[("workspace",)] = "yes"
    shown: dict[str, dict[str, tuple[str, ...]]] = {}
    for cell in cells:
        by_role = shown.setdefault(cell.action, {})
        by_role[cell.role] = (*by_role.get(cell.role, ()), *([cell.held] if cell.allowed else []))
    return [[action, *(words[by_role[role]] for role in ROLES)] for action, by_role in shown.items()]


def _cells(model: str) -> Iterator[Cell]:
    rules = RoleRules(lambda: model)
    for kind in PARENTS:
        for permission in Permission:
            if kind not in ACTIONS[permission]:
                continue
            for role in ROLES:
                for held in HELD[: 1 if kind == "workspace" else 2]:
                    ruling = _ask(rules, role, held, permission, kind)
                    yield Cell(role, held, str(permission), kind, ruling.allowed, ruling.rule)


def _ask(rules: RoleRules, role: str, held: str, permission: Permission, kind: str) -> Ruling:
    resource = example_resource(kind)
    grant = RoleOn(role, None if held == "workspace" else resource)
    account = "service" if role == "service" else "person"
    actor = Actor("person:example", "example", account, (), (grant,))
    part = kind if kind in PARTS else ""
    return rules.decide(actor, permission, resource, Circumstances(part=part))
