"""Response models of versions: merges, conflicts, blame, protection."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from calotype.datasets.answers import BranchRules
from calotype.foundation.answers import Answer, Sha256, Timestamp


class RowChanges(Answer):
    """Number of rows that a merge writes and removes on the target."""

    put: int
    removed: int


class MergeCounts(Answer):
    """Size of a merge when it was planned."""

    samples: RowChanges
    annotations: RowChanges
    conflicts: int
    open: int = Field(description="Unresolved conflicts.")


class Merge(Answer):
    """A merge or an undo."""

    merge: str = Field(description="Id of the merge.")
    source: str = Field(description="The merged ref; `undo:` and the commit for an undo.")
    into: str
    state: Literal["open", "landed", "abandoned"] = Field(
        description="`open` while the merge has unresolved conflicts."
    )
    base: Sha256 | None = Field(description="Newest common commit.")
    source_commit: Sha256 | None = Field(description="Null for the undo of a first commit.")
    target_commit: Sha256 | None = Field(description="Null for a branch without commits.")
    commit: Sha256 | None = Field(description="The resulting commit; null unless landed.")
    counts: MergeCounts
    by: str
    at: Timestamp


class MergeList(Answer):
    """Merges and undos, newest first."""

    items: list[Merge]


class MergePreview(Answer):
    """The effect that a merge would have."""

    source: str
    into: str
    counts: MergeCounts


class MergeConflict(Answer):
    """Something that both sides changed differently. A side that removed it is null."""

    position: int
    kind: Literal["fields", "edit-delete", "class-name", "field-type", "contract", "info"]
    table: str = Field(description="`samples`, `ann/` and a label set, or a document such as `ontology`.")
    id: str = Field(description="Id of the row.")
    sample_id: str | None
    fields: list[str] = Field(description="Fields with different values.")
    base: dict[str, Any] | None = Field(description="The row with the columns of its table.")
    ours: dict[str, Any] | None
    theirs: dict[str, Any] | None
    state: Literal["open", "review", "resolved"]
    resolution: str | dict[str, Any] | None = Field(
        description="`ours`, `theirs`, `union` or `base`, or a mapping from field to a side or a value."
    )
    resolved_by: str | None


class MergeDetail(Merge):
    """A merge with a page of its conflicts."""

    total: int = Field(description="Number of conflicts.")
    open: int = Field(description="Number of unresolved conflicts.")
    items: list[MergeConflict]


class ResolvedConflicts(Answer):
    """Conflicts that were resolved."""

    settled: list[int] = Field(description="Their positions.")


class ImportOrigin(Answer):
    """The import that a row came from."""

    id: str
    kind: str
    source: str
    format: str
    label_set: str
    actor: str


class OntologyVersion(Answer):
    """The ontology in force at a commit."""

    sha256: Sha256
    short: str


class Origin(Answer):
    """A change of a row."""

    commit: Sha256 | None = Field(description="Null for an uncommitted edit, as are `by` and `message`.")
    by: str | None
    at: Timestamp
    message: str | None
    author: str | None = Field(description="Author of the annotation.")
    import_: ImportOrigin | None = Field(alias="import")
    ontology: OntologyVersion | None
    guideline: str | None


class Blame(Answer):
    """Who created a sample or an annotation, and who last changed it."""

    id: str
    sample_id: str
    label_set: str | None = Field(description="Null for the sample itself.")
    created: Origin
    changed: Origin


class BlameList(Answer):
    """Blame for an annotation, or for a sample and all its annotations."""

    items: list[Blame]


class Approval(Answer):
    """The yes of a person to a commit."""

    commit: Sha256
    by: str = Field(description="The address or name of the person.")
    reason: str
    at: Timestamp


class ApprovalList(Answer):
    """Who approved a commit, oldest first."""

    items: list[Approval]


class BranchProtection(Answer):
    """Protection of a branch."""

    branch: str
    protection: BranchRules | None = Field(description="Null for an unprotected branch.")
