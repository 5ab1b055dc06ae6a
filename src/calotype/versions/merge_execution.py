"""Executes a merge: plans it outside the lock, then publishes it in one transaction, or stores its conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from calotype.datasets import refs
from calotype.datasets import repository as dataset_repository
from calotype.datasets.change import Change
from calotype.datasets.commits import Commit, DatasetInfo, Ref
from calotype.datasets.committing import WorkingStateDirty, is_clean, new_commit, stats_of, tag_tables
from calotype.datasets.edit import apply
from calotype.datasets.reading import open_ref
from calotype.datasets.snapshot import Snapshot
from calotype.findings.gatekeeping import Gatekeeper
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.errors import ChecksFailed, Conflict
from calotype.foundation.ids import uuid7
from calotype.store import Store
from calotype.versions import merge_tables, repository
from calotype.versions.approval import require_approval
from calotype.versions.merge_rules import ancestors, common_ancestor
from calotype.versions.merge_tables import MergePlan
from calotype.versions.model import Choices, Merge, MergeConflict

UNDO = "undo:"
"""Prefix of the source of an undo. No ref can begin with it."""


class NothingToMerge(Conflict):
    """The target already contains the source."""

    code = "nothing-to-merge"
    what = "{target} of {dataset} already contains {source}"
    fix = "commit the changes on {source} first (only commits are merged), or name another branch, tag or commit"


class NothingToUndo(Conflict):
    """The changes of the commit were already undone or overwritten."""

    code = "nothing-to-undo"
    what = "{target} of {dataset} has none of the changes of commit {commit}"
    fix = "see what it changed with `calotype diff {dataset} {commit}~1 {commit}`"


class MergeClosed(Conflict):
    """The merge has landed or was abandoned."""

    code = "merge-closed"
    what = "merge {merge} is already {state}"
    fix = "start a new one with `calotype merge {dataset} {source}`"


class MergeBlocked(ChecksFailed):
    """The source has red gates, and the target is a protected branch."""

    code = "merge-blocked"
    what = "cannot merge {source} into the protected branch {target} of {dataset}: {gates}"
    fix = "fix it on {source}, commit, make sure that `calotype check {dataset}@{source}` passes, and merge again"


class MergeBehind(Conflict):
    """The gates of the source do not apply to the result, because the target has further commits."""

    code = "merge-behind"
    what = (
        "the protected branch {target} of {dataset} has commits that {source} lacks, "
        "so the gates of {source} do not cover the result"
    )
    fix = "merge the other way first: `calotype merge {dataset} {target} --into {source}`, check it, and merge again"


@dataclass
class MergeAttempt:
    """The parameters of one merge or undo, and its state while it is planned and executed."""

    actor: Actor
    store: Store
    info: DatasetInfo
    source: str
    source_commit: Commit | None
    target: str
    choices: Choices = None
    message: str = ""
    undo: Commit | None = None
    gatekeeper: Gatekeeper | None = None
    forward: bool = False
    merge: Merge | None = None
    details: dict[str, Any] = field(default_factory=dict)
    base: Commit | None = None
    head: Commit | None = None
    plan: MergePlan | None = None
    landed: Merge | None = None

    @property
    def into(self) -> str:
        """The target branch as `dataset@branch`."""
        return f"{self.info.name}@{self.target}"


class UnresolvedConflicts(Exception):
    """The merge has unresolved conflicts; nothing is written to the target."""


def require_open(dataset_name: str, merge: Merge) -> None:
    """Raises: MergeClosed."""
    if not merge.is_open:
        raise MergeClosed(dataset=dataset_name, merge=merge.id[-12:], state=merge.state, source=merge.source)


def land(attempt: MergeAttempt, verb: str) -> Merge:
    """Land a merge, or store it as open when it has unresolved conflicts."""
    try:
        apply(
            attempt.actor,
            attempt.into,
            lambda ours: _change_to_write(attempt, ours),
            store=attempt.store,
            verb=verb,
            details=attempt.details,
            record=lambda conn: _record_merge(attempt, conn),
        )
    except UnresolvedConflicts:
        return _store_open_merge(attempt, verb)
    assert attempt.landed is not None
    return attempt.landed


def plan_merge(attempt: MergeAttempt, ours: Snapshot) -> Ref:
    """Plan the merge with the target as it is now, and return the target branch.

    Raises: NothingToMerge, WorkingStateDirty.
    """
    store, info = attempt.store, attempt.info
    with store.catalog.read() as conn:
        target = refs.branch(conn, info, attempt.target)
        commits = dataset_repository.commits_of(conn, info.id)
    head = commits.get(ours.commit_id or "")
    if not is_clean(replace(target, pins=ours.pins, documents=ours.documents), head):
        raise WorkingStateDirty(dataset=info.name, branch=target.name)
    attempt.head = head
    attempt.base = attempt.undo or _base(attempt, commits)
    base, theirs = (_open_commit(attempt, commit) for commit in (attempt.base, attempt.source_commit))
    attempt.plan = merge_tables.plan(base, ours, theirs, attempt.choices)
    return target


def _change_to_write(attempt: MergeAttempt, ours: Snapshot) -> Change:
    """The rows to write. Raises `UnresolvedConflicts`, and the reason if the merge is refused."""
    target = plan_merge(attempt, ours)
    assert attempt.plan is not None
    if target.protection and attempt.undo is None:
        _require_protection(attempt, target)
    if attempt.plan.result.open:
        raise UnresolvedConflicts
    if attempt.undo is not None and not _has_effect(attempt.plan):
        raise NothingToUndo(dataset=attempt.info.name, target=attempt.target, commit=attempt.undo.short)
    return Change() if _is_fast_forward(attempt) else attempt.plan.change


def _base(attempt: MergeAttempt, commits: dict[str, Commit]) -> Commit | None:
    source, head = attempt.source_commit, attempt.head
    assert source is not None
    if head is None:
        return None
    parents = {key: commit.parents for key, commit in commits.items()}
    if source.id in ancestors(parents, head.id):
        raise NothingToMerge(dataset=attempt.info.name, target=attempt.target, source=attempt.source)
    times = {key: commit.created_at_us for key, commit in commits.items()}
    base_id = common_ancestor(parents, times, head.id, source.id)
    return commits[base_id] if base_id else None


def _open_commit(attempt: MergeAttempt, commit: Commit | None) -> Snapshot:
    """The state of a commit, or an empty state for None."""
    ref = Ref(attempt.info.id, "", "commit", None, {}, {}, 0)
    if commit is not None:
        ref = replace(ref, commit_id=commit.id, pins=commit.pins, documents=commit.documents)
    with attempt.store.catalog.read() as conn:
        return open_ref(conn, attempt.store, attempt.info, ref, name=commit.id if commit else "")


def _require_protection(attempt: MergeAttempt, target: Ref) -> None:
    """Raises: MergeBehind, MergeBlocked, ApprovalMissing."""
    info, rules = attempt.info, target.protection or {}
    if attempt.head is not None and attempt.base != attempt.head:
        raise MergeBehind(dataset=info.name, target=target.name, source=attempt.source)
    if rules.get("gates"):
        _require_green_gates(attempt, target)
    if rules.get("approval"):
        _require_approval(attempt, target)


def _require_approval(attempt: MergeAttempt, target: Ref) -> None:
    source, head, info = attempt.source_commit, attempt.head, attempt.info
    assert source is not None
    with attempt.store.catalog.read() as conn:
        commits = dataset_repository.commits_of(conn, info.id)
        parents = {key: commit.parents for key, commit in commits.items()}
        known = ancestors(parents, head.id) if head is not None else set()
        merged = [commits[key] for key in ancestors(parents, source.id) - known]
        require_approval(conn, source, merged, dataset=info.name, source=attempt.source, target=target.name)


def _require_green_gates(attempt: MergeAttempt, target: Ref) -> None:
    source, info = attempt.source_commit, attempt.info
    assert source is not None
    verdict = attempt.gatekeeper(attempt.actor, f"{info.name}@{source.id}") if attempt.gatekeeper else None
    red_gates = [gate for gate in verdict.gates if gate.blocks] if verdict else []
    if verdict is None or red_gates:
        reasons = "; ".join(
            f"gate {gate.name}" + (f" ({gate.detail})" if gate.detail else "") for gate in red_gates
        )
        raise MergeBlocked(
            dataset=info.name,
            source=attempt.source,
            target=target.name,
            gates=reasons or "the gates were not evaluated",
        )


def _has_effect(plan: MergePlan) -> bool:
    return not plan.change.is_empty or bool(plan.adopted or plan.documents)


def _is_fast_forward(attempt: MergeAttempt) -> bool:
    return attempt.forward and attempt.undo is None and attempt.base == attempt.head


def _record_merge(attempt: MergeAttempt, conn: sa.Connection) -> None:
    """Record the commit, the branch and the merge in the transaction that publishes the rows."""
    branch = dataset_repository.ref(conn, attempt.info.id, attempt.target)
    plan, source = attempt.plan, attempt.source_commit
    assert branch is not None and plan is not None
    if attempt.merge is not None:
        require_open(attempt.info.name, repository.merge_of(conn, attempt.merge.id) or attempt.merge)
    fast_forward = source if _is_fast_forward(attempt) else None
    commit = fast_forward or _commit(attempt, conn, branch, plan)
    moved = replace(branch, pins=commit.pins, documents=commit.documents, commit_id=commit.id)
    dataset_repository.move_ref(conn, branch, moved)
    dataset_repository.clear_edits(conn, branch)
    verb = "undo" if attempt.undo else "merge"
    dataset_repository.log_move(conn, branch, new_commit=commit.id, actor=attempt.actor.id, verb=verb)
    landed = _merge_row(attempt, state="landed", commit=commit.id)
    repository.put_merge(conn, landed)
    repository.put_conflicts(
        conn, landed.id, _current_conflicts(attempt, repository.conflicts_of(conn, landed.id))
    )
    attempt.landed = landed
    attempt.details.update(merge=landed.id, source=attempt.source, commit=commit.id, counts=dict(plan.counts))


def _commit(attempt: MergeAttempt, conn: sa.Connection, branch: Ref, plan: MergePlan) -> Commit:
    documents = {
        kind: sha for kind, sha in branch.documents.items() if plan.documents.get(kind, "") is not None
    }
    for kind, body in plan.documents.items():
        if body is not None:
            documents[kind] = dataset_repository.put_document(conn, kind, body)
    working_state = replace(branch, pins={**branch.pins, **plan.adopted}, documents=documents)
    stats = stats_of(open_ref(conn, attempt.store, attempt.info, working_state, name=f"{branch.name}+"))
    merged = attempt.source_commit.id if attempt.source_commit and not attempt.undo else None
    commit = new_commit(attempt.actor, working_state, attempt.message, stats, merged=merged)
    dataset_repository.add_commit(conn, commit)
    tag_tables(attempt.store, commit)
    return commit


def _store_open_merge(attempt: MergeAttempt, verb: str) -> Merge:
    """Store a merge as open with its conflicts; earlier resolutions are carried over."""
    with attempt.store.catalog.write(attempt.actor, f"{verb}.conflicts", subject=attempt.info.name) as tx:
        earlier = repository.conflicts_of(tx.conn, attempt.merge.id) if attempt.merge else []
        if attempt.merge is not None:
            require_open(attempt.info.name, repository.merge_of(tx.conn, attempt.merge.id) or attempt.merge)
        merge = _merge_row(attempt, state="open", commit=None)
        repository.put_merge(tx.conn, merge)
        repository.put_conflicts(tx.conn, merge.id, _current_conflicts(attempt, earlier))
        tx.details(
            {"merge": merge.id, "source": merge.source, "branch": merge.target, "counts": dict(merge.counts)}
        )
    return merge


def _merge_row(attempt: MergeAttempt, *, state: str, commit: str | None) -> Merge:
    plan = attempt.plan
    assert plan is not None
    return Merge(
        id=attempt.merge.id if attempt.merge else uuid7(),
        dataset_id=attempt.info.id,
        source=attempt.source,
        target=attempt.target,
        base_commit=attempt.base.id if attempt.base else None,
        source_commit=attempt.source_commit.id if attempt.source_commit else "",
        target_commit=attempt.head.id if attempt.head else None,
        state=state,
        counts=plan.counts,
        merge_commit=commit,
        actor=attempt.actor.id,
        created_at_us=attempt.merge.created_at_us if attempt.merge else now_us(),
        finished_at_us=None if state == "open" else now_us(),
    )


def _current_conflicts(attempt: MergeAttempt, earlier: Sequence[MergeConflict]) -> list[MergeConflict]:
    """The conflicts of the current plan, with the resolutions that are known."""
    assert attempt.plan is not None
    earlier_by_fingerprint = {conflict.content.fingerprint: conflict for conflict in earlier}
    side_for_all = attempt.choices if isinstance(attempt.choices, str) else None
    conflicts = []
    for position, content in enumerate(attempt.plan.result.conflicts, start=1):
        conflict = earlier_by_fingerprint.get(content.fingerprint) or MergeConflict(0, content)
        if side_for_all is not None:
            conflict = replace(
                conflict,
                state="resolved",
                resolution=side_for_all,
                resolved_by=attempt.actor.id,
                resolved_at_us=now_us(),
            )
        conflicts.append(replace(conflict, position=position, content=content))
    return conflicts
