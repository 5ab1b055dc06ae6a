"""HTTP routes of precedents."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, action, room_routes
from calotype.guidelines.precedents import answers, service
from calotype.guidelines.precedents.service import Precedent

routes = room_routes("guidelines")

RULE = action(Permission.GUIDELINE_EDIT)
Pixels = Annotated[float, Field(ge=-1_000_000, le=1_000_000, allow_inf_nan=False, strict=False)]


class PrecedentBody(BaseModel):
    """A ruling to keep."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    ruling: Annotated[str, Field(min_length=1, max_length=10_000)]
    reason: Annotated[str, Field(min_length=1, max_length=10_000)]
    sample: Annotated[str, Field(max_length=4_096)] = Field(
        "", description="Id or name; not needed with `question`."
    )
    class_: Annotated[str, Field(alias="class", max_length=500)] = ""
    region: Annotated[list[Pixels], Field(min_length=4, max_length=4)] | None = None
    question: Annotated[str, Field(max_length=36)] = Field(
        "", description="Id of the question that it answers."
    )

    def precedent(self) -> Precedent:
        """As the verb takes it."""
        region = (
            None if self.region is None else (self.region[0], self.region[1], self.region[2], self.region[3])
        )
        return Precedent(self.ruling, self.reason, self.sample, self.class_, region, self.question)


@routes.get("/datasets/{dataset}/precedents", **action(Permission.DATASET_READ))
def list_precedents(
    dataset: Named,
    ask: Ask,
    class_: Annotated[
        str, Query(alias="class", max_length=500, description="Only those of this class.")
    ] = "",
) -> answers.Precedents:
    """List rulings on difficult cases, the newest first."""
    listed = service.precedents(ask.actor, dataset, store=ask.store, class_name=class_)
    return answers.Precedents.of({"items": listed})


@routes.post("/datasets/{dataset}/precedents", status_code=201, **RULE)
def add_precedent(dataset: Named, body: PrecedentBody, ask: Ask) -> answers.Precedent:
    """Keep a ruling on a difficult case."""
    return answers.Precedent.of(service.add_precedent(ask.actor, dataset, body.precedent(), store=ask.store))
