"""The verbs of datasets. Each checks permissions, and writes its audit event in the same transaction as its effect."""

from __future__ import annotations

from dataclasses import replace

from calotype.datasets import differences, refs, repository
from calotype.datasets.commits import MAIN, Commit, DatasetInfo, Diff, Ref
from calotype.datasets.committing import (
    NothingToCommit,
    WorkingStateDirty,
    is_clean,
    message_of,
    new_commit,
    stats_of,
    tag_tables,
)
from calotype.datasets.edit import MAX_TRIES, Plan, WorkingStateMoved, apply, wait_before
from calotype.datasets.reading import open_ref, read
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.foundation.verbs import verb
from calotype.store import Store

__all__ = [
    "NothingToCommit",
    "Plan",
    "WorkingStateDirty",
    "apply",
    "branch",
    "commit",
    "create",
    "datasets",
    "diff",
    "list_refs",
    "log",
    "read",
    "rollback",
    "tag",
    "uncommitted",
]


@verb
def create(actor: Actor, name: str, *, store: Store, description: str = "") -> DatasetInfo:
    """Create an empty dataset with a branch `main`.

    Raises: NotPermitted, NameInvalid, DatasetExists.
    """
    store.guard.require(actor, Permission.DATASET_CREATE)
    refs.check_dataset_name(name)
    info = DatasetInfo(uuid7(), name, description, now_us(), actor.name)
    with store.catalog.write(actor, "dataset.create", subject=name) as tx:
        if repository.dataset_by_name(tx.conn, name) is not None:
            raise refs.DatasetExists(name=name)
        repository.add_dataset(tx.conn, info)
        repository.add_ref(tx.conn, Ref(info.id, MAIN, "branch", None, {}, {}, 0))
    return info


@verb
def datasets(actor: Actor, *, store: Store) -> list[DatasetInfo]:
    """The datasets that the actor may see, ordered by name."""
    with store.catalog.read() as conn:
        all_datasets = repository.all_datasets(conn)
    visible = set(store.guard.visible(actor, Permission.DATASET_READ, [info.name for info in all_datasets]))
    return [info for info in all_datasets if info.name in visible]


@verb
def commit(actor: Actor, name: str, message: str, *, store: Store) -> Commit:
    """Commit the working state of a branch (`name` or `name@branch`).

    Raises: NotPermitted, DatasetNotFound, RefNotFound, MessageInvalid, NothingToCommit.
    """
    dataset_name, branch_name = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_COMMIT, dataset=dataset_name)
    message = message_of(message, dataset_name)
    _working(actor, store, dataset_name, branch_name)  # refused before it waits for others
    with refs.turn(store, name):
        for attempt in range(MAX_TRIES):
            snapshot, base = _working(actor, store, dataset_name, branch_name)
            commit_ = _commit_once(actor, snapshot, base, message, store=store)
            if commit_ is not None:
                return commit_
            wait_before(attempt + 1)
    raise WorkingStateMoved(dataset=name, tries=MAX_TRIES)


def _commit_once(actor: Actor, snapshot: Snapshot, base: Ref, message: str, *, store: Store) -> Commit | None:
    """Commit the state of a branch as it was read; None if the branch moved since."""
    dataset_name, stats = snapshot.dataset.name, stats_of(snapshot)
    with store.catalog.write(actor, "dataset.commit", subject=dataset_name) as tx:
        head = None if base.commit_id is None else repository.commit(tx.conn, base.commit_id)
        if is_clean(base, head):
            raise NothingToCommit(dataset=dataset_name)
        refs.require_open(dataset_name, base, "dataset.commit")
        commit_ = new_commit(actor, base, message, stats)
        repository.add_commit(tx.conn, commit_)
        if not repository.move_ref(tx.conn, base, replace(base, commit_id=commit_.id)):
            tx.abandon()
            return None
        repository.clear_edits(tx.conn, base)
        tag_tables(store, commit_)
        repository.log_move(tx.conn, base, new_commit=commit_.id, actor=actor.id, verb="commit")
        tx.details({"commit": commit_.id, "branch": base.name, "message": commit_.message})
    return commit_


@verb
def log(actor: Actor, name: str, *, store: Store, limit: int = 1_000, all_refs: bool = False) -> list[Commit]:
    """A ref (default: the head of main) and its ancestors, newest first; with `all_refs`, those of every ref."""
    dataset_name, ref_text = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        if ref_text == "" or ref_text.endswith("+"):
            start = refs.branch(conn, info, ref_text).commit_id
        else:
            start = refs.commit_at(conn, info, ref_text).id
        starts = {start, *(ref.commit_id for ref in repository.refs(conn, info.id) if all_refs)}
        commits = repository.commits_of(conn, info.id) if any(starts) else {}
    seen: dict[str, Commit] = {}
    pending = [start for start in starts if start]
    while pending:
        current = pending.pop()
        if current not in seen and current in commits:
            seen[current] = commits[current]
            pending.extend(commits[current].parents)
    return sorted(seen.values(), key=lambda commit: -commit.created_at_us)[:limit]


