"""The values of a merge: what two sides changed, where they clash, and how a person settles it. No IO.

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
"""`ours`, `theirs`, `union`, `base`, `review`, or field -> `ours`, `theirs`, `base` or the value that it gets."""

WORDS = ("ours", "theirs", "union", "base", "review")
SIDES = ("ours", "theirs", "base")


class MergeConflictsOpen(Conflict):
    """Somebody has to choose first."""

    code = "merge-conflicts-open"
    what = "merge {merge} has {n} open conflicts; the first: {places}"
    fix = "see them with `calotype conflicts {dataset} {merge}` and settle them with `calotype resolve`"


class ResolutionInvalid(Invalid):
    """A way to settle a conflict that does not fit it."""

    code = "merge-resolution-invalid"
    what = "{got!r} cannot settle a conflict of the kind {kind}"
    fix = "use {fits}"


@dataclass(frozen=True, slots=True)
class RowEdit:
    """One row that a side changed since the base: as it was (None: added), as it is (None: removed)."""

    before: Row | None
    after: Row | None


Edits = Mapping[str, Mapping[str, RowEdit]]
"""Table -> row id -> what happened to the row."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The documents of a state, decoded."""

    ontology: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    contract: str | None = None
    info: str | None = None
    label_sets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a merge against the base. `classes` are the class ids that its changed annotations have now."""

    texts: Texts
    edits: Edits = field(default_factory=dict)
    classes: frozenset[int] = frozenset()

    def of(self, table: str) -> Mapping[str, RowEdit]:
        """What it did in a table."""
        return self.edits.get(table, {})


@dataclass(frozen=True, slots=True)
class Clash:
    """One place where both sides changed the same thing into different things.

    `kind` is `fields` (both gave `fields` other values), `edit-delete` (one edited what the other removed; a sample
    counts as one with its annotations), `class-name`, `field-type`, `contract` or `info`. A row that is gone is None.
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
        """Where it is."""
        return self.kind, self.table, self.row_id

    @property
    def fingerprint(self) -> str:
        """Equal for the same conflict met again."""
        return sha256_json([*self.key, list(self.fields), self.base, self.ours, self.theirs])


Choose = Mapping[str, Resolution] | Resolution | None
"""How to settle: by fingerprint of the clash, or one way for all; None leaves all open."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a merge makes of the rows that were looked at.

    `rows` has the final row of each (None: gone), `texts` the final documents. Open clashes hold a default in `rows`:
    ours where values differ, the edit where one side removed.
    `class_map` gives ids of theirs their new number; `sample_map` ids of samples that turned out to be one.
    """

    rows: dict[str, dict[str, Row | None]]
    texts: Texts
    clashes: tuple[Clash, ...]
    open: tuple[Clash, ...]
    class_map: Mapping[int, int]
    sample_map: Mapping[str, str]


class Clashes:
    """Collects the clashes of one merge and answers how each is settled."""

    def __init__(self, choose: Choose) -> None:
        self.found: list[Clash] = []
        self.open: list[Clash] = []
        self._choose = choose

    def settle(self, clash: Clash) -> Resolution | None:
        """Note a clash; how it is settled, or None where nobody chose yet."""
        self.found.append(clash)
        chosen = self._choose.get(clash.fingerprint) if isinstance(self._choose, Mapping) else self._choose
        if chosen is None or chosen == "review":
            self.open.append(clash)
            return None
        check(clash, chosen)
        return chosen


def check(clash: Clash, resolution: Resolution) -> None:
    """Whether a resolution can settle a clash. Raises: ResolutionInvalid."""
    if isinstance(resolution, str):
        if resolution not in WORDS:
            raise ResolutionInvalid(got=resolution, kind=clash.kind, fits=", ".join(WORDS))
        return
    if clash.kind != "fields":
        raise ResolutionInvalid(got=dict(resolution), kind=clash.kind, fits=", ".join(WORDS))
    if unknown := set(resolution) - set(clash.fields):
        fits = "the fields of the conflict: " + ", ".join(clash.fields)
        raise ResolutionInvalid(got=sorted(unknown)[0], kind=clash.kind, fits=fits)
    if missing := set(clash.fields) - set(resolution):
        raise ResolutionInvalid(
            got=dict(resolution), kind=clash.kind, fits="a choice also for " + ", ".join(sorted(missing))
        )


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge, or an undo: `state` is open while somebody has to choose, then landed or abandoned.

    `source` is what the user named; an undo is written `undo:` and the commit. `counts` says how many rows it puts
    and removes on the target, and how many conflicts it has.
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
        """Waits for choices."""
        return self.state == "open"

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "merge": self.id,
            "source": self.source,
            "into": self.target,
            "state": self.state,
            "base": self.base_commit,
            "source_commit": self.source_commit,
            "target_commit": self.target_commit,
            "commit": self.merge_commit,
            "counts": dict(self.counts),
            "by": self.actor,
            "at": iso(self.created_at_us),
        }


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """A clash of a merge that is kept until it is settled: `state` is open, review or resolved."""

    position: int
    clash: Clash
    state: str = "open"
    resolution: Resolution | None = None
    resolved_by: str | None = None
    resolved_at_us: int | None = None

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        fields = f" ({', '.join(self.clash.fields)})" if self.clash.fields else ""
        return f"#{self.position} {self.clash.kind} {self.clash.table} {self.clash.row_id[:32]}{fields}"

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        clash = self.clash
        return {
            "position": self.position,
            "kind": clash.kind,
            "table": clash.table,
            "id": clash.row_id,
            "sample_id": clash.sample_id,
            "fields": list(clash.fields),
            "base": clash.base,
            "ours": clash.ours,
            "theirs": clash.theirs,
            "state": self.state,
            "resolution": self.resolution,
            "resolved_by": self.resolved_by,
        }
