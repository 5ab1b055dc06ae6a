"""The verbs of versions: merge, undo, preview, list, resolve, land, abandon, blame, protect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from calotype.datasets import refs, rows
from calotype.datasets import repository as dataset_repository
from calotype.datasets.commits import DatasetInfo
from calotype.datasets.committing import message_of
from calotype.datasets.model import AnnotationInvalid, SampleInvalid
from calotype.datasets.reading import open_ref
from calotype.findings.gatekeeping import Gatekeeper
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.errors import NotFound
from calotype.foundation.verbs import verb
from calotype.store import Store
from calotype.versions import merge_execution, repository
from calotype.versions.approval import approvals, approve
from calotype.versions.blame import blame
from calotype.versions.merge_execution import MergeAttempt, require_open
from calotype.versions.merge_rows import resolve_fields
from calotype.versions.model import (
    ConflictContent,
    Merge,
    MergeConflict,
    MergeConflictsOpen,
    Resolution,
    ResolutionInvalid,
    check,
)
from calotype.versions.protection import protect

__all__ = [
    "ConflictNotFound",
    "MergeNotFound",
    "MergeOptions",
    "abandon",
    "approvals",
    "approve",
    "blame",
    "conflicts",
    "conflicts_open",
    "find_merge",
    "land",
    "merge",
    "merges",
    "preview",
    "protect",
    "resolve",
    "undo",
]

STRATEGIES = ("ours", "theirs", "union")


@dataclass(frozen=True, slots=True)
class MergeOptions:
    """How to merge.

    `into` is the target branch; empty means the branch of the dataset's name, or main. `strategy` (`ours`, `theirs` or
    `union`) resolves every conflict the same way; None leaves conflicts open. `forward` moves the branch without a
    merge commit if it has no commit that the source lacks.
    """

    into: str = ""
    strategy: str | None = None
    message: str = ""
    forward: bool = False


class MergeNotFound(NotFound):
    """No merge of this id."""

    code = "merge-not-found"
    what = "{dataset} has no merge {got}"
    fix = "list merges with `calotype merge {dataset} --list`, and give the last 6 or more digits of an id"


class ConflictNotFound(NotFound):
    """The merge has no such conflict."""

    code = "merge-conflict-not-found"
    what = "merge {merge} has no open conflict {got!r}"
    fix = "use a number or a kind listed by `calotype conflicts`"


@verb
def merge(
    actor: Actor,
    name: str,
    source: str,
    *,
    store: Store,
    options: MergeOptions = MergeOptions(),
    gatekeeper: Gatekeeper | None = None,
) -> Merge:
    """Merge the commits of `source` (branch, tag or commit) into a branch.

    Without conflicts it lands at once, as a commit with two parents. With conflicts it stays open and the branch does
    not change until the conflicts are resolved (`resolve`) and the merge is landed (`land`).

    Args:
        name: `dataset` or `dataset@branch`, the target unless `options.into` names another branch.
        gatekeeper: Evaluates the gates if the branch is protected.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, NothingToMerge, WorkingStateDirty, ResolutionInvalid,
        MergeBlocked, MergeBehind, ApprovalMissing, WorkingStateMoved.
    """
    attempt = _new_attempt(actor, name, source, store, options)
    attempt.message = message_of(
        options.message or f"Merge {source} into {attempt.target}", attempt.info.name
    )
    attempt.gatekeeper, attempt.forward = gatekeeper, options.forward
    return merge_execution.land(attempt, "dataset.merge")


@verb
def undo(
    actor: Actor, name: str, commit: str, *, store: Store, message: str = "", strategy: str | None = None
) -> Merge:
    """Undo the changes of one commit, as a new commit on a branch; later changes stay.

    If later commits changed the same rows, the undo stays open like a merge; theirs is the state before the commit.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, NothingToMerge, WorkingStateDirty, BranchProtected.
    """
    dataset_name, branch = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_COMMIT, dataset=dataset_name)
    _check_strategy(strategy)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        target = refs.branch(conn, info, branch)
        refs.require_open(dataset_name, target, "dataset.undo")
        commit_to_undo = refs.commit_at(conn, info, commit)
        parent = (
            dataset_repository.commit(conn, commit_to_undo.parents[0]) if commit_to_undo.parents else None
        )
    text = message or f"Undo {commit_to_undo.short}: {commit_to_undo.message.splitlines()[0]}"[:10_000]
    attempt = MergeAttempt(
        actor,
        store,
        info,
        merge_execution.UNDO + commit_to_undo.id,
        parent,
        target.name,
        strategy,
        undo=commit_to_undo,
    )
    attempt.message = message_of(text, dataset_name)
    return merge_execution.land(attempt, "dataset.undo")


@verb
def preview(actor: Actor, name: str, source: str, *, store: Store, into: str = "") -> dict[str, Any]:
    """Counts of the rows and conflicts that a merge would produce; nothing is written.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, NothingToMerge, WorkingStateDirty.
    """
    attempt = _new_attempt(actor, name, source, store, MergeOptions(into), Permission.DATASET_READ)
    with store.catalog.read() as conn:
        target = refs.branch(conn, attempt.info, attempt.target)
        ours = open_ref(conn, store, attempt.info, target, name=f"{target.name}+")
    merge_execution.plan_merge(attempt, ours)
    assert attempt.plan is not None
    return dict(attempt.plan.counts)


@verb
def merges(actor: Actor, name: str, *, store: Store, state: str = "") -> list[Merge]:
    """Merges and undos of a dataset, newest first. Raises: NotPermitted, DatasetNotFound."""
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    with store.catalog.read() as conn:
        return repository.merges_of(conn, refs.dataset(conn, dataset_name).id, state=state)


@verb
def conflicts(
    actor: Actor, name: str, merge_id: str = "", *, store: Store
) -> tuple[Merge, list[MergeConflict]]:
    """A merge and its conflicts in order; without an id, the open merge.

    Raises: NotPermitted, DatasetNotFound, MergeNotFound.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    with store.catalog.read() as conn:
        _, merge_ = find_merge(conn, dataset_name, merge_id)
        return merge_, repository.conflicts_of(conn, merge_.id)


