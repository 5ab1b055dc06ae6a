"""HTTP routes of browse: data for lists, grids, sample pages and comparisons."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Literal

import pyarrow.compute as pc
from fastapi import Depends, Query, Response

from calotype.browse import answers, grid, object_order, objects
from calotype.browse.comparison import ChangeFilter, Comparisons
from calotype.browse.images import Image
from calotype.browse.images import shared as gallery
from calotype.browse.overview import Asked, overview
from calotype.browse.query_values import unknown_values, values_of
from calotype.datasets import answers as dataset_answers
from calotype.datasets import service
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Permission
from calotype.foundation.clock import iso
from calotype.foundation.http import (
    Ask,
    Named,
    Offset,
    Ref,
    Session,
    action,
    file_answer,
    one_of,
    packed,
    packed_answer,
    room_routes,
)

routes = room_routes("browse")
browser = grid.Browser()
comparisons = Comparisons()

Where = Annotated[str, Query(max_length=10_000, description="A query; empty matches all samples.")]
Sort = Annotated[str, one_of(grid.SORTS, "Order of the samples.")]
ObjectSort = Annotated[
    str,
    one_of(
        (*grid.SORTS, *object_order.SORTS),
        "Order of the objects: that of their samples, or by their own size or score, `-` for the largest first.",
    ),
]
LabelSet = Annotated[
    str, Query(max_length=200, description="The label set that the query, the order and the page refer to.")
]
Earlier = Annotated[str, Query(max_length=200, description="The earlier ref.")]
Later = Annotated[
    str, Query(max_length=200, description="The later ref; empty is the working state of main.")
]
Within = Annotated[
    str,
    Query(
        max_length=8_000,
        description="Only samples inside a polygon on an embedding map: MODEL:x,y;x,y;x,y with corners from -1 to 1.",
    ),
]
ObjectClass = Annotated[
    str, Query(alias="class", max_length=500, description="Only objects of this class; empty for all.")
]
READ = action(Permission.DATASET_READ)
IMAGE = file_answer("image/jpeg", "image/png")


def name_with_ref(dataset: str, ref: str) -> str:
    """`dataset@ref`, or the dataset alone if the ref is empty."""
    return f"{dataset}@{ref}" if ref else dataset


def state_of(ask: Session, dataset: str, ref: str) -> Snapshot:
    """The state that a request refers to."""
    return browser.state(ask.actor, name_with_ref(dataset, ref), store=ask.store)


def change_filter(
    change: Annotated[
        Literal["", "added", "removed", "reclassified", "moved", "edited"],
        Query(description="Only samples with annotations that differ in this way."),
    ] = "",
    class_before: Annotated[str, Query(max_length=500, description="Only changes from this class.")] = "",
    class_after: Annotated[str, Query(max_length=500, description="Only changes to this class.")] = "",
) -> ChangeFilter:
    """Which changes are asked for."""
    return ChangeFilter(change, class_before, class_after)


@routes.get("/datasets", **READ)
def list_datasets(ask: Ask) -> answers.DatasetList:
    """List the datasets that the caller may see."""
    items = []
    for info in service.datasets(ask.actor, store=ask.store):
        state = state_of(ask, info.name, "")
        commits = service.log(ask.actor, info.name, store=ask.store, limit=1)
        items.append(
            {
                "name": info.name,
                "description": info.description,
                **state.count(),
                "classes": len(state.ontology.classes),
                "label_sets": list(state.label_sets),
                "head": commits[0].to_dict() if commits else None,
                "dirty": state.commit_id is None,
                "cover": grid.cover(ask.store, state),
                **ask.ports.dataset_badges(ask.actor, info.name, store=ask.store),
            }
        )
    return answers.DatasetList.of({"items": items})


@routes.get("/datasets/{dataset}", **READ)
def show_dataset(dataset: Named, ask: Ask, ref: Ref = "") -> answers.Overview:
    """Show an overview of a dataset."""
    state = state_of(ask, dataset, ref)
    contract = state.documents.get("contract")
    return answers.Overview.of(
        {
            "name": dataset,
            "description": state.dataset.description,
            "ref": ref or "main",
            "commit": state.commit_id,
            "dirty": state.commit_id is None,
            "contract": {"sha256": contract} if contract else None,
            **overview(ask.store, state),
        }
    )


@routes.get("/datasets/{dataset}/facets", **READ)
def show_facets(
    dataset: Named,
    ask: Ask,
    ref: Ref = "",
    where: Where = "",
    label_set: LabelSet = DEFAULT_LABEL_SET,
    within: Within = "",
) -> answers.Facets:
    """Count the samples that match a query, by class, split, tag, licence, source and metadata."""
    state = state_of(ask, dataset, ref)
    ids = (lambda: ask.ports.within(state, within, store=ask.store)) if within else None
    counts = overview(ask.store, state, label_set=label_set, asked=Asked(where, within, ids))
    return answers.Facets.of({"commit": state.commit_id, **counts})


@routes.get("/datasets/{dataset}/values", **READ)
def list_values(
    dataset: Named,
    ask: Ask,
    field: Annotated[
        str,
        Query(max_length=200, description="split, source, licence, group, tags, or a field of the metadata."),
    ],
    typed: Annotated[str, Query(max_length=200, description="Only values that contain this text.")] = "",
    limit: Annotated[int, Query(ge=1, le=200, description="Maximum number of values.")] = 20,
    ref: Ref = "",
) -> answers.FieldValues:
    """List values of a field, to complete a query."""
    state = state_of(ask, dataset, ref)
    return answers.FieldValues.of(values_of(ask.store, state, field, typed, limit))


@routes.get("/datasets/{dataset}/unknown-values", **READ)
def list_unknown_values(dataset: Named, ask: Ask, where: Where = "", ref: Ref = "") -> answers.UnknownValues:
    """List the texts of a query that no sample has, each with similar ones that some have."""
    state = state_of(ask, dataset, ref)
    return answers.UnknownValues.of({"items": unknown_values(ask.store, state, where) if where else []})


@routes.get("/datasets/{dataset}/samples", **READ, **packed_answer(answers.SamplePage))
def list_samples(
    dataset: Named,
    ask: Ask,
    ref: Ref = "",
    where: Where = "",
    sort: Sort = "name",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="Maximum number of samples.")] = 100,
    label_set: LabelSet = DEFAULT_LABEL_SET,
    within: Within = "",
) -> Response:
    """List a page of samples with their annotations, for a grid."""
    state = state_of(ask, dataset, ref)
    order = _order(ask, state, where, sort, label_set, within)
    page_ids = order.ids(offset, limit)
    flagged = ask.ports.open_annotations(state, page_ids, store=ask.store)
    items = grid.page(state, page_ids, label_set=label_set, flagged=flagged)
    gallery.remember(state, (item["media"] for item in items))
    findings = ask.ports.findings_of(ask.actor, state, page_ids, store=ask.store)
    for item in items:
        item["findings"] = len(findings.get(item["id"], ()))
    return packed({"commit": state.commit_id, "total": len(order), "offset": offset, "items": items})


@routes.get("/datasets/{dataset}/sample-ids", **READ)
def list_sample_ids(
    dataset: Named,
    ask: Ask,
    ref: Ref = "",
    where: Where = "",
    sort: Sort = "name",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Maximum number of ids.")] = 1_000,
    label_set: LabelSet = DEFAULT_LABEL_SET,
    within: Within = "",
) -> answers.SampleIds:
    """List only the ids of samples, in the order of the list: to name what was selected in it."""
    state = state_of(ask, dataset, ref)
    order = _order(ask, state, where, sort, label_set, within)
    ids = order.ids(offset, limit)
    return answers.SampleIds.of(
        {"commit": state.commit_id, "total": len(order), "offset": offset, "ids": ids}
    )


@routes.get("/datasets/{dataset}/objects", **READ, **packed_answer(answers.ObjectPage))
def list_objects(
    dataset: Named,
    ask: Ask,
    ref: Ref = "",
    where: Where = "",
    sort: ObjectSort = "name",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="Maximum number of objects.")] = 100,
    label_set: LabelSet = DEFAULT_LABEL_SET,
    within: Within = "",
    class_: ObjectClass = "",
) -> Response:
    """List a page of objects, the annotations with a place in their image."""
    state = state_of(ask, dataset, ref)
    by_value = sort in object_order.SORTS
    order = _order(ask, state, where, "name" if by_value else sort, label_set, within)
    listed = objects.objects(ask.store, state, order, label_set=label_set, class_name=class_)
    if by_value:
        listed = objects.ranked(ask.store, state, listed, sort)
    found = objects.part(ask.store, state, listed, offset, limit)
    on_page = pc.unique(found["sample_id"]).to_pylist()
    flagged = ask.ports.open_annotations(state, on_page, store=ask.store)
    items = objects.page(state, found, flagged=flagged)
    gallery.remember(state, (item["sample"]["media"] for item in items))
    return packed({"commit": state.commit_id, "total": len(listed), "offset": offset, "items": items})


@routes.get("/datasets/{dataset}/object-ids", **READ)
def list_object_ids(
    dataset: Named,
    ask: Ask,
    ref: Ref = "",
    where: Where = "",
    sort: ObjectSort = "name",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Maximum number of ids.")] = 1_000,
    label_set: LabelSet = DEFAULT_LABEL_SET,
    within: Within = "",
    class_: ObjectClass = "",
) -> answers.ObjectIds:
    """List only the ids of objects, in the order of the list: to name what was selected in it."""
    state = state_of(ask, dataset, ref)
    by_value = sort in object_order.SORTS
    order = _order(ask, state, where, "name" if by_value else sort, label_set, within)
    listed = objects.objects(ask.store, state, order, label_set=label_set, class_name=class_)
    if by_value:
        listed = objects.ranked(ask.store, state, listed, sort)
    ids = objects.ids(ask.store, state, listed, offset, limit)
    return answers.ObjectIds.of(
        {"commit": state.commit_id, "total": len(listed), "offset": offset, "ids": ids}
    )


@routes.get("/datasets/{dataset}/samples/{sample_id}", **READ, **packed_answer(answers.SampleDetail))
def show_sample(
    dataset: Named,
    sample_id: Named,
    ask: Ask,
    ref: Ref = "",
    where: Where = "",
    sort: Sort = "name",
    label_set: LabelSet = DEFAULT_LABEL_SET,
    within: Within = "",
) -> Response:
    """Show one sample with its annotations, findings and derived samples, and its position in the list."""
    state = state_of(ask, dataset, ref)
    sample = grid.sample(ask.store, state, sample_id)
    order = _order(ask, state, where, sort, label_set, within)
    value = grid.detail(ask.store, state, sample)
    value["created_at"] = iso(value.pop("created_at_us"))
    findings = ask.ports.findings_of(ask.actor, state, [sample.sample_id], store=ask.store)
    return packed(
        {
            "commit": state.commit_id,
            **value,
            "findings": findings.get(sample.sample_id, []),
            "position": order.position(sample.sample_id),
        }
    )


@routes.get("/datasets/{dataset}/diff", **READ)
def show_diff(
    dataset: Named,
    ask: Ask,
    a: Earlier,
    b: Later,
    wanted: Annotated[ChangeFilter, Depends(change_filter)],
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="Maximum number of samples.")] = 200,
) -> dataset_answers.Diff:
    """Show the changes from ref `a` to ref `b`, grouped by what differs, with a page of the samples that differ."""
    comparison = comparisons.of(state_of(ask, dataset, a), state_of(ask, dataset, b))
    total, items = comparison.page(wanted, offset, limit)
    return dataset_answers.Diff.of(
        {"a": a, "b": b, **comparison.counts(), "total": total, "offset": offset, "items": items}
    )


@routes.get("/datasets/{dataset}/diff/samples/{sample_id}", **READ, **packed_answer(answers.ComparedSample))
def show_compared_sample(
    dataset: Named,
    sample_id: Named,
    ask: Ask,
    a: Earlier,
    b: Later,
    wanted: Annotated[ChangeFilter, Depends(change_filter)],
) -> Response:
    """Show one sample at ref `a` and at ref `b`, with what differs, and its position among those that differ."""
    comparison = comparisons.of(state_of(ask, dataset, a), state_of(ask, dataset, b))
    value = comparison.sample(sample_id)
    return packed({**value, "position": comparison.position(wanted, sample_id)})


@routes.get("/datasets/{dataset}/thumbs/{media}", response_class=Response, **READ, **IMAGE)
async def show_thumbnail(
    dataset: Named,
    media: Named,
    ask: Ask,
    size: Annotated[int, Query(ge=1, le=1024, description="Longer side in pixels.")] = 256,
    ref: Ref = "",
) -> Response:
    """A thumbnail of an image of the dataset: upright and without metadata. Its bytes never change."""
    return await _image(
        lambda: gallery.thumbnail(ask.actor, dataset, media, store=ask.store, ref=ref, size_px=size)
    )


@routes.get("/datasets/{dataset}/media/{media}", response_class=Response, **READ, **IMAGE)
async def show_image(dataset: Named, media: Named, ask: Ask, ref: Ref = "") -> Response:
    """A display copy of an image of the dataset: upright and without metadata. Its bytes never change."""
    return await _image(lambda: gallery.display(ask.actor, dataset, media, store=ask.store, ref=ref))


def _order(ask: Session, state: Snapshot, where: str, sort: Sort, label_set: str, within: str) -> grid.Order:
    """The samples that match, in their order, only those in a part of the map if one is given."""
    order = browser.order(state, where=where, sort=sort, label_set=label_set, store=ask.store)
    return order.within(ask.ports.within(state, within, store=ask.store)) if within else order


async def _image(call: Callable[[], Image]) -> Response:
    """The answer of a call that runs in a thread for images; it is not started if the client has left by then."""
    data, mime = await asyncio.wrap_future(gallery.submit(call))
    return Response(data, media_type=mime, headers={"cache-control": "private, max-age=31536000, immutable"})
