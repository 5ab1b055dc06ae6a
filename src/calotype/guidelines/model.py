"""Values and errors of the room. No IO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from calotype.foundation.clock import iso
from calotype.foundation.errors import Conflict, Invalid, NotFound

MAX_TEXT = 500_000
"""Characters of a guideline."""
MAX_CHANGELOG, MAX_EXAMPLES, MAX_TOUCHES = 2_000, 500, 1_000


class OntologyInvalid(Invalid):
    """A file of classes that is not valid."""

    code = "ontology-invalid"
    what = "the classes are not valid: {detail}"
    fix = "{hint}"


class MigrationInvalid(Invalid):
    """A change of the ontology that cannot be done."""

    code = "ontology-migration-invalid"
    what = "the ontology cannot be changed like this: {detail}"
    fix = "{hint}"


class GuidelineInvalid(Invalid):
    """A guideline that is not valid."""

    code = "guideline-invalid"
    what = "the guideline is not valid: {detail}"
    fix = "{hint}"


class GuidelineNotFound(NotFound):
    """The dataset has no such version of a guideline."""

    code = "guideline-not-found"
    what = "{dataset} has no {thing} of a guideline"
    fix = "{hint}"


class GuidelineNotPublished(Conflict):
    """Only the published versions can be acknowledged."""

    code = "guideline-not-published"
    what = "version {version} of the guideline of {dataset} is not published"
    fix = "acknowledge a published version; `calotype guideline list {dataset}` shows them"


@dataclass(frozen=True, slots=True)
class Touch:
    """A class whose labels a version makes stale, or an attribute of it; `class_id` stays when the class is renamed."""

    class_id: int
    class_name: str
    attribute: str = ""

    def __str__(self) -> str:
        return f"{self.class_name}.{self.attribute}" if self.attribute else self.class_name

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {"class": self.class_name, "class_id": self.class_id, "attribute": self.attribute or None}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Touch:
        """From plain values."""
        return cls(int(value["class_id"]), str(value["class"]), str(value["attribute"] or ""))


@dataclass(frozen=True, slots=True)
class Example:
    """A sample, or a region of it in pixels (x, y, w, h), that shows what is right or wrong."""

    sample_id: str
    sample: str
    caption: str
    good: bool
    bbox_xywh_px: tuple[float, float, float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        bbox = None if self.bbox_xywh_px is None else list(self.bbox_xywh_px)
        verdict = "good" if self.good else "bad"
        return {
            "sample_id": self.sample_id,
            "sample": self.sample,
            "caption": self.caption,
            "verdict": verdict,
            "bbox": bbox,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Example:
        """From plain values."""
        bbox = value["bbox"]
        box = None if bbox is None else (float(bbox[0]), float(bbox[1]), float(bbox[2]), float(bbox[3]))
        return cls(value["sample_id"], value["sample"], value["caption"], value["verdict"] == "good", box)


@dataclass(frozen=True, slots=True)
class GuidelineText:
    """What a guideline's file says: Markdown, examples, the line of the changelog, and what it touches, by name."""

    text: str
    changelog: str = ""
    touches: tuple[str, ...] = ()
    examples: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Guideline:
    """A version of a dataset's guideline: a draft, or published for good."""

    dataset: str
    version: int
    state: str
    text: str
    changelog: str
    touches: tuple[Touch, ...]
    examples: tuple[Example, ...]
    created_by: str
    created_at_us: int
    published_by: str = ""
    published_at_us: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain values; times as ISO text."""
        return {**self.head(), "text": self.text, "examples": [one.to_dict() for one in self.examples]}

    def head(self) -> dict[str, Any]:
        """As plain values, without the text."""
        return {
            "dataset": self.dataset,
            "version": self.version,
            "state": self.state,
            "changelog": self.changelog,
            "touches": [one.to_dict() for one in self.touches],
            "created_by": self.created_by,
            "created_at": iso(self.created_at_us),
            "published_by": self.published_by,
            "published_at": None if self.published_at_us is None else iso(self.published_at_us),
        }


@dataclass(frozen=True, slots=True)
class GuidelineDiff:
    """What differs between two versions; `lines` is a unified diff of the texts."""

    before: int
    after: int
    lines: tuple[str, ...]
    changelog: tuple[tuple[int, str], ...]
    touches: tuple[str, ...]
    examples_added: int
    examples_removed: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        changes = [{"version": version, "changelog": line} for version, line in self.changelog]
        return {
            "before": self.before,
            "after": self.after,
            "lines": list(self.lines),
            "changelog": changes,
            "touches": list(self.touches),
            "examples_added": self.examples_added,
            "examples_removed": self.examples_removed,
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """What somebody has read: the newest published version, theirs, and what changed since.

    `version` and `acknowledged_version` are 0 where nothing is published, or nothing was acknowledged.
    """

    version: int
    acknowledged_version: int
    changes: GuidelineDiff

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "version": self.version,
            "acknowledged_version": self.acknowledged_version,
            "acknowledged": self.acknowledged_version >= self.version,
            "changes": self.changes.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class ClassStale:
    """The stale labels of one class. `seconds_each` is what one takes, measured or by default."""

    labels: int
    samples: int
    hours: float
    seconds_each: float
    measured: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stale:
    """Labels of original samples that were made before a change that touches them.

    `copies` are the labels on copies of those samples, which follow their originals. `basis` says where the hours come
    from: measured, default or both.
    """

    labels: int
    samples: int
    hours: float
    by_class: Mapping[str, ClassStale]
    copies: int
    basis: str
    label_set: str
    version: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        by_class = {
            name: {**asdict(one), "reasons": list(one.reasons)} for name, one in self.by_class.items()
        }
        return {**{name: getattr(self, name) for name in self.__dataclass_fields__}, "by_class": by_class}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a class in two states of the ontology; None where a state lacks it."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ClassDiff:
    """A class that was added, removed or changed."""

    id: int
    name: str
    change: str
    fields: tuple[FieldChange, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        fields = [asdict(one) for one in self.fields]
        return {"id": self.id, "class": self.name, "change": self.change, "fields": fields}


@dataclass(frozen=True, slots=True)
class Migration:
    """Changes of the ontology, done in this order as one edit.

    Attributes:
        rename: Old name -> new name.
        merge: Class that is kept, or a new one -> classes that become it.
        split: Class -> classes into which its labels are to be sorted by people.
        retire: Classes that take no new labels.
        to: Class that gets the labels of those that retire.
        delete_labels: Delete the labels of those that retire.
        rename_attributes: `class.attribute` -> new name.
        drop_attributes: `class.attribute`, whose definition is removed.
        delete_values: Remove the values of dropped attributes from labels.
        fill_attributes: `class.attribute`, whose default is written where labels lack it.
        map_values: `class.attribute` -> old value -> new value, for choices and texts.
    """

    rename: Mapping[str, str] = field(default_factory=dict)
    merge: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    split: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    retire: tuple[str, ...] = ()
    to: str = ""
    delete_labels: bool = False
    rename_attributes: Mapping[str, str] = field(default_factory=dict)
    drop_attributes: tuple[str, ...] = ()
    delete_values: bool = False
    fill_attributes: tuple[str, ...] = ()
    map_values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        parts = (
            self.rename,
            self.merge,
            self.split,
            self.retire,
            self.rename_attributes,
            self.drop_attributes,
            self.fill_attributes,
            self.map_values,
        )
        return not any(parts)


@dataclass(frozen=True, slots=True)
class Count:
    """Numbers of labels and of the samples that they are on."""

    labels: int
    samples: int


@dataclass(frozen=True, slots=True)
class ClassOutcome:
    """What happens to one class, with its labels by label set. `notes` say what else follows, in words."""

    name: str
    action: str
    to: tuple[str, ...] = ()
    by_label_set: Mapping[str, Count] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> int:
        """Number of labels in all label sets."""
        return sum(count.labels for count in self.by_label_set.values())

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        by_set = {name: asdict(count) for name, count in self.by_label_set.items()}
        return {
            "class": self.name,
            "action": self.action,
            "to": list(self.to),
            "labels": self.labels,
            "by_label_set": by_set,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration does, or did.

    `written` labels get another class or other attributes, `deleted` ones are removed; both are on `samples` samples.
    `to_sort` labels wait for people to sort them into the parts of a class that was split.
    """

    applied: bool
    classes: tuple[ClassOutcome, ...]
    new_classes: tuple[str, ...]
    written: int
    deleted: int
    samples: int
    to_sort: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        names = ("applied", "written", "deleted", "samples", "to_sort")
        numbers = {name: getattr(self, name) for name in names}
        return {
            **numbers,
            "classes": [one.to_dict() for one in self.classes],
            "new_classes": list(self.new_classes),
        }
