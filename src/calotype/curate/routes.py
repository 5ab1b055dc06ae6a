"""The HTTP routes of curate: assign splits, select samples, list similar ones."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from calotype.curate import answers, repository, service, vectors
from calotype.curate.model import SelectionSpec, SplitSpec
from calotype.datasets import service as datasets
from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, Seed, action, room_routes

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
    by: str = Field("random", max_length=40, description="random or diversity.")
    seed: Seed = 0
    where: WhereText = None

    def spec(self) -> SelectionSpec:
        """The selection for `service.select`."""
        return SelectionSpec(self.n, by=self.by, where=self.where, seed=self.seed)


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
    selection = service.select(ask.actor, dataset, body.spec(), store=ask.store)
    tagged = service.apply_selection(ask.actor, dataset, selection, body.name, store=ask.store)
    return answers.SelectionReport.of({**selection.to_dict(), "tagged": tagged})


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
