"""Permissions of each role. Permissions are granted nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from calotype.foundation.actor import Actor, Permission

_READ = frozenset({Permission.DATASET_READ})
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
    "auditor": _READ | {Permission.AUDIT_READ},
    "service": _EDIT | {Permission.PIPELINE_RUN, Permission.EXPORT},
}


@dataclass(frozen=True, slots=True)
class RoleRules:
    """Decides by the actor's roles, for all datasets of the workspace."""

    def allows(self, actor: Actor, permission: Permission, resource: str) -> bool:
        """Whether one of the actor's roles grants the permission."""
        return any(permission in GRANTS.get(role, frozenset()) for role in actor.roles)
