"""Protected branches, which accept only merges: with green gates, and where asked for the yes of a second person."""

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
from calotype.foundation.verbs import verb
from calotype.store import Store
from calotype.versions import repository

RULES = ("gates", "approval")


class ProtectionInvalid(Invalid):
    """An unknown rule."""

    code = "protection-invalid"
    what = "{got!r} is not a rule for protecting a branch"
    fix = 'use {{"gates": true, "approval": true}}, or an empty mapping to remove the protection'


@verb
def protect(
    actor: Actor, name: str, branch: str, rules: Mapping[str, Any] | None = None, *, store: Store
) -> Ref:
    """Protect a branch from edits, commits and rollbacks: it accepts only merges that its rules allow.

    Args:
        rules: `{"gates": True}`, the default, asks for green gates; `"approval": True` asks for the yes of somebody
            who made none of the commits (`approve`); an empty mapping removes the protection. Who lifts the rule of
            approval needs the permission to grant roles.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, ProtectionInvalid, WorkingStateDirty.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.CONTRACT_EDIT, dataset=dataset_name)
    new_rules = {"gates": True} if rules is None else dict(rules)
    for rule, value in new_rules.items():
        if rule not in RULES or value is not True:
            raise ProtectionInvalid(got={rule: value})
    with store.catalog.write(actor, "dataset.protect", subject=dataset_name) as tx:
        info = refs.dataset(tx.conn, dataset_name)
        ref = refs.branch(tx.conn, info, branch)
        if (ref.protection or {}).get("approval") and not new_rules.get("approval"):
            store.guard.require(actor, Permission.GRANT_MANAGE)
        head = None if ref.commit_id is None else dataset_repository.commit(tx.conn, ref.commit_id)
        if new_rules and not is_clean(ref, head):
            # Once the branch is protected, nobody could commit these edits.
            raise WorkingStateDirty(dataset=dataset_name, branch=ref.name)
        repository.protect_ref(tx.conn, ref, new_rules or None)
        tx.details({"branch": ref.name, "rules": new_rules})
    return replace(ref, protection=new_rules or None, sequence=ref.sequence + 1)
