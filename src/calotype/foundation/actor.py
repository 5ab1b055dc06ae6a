"""Who acts, what may be asked, and the guard that every verb calls first."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from calotype.foundation.errors import NotPermitted


class Permission(StrEnum):
    """What a verb needs; the rules that grant them live in the room `govern`."""

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


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a service in whose name a verb runs.

    `roles` are names from the plan of the house: owner, data-engineer, curator, labelling-manager, annotator,
    reviewer, ml-engineer, auditor, service.
    """

    id: str
    name: str
    kind: str = "person"
    roles: tuple[str, ...] = ("owner",)

    @classmethod
    def local(cls) -> Actor:
        """The person at this machine: owner of an embedded workspace, named after the login."""
        try:
            login = getpass.getuser()
        except (OSError, KeyError):  # no login name in a bare container
            login = "owner"
        return cls(id=f"local:{login}", name=login)


class Decider(Protocol):
    """Answers "may they?"; wired in `app`."""

    def allows(self, actor: Actor, permission: Permission, resource: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class OwnersOnly:
    """The embedded default until `govern` is wired: an owner may do everything, nobody else anything."""

    def allows(self, actor: Actor, permission: Permission, resource: str) -> bool:
        return "owner" in actor.roles


@dataclass(frozen=True, slots=True)
class Guard:
    """Asks the decider and refuses."""

    decider: Decider

    def require(self, actor: Actor, permission: Permission, *, dataset: str = "workspace") -> None:
        """Pass, or raise.

        Raises: NotPermitted.
        """
        if not self.decider.allows(actor, permission, dataset):
            raise NotPermitted(actor=actor.name, permission=str(permission), resource=dataset)

    def visible(self, actor: Actor, permission: Permission, names: list[str]) -> list[str]:
        """Those of `names` that the actor may see: the only way in which lists are made."""
        return [name for name in names if self.decider.allows(actor, permission, name)]
