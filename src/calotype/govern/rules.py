"""Permissions of each role. Permissions are granted nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from calotype.foundation.actor import Actor, Ceiling, Permission
from calotype.foundation.clock import now_us

_OWN = frozenset({Permission.ACCOUNT_OWN})
_READ = _OWN | {Permission.DATASET_READ}
_EDIT = _READ | {Permission.DATASET_EDIT, Permission.DATASET_COMMIT, Permission.CHECK_RUN}
_TRIAGE = frozenset({Permission.FINDING_TRIAGE})
_JUDGE = _TRIAGE | {Permission.FINDING_JUDGE}
"""Judging a finding (false alarm, accepted risk) excludes it from the gates, so fewer roles may do it."""
_ALL = frozenset(Permission)

GRANTS: dict[str, frozenset[Permission]] = {
    "owner": _ALL,
    "head-of-dataops": _ALL,
    "data-engineer": _EDIT
    | _TRIAGE
    | {Permission.DATASET_CREATE, Permission.EXPORT, Permission.PIPELINE_RUN, Permission.RELEASE_CREATE}
    | {Permission.WORKSPACE_MAINTAIN},
    "curator": _EDIT | _JUDGE | {Permission.CONTRACT_EDIT, Permission.RELEASE_CREATE, Permission.EXPORT},
    "labelling-manager": _EDIT | _JUDGE,
    "annotator": _READ,
    "reviewer": _READ | _TRIAGE,
    "ml-engineer": _READ | {Permission.EXPORT, Permission.CHECK_RUN},
    "auditor": _READ | {Permission.AUDIT_READ, Permission.PEOPLE_READ},
    "service": _EDIT | {Permission.PIPELINE_RUN, Permission.EXPORT},
}


ACCOUNT = "person:"
"""What the ids of actors with an account begin with."""


@dataclass(frozen=True, slots=True)
class RoleRules:
    """Decides by the actor's roles on the resource, within the ceiling of its API token."""

    def allows(self, actor: Actor, permission: Permission, resource: str) -> bool:
        """Whether a role of the actor on this resource, a dataset or the workspace, grants the permission.

        A role on one dataset grants nothing on another, nor on the workspace.
        """
        if actor.ceiling is not None and not _is_below(actor.ceiling, permission, resource):
            return False
        if permission in _OWN and actor.id.startswith(ACCOUNT):
            return True
        return any(permission in GRANTS.get(role, frozenset()) for role in roles_on(actor, resource))


def roles_on(actor: Actor, resource: str) -> set[str]:
    """The roles that an actor has on a dataset, or on the workspace, at this moment."""
    now = now_us()
    held = {
        grant.role
        for grant in actor.grants
        if (grant.dataset is None or grant.dataset == resource)
        and (grant.until_us is None or now < grant.until_us)
    }
    return held | set(actor.roles)


def _is_below(ceiling: Ceiling, permission: Permission, resource: str) -> bool:
    return permission in ceiling.permissions and (
        ceiling.datasets is None or resource in ceiling.datasets or permission in _OWN
    )
