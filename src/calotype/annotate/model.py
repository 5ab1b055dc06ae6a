"""Edits as values: what a list of edits can ask for, the answer to it, and its errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from calotype.foundation.errors import Conflict, Invalid, NotFound

MAX_EDITS = 10_000
MAX_BYTES = 16_000_000
"""Largest list of edits as JSON."""
MAX_COORDINATE_PX = 1_000_000.0
KEPT_DAYS = 30
"""How long the answer to a request with an id is kept for a repetition."""

Seen = str | dict[str, Any] | None
Scalar = str | int | float | bool
Numbers = list[float]

_HEX = re.compile(r"[0-9a-f]{12}[47][0-9a-f]{3}[89ab][0-9a-f]{15}")


class EditsInvalid(Invalid):
    """An edit that cannot be applied as it is; `where` is its place in the list."""

    code = "edits-invalid"
    what = "{detail}"
    fix = "correct this edit and send the list again; nothing of it was applied"


class EditTargetNotFound(NotFound):
    """An edit names an annotation or a sample that does not exist."""

    code = "edit-target-not-found"
    what = "{dataset} has no {thing} {got!r} here"
    fix = "read the sample again; an annotation is looked up in one label set (`label_set`)"


class EditOutdated(Conflict):
    """Somebody else changed a row since the caller read it."""

    code = "edit-outdated"
    what = "{thing} {got} was changed since it was read: {how}"
    fix = "read it again, then repeat the edit if it is still wanted; nothing of this list was applied"


class EditIdTaken(Conflict):
    """The id of the request was used for another request."""

    code = "edit-id-taken"
    what = "the request id {got} was used for another list of edits of {dataset}"
    fix = "give each list of edits a new id; repeat an id only with the same list"


class _Edit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    seen: Seen = None


class _OfAnnotation(_Edit, frozen=True, kw_only=True):
    annotation: str


class _OfSample(_Edit, frozen=True, kw_only=True):
    sample: str


class SetClass(_OfAnnotation, frozen=True, kw_only=True, tag="set-class", rename={"class_": "class"}):
    """Give an annotation another class."""

    class_: str


class SetAttributes(_OfAnnotation, frozen=True, kw_only=True, tag="set-attributes"):
    """Set attributes of an annotation; null removes one, others stay."""

    attributes: dict[str, Any]


class MaskShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mask as COCO run lengths, column-major; `size` is height, width in pixels."""

    size: tuple[int, int]
    counts: str


class _Shaped(_Edit, frozen=True, kw_only=True):
    bbox: Numbers | None = None
    rotated: Numbers | None = None
    rings: list[Numbers] | None = None
    keypoints: Numbers | None = None
    mask: MaskShape | None = None


class SetShape(_Shaped, frozen=True, kw_only=True, tag="set-shape"):
    """Give an annotation another shape, in pixels of the upright image; with `kind`, one of another kind."""

    annotation: str
    kind: str = ""


class Add(_Shaped, frozen=True, kw_only=True, tag="add", rename={"class_": "class"}):
    """Add an annotation, with an id of the client's (UUID of version 4 or 7) if it gives one."""

    sample: str
    class_: str
    kind: str
    annotation: str = ""
    attributes: dict[str, Any] = {}
    iscrowd: bool = False


class Delete(_OfAnnotation, frozen=True, kw_only=True, tag="delete"):
    """Delete an annotation."""


class SetSplit(_OfSample, frozen=True, kw_only=True, tag="set-split"):
    """Put a sample into a split; an empty one takes it out."""

    split: str


class SetTags(_OfSample, frozen=True, kw_only=True, tag="set-tags"):
    """Replace the tags of a sample."""

    tags: list[str]


class AddTags(_OfSample, frozen=True, kw_only=True, tag="add-tags"):
    """Add tags to a sample."""

    tags: list[str]


class RemoveTags(_OfSample, frozen=True, kw_only=True, tag="remove-tags"):
    """Remove tags of a sample."""

    tags: list[str]


class SetMetadata(_OfSample, frozen=True, kw_only=True, tag="set-metadata"):
    """Set metadata fields of a sample; null removes one, others stay."""

    metadata: dict[str, Scalar | None]


OfAnnotation = SetClass | SetAttributes | SetShape | Delete
OfSample = SetSplit | SetTags | AddTags | RemoveTags | SetMetadata
Edit = OfAnnotation | Add | OfSample


def parse(edits: Sequence[Any]) -> list[Edit]:
    """Edits from plain values. Raises: EditsInvalid, whose `where` is the place in the list."""
    if not isinstance(edits, list | tuple):
        raise EditsInvalid(where="edits", detail="the edits are not a list")
    if not 1 <= len(edits) <= MAX_EDITS:
        raise EditsInvalid(
            where="edits", detail=f"a list has 1 to {MAX_EDITS:,} edits; this one has {len(edits):,}"
        )
    parsed: list[Edit] = []
    for at, value in enumerate(edits):
        try:
            parsed.append(msgspec.convert(value, Edit))
        except msgspec.ValidationError as error:
            reason, _, path = str(error).partition(" - at `$")
            raise EditsInvalid(where=f"edits[{at}]{path.rstrip('`')}", detail=reason) from None
    return parsed


def checked_id(text: str, where: str) -> str:
    """An id given by a client as 32 hexadecimal digits: a UUID of version 4 or 7. Raises: EditsInvalid."""
    digits = text.replace("-", "").lower() if len(text) == 36 else text
    if not _HEX.fullmatch(digits):
        raise EditsInvalid(where=where, detail=f"{text[:64]!r} is not a UUID of version 4 or 7")
    return digits


@dataclass(frozen=True, slots=True)
class EditedRow:
    """What one edit did: `seen` is the token of the row now, empty when it was deleted."""

    annotation: str
    sample: str
    seen: str
    copies: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "annotation": self.annotation or None,
            "sample": self.sample,
            "seen": self.seen or None,
            "copies": self.copies,
        }


@dataclass(frozen=True, slots=True)
class Edited:
    """The answer to a list of edits.

    `edit` is the id of the entry in the journal, empty where nothing changed. `rows` are in the order of the edits.
    `copies` counts labels on derived samples that the edits concern, `carried` those that were changed with them;
    `not_carried` says why others were not: reason -> count.
    """

    edit: str
    what: str
    added: int
    changed: int
    deleted: int
    samples: int
    copies: int
    carried: int
    not_carried: Mapping[str, int]
    rows: tuple[EditedRow, ...]
    repeated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        numbers = {name: getattr(self, name) for name in ("added", "changed", "deleted", "samples")}
        return {
            "edit": self.edit or None,
            "what": self.what,
            **numbers,
            "copies": self.copies,
            "carried": self.carried,
            "not_carried": dict(self.not_carried),
            "rows": [row.to_dict() for row in self.rows],
            "repeated": self.repeated,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Edited:
        """Create from the result of `to_dict`."""
        rows = tuple(
            EditedRow(row["annotation"] or "", row["sample"], row["seen"] or "", row["copies"])
            for row in value["rows"]
        )
        return cls(**{**value, "edit": value["edit"] or "", "rows": rows})
