"""Kinds of resources that access is decided on, and which actions concern which kind."""

from __future__ import annotations

from calotype.foundation.actor import WORKSPACE, Permission

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
