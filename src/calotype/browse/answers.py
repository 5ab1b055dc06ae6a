"""Response models of browse: overview of a dataset, pages of samples, one sample."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from calotype.datasets.answers import Commit, SplitCount, ValueCount
from calotype.findings.quality_answers import Finding, SeverityCounts
from calotype.foundation.answers import Answer, MediaKey, Number, Pair, Scalar, Sha256, Timestamp

Kind = Literal[
    "classification",
    "box",
    "rotated_box",
    "polygon",
    "mask",
    "keypoints",
    "polyline",
    "ellipse",
    "point",
    "caption",
]
Box = tuple[Number, Number, Number, Number]


class GateCounts(Answer):
    """Number of gates by state in a run of the checks."""

    green: int
    red: int
    missing: int = Field(description="Gates without data to evaluate; like red gates, they block.")


class DatasetRow(Answer):
    """A dataset in a list."""

    name: str
    description: str
    samples: int
    annotations: int = Field(description="Annotations of all label sets.")
    classes: int
    label_sets: list[str]
    head: Commit | None = Field(description="Newest commit of `main`.")
    dirty: bool = Field(description="Whether `main` has uncommitted changes.")
    cover: list[MediaKey] = Field(description="Media of up to 8 samples, for a preview.")
    releases: list[str] = Field(description="Versions, newest first.")
    gates: GateCounts | None = Field(
        description="Gates of the newest run of the checks; null before the first run."
    )
    open: SeverityCounts | None = Field(
        description="Open findings of that run: gates can be green while warnings are open."
    )


class DatasetList(Answer):
    """Datasets that the caller may see."""

    items: list[DatasetRow]


class ContractRef(Answer):
    """The contract in force."""

    sha256: Sha256


class LabelSetCount(Answer):
    """Size of a label set."""

    name: str
    annotations: int
    kinds: dict[str, int] = Field(description="Annotations by kind.")


class ClassCount(Answer):
    """A class of the ontology and how often it occurs."""

    id: int
    name: str
    supercategory: str
    keypoints: list[str]
    skeleton: list[Pair[int]] = Field(description="Pairs of keypoints by index, from 0.")
    annotations: int
    samples: int = Field(description="Samples with at least one annotation of the class.")


class Histogram(Answer):
    """Distribution of a number."""

    edges: list[Number] = Field(description="Edges of the bins, one more than `counts`.")
    counts: list[int]


class FieldSummary(Answer):
    """A metadata field and its values."""

    name: str
    type: Literal["str", "int", "float", "bool"]
    distinct: int = Field(description="Number of different values.")
    missing: int = Field(description="Samples without a value.")
    top: list[ValueCount] = Field(description="The most frequent values.")
    histogram: Histogram | None = Field(
        description="Null unless the field is a number with many different values."
    )


class ImageSizes(Answer):
    """Width and height in pixels over all samples."""

    min: Pair[int]
    median: Pair[int]
    max: Pair[int]


class Counts(Answer):
    """Counts over samples. Classes and splits count the annotations of one label set."""

    samples: int
    annotations: int = Field(description="Annotations of all label sets.")
    unlabelled: int = Field(description="Samples without annotations.")
    derived: int = Field(description="Samples derived from others by a recipe.")
    label_sets: list[LabelSetCount]
    classes: list[ClassCount]
    splits: list[SplitCount]
    licences: list[ValueCount]
    sources: list[ValueCount]
    tags: list[ValueCount]
    fields: list[FieldSummary]
    sizes: ImageSizes | None = Field(description="Null where there is no sample.")
    approximate: bool = Field(
        description=(
            "Whether the counts are estimated from some of the samples, because exact ones take longer; "
            "they are made in the background, so ask again."
        )
    )


class Facets(Counts):
    """Counts over the samples that match a query, of `label_set`."""

    commit: Sha256 | None = Field(description="Null for a working state with uncommitted changes.")


class Overview(Counts):
    """A dataset at a glance. Classes and splits count the annotations of the first label set."""

    name: str
    description: str
    ref: str
    commit: Sha256 | None = Field(description="Null for a working state with uncommitted changes.")
    dirty: bool = Field(description="Whether there are uncommitted changes.")
    contract: ContractRef | None


class Mask(Answer):
    """A binary mask as COCO run lengths, column-major."""

    size: Pair[int] = Field(description="Height, width in pixels.")
    counts: str = Field(description="Compressed run lengths.")


class Annotation(Answer):
    """An annotation to draw; coordinates are pixels of the upright image."""

    id: str
    kind: Kind
    class_: str = Field(alias="class", description="Name of the class.")
    class_id: int
    bbox: Box | None = Field(description="Left, top, width, height; null for a classification or caption.")
    rings: list[list[Number]] = Field(
        description=(
            "Rings of a polygon, parts of a polyline, points, or the four corners of a rotated box or of the rectangle "
            "around an ellipse, clockwise; each x1, y1, x2, y2, ..."
        )
    )
    keypoints: list[Number] = Field(
        description="x, y, v triples; v is 0 (not labelled), 1 (hidden) or 2 (visible)."
    )
    mask: Mask | None
    score: Number | None = Field(description="Confidence from 0 to 1 of a model prediction.")
    iscrowd: bool
    author: str
    text: str | None = Field(
        description="The first 1,000 characters of a caption, or of what is read in a shape."
    )


class FullAnnotation(Annotation):
    """An annotation with its attributes and origin."""

    attributes: dict[str, Any] = Field(description="Attributes as given by the source.")
    area: Number | None = Field(description="Square pixels; null where it covers no area.")
    source_id: str = Field(description="Id in the file that it was imported from.")


class SampleCell(Answer):
    """A sample in a grid."""

    id: str
    name: str
    media: MediaKey
    width: int = Field(description="Pixels of the upright image.")
    height: int = Field(description="Pixels of the upright image.")
    split: str
    group: str
    tags: list[str]
    parent: str | None = Field(description="Id of the sample it was derived from.")


class GridSample(SampleCell):
    """A sample in a grid with its annotations and number of findings."""

    findings: int = Field(description="Number of findings of the newest run of the checks.")
    annotations: list[Annotation]
    flagged: list[str] = Field(description="Ids of the annotations with an open finding.")


class SamplePage(Answer):
    """A page of samples."""

    commit: Sha256 | None = Field(description="Null for a working state with uncommitted changes.")
    total: int = Field(description="Number of matching samples on all pages.")
    offset: int
    items: list[GridSample]


class SampleIds(Answer):
    """Ids of samples in the order of a list."""

    commit: Sha256 | None = Field(description="Null for a working state with uncommitted changes.")
    total: int = Field(description="Number of matching samples, listed or not.")
    offset: int
    ids: list[str]


class GridObject(Annotation):
    """An annotation that has a place in its image, with its sample."""

    flagged: bool = Field(description="Whether it has an open finding.")
    sample: SampleCell


class ObjectPage(Answer):
    """A page of objects."""

    commit: Sha256 | None = Field(description="Null for a working state with uncommitted changes.")
    total: int = Field(description="Number of matching objects on all pages.")
    offset: int
    items: list[GridObject]


class ObjectIds(Answer):
    """Ids of annotations in the order of a list of objects."""

    commit: Sha256 | None = Field(description="Null for a working state with uncommitted changes.")
    total: int = Field(description="Number of matching objects, listed or not.")
    offset: int
    ids: list[str]


class DerivedSample(Answer):
    """A sample that was derived from another."""

    id: str
    name: str
    media: MediaKey


class Position(Answer):
    """Position of a sample in the list that it was opened from."""

    index: int = Field(description="From 0.")
    total: int
    previous: str | None = Field(description="Id of the previous sample.")
    next: str | None = Field(description="Id of the next sample.")


class SampleDetail(SampleCell):
    """One sample with everything known about it."""

    commit: Sha256 | None = Field(description="Null for a working state with uncommitted changes.")
    mime: str
    bytes: int
    source: str
    licence: str
    metadata: dict[str, Scalar]
    names: list[str] = Field(description="All names under which the same bytes were added.")
    recipe: str = Field(description="The recipe that it was derived by; empty for an original.")
    created_at: Timestamp
    label_sets: dict[str, list[FullAnnotation]]
    children: list[DerivedSample] = Field(description="The first 50 samples derived from it.")
    findings: list[Finding] = Field(description="Findings of the newest run of the checks.")
    position: Position | None = Field(description="Null when the sample is not in the list.")


class ComparedState(Answer):
    """A sample in one of two states."""

    media: MediaKey
    width: int = Field(description="Pixels of the upright image.")
    height: int = Field(description="Pixels of the upright image.")
    label_sets: dict[str, list[FullAnnotation]]


class ChangedField(Answer):
    """A field of a sample that differs, as texts; null where it has no value."""

    field: str
    before: str | None
    after: str | None


class ComparedAnnotation(Answer):
    """An annotation that differs between two states."""

    label_set: str
    id: str
    change: Literal["added", "removed", "reclassified", "moved", "edited"]
    moved: bool = Field(
        description="Whether the shape differs; a reclassified annotation may have moved too."
    )
    iou: Number | None = Field(description="Overlap of the boxes before and after, from 0 to 1.")
    class_before: str | None
    class_after: str | None


class ComparedSample(Answer):
    """A sample before and after, with what differs."""

    id: str
    name: str
    before: ComparedState | None = Field(description="Null for an added sample.")
    after: ComparedState | None = Field(description="Null for a removed sample.")
    fields: list[ChangedField]
    changes: list[ComparedAnnotation]
    position: Position | None = Field(description="Position among the samples that match the filter.")


class FieldValues(Answer):
    """Values of a field that contain a text."""

    items: list[ValueCount] = Field(description="Those that begin with the text first, then by frequency.")
    approximate: bool = Field(
        description="Whether they are only the most frequent values of some samples; ask again for all."
    )


class UnknownValue(Answer):
    """A text of a query that no sample has in that field."""

    field: str
    value: str
    column: int = Field(description="Where the comparison begins in the query, from 1.")
    close: list[str] = Field(description="Similar values that some samples have.")
    message: str


class UnknownValues(Answer):
    """The texts of a query that no sample has; a query with some is valid and may match nothing."""

    items: list[UnknownValue]
