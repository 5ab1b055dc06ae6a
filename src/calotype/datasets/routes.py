"""The HTTP door of datasets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from calotype.datasets import answers, service
from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, action

routes = APIRouter(tags=["datasets"])

Ref = Annotated[str, Query(description="A branch, tag or commit; empty is the working state of main.")]
READ, COMMIT = action(Permission.DATASET_READ), action(Permission.DATASET_COMMIT)


class NewDataset(BaseModel):
    """A dataset to make."""

    name: str = Field(max_length=100)
    description: str = Field("", max_length=10_000)


class NewCommit(BaseModel):
    """What changed, and why."""

    message: str = Field(max_length=10_000)


class NewBranch(BaseModel):
    """A branch and the ref it starts at."""

    name: str = Field(max_length=100)
    start: str = Field("main", max_length=100, alias="from")


class NewTag(BaseModel):
    """A tag and the ref it names."""

    name: str = Field(max_length=100)
    ref: str = Field("main", max_length=100)


class Rollback(BaseModel):
    """The ref whose content to hold again."""

    to: str = Field(max_length=100)
    discard: bool = False


def named(dataset: str, ref: str) -> str:
    """`dataset@ref`, or the dataset alone."""
    return f"{dataset}@{ref}" if ref else dataset


@routes.post("/datasets", status_code=201, **action(Permission.DATASET_CREATE))
def create_dataset(body: NewDataset, ask: Ask) -> answers.CreatedDataset:
    """Make an empty dataset."""
    info = service.create(ask.actor, body.name, store=ask.store, description=body.description)
    return answers.CreatedDataset(name=info.name, id=info.id)


@routes.get("/datasets/{dataset}/refs", **READ)
def list_refs(dataset: str, ask: Ask) -> answers.RefList:
    """Branches and tags."""
    refs = service.list_refs(ask.actor, dataset, store=ask.store)
    items = [
        {"name": r.name, "kind": r.kind, "commit": r.commit_id, "protection": r.protection} for r in refs
    ]
    return answers.RefList.of({"items": items})


@routes.get("/datasets/{dataset}/log", **READ)
def show_log(
    dataset: str,
    ask: Ask,
    ref: Ref = "",
    limit: Annotated[int, Query(ge=1, le=1_000, description="Maximum number of commits.")] = 100,
) -> answers.Log:
    """Commits, newest first, and what is not committed yet."""
    commits = service.log(ask.actor, named(dataset, ref), store=ask.store, limit=limit)
    names: dict[str | None, list[str]] = {}
    for found in service.list_refs(ask.actor, dataset, store=ask.store):
        names.setdefault(found.commit_id, []).append(found.name)
    changes = service.uncommitted(ask.actor, dataset, store=ask.store) if not ref else None
    items = [{**made.to_dict(), "refs": names.get(made.id, [])} for made in commits]
    shown = changes.to_dict() if changes else None
    return answers.Log.of({"items": items, "dirty": changes is not None, "changes": shown})


@routes.post("/datasets/{dataset}/commits", status_code=201, **COMMIT)
def post_commit(dataset: str, body: NewCommit, ask: Ask) -> answers.CreatedCommit:
    """Freeze the working state."""
    made = service.commit(ask.actor, dataset, body.message, store=ask.store)
    return answers.CreatedCommit.of({"commit": made.id, **made.to_dict()})


@routes.post("/datasets/{dataset}/branches", status_code=201, **COMMIT)
def post_branch(dataset: str, body: NewBranch, ask: Ask) -> answers.CreatedBranch:
    """Make a branch."""
    made = service.branch(ask.actor, dataset, body.name, store=ask.store, start=body.start)
    return answers.CreatedBranch.of({"branch": made.name, "commit": made.commit_id})


@routes.post("/datasets/{dataset}/tags", status_code=201, **COMMIT)
def post_tag(dataset: str, body: NewTag, ask: Ask) -> answers.CreatedTag:
    """Name a commit for good."""
    made = service.tag(ask.actor, dataset, body.name, store=ask.store, at=body.ref)
    return answers.CreatedTag.of({"tag": made.name, "commit": made.commit_id})


@routes.post("/datasets/{dataset}/rollback", status_code=201, **COMMIT)
def post_rollback(dataset: str, body: Rollback, ask: Ask) -> answers.CreatedCommit:
    """Hold again what an older commit held."""
    made = service.rollback(ask.actor, dataset, body.to, store=ask.store, discard=body.discard)
    return answers.CreatedCommit.of({"commit": made.id, **made.to_dict()})
