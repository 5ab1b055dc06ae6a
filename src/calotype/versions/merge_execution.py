"""How a merge lands: planned outside the lock, published with its commit in one transaction, or kept waiting."""

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
from calotype.versions.merge_rules import ancestors, common_ancestor
from calotype.versions.merge_tables import Merging
from calotype.versions.model import Choose, Merge, MergeConflict

UNDO = "undo:"
"""What the source of an undo begins with; no ref can."""


class NothingToMerge(Conflict):
    """The target has it all."""

    code = "nothing-to-merge"
    what = "{target} of {dataset} has everything of {source} already"
    fix = "commit on {source} first (only commits are merged), or name another branch, tag or commit"


class NothingToUndo(Conflict):
    """What the commit changed is not there any more."""

    code = "nothing-to-undo"
    what = "nothing of commit {commit} is left on {target} of {dataset}"
    fix = "see what it changed with `calotype diff {dataset} {commit}~1 {commit}`"


class MergeClosed(Conflict):
    """It is over."""

    code = "merge-closed"
    what = "merge {merge} was {state} already"
    fix = "start a new one with `calotype merge {dataset} {source}`"


class MergeBlocked(ChecksFailed):
    """A protected branch takes only what has green gates."""

    code = "merge-blocked"
    what = "{source} may not come into the protected {target} of {dataset}: {gates}"
    fix = "correct it on the branch, commit, see that `calotype check {dataset}@{source}` is green, and merge again"


class MergeBehind(Conflict):
    """What the gates said of the source would not be what lands."""

    code = "merge-behind"
    what = "the protected {target} of {dataset} has commits that {source} lacks, so its gates say nothing of the result"
    fix = "merge the other way first: `calotype merge {dataset} {target} --into {source}`, check it, and merge again"


@dataclass
class Request:
    """One wish to merge, and what was found out on the way."""

    actor: Actor
    store: Store
    info: DatasetInfo
    source: str
    source_commit: Commit | None
    target: str
    choose: Choose = None
    message: str = ""
    undo: Commit | None = None
    gatekeeper: Gatekeeper | None = None
    forward: bool = False
    merge: Merge | None = None
    details: dict[str, Any] = field(default_factory=dict)
    base: Commit | None = None
    head: Commit | None = None
    found: Merging | None = None
    landed: Merge | None = None

    @property
    def into(self) -> str:
        """The branch to write on, as `apply` names it."""
        return f"{self.info.name}@{self.target}"


class Waits(Exception):
    """Somebody has to choose first; nothing is written on the target."""


def require_open(dataset_name: str, found: Merge) -> None:
    """Raises: MergeClosed."""
    if not found.is_open:
        raise MergeClosed(dataset=dataset_name, merge=found.id[-12:], state=found.state, source=found.source)


def land(request: Request, verb: str) -> Merge:
    """Land it, or keep it open where somebody has to choose. Raises what refuses it."""
    try:
        apply(
            request.actor,
            request.into,
            lambda ours: _plan(request, ours),
            store=request.store,
            verb=verb,
            details=request.details,
            record=lambda conn: _record(request, conn),
        )
    except Waits:
        return _keep(request, verb)
    assert request.landed is not None
    return request.landed


def look(request: Request, ours: Snapshot) -> Ref:
    """Find out what the merge would do to the target as it is now, and which branch that is.

    Raises: NothingToMerge, WorkingStateDirty.
    """
    store, info = request.store, request.info
    with store.catalog.read() as conn:
        target = refs.branch(conn, info, request.target)
        known = dataset_repository.commits_of(conn, info.id)
    head = known.get(ours.commit_id or "")
    if not is_clean(replace(target, pins=ours.pins, documents=ours.documents), head):
        raise WorkingStateDirty(dataset=info.name, branch=target.name)
    request.head = head
    request.base = request.undo or _base(request, known)
    base, theirs = (_opened(request, commit) for commit in (request.base, request.source_commit))
    request.found = merge_tables.plan(base, ours, theirs, request.choose)
    return target


def _plan(request: Request, ours: Snapshot) -> Change:
    """The rows to write. Raises what refuses a merge, and `Waits`."""
    target = look(request, ours)
    assert request.found is not None
    if target.protection and request.undo is None:
        _ask_gates(request, target)
    if request.found.outcome.open:
        raise Waits
    if request.undo is not None and not _does_something(request.found):
        raise NothingToUndo(dataset=request.info.name, target=request.target, commit=request.undo.short)
    return Change() if _moves_forward(request) else request.found.change


def _base(request: Request, known: dict[str, Commit]) -> Commit | None:
    source, head = request.source_commit, request.head
    assert source is not None
    if head is None:
        return None
    parents = {key: made.parents for key, made in known.items()}
    if source.id in ancestors(parents, head.id):
        raise NothingToMerge(dataset=request.info.name, target=request.target, source=request.source)
    times = {key: made.created_at_us for key, made in known.items()}
    found = common_ancestor(parents, times, head.id, source.id)
    return known[found] if found else None


