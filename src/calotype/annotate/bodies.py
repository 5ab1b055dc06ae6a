"""Request bodies of annotate: the edits of `model.py` as OpenAPI shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from calotype.annotate.model import MAX_COORDINATE_PX, MAX_EDITS
from calotype.datasets.model import DEFAULT_LABEL_SET, Kind

Id = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=100_000)]
Number = Annotated[float, Field(ge=-MAX_COORDINATE_PX, le=MAX_COORDINATE_PX, allow_inf_nan=False)]
Ring = Annotated[list[Number], Field(max_length=200_000)]
Scalar = (
    Annotated[int, Field(ge=-(2**53), le=2**53)] | Annotated[float, Field(ge=-1e308, le=1e308)] | bool | Words
)
Tags = Annotated[list[Name], Field(max_length=1_000)]
Attributes = Annotated[dict[Name, Any], Field(max_length=1_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Edit(_Body):
    seen: Annotated[str, Field(max_length=64)] | Annotated[dict[Name, Any], Field(max_length=20)] | None = (
        Field(
            None,
            description=(
                "The row as it was read: its token from an earlier answer, or some of its values (of an annotation: "
                "kind, class, bbox, rings, keypoints, mask, attributes, iscrowd; of a sample: split, tags, metadata). "
                "The edit is refused if they are others now."
            ),
        )
    )


class MaskShape(_Body):
    """A mask as COCO run lengths, column-major."""

    size: Annotated[list[Annotated[int, Field(ge=1, le=100_000)]], Field(min_length=2, max_length=2)] = Field(
        description="Height, width in pixels."
    )
    counts: Annotated[str, Field(max_length=8_000_000)]


class _Shaped(_Edit):
    bbox: Annotated[list[Number], Field(min_length=4, max_length=4)] | None = Field(
        None, description="Left, top, width, height of a box, in pixels of the upright image."
    )
    rotated: Annotated[list[Number], Field(min_length=5, max_length=5)] | None = Field(
        None, description="Centre x, y, width, height, degrees clockwise of a rotated box or ellipse."
    )
    rings: Annotated[list[Ring], Field(max_length=10_000)] | None = Field(
        None, description="Points of a polygon, polyline or point, or four corners; each x1, y1, x2, y2, ..."
    )
    keypoints: Annotated[list[Number], Field(max_length=3_000)] | None = Field(
        None, description="x, y, v triples; v is 0 (not labelled), 1 (hidden) or 2 (visible)."
    )
    mask: MaskShape | None = None


class SetClass(_Edit):
    """Give an annotation another class."""

    do: Literal["set-class"]
    annotation: Id
    class_: Annotated[str, Field(alias="class", max_length=500)]


class SetAttributes(_Edit):
    """Set attributes of an annotation; null removes one, others stay."""

    do: Literal["set-attributes"]
    annotation: Id
    attributes: Attributes


class SetShape(_Shaped):
    """Give an annotation another shape; with `kind`, one of another kind."""

    do: Literal["set-shape"]
    annotation: Id
    kind: Annotated[Kind, Field(strict=False)] | None = None


class Add(_Shaped):
    """Add an annotation."""

    do: Literal["add"]
    sample: Id
    class_: Annotated[str, Field(alias="class", max_length=500)]
    kind: Annotated[Kind, Field(strict=False)]
    annotation: Annotated[str, Field(max_length=64)] = Field(
        "", description="Its id, if the client gives one: a UUID of version 4 or 7."
    )
    attributes: Attributes = Field(default_factory=dict)
    iscrowd: bool = False


class Delete(_Edit):
    """Delete an annotation."""

    do: Literal["delete"]
    annotation: Id


class SetSplit(_Edit):
    """Put a sample into a split; an empty one takes it out."""

    do: Literal["set-split"]
    sample: Id
    split: Name


class EditTags(_Edit):
    """Replace the tags of a sample, add to them or remove some."""

    do: Literal["set-tags", "add-tags", "remove-tags"]
    sample: Id
    tags: Tags


class SetMetadata(_Edit):
    """Set metadata fields of a sample; null removes one, others stay."""

    do: Literal["set-metadata"]
    sample: Id
    metadata: Annotated[dict[Name, Scalar | None], Field(max_length=1_000)]


Edit = Annotated[
    SetClass | SetAttributes | SetShape | Add | Delete | SetSplit | EditTags | SetMetadata,
    Field(discriminator="do"),
]


class EditsBody(_Body):
    """A list of edits, applied as one change: all of them or none."""

    edits: Annotated[list[Edit], Field(min_length=1, max_length=MAX_EDITS)]
    label_set: Name = Field(DEFAULT_LABEL_SET, description="The label set of the annotations.")
    carry_over: bool = Field(
        False,
        description="Change the copies of originals too: classes, attributes, deletions, fields of samples.",
    )
    id: Annotated[str, Field(max_length=64)] = Field(
        "", description="Id of the request: a repetition gets the first answer and changes nothing."
    )

    def plain(self) -> list[dict[str, Any]]:
        """The edits as plain values, with what the client gave."""
        return [edit.model_dump(mode="json", by_alias=True, exclude_unset=True) for edit in self.edits]


class StepBody(_Body):
    """Which edit the caller means."""

    edit: Annotated[str, Field(max_length=64)] = Field(
        "", description="Id of the edit that comes next; empty for whichever does."
    )