@verb
def land(
    actor: Actor,
    name: str,
    merge_id: str = "",
    *,
    store: Store,
    message: str = "",
    gatekeeper: Gatekeeper | None = None,
) -> Merge:
    """Land an open merge whose conflicts are resolved.

    The merge is planned again; a resolution applies if its conflict is still the same.

    Raises: NotPermitted, DatasetNotFound, MergeNotFound, MergeClosed, MergeConflictsOpen, WorkingStateDirty,
        MergeBlocked, MergeBehind, WorkingStateMoved.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_COMMIT, dataset=dataset_name)
    attempt = _stored_attempt(actor, dataset_name, merge_id, store)
    default = (
        f"Undo {attempt.undo.short}" if attempt.undo else f"Merge {attempt.source} into {attempt.target}"
    )
    attempt.message = message_of(message or default, dataset_name)
    attempt.gatekeeper = gatekeeper
    landed = merge_execution.land(attempt, "dataset.undo" if attempt.undo else "dataset.merge.land")
    if landed.is_open:
        raise conflicts_open(store, dataset_name, landed)
    return landed


def _stored_attempt(actor: Actor, dataset_name: str, merge_id: str, store: Store) -> MergeAttempt:
    """An open merge with its resolutions, ready to be executed."""
    with store.catalog.read() as conn:
        info, merge_ = find_merge(conn, dataset_name, merge_id)
        require_open(dataset_name, merge_)
        resolutions = {
            conflict.content.fingerprint: conflict.resolution
            for conflict in repository.conflicts_of(conn, merge_.id)
            if conflict.resolution is not None
        }
        source = dataset_repository.commit(conn, merge_.source_commit)
        is_undo = merge_.source.startswith(merge_execution.UNDO)
        undone = merge_.source.removeprefix(merge_execution.UNDO)
        undo_ = dataset_repository.commit(conn, undone) if is_undo else None
    return MergeAttempt(
        actor, store, info, merge_.source, source, merge_.target, resolutions, undo=undo_, merge=merge_
    )


@verb
def resolve(
    actor: Actor,
    name: str,
    how: Resolution,
    which: str | Sequence[int] = "all",
    merge_id: str = "",
    *,
    store: Store,
) -> list[MergeConflict]:
    """Resolve conflicts of an open merge; `land` then applies the resolutions.

    Args:
        how: `ours`, `theirs`, `base`, `union` (keep both annotations, or the values of both sides), `review` (mark it
            for review; it stays unresolved), or a mapping from field to `ours`, `theirs`, `base` or a value.
        which: `all`, a kind of conflict, or positions. `all` and a kind skip conflicts that are already resolved.
    Raises: NotPermitted, DatasetNotFound, MergeNotFound, MergeClosed, ConflictNotFound, ResolutionInvalid.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    with store.catalog.write(actor, "dataset.merge.resolve", subject=dataset_name) as tx:
        _, merge_ = find_merge(tx.conn, dataset_name, merge_id)
        require_open(dataset_name, merge_)
        selected = _select_conflicts(repository.conflicts_of(tx.conn, merge_.id), which, merge_)
        resolved = [_resolved(actor, conflict, how) for conflict in selected]
        repository.resolve_conflicts(tx.conn, merge_.id, resolved)
        positions = [conflict.position for conflict in resolved]
        tx.details({"merge": merge_.id, "n": len(resolved), "positions": positions[:1_000], "how": how})
    return resolved


