"""Commits, refs, differences and edits as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from calotype.foundation.clock import iso
from calotype.foundation.ids import sha256_json

Pins = Mapping[str, int]
"""Table -> its Lance version in a commit or working state."""

Documents = Mapping[str, str]
"""Kind (ontology, fields, contract, info) -> SHA-256 of the text."""

MAIN = "main"


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """A dataset's row in the catalog."""

    id: str
    name: str
    description: str
    created_at_us: int
    created_by: str


@dataclass(frozen=True, slots=True)
class Commit:
    """An immutable state of a whole dataset."""

    id: str
    dataset_id: str
    parents: tuple[str, ...]
    author: str
    message: str
    created_at_us: int
    pins: Pins
    documents: Documents
    stats: Mapping[str, Any]

    @property
    def short(self) -> str:
        """The first 12 digits of the id."""
        return self.id[:12]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "id": self.id,
            "parents": list(self.parents),
            "author": self.author,
            "message": self.message,
            "at": iso(self.created_at_us),
            "stats": dict(self.stats),
        }


def commit_id(
    *,
    dataset_id: str,
    parents: tuple[str, ...],
    author: str,
    message: str,
    created_at_us: int,
    pins: Pins,
    documents: Documents,
) -> str:
    """The id of a commit: the SHA-256 of its contents."""
    return sha256_json(
        {
            "dataset": dataset_id,
            "parents": list(parents),
            "author": author,
            "message": message,
            "created_at_us": created_at_us,
            "pins": dict(pins),
            "documents": dict(documents),
        }
    )


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or a tag. The pins and documents of a branch are its working state, which may be uncommitted.

    `protection` is None for an unprotected branch.
    """

    dataset_id: str
    name: str
    kind: str
    commit_id: str | None
    pins: Pins
    documents: Documents
    sequence: int
    protection: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """Ids of rows that differ between two states."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """Number of added, removed and changed rows."""
        return {"added": len(self.added), "removed": len(self.removed), "changed": len(self.changed)}


@dataclass(frozen=True, slots=True)
class Diff:
    """Differences between two states of a dataset: samples, and annotations by label set."""

    samples: Delta
    annotations: Mapping[str, Delta] = field(default_factory=dict)
    touched_samples: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether both states have the same rows."""
        deltas = [self.samples, *self.annotations.values()]
        return not any(delta.added or delta.removed or delta.changed for delta in deltas)

    def to_dict(self) -> dict[str, Any]:
        """Counts as JSON-ready values."""
        total = {"added": 0, "removed": 0, "changed": 0}
        for delta in self.annotations.values():
            for change, count in delta.counts().items():
                total[change] += count
        by_set = {name: delta.counts() for name, delta in self.annotations.items()}
        return {"samples": self.samples.counts(), "annotations": total, "by_label_set": by_set}

    def __str__(self) -> str:
        total = self.to_dict()["annotations"]
        words = f"+{total['added']} -{total['removed']} ~{total['changed']} annotations"
        rows = self.samples.counts()
        return f"{words}; +{rows['added']} -{rows['removed']} ~{rows['changed']} samples"


@dataclass(frozen=True, slots=True)
class EditEntry:
    """One edit of a branch since its last commit, in the journal.

    `counts` has the rows written and removed by table, `details` are those of the audit log. `before` and `after` are
    the states (pins and documents) of the branch.
    """

    id: str
    dataset_id: str
    branch: str
    position: int
    verb: str
    details: Mapping[str, Any]
    counts: Mapping[str, Mapping[str, int]]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    undone: bool
    actor_id: str
    actor: str
    at_us: int

    @property
    def next_state(self) -> Mapping[str, Any]:
        """The state to which the branch moves when this edit is undone, or redone if it was undone."""
        return self.after if self.undone else self.before

    def applies_to(self, ref: Ref) -> bool:
        """Whether the branch is as this edit left it, or as its undoing did."""
        return state_of(ref) == (self.before if self.undone else self.after)


def state_of(ref: Ref) -> dict[str, Any]:
    """The pins and documents of a ref, as the journal keeps them."""
    return {"pins": dict(ref.pins), "documents": dict(ref.documents)}
