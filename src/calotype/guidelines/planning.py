"""What a migration means for the ontology, before any label is read. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from calotype.guidelines.model import Migration, MigrationInvalid
from calotype.vision.ontology import Attribute, Class, ClassUnknown, Ontology

RENAMED, MERGED, SPLIT, RETIRED, MOVED, DELETED = "renamed", "merged", "split", "retired", "moved", "deleted"
ATTRIBUTES = "attributes"

Values = dict[str, object]
Rewrite = Callable[[Values], Values]
"""The attributes of a label -> the same, or others."""


@dataclass
class Step:
    """What happens to a class of the old ontology. `keypoints` are what its keypoint labels must fit."""

    old: Class
    action: str
    to: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fits: Class | None = None
    drops: list[str] = field(default_factory=list)


@dataclass
class Plan:
    """A migration worked out: the new ontology, where labels go (old class id -> new id, None: deleted), rewrites.

    `rewrites` change the attributes of labels that have a class id of the old ontology, in order.
    """

    ontology: Ontology
    class_ids: dict[int, int | None] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    rewrites: dict[int, list[Rewrite]] = field(default_factory=dict)
    new_classes: list[str] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)


def plan(ontology: Ontology, migration: Migration) -> Plan:
    """Work a migration out. Raises: ClassUnknown, ClassExists, ClassInvalid, MigrationInvalid."""
    if migration.is_empty:
        raise MigrationInvalid(detail="it names no change", hint="use --rename, --merge, --split or --retire")
    work = _Work(ontology)
    for old, new in migration.rename.items():
        work.rename(old, new)
    for target, sources in migration.merge.items():
        work.merge(target, sources)
    for old, parts in migration.split.items():
        work.split(old, parts)
    for name in migration.retire:
        work.retire(name, migration)
    work.change_attributes(migration)
    return work.plan


class _Work:
    """The ontology on its way; names are looked up as the earlier changes left them."""

    def __init__(self, ontology: Ontology) -> None:
        self.old = ontology
        self.plan = Plan(ontology)
        self._touched: set[int] = set()

    def rename(self, old: str, new: str) -> None:
        class_ = self._class(old)
        if not new.strip():
            raise MigrationInvalid(detail=f"{old!r} gets no name", hint="write --rename OLD=NEW")
        self._once(class_, RENAMED)
        self.plan.ontology = self.plan.ontology.rename(old, new)
        self.plan.steps.append(Step(class_, RENAMED, [new]))

    def merge(self, target: str, sources: tuple[str, ...]) -> None:
        classes = [self._class(name) for name in dict.fromkeys(sources) if name != target]
        kept = self.plan.ontology.by_name(target)
        if not classes or (kept is None and len(classes) < 2):
            hint = "write --merge A,B=C, where C is one of them, another class or a new one"
            raise MigrationInvalid(detail=f"nothing is merged into {target!r}", hint=hint)
        if kept is None:
            kept = replace(classes[0], id=self.plan.ontology.next_id, name=target, key="", split_into=())
            self._put(kept)
            self.plan.new_classes.append(target)
        elif kept.retired:
            raise MigrationInvalid(
                detail=f"{target!r} is retired", hint="merge into a class that takes new labels"
            )
        steps = []
        for class_ in classes:
            self._once(class_, MERGED)
            steps.append(Step(class_, MERGED, [target]))
            kept = _joined(kept, steps[-1])
        for step in steps:
            step.fits = kept
            self._remove(step.old, kept)
            self._move(step.old, kept.id)
        self.plan.steps += steps
        self._put(kept)

    def split(self, old: str, parts: tuple[str, ...]) -> None:
        class_ = self._class(old)
        if len(set(parts)) < 2 or old in parts:
            hint = "write --split A=B,C with two or more other names"
            raise MigrationInvalid(detail=f"{old!r} is not split into other classes", hint=hint)
        self._once(class_, SPLIT)
        into = []
        for name in dict.fromkeys(parts):
            part = self.plan.ontology.by_name(name)
            if part is None:
                part = replace(
                    class_, id=self.plan.ontology.next_id, name=name, key="", colour="", definition=""
                )
                self._put(part)
                self.plan.new_classes.append(name)
            elif part.retired:
                raise MigrationInvalid(
                    detail=f"{name!r} is retired", hint="split into classes that take labels"
                )
            into.append(part.id)
        self._put(replace(class_, retired=True, split_into=tuple(into)))
        note = "its labels stay, take no new ones, and are stale until people have sorted them"
        self.plan.steps.append(Step(class_, SPLIT, list(dict.fromkeys(parts)), [note]))
        self.plan.stale.append(class_.id)

    def retire(self, name: str, migration: Migration) -> None:
        class_ = self._class(name)
        if migration.to and migration.delete_labels:
            raise MigrationInvalid(
                detail="its labels cannot both move and be deleted", hint="use --to or --delete-labels"
            )
        self._once(class_, RETIRED)
        self._put(replace(class_, retired=True))
        step = Step(class_, RETIRED)
        if migration.to:
            to = self._class(migration.to)
            if to.retired or to.id == class_.id:
                raise MigrationInvalid(detail=f"{migration.to!r} is retired", hint="name a class that stays")
            step.action, step.to, step.fits = MOVED, [to.name], to
            self._move(class_, to.id)
            step.notes += _unlike(class_, to)
        elif migration.delete_labels:
            step.action = DELETED
            self._move(class_, None)
        else:
            step.notes.append("its labels stay; it takes no new ones")
        self.plan.steps.append(step)

    def change_attributes(self, migration: Migration) -> None:
        for place, new in migration.rename_attributes.items():
            self._rename_attribute(place, new)
        for place, values in migration.map_values.items():
            self._map_values(place, values)
        for place in migration.fill_attributes:
            class_, one = self._attribute(place)
            if one.default is None:
                raise MigrationInvalid(
                    detail=f"{place} has no default", hint="give it one with `calotype ontology set`"
                )
            self._rewrite(class_, _fill(one), f"{one.name} is {one.default!r} where a label lacks it")
        for place in migration.drop_attributes:
            class_, one = self._attribute(place)
            kept = tuple(other for other in class_.attributes if other.name != one.name)
            self._put(replace(class_, attributes=kept))
            if migration.delete_values:
                self._rewrite(class_, _drop(one.name), f"{one.name} is removed, with its values")
            else:
                self._note(class_, f"{one.name} is no longer declared").drops.append(one.name)

    def _rename_attribute(self, place: str, new: str) -> None:
        class_, one = self._attribute(place)
        if class_.attribute(new) is not None:
            raise MigrationInvalid(
                detail=f"{class_.name} has an attribute {new!r} already", hint="choose another name"
            )
        renamed = tuple(replace(o, name=new) if o == one else o for o in class_.attributes)
        self._put(replace(class_, attributes=renamed))
        self._rewrite(class_, _rename(one.name, new), f"{one.name} becomes {new}")

    def _map_values(self, place: str, values: Mapping[str, str]) -> None:
        class_, one = self._attribute(place)
        if one.type not in ("choice", "text"):
            raise MigrationInvalid(
                detail=f"{place} is a {one.type}", hint="values of choices and texts can be changed"
            )
        unknown = [old for old in values if one.choices and old not in one.choices]
        if unknown:
            known = ", ".join(one.choices[:20])
            raise MigrationInvalid(detail=f"{place} has no choice {unknown[0]!r}", hint=f"choices: {known}")
        choices = tuple(dict.fromkeys(values.get(choice, choice) for choice in one.choices))
        default = values.get(one.default, one.default) if isinstance(one.default, str) else one.default
        changed = replace(one, choices=choices, default=default)
        self._put(replace(class_, attributes=tuple(changed if o == one else o for o in class_.attributes)))
        words = ", ".join(f"{old} becomes {new}" for old, new in values.items())
        self._rewrite(class_, _change(one.name, values), f"{one.name}: {words}")

    def _rewrite(self, class_: Class, rewrite: Rewrite, note: str) -> None:
        """Rewrite the labels of a class, and of those that become it."""
        ids = [c.id for c in self.old.classes if self.plan.class_ids.get(c.id, c.id) == class_.id]
        for class_id in ids:
            self.plan.rewrites.setdefault(class_id, []).append(rewrite)
        self._note(class_, note)

    def _note(self, class_: Class, note: str) -> Step:
        step = next((s for s in self.plan.steps if (s.old.id, s.action) == (class_.id, ATTRIBUTES)), None)
        if step is None:
            old = self.old.by_id(class_.id)
            step = Step(class_ if old is None else old, ATTRIBUTES)
            self.plan.steps.append(step)
        step.notes.append(note)
        return step

    def _attribute(self, place: str) -> tuple[Class, Attribute]:
        class_, attribute = attribute_at(self.plan.ontology, place)
        return class_, attribute

    def _class(self, name: str) -> Class:
        return class_named(self.plan.ontology, name)

    def _once(self, class_: Class, action: str) -> None:
        if class_.id in self._touched and action != RENAMED:
            hint = "do one after the other; each is one edit"
            raise MigrationInvalid(detail=f"{class_.name!r} is changed in two ways", hint=hint)
        self._touched.add(class_.id)

    def _move(self, class_: Class, to: int | None) -> None:
        self.plan.class_ids[class_.id] = to

    def _put(self, class_: Class) -> None:
        others = [c for c in self.plan.ontology.classes if c.id != class_.id]
        classes = tuple(sorted([*others, class_], key=lambda c: c.id))
        next_id = max(self.plan.ontology.next_id, class_.id + 1)
        self.plan.ontology = replace(self.plan.ontology, classes=classes, next_id=next_id)

    def _remove(self, class_: Class, kept: Class) -> None:
        """Take a class out; classes that name it as their parent get the one that it became."""
        classes = [_referring(c, class_.id, kept.id) for c in self.plan.ontology.classes if c.id != class_.id]
        self.plan.ontology = replace(self.plan.ontology, classes=tuple(classes))


def class_named(ontology: Ontology, name: str) -> Class:
    """The class of a name. Raises: ClassUnknown, with the closest name."""
    class_ = ontology.by_name(name)
    if class_ is None:
        close = difflib.get_close_matches(name, ontology.names, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise ClassUnknown(got=name[:80], hint=f"{hint}known classes: {', '.join(ontology.names[:40])}")
    return class_


def attribute_at(ontology: Ontology, place: str) -> tuple[Class, Attribute]:
    """The class and the attribute of `class.attribute`; both names may have dots. Raises: MigrationInvalid."""
    for at in (at for at, letter in enumerate(place) if letter == "."):
        class_ = ontology.by_name(place[:at])
        attribute = None if class_ is None else class_.attribute(place[at + 1 :])
        if class_ is not None and attribute is not None:
            return class_, attribute
    hint = "write CLASS.ATTRIBUTE, as `calotype ontology show` lists them"
    raise MigrationInvalid(detail=f"no class declares the attribute {place[:200]!r}", hint=hint)


def _joined(kept: Class, step: Step) -> Class:
    """The class that stays, with what it takes over from one that becomes it; notes say what that is."""
    source, attributes = step.old, list(kept.attributes)
    for one in source.attributes:
        own = kept.attribute(one.name)
        if own is None:
            attributes.append(replace(one, required=False))
            step.notes.append(f"its attribute {one.name} is taken over, not required")
        elif own.type == one.type == "choice" and set(one.choices) - set(own.choices):
            both = tuple(dict.fromkeys((*own.choices, *one.choices)))
            attributes[attributes.index(own)] = replace(own, choices=both)
            step.notes.append(f"{kept.name} takes over the choices of {one.name}")
    kept = replace(kept, attributes=tuple(attributes))
    if source.keypoints and not kept.keypoints:
        step.notes.append("its keypoints and skeleton are taken over")
        kept = replace(kept, keypoints=source.keypoints, skeleton=source.skeleton)
    if kept.tools and source.tools:
        kept = replace(kept, tools=tuple(dict.fromkeys((*kept.tools, *source.tools))))
    elif kept.tools:
        kept = replace(kept, tools=())
    if source.definition and source.definition != kept.definition:
        step.notes.append(f"its definition ends; that of {kept.name} holds")
    return kept


def _unlike(source: Class, to: Class) -> Iterable[str]:
    """What labels of a class keep that the class they move to does not declare."""
    names = [one.name for one in source.attributes if to.attribute(one.name) is None]
    return [f"its labels keep {name}, which {to.name} does not declare" for name in names]


def _referring(class_: Class, old: int, new: int) -> Class:
    parent = new if class_.parent == old else class_.parent
    parts = tuple(dict.fromkeys(new if part == old else part for part in class_.split_into))
    return replace(class_, parent=None if parent == class_.id else parent, split_into=parts)


def _rename(old: str, new: str) -> Rewrite:
    def rewrite(values: Values) -> Values:
        if old not in values:
            return values
        return {new if name == old else name: value for name, value in values.items() if name != new}

    return rewrite


def _drop(name: str) -> Rewrite:
    return lambda values: {key: value for key, value in values.items() if key != name}


def _fill(one: Attribute) -> Rewrite:
    return lambda values: values if values.get(one.name) is not None else {**values, one.name: one.default}


def _change(name: str, changes: Mapping[str, str]) -> Rewrite:
    def rewrite(values: Values) -> Values:
        value = values.get(name)
        return {**values, name: changes[value]} if isinstance(value, str) and value in changes else values

    return rewrite
