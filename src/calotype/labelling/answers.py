"""Response models of labelling work."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from calotype.foundation.answers import Answer, Number, Pair, Timestamp

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
AssignmentState = Literal["draft", "submitted", "accepted", "sent-back", "skipped", "released", "expired"]
WorkKind = Literal["annotate", "review"]


class WorkMask(Answer):
    """A binary mask as COCO run lengths, column-major."""

    size: Pair[int] = Field(description="Height, width in pixels.")
    counts: str = Field(description="Compressed run lengths.")


class WorkAnnotation(Answer):
    """An annotation of an assignment; coordinates are pixels of the upright image."""

    id: str
    kind: Kind
    class_: str = Field(alias="class", description="Name of the class.")
    class_id: int
    bbox: list[Number] | None = Field(description="Left, top, width, height; null for the whole image.")
    rings: list[list[Number]] = Field(description="Each x1, y1, x2, y2, ...; as `Annotation` has them.")
    keypoints: list[Number] = Field(description="x, y, v triples.")
    mask: WorkMask | None
    score: Number | None = Field(description="Confidence of a prelabel that nobody changed.")
    iscrowd: bool
    author: str
    text: str | None
    attributes: dict[str, Any]
    area: Number | None
    source_id: str
    origin: Literal["drawn", "prelabel", "adjusted", "imported"]


class WorkBatch(Answer):
    """What whoever works in a batch sees of it."""

    id: str
    name: str
    dataset: str
    label_set: str
    overlap: int = Field(description="How many people label each sample.")
    due: Timestamp | None


class OfferedBatch(WorkBatch):
    """A batch with work for the caller."""

    state: Literal["open", "paused"]
    annotate: int = Field(description="Samples that wait for annotators.")
    review: int = Field(description="Samples that wait for a reviewer.")


class WorkGuideline(Answer):
    """The guideline that a batch is labelled under."""

    version: int = Field(description="0 where there is none.")
    acknowledged: bool = Field(description="Whether the caller has acknowledged it, or a later one.")


class WorkSample(Answer):
    """The image of an assignment."""

    id: str
    name: str
    width_px: int
    height_px: int
    image: str = Field(description="Address of the image; `?size=256` gives a thumbnail.")


class ClassAttribute(Answer):
    """An attribute that annotations of a class have."""

    name: str
    type: Literal["text", "number", "boolean", "choice"]
    required: bool
    default: Any
    choices: list[Any]


class ClassCard(Answer):
    """A class as the editor shows it."""

    id: int
    name: str
    colour: str = Field(description="`#rrggbb`.")
    key: str
    definition: str
    tools: list[str] = Field(description="Kinds of annotations that the class may have.")
    attributes: list[ClassAttribute]
    keypoints: list[str]
    skeleton: list[Pair[int]]
    parent: str


class Comment(Answer):
    """One comment of a thread."""

    author: str
    text: str
    verb: Literal["asked", "remarked", "answer", "ruling"]
    at: Timestamp


class Thread(Answer):
    """A remark or a question, with its comments."""

    id: str
    kind: Literal["remark", "question"]
    category: str
    class_: str = Field(alias="class")
    state: Literal["open", "resolved"]
    sample: str
    annotation: str = Field(description="Empty: about the whole image.")
    place: list[Number] | None = Field(description="x, y in pixels of the upright image.")
    by: str
    at: Timestamp
    comments: list[Comment]


class Threads(Answer):
    """Threads, the open ones first."""

    items: list[Thread]


class AssignmentFacts(Answer):
    """An assignment without its content."""

    assignment: str
    kind: WorkKind
    actor: str
    state: AssignmentState
    round: int = Field(description="1 at first; one more each time that it was sent back.")
    lease_until: Timestamp
    active_s: Number
    note: str
    started_at: Timestamp
    submitted_at: Timestamp | None


class BlindCopy(Answer):
    """What one annotator submitted."""

    assignment: str
    author: str
    annotations: list[WorkAnnotation]


class Work(AssignmentFacts):
    """An assignment with all that its page needs."""

    batch: WorkBatch
    guideline: WorkGuideline
    sample: WorkSample
    review_reason: str
    classes: list[ClassCard]
    annotations: list[WorkAnnotation]
    position: int = Field(description="Number of events in its record.")
    to_undo: int
    to_redo: int
    remarks: list[Thread]
    others: list[BlindCopy] = Field(description="For a review: what the annotators submitted.")
    ahead: list[WorkSample] = Field(description="What probably comes next.")


class NextWork(Answer):
    """The assignment that was taken."""

    work: Work | None = Field(description="Null where nothing is left for the caller.")


class ChangedAnnotation(Answer):
    """An annotation after operations."""

    id: str
    row: WorkAnnotation | None = Field(description="Null where it does not exist any more.")


class Refusal(Answer):
    """An operation that was not recorded."""

    id: str
    code: str
    what: str


class Recorded(Answer):
    """The answer to a list of operations."""

    recorded: list[str]
    repeated: list[str] = Field(description="Ids that were recorded before; nothing changed.")
    refused: list[Refusal]
    annotations: list[ChangedAnnotation] = Field(description="Those that changed, as they are now.")
    position: int
    to_undo: int
    to_redo: int
    lease_until: Timestamp
    state: AssignmentState


class WorkOutcome(Answer):
    """What became of an assignment and its sample."""

    assignment: str
    state: AssignmentState
    sample: str
    sample_state: Literal["waiting", "submitted", "accepted", "skipped"]
    review_reason: str = Field(description="Why the sample needs a reviewer; empty where it does not.")
    repeated: bool = Field(description="Whether this is the answer to an earlier request with this id.")


class WorkEvent(Answer):
    """One event of the record of an assignment."""

    position: int
    operation: str
    actor: str
    verb: str
    annotation: str
    reverts: str = Field(description="The operation that an undo or redo concerns.")
    at: Timestamp
    active_ms: int
    after: WorkAnnotation | None


class WorkEvents(Answer):
    """The record of an assignment, in order."""

    items: list[WorkEvent]


class MyAssignment(AssignmentFacts):
    """An own assignment that is open."""

    sample: str
    name: str = Field(description="Name of the sample.")
    batch: str
    dataset: str


class MyFigures(Answer):
    """One's own figures."""

    submitted: int
    accepted: int
    sent_back: int
    skipped: int
    active_s: Number
    median_s: Number | None = Field(description="Median of the active time of one sample.")


