"""HTTP routes of saved views."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from calotype.browse.views import answers, service
from calotype.browse.views.model import MAX_HIDDEN, MAX_WITHIN_CHARACTERS, SIZES_PX, ViewSpec
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, action, room_routes
from calotype.foundation.json_limits import EXACT_INT

routes = room_routes("browse")
READ, EDIT = action(Permission.DATASET_READ), action(Permission.DATASET_EDIT)


class ViewBody(BaseModel):
    """What a saved view shows; `overwrite` replaces the one that has the name."""

    where: str = Field("", max_length=10_000)
    sort: str = Field("name", max_length=20)
    label_set: str = Field(DEFAULT_LABEL_SET, max_length=200)
    ref: str = Field("", max_length=200)
    within: str = Field("", max_length=MAX_WITHIN_CHARACTERS)
    size_px: int | None = Field(None, ge=SIZES_PX[0], le=SIZES_PX[1])
    hidden: list[Annotated[int, Field(ge=0, le=EXACT_INT)]] = Field([], max_length=MAX_HIDDEN)
    show: Literal["samples", "objects"] = "samples"
    of_class: str = Field("", max_length=200)
    colour: Literal["", "author", "score", "set", "finding"] = ""
    beside: str = Field("", max_length=200)
    against: str = Field("", max_length=200)
    overwrite: bool = False


class NewViewName(BaseModel):
    """The new name of a saved view; `overwrite` replaces the one that has it."""

    name: str = Field(max_length=200)
    overwrite: bool = False


@routes.get("/datasets/{dataset}/views", **READ)
def list_views(dataset: Named, ask: Ask) -> answers.SavedViews:
    """List the saved views of a dataset."""
    views = service.saved_views(ask.actor, dataset, store=ask.store)
    return answers.SavedViews.of({"items": [view.to_dict() for view in views]})


@routes.get("/datasets/{dataset}/views/{view}", **READ)
def show_view(dataset: Named, view: Named, ask: Ask) -> answers.SavedView:
    """Show what a saved view holds."""
    return answers.SavedView.of(service.saved_view(ask.actor, dataset, view, store=ask.store).to_dict())


@routes.put("/datasets/{dataset}/views/{view}", **EDIT)
def put_view(dataset: Named, view: Named, body: ViewBody, ask: Ask) -> answers.SavedView:
    """Save a query with its order and display under a name."""
    values = body.model_dump(exclude={"overwrite", "hidden"})
    spec = ViewSpec(**values, hidden=tuple(body.hidden))
    saved = service.save_view(ask.actor, dataset, view, spec, store=ask.store, overwrite=body.overwrite)
    return answers.SavedView.of(saved.to_dict())


@routes.post("/datasets/{dataset}/views/{view}/name", **EDIT)
def rename_view(dataset: Named, view: Named, body: NewViewName, ask: Ask) -> answers.SavedView:
    """Give a saved view another name."""
    renamed = service.rename_view(
        ask.actor, dataset, view, body.name, store=ask.store, overwrite=body.overwrite
    )
    return answers.SavedView.of(renamed.to_dict())


@routes.delete("/datasets/{dataset}/views/{view}", **EDIT)
def delete_view(dataset: Named, view: Named, ask: Ask) -> answers.SavedView:
    """Delete a saved view; the answer is what it was."""
    return answers.SavedView.of(service.delete_view(ask.actor, dataset, view, store=ask.store).to_dict())
