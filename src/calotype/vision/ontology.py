"""The ontology: the versioned set of classes, each with an id that never changes and is never reused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from calotype.foundation.errors import AlreadyExists, Invalid, NotFound

_EMPTY: Mapping[str, Any] = MappingProxyType({})


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
class Class:
    """A category. `id` is stable over renames; `skeleton` joins keypoints by index (from 0)."""

    id: int
    name: str
    supercategory: str = ""
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > 500:
            raise ClassInvalid(got=self.name[:80], detail="its name has no or too many characters")
        if not 0 <= self.id < 2**31:
            raise ClassInvalid(got=self.name[:80], detail=f"id {self.id} is not between 0 and 2**31")


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
        classes = []
        for c in self.classes:
            entry: dict[str, Any] = {"id": c.id, "name": c.name}
            if c.supercategory:
                entry["supercategory"] = c.supercategory
            if c.keypoints:
                entry["keypoints"] = list(c.keypoints)
            if c.skeleton:
                entry["skeleton"] = [list(edge) for edge in c.skeleton]
            if c.extra:
                entry["extra"] = dict(c.extra)
            classes.append(entry)
        return {"classes": classes, "closed": self.closed, "next_id": self.next_id}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Ontology:
        """The ontology from plain values. Raises: ClassExists, ClassInvalid."""
        classes = tuple(
            Class(
                id=int(entry["id"]),
                name=str(entry["name"]),
                supercategory=str(entry.get("supercategory", "")),
                keypoints=tuple(entry.get("keypoints", ())),
                skeleton=tuple((int(a), int(b)) for a, b in entry.get("skeleton", ())),
                extra=dict(entry.get("extra", {})),
            )
            for entry in value.get("classes", ())
        )
        return cls(classes, bool(value.get("closed", False)), int(value.get("next_id", 0)))


def _first_twice(values: list[Any]) -> Any:
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
