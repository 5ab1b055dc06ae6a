"""The ontology: the versioned set of classes, each with an id that never changes and is never reused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from calotype.foundation.errors import AlreadyExists, Invalid, NotFound

_EMPTY: Mapping[str, Any] = MappingProxyType({})
_COLOUR = re.compile(r"#[0-9a-f]{6}")
ATTRIBUTE_TYPES = ("text", "number", "boolean", "choice")
MAX_DEFINITION = 10_000
"""Characters of the definition of a class."""
MAX_ATTRIBUTES, MAX_CHOICES = 100, 500


class ClassExists(AlreadyExists):
    """The name or id of a class is taken."""

    code = "class-exists"
    what = "a class with the {thing} {got!r} already exists"
    fix = "use that class, or choose another {thing}"


class ClassUnknown(NotFound):
    """No class of this name."""

    code = "ontology-class-unknown"
    what = "{got!r} is not a class of the ontology"
    fix = "{hint}"


class ClassInvalid(Invalid):
    """A class with invalid values."""

    code = "class-invalid"
    what = "class {got!r} is not valid: {detail}"
    fix = "give every class a name of 1 to 500 characters and a whole number of 0 or more as id"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that the annotations of a class have.

    `type` is one of `ATTRIBUTE_TYPES`; `default` is None where there is none; `choices` are those of a choice.
    """

    name: str
    type: str = "text"
    required: bool = False
    default: str | float | bool | None = None
    choices: tuple[str, ...] = ()

    def problem(self) -> str:
        """What is wrong with it, in words; empty if nothing."""
        if not 1 <= len(self.name) <= 200 or not self.name.isprintable():
            return f"attribute {self.name[:80]!r} needs a name of 1 to 200 characters"
        if self.type not in ATTRIBUTE_TYPES:
            return f"attribute {self.name!r} has the type {self.type!r}, not {', '.join(ATTRIBUTE_TYPES)}"
        if (self.type == "choice") != bool(self.choices) or len(self.choices) > MAX_CHOICES:
            return f"attribute {self.name!r}: a choice has 1 to {MAX_CHOICES} choices, other types have none"
        if len(set(self.choices)) != len(self.choices) or not all(1 <= len(c) <= 200 for c in self.choices):
            return f"attribute {self.name!r} repeats a choice, or one does not have 1 to 200 characters"
        if self.default is not None and not self.allows(self.default):
            return f"attribute {self.name!r} does not allow its default {self.default!r}"
        return ""

    def allows(self, value: Any) -> bool:
        """Whether a value has its type, and is one of its choices."""
        if self.type == "boolean":
            return isinstance(value, bool)
        if self.type == "number":
            return (
                isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
            )
        return isinstance(value, str) and (self.type == "text" or value in self.choices)

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is not set is left out."""
        value: dict[str, Any] = {"name": self.name, "type": self.type}
        if self.required:
            value["required"] = True
        if self.default is not None:
            value["default"] = self.default
        if self.choices:
            value["choices"] = list(self.choices)
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Attribute:
        """The attribute from plain values."""
        return cls(
            str(value["name"]),
            str(value.get("type", "text")),
            bool(value.get("required", False)),
            value.get("default"),
            tuple(map(str, value.get("choices", ()))),
        )


@dataclass(frozen=True, slots=True)
class Class:
    """A category.

    Attributes:
        id: Stable over renames.
        skeleton: Joins keypoints by index (from 0).
        definition: What belongs to the class, in words.
        colour: `#rrggbb`; empty for a colour by id.
        key: The key that chooses the class; empty for one by its order.
        tools: Kinds that its annotations may have; empty for all.
        parent: Id of the class above it.
        retired: Whether it takes no new annotations.
        split_into: Ids of the classes into which its annotations wait to be sorted.
    """

    id: int
    name: str
    supercategory: str = ""
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    definition: str = ""
    colour: str = ""
    key: str = ""
    tools: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    parent: int | None = None
    retired: bool = False
    split_into: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > 500:
            raise ClassInvalid(got=self.name[:80], detail="its name has no or too many characters")
        if not 0 <= self.id < 2**31:
            raise ClassInvalid(got=self.name[:80], detail=f"id {self.id} is not between 0 and 2**31")
        if problem := self._problem():
            raise ClassInvalid(got=self.name[:80], detail=problem)

    def attribute(self, name: str) -> Attribute | None:
        """Its attribute of a name."""
        return next((one for one in self.attributes if one.name == name), None)

    def _problem(self) -> str:
        """What is wrong with the optional fields, in words."""
        if len(self.definition) > MAX_DEFINITION:
            return f"its definition is longer than {MAX_DEFINITION:,} characters"
        if self.colour and not _COLOUR.fullmatch(self.colour):
            return f"its colour {self.colour[:20]!r} is not of the form #rrggbb"
        if len(self.key) > 1 or not self.key.isprintable() or self.key.isspace():
            return f"its key {self.key[:20]!r} is not one character"
        if self.parent == self.id:
            return "it is its own parent"
        if len({one.name for one in self.attributes}) != len(self.attributes):
            return "it has two attributes of one name"
        if len(self.attributes) > MAX_ATTRIBUTES:
            return f"it has more than {MAX_ATTRIBUTES} attributes"
        return next((words for one in self.attributes if (words := one.problem())), "")


@dataclass(frozen=True)
class Ontology:
    """Classes in order of their ids. `closed` means that no import may add one. `next_id` was never used."""

    classes: tuple[Class, ...] = ()
    closed: bool = False
    next_id: int = 0

    def __post_init__(self) -> None:
        if len(self._by_name) != len(self.classes):
            raise ClassExists(thing="name", got=_first_twice([c.name for c in self.classes]))
        if len(self._by_id) != len(self.classes):
            raise ClassExists(thing="id", got=_first_twice([c.id for c in self.classes]))
        highest = max((c.id for c in self.classes), default=-1)
        if self.next_id <= highest:
            object.__setattr__(self, "next_id", highest + 1)

    @cached_property
    def _by_name(self) -> dict[str, Class]:
        return {c.name: c for c in self.classes}

    @cached_property
    def _by_id(self) -> dict[int, Class]:
        return {c.id: c for c in self.classes}

    @property
    def names(self) -> tuple[str, ...]:
        """Class names in order of id."""
        return tuple(c.name for c in self.classes)

    def by_name(self, name: str) -> Class | None:
        """The class of a name."""
        return self._by_name.get(name)

    def takes(self, name: str) -> bool:
        """Whether new annotations may have the class of a name: it is not retired, and known or to be added."""
        known = self._by_name.get(name)
        return not self.closed if known is None else not known.retired

    def by_id(self, class_id: int) -> Class | None:
        """The class of an id."""
        return self._by_id.get(class_id)

    def add(
        self,
        name: str,
        *,
        supercategory: str = "",
        id: int | None = None,
        keypoints: tuple[str, ...] = (),
        skeleton: tuple[tuple[int, int], ...] = (),
        extra: Mapping[str, Any] = _EMPTY,
    ) -> Ontology:
        """The ontology with one more class; with the wanted id if it was never used, else a new one.

        Raises: ClassExists (the name is taken), ClassInvalid.
        """
        if name in self._by_name:
            raise ClassExists(thing="name", got=name)
        wanted = id if id is not None and id >= 0 and id not in self._by_id else self.next_id
        made = Class(wanted, name, supercategory, keypoints, skeleton, extra)
        classes = tuple(sorted((*self.classes, made), key=lambda c: c.id))
        return replace(self, classes=classes, next_id=max(self.next_id, wanted + 1))

    def rename(self, old: str, new: str) -> Ontology:
        """The ontology with a class renamed; its id, and so every annotation, stays.

        Raises: ClassUnknown, ClassExists.
        """
        found = self._by_name.get(old)
        if found is None:
            raise ClassUnknown(got=old, hint=f"known classes: {', '.join(self.names[:40])}")
        if new in self._by_name and new != old:
            raise ClassExists(thing="name", got=new)
        return replace(self, classes=tuple(replace(c, name=new) if c is found else c for c in self.classes))

    def without(self, name: str) -> Ontology:
        """The ontology without a class; its id is not reused. Raises: ClassUnknown."""
        if name not in self._by_name:
            raise ClassUnknown(got=name, hint=f"known classes: {', '.join(self.names[:40])}")
        return replace(self, classes=tuple(c for c in self.classes if c.name != name))

    def to_json(self) -> dict[str, Any]:
        """Plain values, the same for equal ontologies."""
        classes = [_class_to_json(c) for c in self.classes]
        return {"classes": classes, "closed": self.closed, "next_id": self.next_id}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Ontology:
        """The ontology from plain values. Raises: ClassExists, ClassInvalid."""
        classes = tuple(_class_from_json(entry) for entry in value.get("classes", ()))
        return cls(classes, bool(value.get("closed", False)), int(value.get("next_id", 0)))


def _class_to_json(c: Class) -> dict[str, Any]:
    """Plain values without those that are empty: a class that uses no new field keeps its hash."""
    fields: dict[str, Any] = {
        "supercategory": c.supercategory,
        "keypoints": list(c.keypoints),
        "skeleton": [list(edge) for edge in c.skeleton],
        "extra": dict(c.extra),
        "definition": c.definition,
        "colour": c.colour,
        "key": c.key,
        "tools": list(c.tools),
        "attributes": [one.to_json() for one in c.attributes],
        "retired": c.retired,
        "split_into": list(c.split_into),
    }
    parent = {} if c.parent is None else {"parent": c.parent}
    return {"id": c.id, "name": c.name, **{name: value for name, value in fields.items() if value}, **parent}


def _class_from_json(entry: Mapping[str, Any]) -> Class:
    return Class(
        id=int(entry["id"]),
        name=str(entry["name"]),
        supercategory=str(entry.get("supercategory", "")),
        keypoints=tuple(entry.get("keypoints", ())),
        skeleton=tuple((int(a), int(b)) for a, b in entry.get("skeleton", ())),
        extra=dict(entry.get("extra", {})),
        definition=str(entry.get("definition", "")),
        colour=str(entry.get("colour", "")),
        key=str(entry.get("key", "")),
        tools=tuple(map(str, entry.get("tools", ()))),
        attributes=tuple(map(Attribute.from_json, entry.get("attributes", ()))),
        parent=None if entry.get("parent") is None else int(entry["parent"]),
        retired=bool(entry.get("retired", False)),
        split_into=tuple(map(int, entry.get("split_into", ()))),
    )


def _first_twice(values: list[Any]) -> Any:
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
