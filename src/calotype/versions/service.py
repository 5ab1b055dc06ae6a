"""The verbs of versions: merge, undo, preview, list, resolve, land, abandon, blame, protect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from calotype.store import Store
from calotype.versions import merge_execution, repository
from calotype.versions.blame import blame
from calotype.versions.merge_execution import Request, require_open
from calotype.versions.merge_rows import settle_fields
from calotype.versions.merge_tables import Merging
from calotype.versions.model import (
    Clash,
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
    "abandon",
    "blame",
    "conflicts",
    "find",
    "land",
    "merge",
    "merges",
    "open_conflicts",
    "preview",
    "protect",
    "resolve",
    "undo",
]

STRATEGIES = ("ours", "theirs", "union")


class MergeNotFound(NotFound):
    """No merge of this id."""

    code = "merge-not-found"
    what = "{dataset} has no merge {got}"
    fix = "list them with `calotype merge {dataset} --list`, and name one by the last digits of its id"


class ConflictNotFound(NotFound):
    """No such conflict in this merge."""

    code = "merge-conflict-not-found"
    what = "merge {merge} has no open conflict {got!r}"
    fix = "give numbers or kinds that `calotype conflicts` shows"


def merge(
    actor: Actor,
    name: str,
    source: str,
    *,
    store: Store,
    into: str = "",
    strategy: str | None = None,
    message: str = "",
    forward: bool = False,
    gatekeeper: Gatekeeper | None = None,
) -> Merge:
    """Bring the commits of `source` (branch, tag, commit) into a branch: `into`, or that of `name`, or main.

    Without conflicts it lands at once, as a commit with two parents. With conflicts it stays open and the branch as it
    is, until they are settled (`resolve`) and the merge is landed (`land`).

    Args:
        strategy: `ours`, `theirs` or `union` settles every conflict that way; None leaves them open.
        forward: Move the branch without a commit of its own where it has nothing that the source lacks.
        gatekeeper: Asked where the branch is protected by gates.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, NothingToMerge, WorkingStateDirty, ResolutionInvalid,
        MergeBlocked, MergeBehind, WorkingStateMoved.
    """
    request = _request(actor, name, source, store, into, strategy)
    request.message = message_of(message or f"Merge {source} into {request.target}", request.info.name)
    request.gatekeeper, request.forward = gatekeeper, forward
    return merge_execution.land(request, "dataset.merge")


def undo(
    actor: Actor, name: str, commit: str, *, store: Store, message: str = "", strategy: str | None = None
) -> Merge:
    """Take back what one commit changed, as a new commit on a branch; later changes stay.

    Where later commits changed the same, it stays open like a merge: theirs is what was before the commit.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, NothingToMerge, WorkingStateDirty, BranchProtected.
    """
    dataset_name, branch = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_COMMIT, dataset=dataset_name)
    _check_strategy(strategy)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        target = refs.branch(conn, info, branch)
        refs.require_open(dataset_name, target, "dataset.undo")
        made = refs.commit_at(conn, info, commit)
        parent = dataset_repository.commit(conn, made.parents[0]) if made.parents else None
    said = message or f"Undo {made.short}: {made.message.splitlines()[0]}"[:10_000]
    request = Request(
        actor, store, info, merge_execution.UNDO + made.id, parent, target.name, strategy, undo=made
    )
    request.message = message_of(said, dataset_name)
    return merge_execution.land(request, "dataset.undo")


def preview(actor: Actor, name: str, source: str, *, store: Store, into: str = "") -> Merging:
    """What a merge would do; nothing is written.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, NothingToMerge, WorkingStateDirty.
    """
    request = _request(actor, name, source, store, into, None, need=Permission.DATASET_READ)
    with store.catalog.read() as conn:
        target = refs.branch(conn, request.info, request.target)
        ours = open_ref(conn, store, request.info, target, name=f"{target.name}+")
    merge_execution.look(request, ours)
    assert request.found is not None
    return request.found


def merges(actor: Actor, name: str, *, store: Store, state: str = "") -> list[Merge]:
    """Merges and undos of a dataset, newest first. Raises: NotPermitted, DatasetNotFound."""
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    with store.catalog.read() as conn:
        return repository.merges_of(conn, refs.dataset(conn, dataset_name).id, state=state)


def conflicts(
    actor: Actor, name: str, merge_id: str = "", *, store: Store
) -> tuple[Merge, list[MergeConflict]]:
    """A merge and its conflicts, in order; without an id the one that is open.

    Raises: NotPermitted, DatasetNotFound, MergeNotFound.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    with store.catalog.read() as conn:
        _, found = find(conn, dataset_name, merge_id)
        return found, repository.conflicts_of(conn, found.id)


