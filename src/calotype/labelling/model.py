"""Batches, assignments and operations as values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from calotype.foundation.clock import iso
from calotype.labelling.errors import BatchInvalid

MAX_OPERATIONS = 1_000
MAX_BYTES = 16_000_000
"""Largest list of operations as JSON."""
MAX_OVERLAP = 10
MAX_SAMPLES = 1_000_000
DEFAULT_LEASE_S = 1_800
MAX_LEASES = 20
"""Leases that one person holds at most at a time."""
MAX_ACTIVE_MS = 3_600_000
"""Most time that counts for one operation."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,79}")


class BatchState(StrEnum):
    """Whether a batch hands out work."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class SampleState(StrEnum):
    """Where a sample of a batch stands."""

    WAITING = "waiting"
    """Fewer people than the overlap have submitted it."""
    SUBMITTED = "submitted"
    """It waits for a reviewer, or has one."""
    ACCEPTED = "accepted"
    SKIPPED = "skipped"


class State(StrEnum):
    """The state of an assignment."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    SENT_BACK = "sent-back"
    SKIPPED = "skipped"
    RELEASED = "released"
    EXPIRED = "expired"


OPEN_STATES = (State.DRAFT, State.SENT_BACK, State.EXPIRED)
"""States in which operations are recorded: work is never refused because a lease ended."""
ANNOTATE, REVIEW = "annotate", "review"


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How to open a batch.

    Args:
        where: Query for its samples; empty for all.
        ids: Ids of samples, as another way to name them.
        to: Who annotates: email addresses, `team:NAME`, `me`; empty for everyone who may.
        reviewers: Who reviews, likewise.
        overlap: How many people label each sample, without seeing each other's work.
        review: Share of the samples that a second person reviews, 0 to 1.
        due: ISO date or time at which the batch should be done; empty for none.
        prelabels: Label set that the work begins with; only its annotations with at least `min_score`.
        label_set: Where accepted work lands; what it holds already is shown to the annotators.
        base: Branch that the batch starts from.
        lease_s: Seconds after the last operation until somebody else may take a sample.
    """

    where: str = ""
    ids: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    overlap: int = 1
    review: float = 0.1
    priority: int = 0
    due: str = ""
    prelabels: str = ""
    min_score: float = 0.0
    label_set: str = "ground_truth"
    base: str = "main"
    lease_s: int = DEFAULT_LEASE_S


@dataclass(frozen=True, slots=True)
class Batch:
    """A fixed set of samples to label. `people` and `reviewers` hold ids of actors and `team:ID`; empty: everyone."""

    id: str
    dataset_id: str
    dataset: str
    name: str
    branch: str
    label_set: str
    guideline_version: int
    query: str
    people: tuple[str, ...]
    reviewers: tuple[str, ...]
    overlap: int
    review_share: float
    priority: int
    due_us: int | None
    prelabels: str
    min_score: float
    lease_s: int
    state: str
    created_by: str
    created_at_us: int
    closed_at_us: int | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "id": self.id,
            "name": self.name,
            "dataset": self.dataset,
            "branch": self.branch,
            "label_set": self.label_set,
            "guideline_version": self.guideline_version,
            "where": self.query,
            "overlap": self.overlap,
            "review": self.review_share,
            "priority": self.priority,
            "due": None if self.due_us is None else iso(self.due_us),
            "prelabels": self.prelabels,
            "min_score": self.min_score,
            "state": self.state,
            "created_by": self.created_by,
            "created_at": iso(self.created_at_us),
        }


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of a batch: samples by state, and assignments by state."""

    samples: int
    waiting: int
    submitted: int
    accepted: int
    skipped: int
    landed: int
    in_work: int
    sent_back: int

    def to_dict(self) -> dict[str, int]:
        """As JSON-ready values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """A batch with its progress, who works in it by name, and how long its work takes."""

    batch: Batch
    progress: Progress
    people: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    median_active_s: float | None = None
    notices: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            **self.batch.to_dict(),
            "progress": self.progress.to_dict(),
            "people": list(self.people),
            "reviewers": list(self.reviewers),
            "median_active_s": self.median_active_s,
            "notices": list(self.notices),
        }


@dataclass(frozen=True, slots=True)
class Assignment:
    """One sample for one annotator or reviewer."""

    id: str
    batch_id: str
    sample_id: str
    kind: str
    actor_id: str
    actor: str
    state: str
    round: int
    lease_until_us: int
    position: int
    active_ms: int
    guideline_version: int
    note: str
    started_at_us: int
    submitted_at_us: int | None
    finished_at_us: int | None

    @property
    def is_open(self) -> bool:
        """Whether operations are recorded."""
        return self.state in OPEN_STATES

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        submitted = self.submitted_at_us
        return {
            "assignment": self.id,
            "sample": self.sample_id,
            "kind": self.kind,
            "actor": self.actor,
            "state": self.state,
            "round": self.round,
            "lease_until": iso(self.lease_until_us),
            "active_s": round(self.active_ms / 1_000, 1),
            "note": self.note,
            "started_at": iso(self.started_at_us),
            "submitted_at": None if submitted is None else iso(submitted),
        }


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark of a reviewer about a sample, or about one annotation of it (`annotation`, else empty)."""

    note: str = ""
    category: str = ""
    annotation: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An operation that was not recorded, and why."""

    id: str
    code: str
    what: str

    def to_dict(self) -> dict[str, str]:
        """As JSON-ready values."""
        return {"id": self.id, "code": self.code, "what": self.what}


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer to a list of operations.

    Args:
        annotations: The annotations that changed, by id, as they are now; None for one that does not exist.
        position: Number of events in the record of the assignment.
    """

    recorded: tuple[str, ...]
    repeated: tuple[str, ...]
    refused: tuple[Refusal, ...]
    annotations: Mapping[str, dict[str, Any] | None]
    position: int
    to_undo: int
    to_redo: int
    lease_until_us: int
    state: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "recorded": list(self.recorded),
            "repeated": list(self.repeated),
            "refused": [refusal.to_dict() for refusal in self.refused],
            "annotations": [{"id": key, "row": row} for key, row in self.annotations.items()],
            "position": self.position,
            "to_undo": self.to_undo,
            "to_redo": self.to_redo,
            "lease_until": iso(self.lease_until_us),
            "state": self.state,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an assignment and its sample."""

    assignment: str
    state: str
    sample: str
    sample_state: str
    review_reason: str = ""
    repeated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Landed:
    """What landing a batch did; `commit` is empty where nothing was left to land."""

    commit: str
    branch: str
    samples: int
    annotations: int
    removed: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def check_batch_name(name: str) -> None:
    """Raises: BatchInvalid."""
    if not _NAME.fullmatch(name):
        hint = "use up to 80 letters, digits, `.`, `_` and `-`, beginning with a letter or digit"
        raise BatchInvalid(detail=f"{name[:80]!r} cannot be the name of a batch", hint=hint)


def check_options(options: BatchOptions) -> None:
    """Raises: BatchInvalid."""
    problems: Sequence[tuple[bool, str, str]] = [
        (
            1 <= options.overlap <= MAX_OVERLAP,
            f"an overlap of {options.overlap}",
            f"choose 1 to {MAX_OVERLAP}",
        ),
        (0 <= options.review <= 1, f"a review share of {options.review}", "choose 0 (none) to 1 (all)"),
        (0 <= options.min_score <= 1, f"a score of {options.min_score}", "choose 0 to 1"),
        (-1_000 <= options.priority <= 1_000, f"a priority of {options.priority}", "choose -1000 to 1000"),
        (60 <= options.lease_s <= 604_800, f"a lease of {options.lease_s} s", "choose 60 s to a week"),
        (
            1 <= len(options.label_set) <= 200 and options.label_set.isprintable(),
            "the name of the label set",
            "use 1 to 200 printable characters",
        ),
    ]
    for is_right, what, hint in problems:
        if not is_right:
            raise BatchInvalid(detail=f"{what} cannot be used", hint=hint)
