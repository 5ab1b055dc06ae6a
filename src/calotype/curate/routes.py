"""The HTTP routes of curate: assign splits, select samples, list similar ones."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from calotype.curate import answers, map_colours, repository, service, vectors
from calotype.curate.embedding_map import EmbeddingMap, map_of
from calotype.curate.model import MapPointNotFound, SelectionSpec, SplitSpec
from calotype.datasets import service as datasets
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, Ref, Seed, Session, action, file_answer, room_routes

routes = room_routes("curate")

READ, EDIT = action(Permission.DATASET_READ), action(Permission.DATASET_EDIT)

WhereText = Annotated[str | None, Field(max_length=10_000, description="Only samples that match this query.")]


class SplitAssignment(BaseModel):
    """How to assign splits."""

    model_config = ConfigDict(extra="forbid")

    fractions: dict[str, float] = Field(max_length=20, description="Share of each split, together 1.")
    by: str | None = Field(
        None, max_length=200, description="Keep samples with the same value of this field together."
    )
    seed: Seed = 0
    where: WhereText = None


class NewSelection(BaseModel):
    """What to select. With a name, the selected samples are tagged `picked:NAME`."""

    model_config = ConfigDict(extra="forbid")

    n: int = Field(ge=1, le=1_000_000, description="Number of samples.")
    by: str = Field(
        "auto",
        max_length=40,
        description="auto, clusters, coverage, typical, diverse, uncertain, disagreement, rare, balanced or random.",
    )
    seed: Seed = 0
    where: WhereText = None
    embedder: str = Field(
        "", max_length=200, description="Model of the vectors; empty for the best that the dataset has."
    )
    predictions: str = Field(
        "",
        max_length=1_000,
        description="Label sets of models, separated by commas, for uncertain, disagreement.",
    )
    group: str = Field("", max_length=200, description="Keep the share of each value of this field.")

    def spec(self) -> SelectionSpec:
        """The selection for `service.select`."""
        return SelectionSpec(
            self.n, self.by, self.where, self.seed, self.embedder, self.predictions, self.group
        )


class NamedSelection(NewSelection):
    """What to select and tag."""

    name: str = Field(max_length=64)


@routes.post("/datasets/{dataset}/splits", **EDIT)
def assign_splits(dataset: Named, body: SplitAssignment, ask: Ask) -> answers.SplitReport:
    """Assign splits without leakage. Samples that have a split keep it."""
    spec = SplitSpec(body.fractions, by=body.by, seed=body.seed, where=body.where)
    result = service.split(ask.actor, dataset, spec, store=ask.store)
    return answers.SplitReport.of(result.to_dict())


@routes.post("/datasets/{dataset}/selections", **READ)
def select(dataset: Named, body: NewSelection, ask: Ask) -> answers.SelectionReport:
    """Select samples, with a reason for each. Changes nothing."""
    selection = service.select(ask.actor, dataset, body.spec(), store=ask.store)
    return answers.SelectionReport.of({**selection.to_dict(), "tagged": None})


@routes.post("/datasets/{dataset}/selections/tagged", **EDIT)
def select_and_tag(dataset: Named, body: NamedSelection, ask: Ask) -> answers.SelectionReport:
    """Select samples and tag them `picked:NAME`; no other sample keeps that tag."""
    ask.store.guard.require(ask.actor, Permission.DATASET_EDIT, dataset=dataset)
    selection = service.select(ask.actor, dataset, body.spec(), store=ask.store)
    tagged = service.apply_selection(ask.actor, dataset, selection, body.name, store=ask.store)
    return answers.SelectionReport.of({**selection.to_dict(), "tagged": tagged})


MapModel = Annotated[str, Query(max_length=200, description="The model; needed when there are several.")]
ColourBy = Annotated[str, Query(max_length=250, description="What the points are coloured by; see `ways`.")]


@routes.get("/datasets/{dataset}/map", **READ)
def show_map(
    dataset: Named, ask: Ask, ref: Ref = "", model: MapModel = "", by: ColourBy = "class"
) -> answers.EmbeddingMap:
    """Show the samples on a plane, so that those that look alike lie near each other: models, colours, size.

    The first call for new vectors takes seconds.
    """
    snapshot, placed = _placed(ask, dataset, ref, model)
    coloured = map_colours.colours(snapshot, placed.sample_ids, by)
    colours = [{"value": value, "count": count} for value, count in coloured.values]
    total = len(placed.sample_ids)
    return answers.EmbeddingMap.of(
        {
            "model": placed.model,
            "total": total,
            "missing": snapshot.count(annotations=False)["samples"] - total,
            "by": by,
            "ways": map_colours.ways(snapshot),
            "colours": colours,
        }
    )


@routes.get(
    "/datasets/{dataset}/map/points",
    response_class=Response,
    **READ,
    **file_answer("application/octet-stream"),
)
def list_map_points(
    dataset: Named,
    ask: Ask,
    ref: Ref = "",
    model: MapModel = "",
    by: ColourBy = "class",
    where: Annotated[
        str, Query(max_length=10_000, description="Samples that do not match have colour 255.")
    ] = "",
) -> Response:
    """The points of the map by name of their samples: all places as little-endian float32 x, y from -1 to 1, then a
    colour number of one byte for each."""
    snapshot, placed = _placed(ask, dataset, ref, model)
    numbers = map_colours.colours(snapshot, placed.sample_ids, by).numbers
    if where:
        matching = pc.is_in(placed.sample_ids, value_set=pa.array(snapshot.ids(where), pa.string()))
        numbers = np.where(matching.to_numpy(zero_copy_only=False), numbers, map_colours.NOT_MATCHING)
    data = placed.places.astype("<f4").tobytes() + numbers.astype(np.uint8).tobytes()
    return Response(
        data, media_type="application/octet-stream", headers={"cache-control": "private, no-cache"}
    )


@routes.get("/datasets/{dataset}/map/points/{index}", **READ)
def show_map_point(
    dataset: Named,
    index: Annotated[int, Path(ge=0, le=1_000_000_000, description="Number of the point, from 0.")],
    ask: Ask,
    ref: Ref = "",
    model: MapModel = "",
) -> answers.MapPoint:
    """The sample of one point of the map."""
    snapshot, placed = _placed(ask, dataset, ref, model)
    if index >= len(placed.sample_ids):
        raise MapPointNotFound(got=index, total=len(placed.sample_ids))
    sample = snapshot.sample(placed.sample_ids[index].as_py())
    return answers.MapPoint.of(
        {"index": index, "id": sample.sample_id, "name": sample.name, "media": sample.media_sha256}
    )


def _placed(ask: Session, dataset: str, ref: str, model: str) -> tuple[Snapshot, EmbeddingMap]:
    snapshot = datasets.read(ask.actor, f"{dataset}@{ref}" if ref else dataset, store=ask.store)
    return snapshot, map_of(snapshot, model, store=ask.store)


@routes.get("/datasets/{dataset}/similar", **READ)
def list_similar(
    dataset: Named,
    ask: Ask,
    to: Annotated[str, Query(max_length=4_096, description="A sample, by id or name.")],
    model: Annotated[
        str, Query(max_length=200, description="Whose embeddings; needed when there are several.")
    ] = "",
    where: Annotated[
        str | None, Query(max_length=10_000, description="Only samples that match this query.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Maximum number of samples.")] = 25,
) -> answers.SimilarSamples:
    """The samples whose embeddings are nearest to those of one, nearest first."""
    hits = vectors.nearest(ask.actor, dataset, model, to, limit, store=ask.store, where=where)
    snapshot = datasets.read(ask.actor, dataset, store=ask.store)
    return answers.SimilarSamples.of({"items": repository.with_media(snapshot, hits)})


@routes.get("/datasets/{dataset}/vectors", **READ)
def list_vector_models(dataset: Named, ask: Ask) -> answers.VectorModels:
    """List the models whose vectors the dataset has."""
    snapshot = datasets.read(ask.actor, dataset, store=ask.store)
    return answers.VectorModels.of({"items": repository.vector_models(ask.store, snapshot)})