def land(
    actor: Actor,
    name: str,
    merge_id: str = "",
    *,
    store: Store,
    message: str = "",
    gatekeeper: Gatekeeper | None = None,
) -> Merge:
    """Land an open merge whose conflicts are settled. It is planned anew: choices count where the conflict is the same.

    Raises: NotPermitted, DatasetNotFound, MergeNotFound, MergeClosed, MergeConflictsOpen, WorkingStateDirty,
        MergeBlocked, MergeBehind, WorkingStateMoved.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_COMMIT, dataset=dataset_name)
    with store.catalog.read() as conn:
        info, found = find(conn, dataset_name, merge_id)
        require_open(dataset_name, found)
        listed = repository.conflicts_of(conn, found.id)
        source = dataset_repository.commit(conn, found.source_commit)
        is_undo = found.source.startswith(merge_execution.UNDO)
        undone = (
            dataset_repository.commit(conn, found.source.removeprefix(merge_execution.UNDO))
            if is_undo
            else None
        )
    choose = {one.clash.fingerprint: one.resolution for one in listed if one.resolution is not None}
    said = message or (f"Undo {undone.short}" if undone else f"Merge {found.source} into {found.target}")
    request = Request(
        actor,
        store,
        info,
        found.source,
        source,
        found.target,
        choose,
        message_of(said, dataset_name),
        undone,
        gatekeeper,
        merge=found,
    )
    landed = merge_execution.land(request, "dataset.undo" if is_undo else "dataset.merge.land")
    if landed.is_open:
        raise open_conflicts(store, dataset_name, landed)
    return landed


def resolve(
    actor: Actor,
    name: str,
    how: Resolution,
    which: str | Sequence[int] = "all",
    merge_id: str = "",
    *,
    store: Store,
) -> list[MergeConflict]:
    """Choose how conflicts are settled; `land` then does it.

    Args:
        how: `ours`, `theirs`, `union` (both annotations; else whatever either side has), `base`, `review` (somebody
            shall look at it; it stays unsettled), or field -> `ours`, `theirs`, `base` or a value.
        which: `all`, positions, or a kind of conflict; `all` and a kind leave alone what is settled already.
    Raises: NotPermitted, DatasetNotFound, MergeNotFound, MergeClosed, ConflictNotFound, ResolutionInvalid.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    with store.catalog.write(actor, "dataset.merge.resolve", subject=dataset_name) as tx:
        _, found = find(tx.conn, dataset_name, merge_id)
        require_open(dataset_name, found)
        chosen = _chosen(repository.conflicts_of(tx.conn, found.id), which, found)
        settled = [_settled(actor, one, how) for one in chosen]
        repository.settle_conflicts(tx.conn, found.id, settled)
        positions = [one.position for one in settled]
        tx.details({"merge": found.id, "n": len(settled), "positions": positions[:1_000], "how": how})
    return settled


