"""Roles, and the decider that asks Cedar what they allow. Permissions are granted nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from calotype.contracts.classification import Classification
from calotype.foundation.actor import (
    ACCOUNT,
    ORDINARY,
    TEAM,
    WORKSPACE,
    Actor,
    Ceiling,
    Circumstances,
    Permission,
    RoleOn,
    Ruling,
    kind_of,
)
from calotype.foundation.clock import now_us
from calotype.govern import cedar
from calotype.govern.cedar import UNCLASSIFIED
from calotype.govern.model import DEFAULT_MODEL

VENDORS = frozenset({"vendor-annotator"})
"""Whoever holds one of these anywhere sees what is assigned to them, and nothing else."""


_STATED = ("governing", "changes_account", "own_work", "destroys", "lowers_class")
"""Flags of the circumstances that a verb states itself."""


def default_model() -> str:
    """The model of an organisation that has set none."""
    return DEFAULT_MODEL


def nothing_classified() -> Mapping[str, Classification]:
    """The classifications of a workspace that has none."""
    return {}


@dataclass(frozen=True, slots=True)
class RoleRules:
    """Decides by the actor's roles on the resource, under the rules of the organisation.

    Args:
        model: Returns the model of the organisation as it is now: central, decentral or hybrid.
        classified: Returns what kind of data each dataset holds now, by its name.
    """

    model: Callable[[], str] = default_model
    classified: Callable[[], Mapping[str, Classification]] = nothing_classified

    def decide(
        self, actor: Actor, permission: Permission, resource: str, circumstances: Circumstances = ORDINARY
    ) -> Ruling:
        """Whether the actor may, and which rule says so. The resource is a dataset, `team:NAME` or the workspace.

        A role on one dataset grants nothing on another, nor on the workspace.
        """
        about = self.classified().get(resource, UNCLASSIFIED)
        return cedar.ruling(self.model(), question(actor, permission, resource, circumstances, about))

    def says(self, rule: str) -> str:
        """What a rule says, in words."""
        return cedar.rules(self.model()).get(rule, rule)


def question(
    actor: Actor,
    permission: Permission,
    resource: str,
    circumstances: Circumstances = ORDINARY,
    about: Classification = UNCLASSIFIED,
) -> cedar.Question:
    """What Cedar is asked: the facts about an actor and a resource that rules can depend on."""
    now = now_us()
    in_force = [grant for grant in actor.grants if grant.until_us is None or now < grant.until_us]
    flags = [name for name in _STATED if getattr(circumstances, name)]
    if circumstances.about and circumstances.about == actor.id:
        flags.append("own_rights")
    if actor.ceiling is not None:
        flags.append("by_token")
        if not _is_below(actor.ceiling, permission, resource):
            flags.append("above_token")
    return cedar.Question(
        permission,
        _roles_on(actor.roles, in_force, resource),
        circumstances.part or kind_of(resource),
        account=actor.id.startswith(ACCOUNT),
        vendor=not VENDORS.isdisjoint([*actor.roles, *(grant.role for grant in in_force)]),
        service=actor.kind == "service",
        flags=frozenset(flags),
        about=about,
        purpose=circumstances.purpose,
    )


def example_resource(kind: str) -> str:
    """A resource of a kind, as decisions name it."""
    return {"workspace": WORKSPACE, "team": f"{TEAM}example"}.get(kind, "example")


def _roles_on(roles: tuple[str, ...], grants: list[RoleOn], resource: str) -> frozenset[tuple[str, bool]]:
    """The roles that hold on a resource, with whether each is held on the whole workspace."""
    held = {(role, True) for role in roles}
    held |= {(g.role, g.dataset is None) for g in grants if g.dataset is None or g.dataset == resource}
    return frozenset(held)


def _is_below(ceiling: Ceiling, permission: Permission, resource: str) -> bool:
    return permission in ceiling.permissions and (
        ceiling.datasets is None or resource in ceiling.datasets or permission is Permission.ACCOUNT_OWN
    )
