"""Actors, permissions, the resources they are about, and the guard that every verb calls first."""

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
    WORK_DO = "work.do"
    """Take assignments, annotate, submit, ask questions."""
    WORK_REVIEW = "work.review"
    BATCH_MANAGE = "batch.manage"
    """Open, change and close batches, and see what everyone did in them."""
    GUIDELINE_EDIT = "guideline.edit"
    """Write and publish guidelines, change the ontology, rule on questions."""
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


ROLES = (
    "owner",
    "head-of-dataops",
    "data-engineer",
    "curator",
    "labelling-manager",
    "annotator",
    "reviewer",
    "ml-engineer",
    "auditor",
    "vendor-annotator",
    "service",
)
"""The roles that can be granted; the room `govern` says what each allows."""
LOCAL = "local:"
"""What the ids of people who work on a folder of this machine begin with."""
ACCOUNT = "person:"
"""What the ids of actors with an account begin with."""
PARENTS = {
    "workspace": "",
    "team": "workspace",
    "dataset": "team",
    "branch": "dataset",
    "release": "dataset",
    "sample": "dataset",
}
"""Kind of resource -> the kind that it is within. A team stands for all its datasets."""
PARTS = ("branch", "release", "sample")
"""Kinds within a dataset; decisions about them name the dataset, and the kind in the circumstances."""
TEAM = "team:"
"""What a resource that is a team begins with; names of datasets have no colon."""
_DATASET = ("team", "dataset")
ACTIONS: dict[Permission, tuple[str, ...]] = {
    Permission.DATASET_READ: ("workspace", *_DATASET, *PARTS),
    Permission.DATASET_CREATE: ("workspace",),
    Permission.DATASET_EDIT: (*_DATASET, "branch", "sample"),
    Permission.DATASET_COMMIT: (*_DATASET, "branch"),
    Permission.CHECK_RUN: (*_DATASET, "branch"),
    Permission.FINDING_TRIAGE: (*_DATASET, "sample"),
    Permission.FINDING_JUDGE: (*_DATASET, "sample"),
    Permission.CONTRACT_EDIT: (*_DATASET, "branch"),
    Permission.WORK_DO: _DATASET,
    Permission.WORK_REVIEW: _DATASET,
    Permission.BATCH_MANAGE: _DATASET,
    Permission.GUIDELINE_EDIT: _DATASET,
    Permission.RELEASE_CREATE: (*_DATASET, "release"),
    Permission.EXPORT: (*_DATASET, "branch", "release"),
    Permission.PIPELINE_RUN: _DATASET,
    Permission.AUDIT_READ: ("workspace", *_DATASET),
    Permission.WORKSPACE_MAINTAIN: ("workspace",),
    Permission.PEOPLE_READ: ("workspace",),
    Permission.PEOPLE_MANAGE: ("workspace",),
    Permission.GRANT_MANAGE: ("workspace",),
    Permission.ACCOUNT_OWN: ("workspace",),
}
"""Action -> the kinds of resources that verbs ask about."""


def kind_of(resource: str) -> str:
    """The kind of a resource, as decisions name it: the workspace, `team:NAME` or the name of a dataset."""
    if resource == WORKSPACE:
        return "workspace"
    return "team" if resource.startswith(TEAM) else "dataset"


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

    `roles` are names of `ROLES`, such as owner, data-engineer, curator, annotator or auditor, which hold
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
        return cls(id=f"{LOCAL}{login}", name=login)

    @classmethod
    def nobody(cls) -> Actor:
        """Whoever has not signed in: no roles, and no account."""
        return cls(id="nobody", name="nobody", roles=(), ceiling=Ceiling(frozenset()))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a rule must know beside actor, permission and resource.

    Args:
        part: What part of the dataset the verb concerns: `branch`, `release` or `sample`; empty for all of it.
        about: Id of the actor whose rights would grow; empty where nobody's would.
        governing: Whether the verb gives or takes a role that can grant roles, or changes the account of who has one.
        changes_account: Whether the verb creates a token, or changes a password or a session.
        own_work: Whether the actor would approve what they made themselves.
    """

    part: str = ""
    about: str = ""
    governing: bool = False
    changes_account: bool = False
    own_work: bool = False


ORDINARY = Circumstances()


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether an actor may do something, and the name of the rule that decided."""

    allowed: bool
    rule: str


class Decider(Protocol):
    """Decides whether an actor has a permission; wired in `app`."""

    def decide(
        self, actor: Actor, permission: Permission, resource: str, circumstances: Circumstances = ORDINARY
    ) -> Ruling: ...

    def says(self, rule: str) -> str:
        """What a rule says, in words."""


@dataclass(frozen=True, slots=True)
class OwnersOnly:
    """The default where `govern` is not wired: owners may do everything, others nothing."""

    def decide(
        self, actor: Actor, permission: Permission, resource: str, circumstances: Circumstances = ORDINARY
    ) -> Ruling:
        allowed = "owner" in actor.roles and circumstances.about != actor.id
        return Ruling(allowed, "owners-only")

    def says(self, rule: str) -> str:
        return "owners may do everything, others nothing"


@dataclass(frozen=True, slots=True)
class Guard:
    """Enforces the decisions of a decider."""

    decider: Decider

    def require(
        self,
        actor: Actor,
        permission: Permission,
        *,
        dataset: str = WORKSPACE,
        circumstances: Circumstances = ORDINARY,
    ) -> None:
        """Raises: NotPermitted, which names the rule."""
        decision = self.decider.decide(actor, permission, dataset, circumstances)
        if not decision.allowed:
            raise NotPermitted(
                actor=actor.name, permission=str(permission), resource=dataset, rule=decision.rule
            )

    def allows(self, actor: Actor, permission: Permission, *, dataset: str = WORKSPACE) -> bool:
        """Whether the actor has the permission, for verbs that do more for some than for others."""
        return self.decider.decide(actor, permission, dataset).allowed

    def visible(self, actor: Actor, permission: Permission, names: list[str]) -> list[str]:
        """The names that the actor may see. Every list goes through this method."""
        return [name for name in names if self.decider.decide(actor, permission, name).allowed]