def abandon(actor: Actor, name: str, merge_id: str = "", *, store: Store) -> Merge:
    """Give up an open merge; both branches stay as they are.

    Raises: NotPermitted, DatasetNotFound, MergeNotFound, MergeClosed.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_COMMIT, dataset=dataset_name)
    with store.catalog.write(actor, "dataset.merge.abandon", subject=dataset_name) as tx:
        _, found = find(tx.conn, dataset_name, merge_id)
        require_open(dataset_name, found)
        closed = replace(found, state="abandoned", finished_at_us=now_us())
        repository.put_merge(tx.conn, closed)
        tx.details({"merge": found.id})
    return closed


def open_conflicts(store: Store, dataset_name: str, merge_: Merge) -> MergeConflictsOpen:
    """The refusal, with the first places."""
    with store.catalog.read() as conn:
        left = [one for one in repository.conflicts_of(conn, merge_.id) if one.state != "resolved"]
    places = "; ".join(one.place for one in left[:5])
    return MergeConflictsOpen(dataset=dataset_name, merge=merge_.id[-12:], n=len(left), places=places)


def find(conn: sa.Connection, dataset_name: str, merge_id: str) -> tuple[DatasetInfo, Merge]:
    """A merge by its id or the last digits of it; without an id the only one that is open.

    Raises: DatasetNotFound, MergeNotFound.
    """
    info = refs.dataset(conn, dataset_name)
    found = repository.merges_of(conn, info.id, state="" if merge_id else "open")
    if merge_id:
        found = [
            one for one in found if one.id == merge_id or (len(merge_id) >= 6 and one.id.endswith(merge_id))
        ]
    if len(found) != 1:
        raise MergeNotFound(
            dataset=dataset_name,
            got=repr(merge_id[:64]) if merge_id else f"to choose by itself ({len(found)} are open)",
        )
    return info, found[0]


def _request(
    actor: Actor,
    name: str,
    source: str,
    store: Store,
    into: str,
    strategy: str | None,
    need: Permission = Permission.DATASET_COMMIT,
) -> Request:
    dataset_name, branch = refs.split_name(name)
    store.guard.require(actor, need, dataset=dataset_name)
    _check_strategy(strategy)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        target = refs.branch(conn, info, into or branch)
        made = refs.commit_at(conn, info, source.removeprefix(f"{dataset_name}@"))
    return Request(actor, store, info, source, made, target.name, strategy)


def _check_strategy(strategy: str | None) -> None:
    if strategy is not None and strategy not in STRATEGIES:
        raise ResolutionInvalid(got=strategy, kind="any", fits=", ".join(STRATEGIES))


def _chosen(listed: list[MergeConflict], which: str | Sequence[int], found: Merge) -> list[MergeConflict]:
    if isinstance(which, str):
        chosen = [one for one in listed if which in ("all", one.clash.kind) and one.state != "resolved"]
    else:
        known = {one.position: one for one in listed}
        if missing := [position for position in which if position not in known]:
            raise ConflictNotFound(merge=found.id[-12:], got=missing[0])
        chosen = [known[position] for position in dict.fromkeys(which)]
    if not chosen:
        raise ConflictNotFound(merge=found.id[-12:], got=which)
    return chosen


def _settled(actor: Actor, one: MergeConflict, how: Resolution) -> MergeConflict:
    check(one.clash, how)
    if not isinstance(how, str):
        _check_values(one.clash, how)
    state = "review" if how == "review" else "resolved"
    choice = None if how == "review" else how
    return replace(one, state=state, resolution=choice, resolved_by=actor.id, resolved_at_us=now_us())


def _check_values(clash: Clash, how: Mapping[str, Any]) -> None:
    """Whether a row with these values can be. Raises: ResolutionInvalid."""
    if clash.table != rows.SAMPLES and not clash.table.startswith("ann/"):
        return
    sides = {"base": clash.base, "ours": clash.ours, "theirs": clash.theirs}
    row = settle_fields(clash.table, clash.fields, sides, how)
    try:
        table = pa.Table.from_pylist([row], rows.schema_of(clash.table))
        if clash.table == rows.SAMPLES:
            rows.samples_from_arrow(table)
        else:
            rows.annotations_from_arrow(table)
    except (pa.ArrowException, AnnotationInvalid, SampleInvalid, TypeError) as error:
        fits = f"values of the type that the columns have ({str(error)[:200]})"
        raise ResolutionInvalid(got=dict(how), kind=clash.kind, fits=fits) from error