@verb
def abandon(actor: Actor, name: str, merge_id: str = "", *, store: Store) -> Merge:
    """Abandon an open merge; both branches stay unchanged.

    Raises: NotPermitted, DatasetNotFound, MergeNotFound, MergeClosed.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_COMMIT, dataset=dataset_name)
    with store.catalog.write(actor, "dataset.merge.abandon", subject=dataset_name) as tx:
        _, merge_ = find_merge(tx.conn, dataset_name, merge_id)
        require_open(dataset_name, merge_)
        abandoned = replace(merge_, state="abandoned", finished_at_us=now_us())
        repository.put_merge(tx.conn, abandoned)
        tx.details({"merge": merge_.id})
    return abandoned


def conflicts_open(store: Store, dataset_name: str, merge_: Merge) -> MergeConflictsOpen:
    """The error for a merge with unresolved conflicts, which lists the first five."""
    with store.catalog.read() as conn:
        unresolved = [
            conflict for conflict in repository.conflicts_of(conn, merge_.id) if conflict.state != "resolved"
        ]
    places = "; ".join(conflict.place for conflict in unresolved[:5])
    return MergeConflictsOpen(dataset=dataset_name, merge=merge_.id[-12:], n=len(unresolved), places=places)


def find_merge(conn: sa.Connection, dataset_name: str, merge_id: str) -> tuple[DatasetInfo, Merge]:
    """Find a merge by its id or the last 6 or more digits of it; without an id, the only open merge.

    Raises: DatasetNotFound, MergeNotFound.
    """
    info = refs.dataset(conn, dataset_name)
    matches = repository.merges_of(conn, info.id, state="" if merge_id else "open")
    if merge_id:
        matches = [
            match
            for match in matches
            if match.id == merge_id or (len(merge_id) >= 6 and match.id.endswith(merge_id))
        ]
    if len(matches) != 1:
        raise MergeNotFound(
            dataset=dataset_name,
            got=repr(merge_id[:64]) if merge_id else f"to use by default ({len(matches)} are open)",
        )
    return info, matches[0]


def _new_attempt(
    actor: Actor,
    name: str,
    source: str,
    store: Store,
    options: MergeOptions,
    permission: Permission = Permission.DATASET_COMMIT,
) -> MergeAttempt:
    dataset_name, branch = refs.split_name(name)
    store.guard.require(actor, permission, dataset=dataset_name)
    _check_strategy(options.strategy)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        target = refs.branch(conn, info, options.into or branch)
        source_commit = refs.commit_at(conn, info, source.removeprefix(f"{dataset_name}@"))
    return MergeAttempt(actor, store, info, source, source_commit, target.name, options.strategy)


def _check_strategy(strategy: str | None) -> None:
    if strategy is not None and strategy not in STRATEGIES:
        raise ResolutionInvalid(got=strategy, kind="any", fits=", ".join(STRATEGIES))


def _select_conflicts(
    conflicts_: list[MergeConflict], which: str | Sequence[int], merge_: Merge
) -> list[MergeConflict]:
    if isinstance(which, str):
        selected = [
            conflict
            for conflict in conflicts_
            if which in ("all", conflict.content.kind) and conflict.state != "resolved"
        ]
    else:
        by_position = {conflict.position: conflict for conflict in conflicts_}
        if missing := [position for position in which if position not in by_position]:
            raise ConflictNotFound(merge=merge_.id[-12:], got=missing[0])
        selected = [by_position[position] for position in dict.fromkeys(which)]
    if not selected:
        raise ConflictNotFound(merge=merge_.id[-12:], got=which)
    return selected


def _resolved(actor: Actor, conflict: MergeConflict, how: Resolution) -> MergeConflict:
    check(conflict.content, how)
    if not isinstance(how, str):
        _check_values(conflict.content, how)
    state = "review" if how == "review" else "resolved"
    choice = None if how == "review" else how
    return replace(conflict, state=state, resolution=choice, resolved_by=actor.id, resolved_at_us=now_us())


def _check_values(content: ConflictContent, how: Mapping[str, Any]) -> None:
    """Check that the values are valid for the row. Raises: ResolutionInvalid."""
    if content.table != rows.SAMPLES and not content.table.startswith("ann/"):
        return
    sides = {"base": content.base, "ours": content.ours, "theirs": content.theirs}
    row = resolve_fields(content.table, content.fields, sides, how)
    try:
        table = pa.Table.from_pylist([row], rows.schema_of(content.table))
        if content.table == rows.SAMPLES:
            rows.samples_from_arrow(table)
        else:
            rows.annotations_from_arrow(table)
    except (pa.ArrowException, AnnotationInvalid, SampleInvalid, TypeError) as error:
        fits = f"values that fit the types of the columns ({str(error)[:200]})"
        raise ResolutionInvalid(got=dict(how), kind=content.kind, fits=fits) from error
