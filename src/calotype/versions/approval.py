"""Four eyes: the yes of a second person to a commit, before it comes into a branch that asks for one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.datasets import refs
from calotype.datasets.commits import Commit
from calotype.foundation.actor import Actor, Circumstances, Permission
from calotype.foundation.clock import iso, now_us
from calotype.foundation.errors import ChecksFailed
from calotype.foundation.verbs import verb
from calotype.store import Store
from calotype.versions import repository

MAX_REASON = 500


class ApprovalMissing(ChecksFailed):
    """Nobody but its authors has approved what a merge would bring into a protected branch."""

    code = "approval-missing"
    what = (
        "cannot merge {source} into the protected branch {target} of {dataset}: "
        "only {authors} worked on it, and nobody else approved commit {commit}"
    )
    fix = "let somebody else who may commit look at it: `calotype approve {dataset} {commit}`"


@dataclass(frozen=True, slots=True)
class Approval:
    """The yes of a person to a commit."""

    commit_id: str
    actor: str
    reason: str
    at_us: int

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"commit": self.commit_id, "by": self.actor, "reason": self.reason, "at": iso(self.at_us)}


@verb
def approve(actor: Actor, name: str, commit: str, *, store: Store, reason: str = "") -> Approval:
    """Say yes to a commit that somebody else made; saying it again changes nothing.

    Args:
        commit: A commit, tag or branch, whose commit is approved; later commits need a yes of their own.
    Raises: NotPermitted (also for one's own commit), DatasetNotFound, RefNotFound.
    """
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_COMMIT, dataset=dataset)
    with store.catalog.read() as conn:
        approved = refs.commit_at(conn, refs.dataset(conn, dataset), commit)
    own = Circumstances(own_work=approved.author == actor.name)
    store.guard.require(actor, Permission.DATASET_COMMIT, dataset=dataset, circumstances=own)
    approval = Approval(approved.id, actor.name, reason.strip()[:MAX_REASON], now_us())
    with store.catalog.write(actor, "commit.approve", subject=dataset) as tx:
        before = [item for item in repository.approvals(tx.conn, approved.id) if item["actor"] == actor.name]
        if before:
            tx.abandon()
            return Approval(**before[0])
        repository.add_approval(tx.conn, approval.commit_id, approval.actor, approval.reason, approval.at_us)
        tx.details({"commit": approved.id, "author": approved.author, "reason": approval.reason})
    return approval


@verb
def approvals(actor: Actor, name: str, commit: str, *, store: Store) -> list[Approval]:
    """Who approved a commit, oldest first. Raises: NotPermitted, DatasetNotFound, RefNotFound."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        wanted = refs.commit_at(conn, refs.dataset(conn, dataset), commit)
        return [Approval(**row) for row in repository.approvals(conn, wanted.id)]


def require_approval(
    conn: sa.Connection, commit: Commit, merged: Collection[Commit], *, dataset: str, source: str, target: str
) -> None:
    """Raises: ApprovalMissing, unless somebody approved the commit who made none of those that are merged."""
    authors = {one.author for one in merged}
    if any(row["actor"] not in authors for row in repository.approvals(conn, commit.id)):
        return
    names = ", ".join(sorted(authors))
    raise ApprovalMissing(dataset=dataset, source=source, target=target, authors=names, commit=commit.short)