class MyWork(Answer):
    """One's own work."""

    open: list[MyAssignment]
    batches: list[OfferedBatch]
    figures: MyFigures


class BatchProgress(Answer):
    """Counts of a batch."""

    samples: int
    waiting: int
    submitted: int
    accepted: int
    skipped: int
    landed: int = Field(description="Accepted samples that are on the branch.")
    in_work: int = Field(description="Assignments that somebody holds.")
    sent_back: int


class BatchAnswer(Answer):
    """A batch with its progress."""

    id: str
    name: str
    dataset: str
    branch: str
    label_set: str
    guideline_version: int
    where: str
    overlap: int
    review: Number = Field(description="Share of the samples that is reviewed, 0 to 1.")
    priority: int
    due: Timestamp | None
    prelabels: str
    min_score: Number
    state: Literal["open", "paused", "closed"]
    created_by: str
    created_at: Timestamp
    progress: BatchProgress
    people: list[str] = Field(description="Empty: everyone who may.")
    reviewers: list[str] = Field(description="Empty: everyone who may.")
    median_active_s: Number | None
    notices: list[str]


class BatchList(Answer):
    """The batches of a dataset."""

    items: list[BatchAnswer]


class LandedBatch(Answer):
    """What landing a batch did."""

    commit: str = Field(description="Empty where nothing was left to land.")
    branch: str
    samples: int
    annotations: int
    removed: int


class ClosedBatch(Answer):
    """A batch that was closed, and what landed."""

    batch: BatchAnswer
    landed: LandedBatch
