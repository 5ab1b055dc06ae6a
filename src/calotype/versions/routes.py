"""HTTP routes of versions: merges, conflicts, undo, blame, protection."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, Offset, Ref, action, one_of, room_routes
from calotype.foundation.json_limits import EXACT_INT
from calotype.versions import answers, service

routes = room_routes("versions")

STATES = ("", "open", "landed", "abandoned")
READ, COMMIT = action(Permission.DATASET_READ), action(Permission.DATASET_COMMIT)


Position = Annotated[int, Field(ge=0, le=EXACT_INT)]


class NewMerge(BaseModel):
    """The refs and options of a merge."""

    source: str = Field(max_length=200)
    into: str = Field("", max_length=100)
    strategy: str | None = Field(None, max_length=20)
    message: str = Field("", max_length=10_000)
    forward: bool = False


class NewUndo(BaseModel):
    """The commit to undo."""

    commit: str = Field(max_length=100)
    branch: str = Field("main", max_length=100)
    strategy: str | None = Field(None, max_length=20)
    message: str = Field("", max_length=10_000)


class Choice(BaseModel):
    """A resolution: a side, or a mapping from field to side or value. `which` is `all`, a kind, or positions."""

    how: Annotated[str, Field(max_length=200)] | Annotated[dict[str, Any], Field(max_length=1_000)]
    which: Annotated[str, Field(max_length=10_000)] | Annotated[list[Position], Field(max_length=10_000)] = (
        "all"
    )


class Approving(BaseModel):
    """Why, or what was looked at."""

    reason: str = Field("", max_length=500)


class Landing(BaseModel):
    """The commit message; empty for the default one."""

    message: str = Field("", max_length=10_000)


class Protection(BaseModel):
    """Rules of a branch, e.g. `{"gates": true, "approval": true}`; empty removes the protection."""

    rules: dict[str, Any] = Field(max_length=100)


@routes.get("/datasets/{dataset}/merges", **READ)
def list_merges(
    dataset: Named,
    ask: Ask,
    state: Annotated[str, one_of(STATES, "Only merges in this state; empty for all.")] = "",
) -> answers.MergeList:
    """Merges and undos, newest first."""
    merges = service.merges(ask.actor, dataset, store=ask.store, state=state)
    return answers.MergeList.of({"items": [merge.to_dict() for merge in merges]})


@routes.get("/datasets/{dataset}/merges/preview", **READ)
def preview_merge(
    dataset: Named,
    source: Annotated[str, Query(max_length=200, description="The ref to merge.")],
    ask: Ask,
    into: Annotated[str, Query(max_length=200, description="The branch to merge into; empty is main.")] = "",
) -> answers.MergePreview:
    """Show what a merge would change without merging."""
    counts = service.preview(ask.actor, dataset, source, store=ask.store, into=into)
    return answers.MergePreview.of({"source": source, "into": into or "main", "counts": counts})


@routes.post("/datasets/{dataset}/merges", status_code=201, **COMMIT)
def post_merge(dataset: Named, body: NewMerge, ask: Ask) -> answers.Merge:
    """Merge commits into a branch. With conflicts, the merge stays open and the branch does not change."""
    merge = service.merge(
        ask.actor,
        dataset,
        body.source,
        store=ask.store,
        options=service.MergeOptions(body.into, body.strategy, body.message, body.forward),
        gatekeeper=ask.ports.gatekeeper(ask.store, "merge"),
    )
    return answers.Merge.of(merge.to_dict())


@routes.get("/datasets/{dataset}/merges/{merge}", **READ)
def show_merge(
    dataset: Named,
    merge: Named,
    ask: Ask,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Maximum number of conflicts.")] = 200,
) -> answers.MergeDetail:
    """A merge with its conflicts."""
    found_merge, conflicts = service.conflicts(ask.actor, dataset, merge, store=ask.store)
    items = [conflict.to_dict() for conflict in conflicts[offset : offset + limit]]
    unresolved = sum(conflict.state != "resolved" for conflict in conflicts)
    return answers.MergeDetail.of(
        {**found_merge.to_dict(), "total": len(conflicts), "open": unresolved, "items": items}
    )


@routes.post("/datasets/{dataset}/merges/{merge}/choices", **action(Permission.DATASET_EDIT))
def post_choice(dataset: Named, merge: Named, body: Choice, ask: Ask) -> answers.ResolvedConflicts:
    """Resolve conflicts of an open merge."""
    resolved = service.resolve(ask.actor, dataset, body.how, body.which, merge, store=ask.store)
    return answers.ResolvedConflicts(settled=[conflict.position for conflict in resolved])


@routes.post("/datasets/{dataset}/merges/{merge}/landing", status_code=201, **COMMIT)
def post_landing(dataset: Named, merge: Named, body: Landing, ask: Ask) -> answers.Merge:
    """Land a merge whose conflicts are resolved."""
    landed = service.land(
        ask.actor,
        dataset,
        merge,
        store=ask.store,
        message=body.message,
        gatekeeper=ask.ports.gatekeeper(ask.store, "merge"),
    )
    return answers.Merge.of(landed.to_dict())


@routes.delete("/datasets/{dataset}/merges/{merge}", **COMMIT)
def delete_merge(dataset: Named, merge: Named, ask: Ask) -> answers.Merge:
    """Abandon an open merge; it stays in the list."""
    return answers.Merge.of(service.abandon(ask.actor, dataset, merge, store=ask.store).to_dict())


@routes.post("/datasets/{dataset}/undos", status_code=201, **COMMIT)
def post_undo(dataset: Named, body: NewUndo, ask: Ask) -> answers.Merge:
    """Undo the changes of one commit as a new commit."""
    name = f"{dataset}@{body.branch}"
    undo = service.undo(
        ask.actor, name, body.commit, store=ask.store, message=body.message, strategy=body.strategy
    )
    return answers.Merge.of(undo.to_dict())


@routes.get("/datasets/{dataset}/blame/{which:path}", **READ)
def show_blame(
    dataset: Named,
    which: Named,
    ask: Ask,
    ref: Ref = "",
) -> answers.BlameList:
    """Who created and who last changed an annotation, or a sample and all its annotations."""
    blames = service.blame(ask.actor, f"{dataset}@{ref}" if ref else dataset, which, store=ask.store)
    return answers.BlameList.of({"items": [blame.to_dict() for blame in blames]})


@routes.put("/datasets/{dataset}/branches/{branch:path}/protection", **action(Permission.CONTRACT_EDIT))
def put_protection(dataset: Named, branch: Named, body: Protection, ask: Ask) -> answers.BranchProtection:
    """Protect a branch, or remove its protection."""
    ref = service.protect(ask.actor, dataset, branch, body.rules, store=ask.store)
    return answers.BranchProtection.of({"branch": ref.name, "protection": ref.protection})


@routes.get("/datasets/{dataset}/commits/{commit}/approvals", **READ)
def list_approvals(dataset: Named, commit: Named, ask: Ask) -> answers.ApprovalList:
    """Who approved a commit."""
    items = service.approvals(ask.actor, dataset, commit, store=ask.store)
    return answers.ApprovalList.of({"items": [item.to_dict() for item in items]})


@routes.post("/datasets/{dataset}/commits/{commit}/approvals", status_code=201, **COMMIT)
def approve_commit(dataset: Named, commit: Named, body: Approving, ask: Ask) -> answers.Approval:
    """Approve a commit of somebody else, for branches that ask for a second person."""
    approval = service.approve(ask.actor, dataset, commit, store=ask.store, reason=body.reason)
    return answers.Approval.of(approval.to_dict())
