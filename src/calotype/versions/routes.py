"""The HTTP door of merging: merges, conflicts, undo, blame, protection."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Offset, action, one_of
from calotype.versions import answers, service

routes = APIRouter(tags=["versions"])

STATES = ("", "open", "landed", "abandoned")
READ, COMMIT = action(Permission.DATASET_READ), action(Permission.DATASET_COMMIT)


class NewMerge(BaseModel):
    """What to bring where."""

    source: str = Field(max_length=200)
    into: str = Field("", max_length=100)
    strategy: str | None = Field(None, max_length=20)
    message: str = Field("", max_length=10_000)
    forward: bool = False


class NewUndo(BaseModel):
    """The commit to take back."""

    commit: str = Field(max_length=100)
    branch: str = Field("main", max_length=100)
    strategy: str | None = Field(None, max_length=20)
    message: str = Field("", max_length=10_000)


class Choice(BaseModel):
    """How conflicts are settled: a word, or field -> side or value; `which` is all, a kind, or positions."""

    how: str | dict[str, Any]
    which: str | list[int] = "all"


class Landing(BaseModel):
    """The message of the commit; empty for the usual one."""

    message: str = Field("", max_length=10_000)


class Protection(BaseModel):
    """Rules of a branch, e.g. `{"gates": true}`; empty lifts the protection."""

    rules: dict[str, Any]


@routes.get("/datasets/{dataset}/merges", **READ)
def list_merges(
    dataset: str,
    ask: Ask,
    state: Annotated[str, one_of(STATES, "Only merges in this state; empty for all.")] = "",
) -> answers.MergeList:
    """Merges and undos, newest first."""
    found = service.merges(ask.actor, dataset, store=ask.store, state=state)
    return answers.MergeList.of({"items": [one.to_dict() for one in found]})


@routes.get("/datasets/{dataset}/merges/preview", **READ)
def preview_merge(
    dataset: str,
    source: Annotated[str, Query(description="The ref to merge.")],
    ask: Ask,
    into: Annotated[str, Query(description="The branch to merge into; empty is main.")] = "",
) -> answers.MergePreview:
    """What a merge would do; nothing is written."""
    plan = service.preview(ask.actor, dataset, source, store=ask.store, into=into)
    return answers.MergePreview.of({"source": source, "into": into or "main", "counts": dict(plan.counts)})


@routes.post("/datasets/{dataset}/merges", status_code=201, **COMMIT)
def post_merge(dataset: str, body: NewMerge, ask: Ask) -> answers.Merge:
    """Bring commits into a branch. With conflicts its state is open and the branch is as it was."""
    made = service.merge(
        ask.actor, dataset, body.source, store=ask.store, into=body.into, strategy=body.strategy,
        message=body.message, forward=body.forward, gatekeeper=ask.ports.gatekeeper(ask.store, "merge"),
    )  # fmt: skip
    return answers.Merge.of(made.to_dict())


@routes.get("/datasets/{dataset}/merges/{merge}", **READ)
def show_merge(
    dataset: str,
    merge: str,
    ask: Ask,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Maximum number of conflicts.")] = 200,
) -> answers.MergeDetail:
    """A merge with its conflicts."""
    found, listed = service.conflicts(ask.actor, dataset, merge, store=ask.store)
    items = [one.to_dict() for one in listed[offset : offset + limit]]
    left = sum(one.state != "resolved" for one in listed)
    return answers.MergeDetail.of({**found.to_dict(), "total": len(listed), "open": left, "items": items})


@routes.post("/datasets/{dataset}/merges/{merge}/choices", **action(Permission.DATASET_EDIT))
def post_choice(dataset: str, merge: str, body: Choice, ask: Ask) -> answers.ResolvedConflicts:
    """Choose how conflicts are settled."""
    settled = service.resolve(ask.actor, dataset, body.how, body.which, merge, store=ask.store)
    return answers.ResolvedConflicts(settled=[one.position for one in settled])


@routes.post("/datasets/{dataset}/merges/{merge}/landing", status_code=201, **COMMIT)
def post_landing(dataset: str, merge: str, body: Landing, ask: Ask) -> answers.Merge:
    """Land a merge whose conflicts are settled."""
    made = service.land(
        ask.actor, dataset, merge, store=ask.store, message=body.message,
        gatekeeper=ask.ports.gatekeeper(ask.store, "merge"),
    )  # fmt: skip
    return answers.Merge.of(made.to_dict())


@routes.delete("/datasets/{dataset}/merges/{merge}", **COMMIT)
def delete_merge(dataset: str, merge: str, ask: Ask) -> answers.Merge:
    """Give up an open merge; it stays in the list as abandoned."""
    return answers.Merge.of(service.abandon(ask.actor, dataset, merge, store=ask.store).to_dict())


@routes.post("/datasets/{dataset}/undos", status_code=201, **COMMIT)
def post_undo(dataset: str, body: NewUndo, ask: Ask) -> answers.Merge:
    """Take back what one commit changed, as a new commit."""
    name = f"{dataset}@{body.branch}"
    made = service.undo(
        ask.actor, name, body.commit, store=ask.store, message=body.message, strategy=body.strategy
    )
    return answers.Merge.of(made.to_dict())


@routes.get("/datasets/{dataset}/blame/{which:path}", **READ)
def show_blame(
    dataset: str,
    which: str,
    ask: Ask,
    ref: Annotated[
        str, Query(description="A branch, tag or commit; empty is the working state of main.")
    ] = "",
) -> answers.BlameList:
    """Who created and who last changed an annotation, or a sample and all its annotations."""
    found = service.blame(ask.actor, f"{dataset}@{ref}" if ref else dataset, which, store=ask.store)
    return answers.BlameList.of({"items": [one.to_dict() for one in found]})


@routes.put("/datasets/{dataset}/branches/{branch:path}/protection", **action(Permission.CONTRACT_EDIT))
def put_protection(dataset: str, branch: str, body: Protection, ask: Ask) -> answers.BranchProtection:
    """Say how changes may reach a branch."""
    ref = service.protect(ask.actor, dataset, branch, body.rules, store=ask.store)
    return answers.BranchProtection.of({"branch": ref.name, "protection": ref.protection})
