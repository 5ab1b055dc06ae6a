"""The values of a merge: what both sides changed, the conflicts, and how they are resolved. No IO.

A row is a dict with the columns of `rows.SAMPLE_SCHEMA` or `rows.ANNOTATION_SCHEMA`; JSON columns hold canonical text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from calotype.foundation.clock import iso
from calotype.foundation.errors import Conflict, Invalid
from calotype.foundation.ids import sha256_json

Row = dict[str, Any]
Resolution = str | Mapping[str, Any]
"""`ours`, `theirs`, `union`, `base`, `review`, or a mapping from field to `ours`, `theirs`, `base` or a new value."""

WORDS = ("ours", "theirs", "union", "base", "review")
SIDES = ("ours", "theirs", "base")


class MergeConflictsOpen(Conflict):
    """The merge has unresolved conflicts."""

    code = "merge-conflicts-open"
    what = "merge {merge} has {n} unresolved conflicts, starting with: {places}"
    fix = "list them with `calotype conflicts {dataset} {merge}` and resolve them with `calotype resolve`"


class ResolutionInvalid(Invalid):
    """A resolution that does not apply to this kind of conflict."""

    code = "merge-resolution-invalid"
    what = "{got!r} cannot resolve a conflict of kind {kind}"
    fix = "use {fits}"


@dataclass(frozen=True, slots=True)
class RowEdit:
    """One row that a side changed since the base. `before` is None for an added row, `after` for a removed one."""

    before: Row | None
    after: Row | None


Edits = Mapping[str, Mapping[str, RowEdit]]
"""Table -> row id -> the change of that row."""


@dataclass(frozen=True, slots=True)
class DecodedDocuments:
    """The documents of a state: ontology, field types, contract, file-level keys, names of label sets."""

    ontology: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    contract: str | None = None
    info: str | None = None
    label_sets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Side:
    """The changes of one side since the base. `classes` are the class ids used by the annotations it changed."""

    documents: DecodedDocuments
    edits: Edits = field(default_factory=dict)
    classes: frozenset[int] = frozenset()

    def of(self, table: str) -> Mapping[str, RowEdit]:
        """Changes in one table."""
        return self.edits.get(table, {})


@dataclass(frozen=True, slots=True)
class ConflictContent:
    """Something that both sides changed differently.

    `kind` is `fields` (different values for `fields`), `edit-delete` (one side edited what the other removed; a sample
    and its annotations count as one unit), `class-name`, `field-type`, `contract` or `info`. A removed row is None.
    """

    kind: str
    table: str
    row_id: str
    fields: tuple[str, ...]
    base: Row | None
    ours: Row | None
    theirs: Row | None
    sample_id: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, table and row id."""
        return self.kind, self.table, self.row_id

    @property
    def fingerprint(self) -> str:
        """A hash that is equal when the same conflict occurs again."""
        return sha256_json([*self.key, list(self.fields), self.base, self.ours, self.theirs])


Choices = Mapping[str, Resolution] | Resolution | None
"""Resolutions by fingerprint of the conflict, or one resolution for all; None leaves all conflicts open."""


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The result of merging rows and documents.

    `rows` has the final row for each changed id (None: removed), `documents` the final documents. For an open conflict
    `rows` has a default: our value where values differ, the edited row where one side removed it.
    `class_map` maps class ids of theirs to their new ids; `sample_map` maps ids of duplicate samples to the id kept.
    """

    rows: dict[str, dict[str, Row | None]]
    documents: DecodedDocuments
    conflicts: tuple[ConflictContent, ...]
    open: tuple[ConflictContent, ...]
    class_map: Mapping[int, int]
    sample_map: Mapping[str, str]


class ConflictCollector:
    """Collects the conflicts of one merge and looks up the resolution of each."""

    def __init__(self, choices: Choices) -> None:
        self.found: list[ConflictContent] = []
        self.open: list[ConflictContent] = []
        self._choices = choices

    def resolve(self, conflict: ConflictContent) -> Resolution | None:
        """Record a conflict and return its resolution, or None when it has none yet."""
        self.found.append(conflict)
        resolution = (
            self._choices.get(conflict.fingerprint) if isinstance(self._choices, Mapping) else self._choices
        )
        if resolution is None or resolution == "review":
            self.open.append(conflict)
            return None
        check(conflict, resolution)
        return resolution


def check(conflict: ConflictContent, resolution: Resolution) -> None:
    """Check that a resolution applies to a conflict. Raises: ResolutionInvalid."""
    if isinstance(resolution, str):
        if resolution not in WORDS:
            raise ResolutionInvalid(got=resolution, kind=conflict.kind, fits=", ".join(WORDS))
        return
    if conflict.kind != "fields":
        raise ResolutionInvalid(got=dict(resolution), kind=conflict.kind, fits=", ".join(WORDS))
    if unknown := set(resolution) - set(conflict.fields):
        fits = "the fields of the conflict: " + ", ".join(conflict.fields)
        raise ResolutionInvalid(got=sorted(unknown)[0], kind=conflict.kind, fits=fits)
    if missing := set(conflict.fields) - set(resolution):
        raise ResolutionInvalid(
            got=dict(resolution), kind=conflict.kind, fits="a value for each of " + ", ".join(sorted(missing))
        )


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge or an undo. `state` is `open` while it has unresolved conflicts, then `landed` or `abandoned`.

    `source` is the ref as the user gave it, or `undo:` and a commit id for an undo. `counts` has the number of rows
    to write and to remove on the target, and the number of conflicts.
    """

    id: str
    dataset_id: str
    source: str
    target: str
    base_commit: str | None
    source_commit: str
    target_commit: str | None
    state: str
    counts: Mapping[str, Any]
    merge_commit: str | None
    actor: str
    created_at_us: int
    finished_at_us: int | None

    @property
    def is_open(self) -> bool:
        """Whether the merge has unresolved conflicts."""
        return self.state == "open"

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "merge": self.id,
            "source": self.source,
            "into": self.target,
            "state": self.state,
            "base": self.base_commit,
            "source_commit": self.source_commit or None,
            "target_commit": self.target_commit,
            "commit": self.merge_commit,
            "counts": dict(self.counts),
            "by": self.actor,
            "at": iso(self.created_at_us),
        }


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """A conflict of a stored merge. `state` is `open`, `review` or `resolved`."""

    position: int
    content: ConflictContent
    state: str = "open"
    resolution: Resolution | None = None
    resolved_by: str | None = None
    resolved_at_us: int | None = None

    @property
    def clash(self) -> ConflictContent:
        """Deprecated name of `content`."""
        return self.content

    @property
    def place(self) -> str:
        """A short description for messages."""
        fields = f" ({', '.join(self.content.fields)})" if self.content.fields else ""
        return f"#{self.position} {self.content.kind} {self.content.table} {self.content.row_id[:32]}{fields}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        content = self.content
        return {
            "position": self.position,
            "kind": content.kind,
            "table": content.table,
            "id": content.row_id,
            "sample_id": content.sample_id,
            "fields": list(content.fields),
            "base": content.base,
            "ours": content.ours,
            "theirs": content.theirs,
            "state": self.state,
            "resolution": self.resolution,
            "resolved_by": self.resolved_by,
        }
