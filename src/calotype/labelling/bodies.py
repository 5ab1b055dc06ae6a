"""Request bodies of labelling work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from calotype.annotate.bodies import Attributes, MaskShape, Number, Ring
from calotype.datasets.model import DEFAULT_LABEL_SET, Kind
from calotype.labelling.model import (
    DEFAULT_LEASE_S,
    MAX_ACTIVE_MS,
    MAX_OPERATIONS,
    BatchOptions,
)

Id = Annotated[str, Field(min_length=32, max_length=36, pattern="^[0-9a-fA-F-]{32,36}$")]
Name = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=10_000)]
ActiveMs = Annotated[
    int, Field(ge=0, le=MAX_ACTIVE_MS, description="Active time since the operation before.")
]
Names = Annotated[list[Name], Field(max_length=1_000)]


class WorkBody(BaseModel):
    """A body whose values have exactly their types."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class WantedBody(WorkBody):
    """What somebody asks for; empty for any."""

    dataset: Name = ""
    batch: Name = ""
    kind: Literal["", "annotate", "review"] = ""


class _Operation(WorkBody):
    id: Id = Field(
        description="A UUID of version 4 or 7 that the client draws; a repetition changes nothing."
    )
    active_ms: ActiveMs = 0


class _Shaped(_Operation):
    bbox: Annotated[list[Number], Field(min_length=4, max_length=4)] | None = None
    rotated: Annotated[list[Number], Field(min_length=5, max_length=5)] | None = None
    rings: Annotated[list[Ring], Field(max_length=10_000)] | None = None
    keypoints: Annotated[list[Number], Field(max_length=3_000)] | None = None
    mask: MaskShape | None = None


class AddOperation(_Shaped):
    """Add an annotation."""

    do: Literal["add"]
    annotation: Id = Field(description="Its id, a UUID that the client draws.")
    class_: Annotated[str, Field(alias="class", max_length=500)]
    kind: Annotated[Kind, Field(strict=False)]
    attributes: Attributes = Field(default_factory=dict)
    iscrowd: bool = False


class ReshapeOperation(_Shaped):
    """Give an annotation another shape; with `kind`, one of another kind."""

    do: Literal["set-shape"]
    annotation: Id
    kind: Annotated[Kind, Field(strict=False)] | None = None


class ReclassifyOperation(_Operation):
    """Give an annotation another class."""

    do: Literal["set-class"]
    annotation: Id
    class_: Annotated[str, Field(alias="class", max_length=500)]


class DescribeOperation(_Operation):
    """Set attributes of an annotation; null removes one, others stay."""

    do: Literal["set-attributes"]
    annotation: Id
    attributes: Attributes


class DeleteOperation(_Operation):
    """Delete an annotation."""

    do: Literal["delete"]
    annotation: Id


class StepOperation(_Operation):
    """Undo the last operation, or bring back the one that was undone last."""

    do: Literal["undo", "redo"]
    operation: Annotated[str, Field(max_length=40)] = Field(
        "", description="The one that is meant; empty for any."
    )


class RestoreOperation(_Operation):
    """An annotation, or all of them, as after an event."""

    do: Literal["restore"]
    position: Annotated[int, Field(ge=1, le=10_000_000)]
    annotation: Annotated[str, Field(max_length=36)] = Field("", description="Empty for all.")


Operation = Annotated[
    AddOperation
    | ReshapeOperation
    | ReclassifyOperation
    | DescribeOperation
    | DeleteOperation
    | StepOperation
    | RestoreOperation,
    Field(discriminator="do"),
]


class OperationsBody(WorkBody):
    """Operations, applied in order; one that cannot be applied is refused, and the others go on."""

    operations: Annotated[list[Operation], Field(min_length=1, max_length=MAX_OPERATIONS)]

    def plain(self) -> list[dict[str, Any]]:
        """The operations as plain values, with what the client gave."""
        return [one.model_dump(mode="json", by_alias=True, exclude_unset=True) for one in self.operations]


class SubmitBody(WorkBody):
    """The end of an assignment."""

    id: Id | None = None
    active_ms: ActiveMs = 0
    note: Annotated[str, Field(max_length=2_000)] = ""


class ReasonBody(WorkBody):
    """Why a sample is given back."""

    reason: Annotated[str, Field(max_length=2_000)] = ""


class AskBody(WorkBody):
    """A question about an assignment."""

    text: Annotated[str, Field(min_length=1, max_length=10_000)]
    annotation: Annotated[str, Field(max_length=36)] = ""
    place: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    class_: Annotated[str, Field(alias="class", max_length=200)] = ""


class AnswerBody(WorkBody):
    """An answer to a question or remark."""

    text: Annotated[str, Field(min_length=1, max_length=10_000)]
    resolve: bool = True


class BatchBody(WorkBody):
    """A batch to open."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    where: Words = ""
    ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100_000)] = Field(
        default_factory=list
    )
    to: Names = Field(
        default_factory=list, description="Addresses, `team:NAME`, `me`; empty: everyone who may."
    )
    reviewers: Names = Field(default_factory=list)
    overlap: Annotated[int, Field(ge=1, le=10)] = 1
    review: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.1
    priority: Annotated[int, Field(ge=-1_000, le=1_000)] = 0
    due: Annotated[str, Field(max_length=40)] = ""
    prelabels: Name = ""
    min_score: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.0
    label_set: Annotated[str, Field(min_length=1, max_length=200)] = DEFAULT_LABEL_SET
    base: Name = "main"
    lease_s: Annotated[int, Field(ge=60, le=604_800)] = DEFAULT_LEASE_S
    stale: bool = Field(False, description="Only samples with stale labels.")

    def options(self) -> BatchOptions:
        """As the verb takes them."""
        return BatchOptions(
            where=self.where,
            ids=tuple(self.ids),
            to=tuple(self.to),
            reviewers=tuple(self.reviewers),
            overlap=self.overlap,
            review=self.review,
            priority=self.priority,
            due=self.due,
            prelabels=self.prelabels,
            min_score=self.min_score,
            label_set=self.label_set,
            base=self.base,
            lease_s=self.lease_s,
            stale=self.stale,
        )


class ExtendBody(WorkBody):
    """What changes of a batch; what is absent stays."""

    due: Annotated[str, Field(max_length=40)] | None = None
    priority: Annotated[int, Field(ge=-1_000, le=1_000)] | None = None
    to: Names | None = None
    reviewers: Names | None = None
