"""Response models of datasets, and small models shared with other rooms."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calotype.foundation.answers import Answer, MediaKey, Scalar, Sha256, Timestamp, optional


class CommitStats(Answer):
    """Size of a commit."""

    samples: int
    annotations: int = Field(description="Annotations of all label sets.")
    label_sets: dict[str, int] = Field(description="Annotations by label set.")


class Commit(Answer):
    """A frozen state of a whole dataset; it never changes."""

    id: Sha256
    parents: list[Sha256] = Field(description="Empty for the first commit, two for a merge.")
    author: str
    message: str
    at: Timestamp
    stats: CommitStats


class CreatedCommit(Commit):
    """A new commit."""

    commit: Sha256 = Field(description="The same as `id`.")


class LoggedCommit(Commit):
    """A commit in the log."""

    refs: list[str] = Field(description="Branches and tags that point at the commit.")


class ChangeCounts(Answer):
    """Number of rows that differ between two states."""

    added: int
    removed: int
    changed: int


class Changes(Answer):
    """Differences between two states."""

    samples: ChangeCounts
    annotations: ChangeCounts = Field(description="Annotations of all label sets.")
    by_label_set: dict[str, ChangeCounts]


class Log(Answer):
    """Commits, newest first, and the uncommitted changes."""

    items: list[LoggedCommit]
    dirty: bool = Field(
        description="Whether the working state has uncommitted changes; false for a commit or tag."
    )
    changes: Changes | None = Field(
        description="The uncommitted changes; null if there are none, or if `ref` names a commit or tag."
    )


class AnnotationChangeCounts(Answer):
    """Number of annotations that differ between two states, by what differs."""

    added: int
    removed: int
    reclassified: int = Field(description="Of another class; the shape may differ too.")
    moved: int = Field(description="Of another shape, and the same class.")
    edited: int = Field(description="Only attributes or other values differ.")


class ChangeGroup(Answer):
    """Annotations that differ in the same way."""

    change: Literal["added", "removed", "reclassified", "moved", "edited"]
    class_before: str | None = Field(description="Null for an added annotation.")
    class_after: str | None = Field(description="Null for a removed annotation.")
    annotations: int
    samples: int = Field(description="Samples with at least one of them.")


class ChangedSample(Answer):
    """A sample that differs between two states."""

    sample_id: str
    name: str
    media: MediaKey
    change: Literal["added", "removed", "changed", "annotations"] = Field(
        description="How the sample changed; `annotations` when only its annotations differ."
    )
    annotations: ChangeCounts
    kinds: AnnotationChangeCounts = Field(description="The same annotations, by what differs.")


class Diff(Changes):
    """Changes from ref `a` to ref `b`."""

    a: str
    b: str
    groups: list[ChangeGroup] = Field(
        description="Annotations by what differs and by class, the largest groups first, 200 at most."
    )
    total: int = Field(description="Samples that differ and match the filter, on all pages.")
    offset: int
    items: list[ChangedSample] = Field(description="Samples that differ, those that differ themselves first.")


class BranchRules(Answer):
    """Rules of a protected branch, which accepts only merges."""

    gates: Literal[True] = optional("The source of a merge must pass the gates.")
    approval: Literal[True] = optional("Somebody who made none of its commits must have approved it.")


class Ref(Answer):
    """A branch or a tag."""

    name: str
    kind: Literal["branch", "tag"]
    commit: Sha256 | None = Field(description="Null for a branch without commits.")
    protection: BranchRules | None = Field(description="Null for an unprotected branch and for a tag.")


class RefList(Answer):
    """Branches and tags of a dataset."""

    items: list[Ref]


class CreatedBranch(Answer):
    """A new branch and the commit it points at."""

    branch: str
    commit: Sha256


class CreatedTag(Answer):
    """A new tag and the commit it points at."""

    tag: str
    commit: Sha256


class CreatedDataset(Answer):
    """A new, empty dataset."""

    name: str
    id: str


class ValueCount(Answer):
    """A value and how often it occurs."""

    value: Scalar | None
    count: int


class SplitCount(Answer):
    """Size of a split."""

    name: str = Field(description="Empty for samples without a split.")
    samples: int
    annotations: int


class FormatLoss(Answer):
    """Something that a format cannot represent."""

    what: str
    count: int
    examples: list[str] = Field(default_factory=list, description="The first few.")


class ImportNotice(Answer):
    """Something that an import adjusted or left out."""

    code: str = Field(description="Kind of notice, such as `image-without-labels`.")
    what: str
    count: int
    examples: list[str] = Field(description="The first few places.")


class QuarantinedItem(Answer):
    """A file or an annotation that was not imported."""

    what: str = Field(description="Kind of item, such as `image` or `annotation`.")
    place: str = Field(description="File and position in the file.")
    code: str = Field(description="Error code.")
    reason: str
