"""The HTTP door of datasets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from calotype.datasets import answers, browse_answers, browsing, pictures, service
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.overview import overview
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Permission
from calotype.foundation.clock import iso
from calotype.foundation.http import Ask, Offset, Session, action, file_answer, one_of, packed, packed_answer

routes = APIRouter(tags=["datasets"])
browser = browsing.Browser()

Ref = Annotated[str, Query(description="A branch, tag or commit; empty is the working state of main.")]
Where = Annotated[str, Query(max_length=10_000, description="A query; empty matches all samples.")]
Sort = Annotated[str, one_of(browsing.SORTS, "Order of the samples.")]
LabelSet = Annotated[str, Query(description="The label set that the query, the order and the page refer to.")]
READ, COMMIT = action(Permission.DATASET_READ), action(Permission.DATASET_COMMIT)
IMAGE = file_answer("image/jpeg", "image/png")


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


def state_of(ask: Session, dataset: str, ref: str) -> Snapshot:
    """The state that a request reads."""
    return browser.state(ask.actor, named(dataset, ref), store=ask.store)


@routes.get("/datasets", **READ)
def list_datasets(ask: Ask) -> answers.DatasetList:
    """The datasets that the actor may see."""
    items = []
    for info in service.datasets(ask.actor, store=ask.store):
        state = state_of(ask, info.name, "")
        commits = service.log(ask.actor, info.name, store=ask.store, limit=1)
        ids = state.ids()
        spread = ids[:: max(1, len(ids) // 8)][:8]
        cover = state.samples(ids=spread, columns=["media_sha256"])["media_sha256"].to_pylist()
        items.append(
            {
                "name": info.name,
                "description": info.description,
                **state.count(),
                "classes": len(state.ontology.classes),
                "label_sets": list(state.label_sets),
                "head": commits[0].to_dict() if commits else None,
                "dirty": state.commit_id is None,
                "cover": cover,
                **ask.ports.dataset_badges(ask.actor, info.name, store=ask.store),
            }
        )
    return answers.DatasetList.of({"items": items})


@routes.post("/datasets", status_code=201, **action(Permission.DATASET_CREATE))
def create_dataset(body: NewDataset, ask: Ask) -> answers.CreatedDataset:
    """Make an empty dataset."""
    info = service.create(ask.actor, body.name, store=ask.store, description=body.description)
    return answers.CreatedDataset(name=info.name, id=info.id)


@routes.get("/datasets/{dataset}", **READ)
def show_dataset(dataset: str, ask: Ask, ref: Ref = "") -> browse_answers.Overview:
    """A dataset in one look."""
    state = state_of(ask, dataset, ref)
    contract = state.documents.get("contract")
    return browse_answers.Overview.of(
        {
            "name": dataset,
            "description": state.dataset.description,
            "ref": ref or "main",
            "commit": state.commit_id,
            "dirty": state.commit_id is None,
            "contract": {"sha256": contract} if contract else None,
            **overview(state),
        }
    )


@routes.get("/datasets/{dataset}/samples", **READ, **packed_answer(browse_answers.SamplePage))
def list_samples(
    dataset: str,
    ask: Ask,
    ref: Ref = "",
    where: Where = "",
    sort: Sort = "name",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="Maximum number of samples.")] = 100,
    label_set: LabelSet = DEFAULT_LABEL_SET,
) -> Response:
    """A page of samples with what a grid draws."""
    state = state_of(ask, dataset, ref)
    ids = browser.order(state, where=where, sort=sort, label_set=label_set)
    cut = ids[offset : offset + limit]
    items = browsing.page(state, cut, label_set=label_set)
    counts = ask.ports.findings_of(ask.actor, state, cut, store=ask.store)
    for item in items:
        item["findings"] = len(counts.get(item["id"], ()))
    return packed({"commit": state.commit_id, "total": len(ids), "offset": offset, "items": items})


@routes.get("/datasets/{dataset}/samples/{sample_id}", **READ, **packed_answer(browse_answers.SampleDetail))
def show_sample(
    dataset: str,
    sample_id: str,
    ask: Ask,
    ref: Ref = "",
    where: Where = "",
    sort: Sort = "name",
    label_set: LabelSet = DEFAULT_LABEL_SET,
) -> Response:
    """One sample with all that is known of it, and its neighbours in the list it was opened from."""
    state = state_of(ask, dataset, ref)
    sample = state.sample(sample_id)
    ids = browser.order(state, where=where, sort=sort, label_set=label_set)
    at = ids.index(sample.sample_id) if sample.sample_id in ids else None
    position = None
    if at is not None:
        position = {"index": at, "total": len(ids), "previous": ids[at - 1] if at else None,
                    "next": ids[at + 1] if at + 1 < len(ids) else None}  # fmt: skip
    value = browsing.detail(state, sample)
    value["created_at"] = iso(value.pop("created_at_us"))
    found = ask.ports.findings_of(ask.actor, state, [sample.sample_id], store=ask.store)
    return packed({"commit": state.commit_id, **value, "findings": found.get(sample.sample_id, []),
                   "position": position})  # fmt: skip


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


@routes.get("/datasets/{dataset}/diff", **READ)
def show_diff(
    dataset: str,
    ask: Ask,
    a: Annotated[str, Query(description="The earlier ref.")],
    b: Annotated[str, Query(description="The later ref.")],
) -> answers.Diff:
    """What changed from ref `a` to ref `b`, with the first 200 samples it touched."""
    found = service.diff(ask.actor, dataset, a, b, store=ask.store)
    before, after = state_of(ask, dataset, a), state_of(ask, dataset, b)
    items = browsing.changes(before, after, found)
    return answers.Diff.of({"a": a, "b": b, **found.to_dict(), "items": items})


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


@routes.get("/thumbs/{sha256}", response_class=Response, **READ, **IMAGE)
def show_thumbnail(
    sha256: str, ask: Ask, size: Annotated[int, Query(ge=1, le=1024, description="Pixels.")] = 256
) -> Response:
    """A small upright picture without metadata; its bytes never change."""
    return _picture(*pictures.thumbnail(ask.actor, sha256, store=ask.store, size_px=size))


@routes.get("/media/{sha256}", response_class=Response, **READ, **IMAGE)
def show_image(sha256: str, ask: Ask) -> Response:
    """An upright picture without metadata, for the screen; its bytes never change."""
    return _picture(*pictures.display(ask.actor, sha256, store=ask.store))


def _picture(data: bytes, mime: str) -> Response:
    return Response(data, media_type=mime, headers={"cache-control": "private, max-age=31536000, immutable"})
