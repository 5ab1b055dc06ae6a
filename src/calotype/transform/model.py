"""Errors of the room, and what a class mapping means for the ontology. No IO."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from calotype.foundation.errors import Conflict, Invalid
from calotype.vision.ontology import Class, ClassUnknown, Ontology

RENAMED, MERGED, DROPPED = "renamed", "merged", "dropped"
MAX_NAME = 500
"""Maximum length of a class name, in characters."""


class RecipeRandom(Invalid):
    """A recipe with random values, passed to a transformation."""

    code = "recipe-random"
    what = "a transformation takes fixed values, but step {step} of recipe {recipe!r} is random"
    fix = "use one value instead of a range and remove p, or run `calotype augment`"


class TargetHasOwnSamples(Conflict):
    """The target dataset holds samples that are not derived."""

    code = "target-has-own-samples"
    what = "dataset {into!r} holds samples that were not made from {name!r}"
    fix = "name a dataset that does not exist yet, or one that an earlier run created"


class ClassMappingInvalid(Invalid):
    """A class mapping that is not valid."""

    code = "class-mapping-invalid"
    what = "the class mapping is not valid: {detail}"
    fix = "map each class to a class name, or to null to drop it: {{van: car, cone: null}}"


@dataclass(frozen=True, slots=True)
class ClassChange:
    """What happens to one class. `new` is None when it is dropped; annotations are counted by label set."""

    old: str
    new: str | None
    action: str
    annotations: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_annotations(self) -> int:
        """Number of annotations of the class in all label sets."""
        return sum(self.annotations.values())


@dataclass(frozen=True, slots=True)
class ClassMapping:
    """The report of a mapping: changed, dropped and new classes. `applied` is False for a dry run."""

    changes: tuple[ClassChange, ...]
    new_classes: tuple[str, ...]
    applied: bool

    @property
    def moved(self) -> int:
        """Number of annotations that get another class; those of a renamed class keep theirs."""
        return sum(change.n_annotations for change in self.changes if change.action == MERGED)

    @property
    def dropped(self) -> int:
        """Number of annotations that are removed."""
        return sum(change.n_annotations for change in self.changes if change.action == DROPPED)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        classes = [
            {
                "old": change.old,
                "new": change.new,
                "action": change.action,
                "annotations": change.n_annotations,
                "by_label_set": dict(change.annotations),
            }
            for change in self.changes
        ]
        return {
            "applied": self.applied,
            "classes": classes,
            "new_classes": list(self.new_classes),
            "moved": self.moved,
            "dropped": self.dropped,
        }


@dataclass(frozen=True, slots=True)
class MappedOntology:
    """The ontology after a mapping. `class_ids` maps the old class ids of annotations to new ones, or to None."""

    ontology: Ontology
    class_ids: Mapping[int, int | None]
    actions: Mapping[str, str]
    new_classes: tuple[str, ...]


def map_ontology(ontology: Ontology, mapping: Mapping[str, str | None]) -> MappedOntology:
    """Apply all entries at once, so that two classes can swap names.

    One class mapped to an unused name is renamed and keeps its id; several mapped to such a name make a new class; a
    class mapped to one that stays is merged into it.

    Raises: ClassUnknown, ClassMappingInvalid.
    """
    changed = {old: new for old, new in mapping.items() if old != new}
    for old, new in mapping.items():
        _check(ontology, old, new)
    sources_of: dict[str, list[str]] = {}
    for old, new in changed.items():
        if new is not None:
            sources_of.setdefault(new, []).append(old)
    unchanged = {c.name: c for c in ontology.classes if c.name not in changed}
    dropped = [old for old, new in changed.items() if new is None]
    class_ids: dict[int, int | None] = {_class(ontology, old).id: None for old in dropped}
    actions = dict.fromkeys(dropped, DROPPED)
    classes, new_classes, next_id = list(unchanged.values()), [], ontology.next_id
    for new, sources in sources_of.items():
        action, target = MERGED, unchanged.get(new)
        if target is None and len(sources) == 1:
            action, target = RENAMED, replace(_class(ontology, sources[0]), name=new)
            classes.append(target)
        elif target is None:
            target = _merged_class(ontology, new, sources, next_id)
            next_id += 1
            classes.append(target)
            new_classes.append(new)
        actions.update(dict.fromkeys(sources, action))
        if action == MERGED:
            class_ids.update({_class(ontology, old).id: target.id for old in sources})
    ordered = tuple(sorted(classes, key=lambda c: c.id))
    return MappedOntology(
        replace(ontology, classes=ordered, next_id=next_id), class_ids, actions, tuple(new_classes)
    )


def _merged_class(ontology: Ontology, name: str, old_names: list[str], class_id: int) -> Class:
    """A new class with the fields that all its sources share."""
    sources = [_class(ontology, old) for old in old_names]
    first = sources[0]
    same_keypoints = all((c.keypoints, c.skeleton) == (first.keypoints, first.skeleton) for c in sources)
    same_parent = all(c.supercategory == first.supercategory for c in sources)
    supercategory = first.supercategory if same_parent else ""
    if not same_keypoints:
        return Class(class_id, name, supercategory)
    return Class(class_id, name, supercategory, first.keypoints, first.skeleton)


def _check(ontology: Ontology, old: str, new: str | None) -> None:
    if ontology.by_name(old) is None:
        close = difflib.get_close_matches(old, ontology.names, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise ClassUnknown(
            where="mapping", got=old, hint=f"{hint}known classes: {', '.join(ontology.names[:40])}"
        )
    if new is not None and not 1 <= len(new.strip()) <= MAX_NAME:
        detail = f"{old!r} is mapped to a name of {len(new.strip())} characters, not 1 to {MAX_NAME}"
        raise ClassMappingInvalid(where=old, detail=detail)


def _class(ontology: Ontology, name: str) -> Class:
    known = ontology.by_name(name)
    if known is None:
        raise ClassUnknown(got=name, hint="")
    return known
