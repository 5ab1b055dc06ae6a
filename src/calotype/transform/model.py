"""What mapping classes onto others means for the ontology and for annotations. No IO."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from calotype.foundation.errors import Conflict, Invalid
from calotype.vision.ontology import Class, ClassUnknown, Ontology

RENAMED, MERGED, DROPPED = "renamed", "merged", "dropped"


class RecipeRandom(Invalid):
    """A recipe that draws random numbers where a transformation was asked for."""

    code = "recipe-random"
    what = "a transformation takes fixed values, but step {step} of recipe {recipe!r} draws random numbers"
    fix = "give one value instead of a range and leave out p, or use `calotype augment`"


class TargetHasOwnSamples(Conflict):
    """The dataset to transform into holds samples that did not come from this."""

    code = "target-has-own-samples"
    what = "dataset {into!r} holds samples that were not made from {name!r}"
    fix = "name a dataset that is not there yet, or one that an earlier run of the same kind made"


class ClassMappingInvalid(Invalid):
    """A mapping that cannot be followed."""

    code = "class-mapping-invalid"
    what = "the class mapping cannot be followed: {detail}"
    fix = "map each class to one class name, or to nothing to drop it: {{van: car, cone: null}}"


@dataclass(frozen=True, slots=True)
class ClassMove:
    """What happens to one class. `new` is None when it is dropped; annotations are counted by label set."""

    old: str
    new: str | None
    action: str
    annotations: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_annotations(self) -> int:
        """Annotations of the class in all label sets."""
        return sum(self.annotations.values())


@dataclass(frozen=True, slots=True)
class ClassMapping:
    """The report of a mapping: what moves or goes, which classes come. `applied` is False for a dry run."""

    moves: tuple[ClassMove, ...]
    new_classes: tuple[str, ...]
    applied: bool

    @property
    def moved(self) -> int:
        """Annotations that get another class; those of a renamed class keep theirs."""
        return sum(move.n_annotations for move in self.moves if move.action == MERGED)

    @property
    def dropped(self) -> int:
        """Annotations that go."""
        return sum(move.n_annotations for move in self.moves if move.action == DROPPED)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        moves = [
            {
                "old": m.old,
                "new": m.new,
                "action": m.action,
                "annotations": m.n_annotations,
                "by_label_set": dict(m.annotations),
            }
            for m in self.moves
        ]
        return {
            "applied": self.applied,
            "classes": moves,
            "new_classes": list(self.new_classes),
            "moved": self.moved,
            "dropped": self.dropped,
        }


@dataclass(frozen=True, slots=True)
class MappedOntology:
    """The ontology after a mapping; `class_ids` says where annotations go: old id -> new id or None."""

    ontology: Ontology
    class_ids: Mapping[int, int | None]
    actions: Mapping[str, str]
    new_classes: tuple[str, ...]


def map_ontology(ontology: Ontology, mapping: Mapping[str, str | None]) -> MappedOntology:
    """Follow all entries at once, so that two classes can swap their names.

    One class to a name that is free is a rename and keeps its id; several to such a name make a new class; a
    class to one that stays is merged into it.

    Raises: ClassUnknown, ClassMappingInvalid.
    """
    wanted = {old: new for old, new in mapping.items() if old != new}
    for old, new in mapping.items():
        _check(ontology, old, new)
    groups: dict[str, list[str]] = {}
    for old, new in wanted.items():
        if new is not None:
            groups.setdefault(new, []).append(old)
    staying = {c.name: c for c in ontology.classes if c.name not in wanted}
    class_ids: dict[int, int | None] = {
        _id(ontology, old): None for old, new in wanted.items() if new is None
    }
    actions = {old: DROPPED for old, new in wanted.items() if new is None}
    classes, made, next_id = list(staying.values()), [], ontology.next_id
    for new, olds in groups.items():
        action, target = MERGED, staying.get(new)
        if target is None and len(olds) == 1:
            action, target = RENAMED, replace(_class(ontology, olds[0]), name=new)
            classes.append(target)
        elif target is None:
            target = _made(ontology, new, olds, next_id)
            next_id += 1
            classes.append(target)
            made.append(new)
        actions.update(dict.fromkeys(olds, action))
        if action == MERGED:
            class_ids.update({_id(ontology, old): target.id for old in olds})
    ordered = tuple(sorted(classes, key=lambda c: c.id))
    return MappedOntology(
        replace(ontology, classes=ordered, next_id=next_id), class_ids, actions, tuple(made)
    )


def _made(ontology: Ontology, name: str, olds: list[str], class_id: int) -> Class:
    """A class that takes over what its sources agree on."""
    sources = [_class(ontology, old) for old in olds]
    first = sources[0]
    agreed = all((c.keypoints, c.skeleton) == (first.keypoints, first.skeleton) for c in sources)
    above = first.supercategory if all(c.supercategory == first.supercategory for c in sources) else ""
    if not agreed:
        return Class(class_id, name, above)
    return Class(class_id, name, above, first.keypoints, first.skeleton)


def _check(ontology: Ontology, old: str, new: str | None) -> None:
    if ontology.by_name(old) is None:
        close = difflib.get_close_matches(old, ontology.names, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise ClassUnknown(
            where="mapping", got=old, hint=f"{hint}known classes: {', '.join(ontology.names[:40])}"
        )
    if new is not None and not 1 <= len(new.strip()) <= 500:
        raise ClassMappingInvalid(
            where=old, detail=f"{old!r} is mapped to a name of no or too many characters"
        )


def _class(ontology: Ontology, name: str) -> Class:
    found = ontology.by_name(name)
    if found is None:
        raise ClassUnknown(got=name, hint="")
    return found


def _id(ontology: Ontology, name: str) -> int:
    return _class(ontology, name).id