def _opened(request: Request, commit: Commit | None) -> Snapshot:
    """The state of a commit; an empty one for none."""
    ref = Ref(request.info.id, "", "commit", None, {}, {}, 0)
    if commit is not None:
        ref = replace(ref, commit_id=commit.id, pins=commit.pins, documents=commit.documents)
    with request.store.catalog.read() as conn:
        return open_ref(conn, request.store, request.info, ref, name=commit.id if commit else "")


def _ask_gates(request: Request, target: Ref) -> None:
    source, info = request.source_commit, request.info
    assert source is not None
    if request.head is not None and request.base != request.head:
        raise MergeBehind(dataset=info.name, target=target.name, source=request.source)
    verdict = request.gatekeeper(request.actor, f"{info.name}@{source.id}") if request.gatekeeper else None
    shut = [gate for gate in verdict.gates if gate.blocks] if verdict else []
    if verdict is None or shut:
        said = "; ".join(f"gate {gate.name}" + (f" ({gate.detail})" if gate.detail else "") for gate in shut)
        raise MergeBlocked(
            dataset=info.name,
            source=request.source,
            target=target.name,
            gates=said or "nobody asked the gates",
        )


def _does_something(found: Merging) -> bool:
    return not found.change.is_empty or bool(found.whole or found.documents)


def _moves_forward(request: Request) -> bool:
    return request.forward and request.undo is None and request.base == request.head


def _record(request: Request, conn: sa.Connection) -> None:
    """Inside the transaction that publishes the rows: the commit, the branch, the merge."""
    now = dataset_repository.ref(conn, request.info.id, request.target)
    found, source = request.found, request.source_commit
    assert now is not None and found is not None
    if request.merge is not None:
        require_open(request.info.name, repository.merge_of(conn, request.merge.id) or request.merge)
    forward = source if _moves_forward(request) else None
    made = forward or _commit(request, conn, now, found)
    new = replace(now, pins=made.pins, documents=made.documents, commit_id=made.id)
    dataset_repository.move_ref(conn, now, new)
    verb = "undo" if request.undo else "merge"
    dataset_repository.log_move(conn, now, new_commit=made.id, actor=request.actor.id, verb=verb)
    landed = _merge_row(request, state="landed", commit=made.id)
    repository.put_merge(conn, landed)
    repository.put_conflicts(conn, landed.id, _listed(request, repository.conflicts_of(conn, landed.id)))
    request.landed = landed
    request.details.update(merge=landed.id, source=request.source, commit=made.id, counts=dict(found.counts))


def _commit(request: Request, conn: sa.Connection, now: Ref, found: Merging) -> Commit:
    documents = {
        kind: sha for kind, sha in now.documents.items() if found.documents.get(kind, "") is not None
    }
    for kind, body in found.documents.items():
        if body is not None:
            documents[kind] = dataset_repository.put_document(conn, kind, body)
    new = replace(now, pins={**now.pins, **found.whole}, documents=documents)
    stats = stats_of(open_ref(conn, request.store, request.info, new, name=f"{now.name}+"))
    merged = request.source_commit.id if request.source_commit and not request.undo else None
    made = new_commit(request.actor, new, request.message, stats, merged=merged)
    dataset_repository.add_commit(conn, made)
    tag_tables(request.store, made)
    return made


def _keep(request: Request, verb: str) -> Merge:
    """Keep a merge that waits, with its conflicts; choices made before are taken over."""
    with request.store.catalog.write(request.actor, f"{verb}.conflicts", subject=request.info.name) as tx:
        earlier = repository.conflicts_of(tx.conn, request.merge.id) if request.merge else []
        if request.merge is not None:
            require_open(request.info.name, repository.merge_of(tx.conn, request.merge.id) or request.merge)
        kept = _merge_row(request, state="open", commit=None)
        repository.put_merge(tx.conn, kept)
        repository.put_conflicts(tx.conn, kept.id, _listed(request, earlier))
        tx.details(
            {"merge": kept.id, "source": kept.source, "branch": kept.target, "counts": dict(kept.counts)}
        )
    return kept


def _merge_row(request: Request, *, state: str, commit: str | None) -> Merge:
    found = request.found
    assert found is not None
    return Merge(
        id=request.merge.id if request.merge else uuid7(),
        dataset_id=request.info.id,
        source=request.source,
        target=request.target,
        base_commit=request.base.id if request.base else None,
        source_commit=request.source_commit.id if request.source_commit else "",
        target_commit=request.head.id if request.head else None,
        state=state,
        counts=found.counts,
        merge_commit=commit,
        actor=request.actor.id,
        created_at_us=request.merge.created_at_us if request.merge else now_us(),
        finished_at_us=None if state == "open" else now_us(),
    )


def _listed(request: Request, earlier: Sequence[MergeConflict]) -> list[MergeConflict]:
    """The conflicts that were met now, with what is known of how they are settled."""
    assert request.found is not None
    before = {one.clash.fingerprint: one for one in earlier}
    word = request.choose if isinstance(request.choose, str) else None
    listed = []
    for position, clash in enumerate(request.found.outcome.clashes, start=1):
        known = before.get(clash.fingerprint) or MergeConflict(0, clash)
        if word is not None:
            known = replace(
                known,
                state="resolved",
                resolution=word,
                resolved_by=request.actor.id,
                resolved_at_us=now_us(),
            )
        listed.append(replace(known, position=position, clash=clash))
    return listed
