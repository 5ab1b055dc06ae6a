"""HTTP routes of datasets."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from calotype.datasets import answers, service
from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Branch, Named, Ref, action, room_routes

routes = room_routes("datasets")

READ, COMMIT = action(Permission.DATASET_READ), action(Permission.DATASET_COMMIT)


class NewDataset(BaseModel):
    """A dataset to create."""

    name: str = Field(max_length=100)
    description: str = Field("", max_length=10_000)


class NewCommit(BaseModel):
    """The message of a commit."""

    message: str = Field(max_length=10_000)


class NewBranch(BaseModel):
    """A branch to create, and the ref to start it from."""

    name: str = Field(max_length=100)
    start: str = Field("main", max_length=100, alias="from")


class NewTag(BaseModel):
    """A tag to create, and the ref to tag."""

    name: str = Field(max_length=100)
    ref: str = Field("main", max_length=100)


class Rollback(BaseModel):
    """The ref to restore."""

    to: str = Field(max_length=100)
    discard: bool = False


def name_with_ref(dataset: str, ref: str) -> str:
    """`dataset@ref`, or the dataset alone if the ref is empty."""
    return f"{dataset}@{ref}" if ref else dataset


@routes.post("/datasets", status_code=201, **action(Permission.DATASET_CREATE))
def create_dataset(body: NewDataset, ask: Ask) -> answers.CreatedDataset:
    """Create an empty dataset."""
    info = service.create(ask.actor, body.name, store=ask.store, description=body.description)
    return answers.CreatedDataset(name=info.name, id=info.id)


@routes.get("/datasets/{dataset}/refs", **READ)
def list_refs(dataset: Named, ask: Ask) -> answers.RefList:
    """List branches and tags."""
    refs = service.list_refs(ask.actor, dataset, store=ask.store)
    items = [
        {"name": r.name, "kind": r.kind, "commit": r.commit_id, "protection": r.protection} for r in refs
    ]
    return answers.RefList.of({"items": items})


@routes.get("/datasets/{dataset}/log", **READ)
def show_log(
    dataset: Named,
    ask: Ask,
    ref: Ref = "",
    limit: Annotated[int, Query(ge=1, le=1_000, description="Maximum number of commits.")] = 100,
    all_refs: Annotated[bool, Query(description="Also the commits of all other branches and tags.")] = False,
) -> answers.Log:
    """List commits, newest first, and the uncommitted changes."""
    commits = service.log(
        ask.actor, name_with_ref(dataset, ref), store=ask.store, limit=limit, all_refs=all_refs
    )
    names: dict[str | None, list[str]] = {}
    for ref_ in service.list_refs(ask.actor, dataset, store=ask.store):
        names.setdefault(ref_.commit_id, []).append(ref_.name)
    is_working = ref == "" or ref.endswith("+")
    changes = (
        service.uncommitted(ask.actor, name_with_ref(dataset, ref), store=ask.store) if is_working else None
    )
    items = [{**commit.to_dict(), "refs": names.get(commit.id, [])} for commit in commits]
    counts = changes.to_dict() if changes else None
    return answers.Log.of({"items": items, "dirty": changes is not None, "changes": counts})


@routes.post("/datasets/{dataset}/commits", status_code=201, **COMMIT)
def post_commit(dataset: Named, body: NewCommit, ask: Ask, branch: Branch = "") -> answers.CreatedCommit:
    """Commit the working state of a branch."""
    name = name_with_ref(dataset, branch)
    commit = service.commit(ask.actor, name, body.message, store=ask.store)
    return answers.CreatedCommit.of({"commit": commit.id, **commit.to_dict()})


@routes.post("/datasets/{dataset}/branches", status_code=201, **COMMIT)
def post_branch(dataset: Named, body: NewBranch, ask: Ask) -> answers.CreatedBranch:
    """Create a branch."""
    branch = service.branch(ask.actor, dataset, body.name, store=ask.store, start=body.start)
    return answers.CreatedBranch.of({"branch": branch.name, "commit": branch.commit_id})


@routes.post("/datasets/{dataset}/tags", status_code=201, **COMMIT)
def post_tag(dataset: Named, body: NewTag, ask: Ask) -> answers.CreatedTag:
    """Tag a commit."""
    tag = service.tag(ask.actor, dataset, body.name, store=ask.store, at=body.ref)
    return answers.CreatedTag.of({"tag": tag.name, "commit": tag.commit_id})


@routes.post("/datasets/{dataset}/rollback", status_code=201, **COMMIT)
def post_rollback(dataset: Named, body: Rollback, ask: Ask, branch: Branch = "") -> answers.CreatedCommit:
    """Restore the contents of an earlier commit on a branch, as a new commit."""
    name = name_with_ref(dataset, branch)
    commit = service.rollback(ask.actor, name, body.to, store=ask.store, discard=body.discard)
    return answers.CreatedCommit.of({"commit": commit.id, **commit.to_dict()})
