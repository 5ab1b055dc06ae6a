"""Actors, permissions, and the guard that every verb calls first."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from calotype.foundation.errors import NotPermitted


class Permission(StrEnum):
    """Permissions that verbs require; the rules that grant them are in the room `govern`."""

    DATASET_READ = "dataset.read"
    DATASET_CREATE = "dataset.create"
    DATASET_EDIT = "dataset.edit"
    DATASET_COMMIT = "dataset.commit"
    CHECK_RUN = "check.run"
    FINDING_TRIAGE = "finding.triage"
    FINDING_JUDGE = "finding.judge"
    CONTRACT_EDIT = "contract.edit"
    RELEASE_CREATE = "release.create"
    EXPORT = "dataset.export"
    PIPELINE_RUN = "pipeline.run"
    AUDIT_READ = "audit.read"
    WORKSPACE_MAINTAIN = "workspace.maintain"
    PEOPLE_READ = "people.read"
    PEOPLE_MANAGE = "people.manage"
    GRANT_MANAGE = "grant.manage"
    ACCOUNT_OWN = "account.own"
    """One's own account: who one is, password, sessions, API tokens. Everyone who is signed in has it."""


WORKSPACE = "the workspace"
"""The resource of verbs that concern no dataset; names of datasets have no spaces."""


@dataclass(frozen=True, slots=True)
class RoleOn:
    """A role on one dataset, or on the whole workspace where `dataset` is None, until a time or for good."""

    role: str
    dataset: str | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that an API token may do: these permissions, on these datasets (None: on all)."""

    permissions: frozenset[Permission]
    datasets: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or service that runs a verb.

    `roles` are names of `govern.rules.GRANTS`, such as owner, data-engineer, curator, annotator or auditor, which hold
    for the whole workspace; `grants` are roles that may end or hold for one dataset. What an actor may do is what these
    allow, within the `ceiling` of the API token that the request came with.
    """

    id: str
    name: str
    kind: str = "person"
    roles: tuple[str, ...] = ("owner",)
    grants: tuple[RoleOn, ...] = ()
    ceiling: Ceiling | None = None
    request: tuple[tuple[str, str], ...] = ()
    """Facts about the request that the audit trail records with what was done: its id, its purpose, its API token."""

    @classmethod
    def local(cls) -> Actor:
        """The local user: owner of an embedded workspace, named after the login."""
        try:
            login = getpass.getuser()
        except (OSError, KeyError):  # a container without a login name
            login = "owner"
        return cls(id=f"local:{login}", name=login)

    @classmethod
    def nobody(cls) -> Actor:
        """Whoever has not signed in: no roles, and no account."""
        return cls(id="nobody", name="nobody", roles=(), ceiling=Ceiling(frozenset()))


class Decider(Protocol):
    """Decides whether an actor has a permission; wired in `app`."""

    def allows(self, actor: Actor, permission: Permission, resource: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class OwnersOnly:
    """The default where `govern` is not wired: owners may do everything, others nothing."""

    def allows(self, actor: Actor, permission: Permission, resource: str) -> bool:
        return "owner" in actor.roles


@dataclass(frozen=True, slots=True)
class Guard:
    """Enforces the decisions of a decider."""

    decider: Decider

    def require(self, actor: Actor, permission: Permission, *, dataset: str = WORKSPACE) -> None:
        """Raises: NotPermitted."""
        if not self.decider.allows(actor, permission, dataset):
            raise NotPermitted(actor=actor.name, permission=str(permission), resource=dataset)

    def visible(self, actor: Actor, permission: Permission, names: list[str]) -> list[str]:
        """The names that the actor may see. Every list goes through this method."""
        return [name for name in names if self.decider.allows(actor, permission, name)]