@verb
def diff(actor: Actor, name: str, a: str, b: str, *, store: Store) -> Diff:
    """Compare ref `a` of a dataset with ref `b` (an empty ref is the working state of main).

    Raises: NotPermitted, DatasetNotFound, RefNotFound, RefAmbiguous.
    """
    dataset_name, _ = refs.split_name(name)
    before = read(actor, f"{dataset_name}@{a}" if a else dataset_name, store=store)
    after = read(actor, f"{dataset_name}@{b}" if b else dataset_name, store=store)
    return differences.difference(before, after)


@verb
def uncommitted(actor: Actor, name: str, *, store: Store) -> Diff | None:
    """The uncommitted changes of a branch; None if there are none."""
    dataset_name, branch_name = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    snapshot, base = _working(actor, store, dataset_name, branch_name)
    with store.catalog.read() as conn:
        head = None if base.commit_id is None else repository.commit(conn, base.commit_id)
        if is_clean(base, head):
            return None
        old = replace(base, pins=head.pins if head else {}, documents=head.documents if head else {})
        before = open_ref(conn, store, snapshot.dataset, old, name=base.name)
    return differences.difference(before, snapshot)


@verb
def branch(actor: Actor, name: str, new: str, *, store: Store, start: str = MAIN) -> Ref:
    """Create a branch at a commit. No data is copied.

    Raises: NotPermitted, DatasetNotFound, NameInvalid, RefExists, RefNotFound.
    """
    return _add_ref(actor, name, new, start=start, kind="branch", store=store)


@verb
def tag(actor: Actor, name: str, new: str, *, store: Store, at: str = MAIN) -> Ref:
    """Create a tag at a commit.

    Raises: NotPermitted, DatasetNotFound, NameInvalid, RefExists, RefNotFound.
    """
    return _add_ref(actor, name, new, start=at, kind="tag", store=store)


@verb
def list_refs(actor: Actor, name: str, *, store: Store) -> list[Ref]:
    """Branches and tags of a dataset."""
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    with store.catalog.read() as conn:
        return repository.refs(conn, refs.dataset(conn, dataset_name).id)


@verb
def rollback(actor: Actor, name: str, to: str, *, store: Store, discard: bool = False) -> Commit:
    """Restore the contents of the commit `to` on a branch, as a new commit. No data is copied.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, WorkingStateDirty, NothingToCommit.
    """
    dataset_name, branch_name = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_COMMIT, dataset=dataset_name)
    with store.catalog.write(actor, "dataset.rollback", subject=dataset_name) as tx:
        info = refs.dataset(tx.conn, dataset_name)
        base = refs.branch(tx.conn, info, branch_name)
        refs.require_open(dataset_name, base, "dataset.rollback")
        target = refs.commit_at(tx.conn, info, to)
        head = None if base.commit_id is None else repository.commit(tx.conn, base.commit_id)
        dirty = head is None or not is_clean(base, head)
        if dirty and not discard:
            raise WorkingStateDirty(dataset=dataset_name, branch=base.name)
        if head is not None and not dirty and (head.pins, head.documents) == (target.pins, target.documents):
            raise NothingToCommit(dataset=dataset_name)
        restored = replace(base, pins=target.pins, documents=target.documents)
        commit_ = new_commit(
            actor, restored, f"Roll back to {target.short}: {target.message}"[:10_000], target.stats
        )
        repository.add_commit(tx.conn, commit_)
        repository.move_ref(tx.conn, base, replace(restored, commit_id=commit_.id))
        repository.clear_edits(tx.conn, base)
        facts = {"branch": base.name, "to": target.id}
        if dirty:  # what was discarded can be brought back
            repository.add_edit(
                tx.conn, actor, base, restored, verb="dataset.rollback", details=facts, counts={}
            )
        tag_tables(store, commit_)
        repository.log_move(tx.conn, base, new_commit=commit_.id, actor=actor.id, verb="rollback")
        tx.details({"commit": commit_.id, "to": target.id, "branch": base.name, "discarded": dirty})
    return commit_


def _working(actor: Actor, store: Store, dataset_name: str, branch_name: str) -> tuple[Snapshot, Ref]:
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        base = refs.branch(conn, info, branch_name)
        return open_ref(conn, store, info, base, name=f"{base.name}+"), base


def _add_ref(actor: Actor, name: str, new: str, *, start: str, kind: str, store: Store) -> Ref:
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_COMMIT, dataset=dataset_name)
    refs.check_ref_name(new)
    with store.catalog.write(actor, f"dataset.{kind}", subject=dataset_name) as tx:
        info = refs.dataset(tx.conn, dataset_name)
        if repository.ref(tx.conn, info.id, new) is not None:
            raise refs.RefExists(dataset=dataset_name, ref=new)
        commit_ = refs.commit_at(tx.conn, info, start)
        ref = Ref(info.id, new, kind, commit_.id, commit_.pins, commit_.documents, 0)
        repository.add_ref(tx.conn, ref)
        tx.details({"ref": new, "commit": commit_.id})
    return ref
