"""Protected branches: they take merges only, and of those only what has green gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calotype.datasets import refs
from calotype.datasets import repository as dataset_repository
from calotype.datasets.commits import Ref
from calotype.datasets.committing import WorkingStateDirty, is_clean
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.errors import Invalid
from calotype.store import Store
from calotype.versions import repository

RULES = ("gates",)


class ProtectionInvalid(Invalid):
    """A rule that there is not."""

    code = "protection-invalid"
    what = "{got!r} is no way to protect a branch"
    fix = 'use {{"gates": true}}, or nothing to lift the protection'


def protect(
    actor: Actor, name: str, branch: str, rules: Mapping[str, Any] | None = None, *, store: Store
) -> Ref:
    """Protect a branch: no edit, commit or rollback on it, only merges of commits whose gates are green.

    Args:
        rules: `{"gates": True}`, the default; an empty mapping lifts the protection.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, ProtectionInvalid, WorkingStateDirty.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.CONTRACT_EDIT, dataset=dataset_name)
    wanted = {"gates": True} if rules is None else dict(rules)
    for rule, value in wanted.items():
        if rule not in RULES or value is not True:
            raise ProtectionInvalid(got={rule: value})
    with store.catalog.write(actor, "dataset.protect", subject=dataset_name) as tx:
        info = refs.dataset(tx.conn, dataset_name)
        found = refs.branch(tx.conn, info, branch)
        head = None if found.commit_id is None else dataset_repository.commit(tx.conn, found.commit_id)
        if wanted and not is_clean(found, head):
            raise WorkingStateDirty(
                dataset=dataset_name, branch=found.name
            )  # nobody could commit these edits any more
        repository.protect_ref(tx.conn, found, wanted or None)
        tx.details({"branch": found.name, "rules": wanted})
    return replace(found, protection=wanted or None, sequence=found.sequence + 1)
