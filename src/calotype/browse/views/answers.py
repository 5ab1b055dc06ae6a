"""Response models of saved views."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calotype.foundation.answers import Answer, Timestamp


class SavedView(Answer):
    """A query with its order and display, kept under a name."""

    name: str
    where: str = Field(description="The query; empty matches all samples.")
    sort: Literal["name", "-name", "newest", "annotations", "-annotations"]
    label_set: str
    ref: str = Field(description="A branch, tag or commit; empty is the working state of main.")
    within: str = Field(description="A part of an embedding map: MODEL:x,y;x,y;x,y; empty is all of it.")
    size_px: int | None = Field(description="Longer side of the images in the grid; null is the usual size.")
    hidden: list[int] = Field(description="Ids of the classes that are not drawn.")
    show: Literal["samples", "objects"] = Field(description="Whole samples, or each annotation by itself.")
    of_class: str = Field(description="The class of the objects that are shown; empty is all classes.")
    colour: Literal["", "author", "score", "set", "finding"] = Field(
        description="What annotations are coloured by; empty is their class."
    )
    beside: str = Field(description="A label set that is shown beside the first; empty is none.")
    against: str = Field(description="A branch, tag or commit that is shown beside the ref; empty is none.")
    created_by: str
    created_at: Timestamp
    changed_by: str
    changed_at: Timestamp


class SavedViews(Answer):
    """The saved views of a dataset, ordered by name."""

    items: list[SavedView]
