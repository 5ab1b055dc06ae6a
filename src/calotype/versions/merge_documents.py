"""Three-way rules for what belongs to a whole state: classes, metadata fields, contract, file-level keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calotype.versions.merge_rows import three_way
from calotype.versions.model import Clash, Clashes, Resolution, Row, Side, Texts

ONTOLOGY = "ontology"

_CLASS_FIELDS = ("name", "supercategory", "keypoints", "skeleton", "extra")
ClassEntry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Classes:
    """The merged ontology as JSON, and the new numbers of classes of theirs."""

    ontology: Mapping[str, Any]
    class_map: Mapping[int, int]


def merge_ontology(base: Texts, ours: Side, theirs: Side, clashes: Clashes) -> Classes:
    """Classes by id; ones that both sides added, by name.

    A class that one side removed stays where the other side's changed annotations use it: no annotation may be left
    without a class. Two new classes under one id: theirs gets a new number.
    """
    a, b = ours.texts.ontology, theirs.texts.ontology
    if a == b:
        return Classes(a, {})
    old = _by_id(base.ontology)
    class_map = _renumbered(old, a, b)
    next_id = max(int(side.get("next_id", 0)) for side in (base.ontology, a, b))
    sides = (old, _by_id(a), {class_map.get(key, key): entry for key, entry in _by_id(b).items()})
    used = (ours.classes, frozenset(class_map.get(key, key) for key in theirs.classes))
    merged: dict[int, ClassEntry] = {}
    for key in sorted({*sides[0], *sides[1], *sides[2]}):
        found = _merge_class(key, [side.get(key) for side in sides], used, clashes)
        if found is not None:
            merged[key] = {**found, "id": key}
    _names_apart(merged, sides, clashes)
    closed, _ = three_way(*(bool(side.get("closed", False)) for side in (base.ontology, a, b)))
    classes = [merged[key] for key in sorted(merged)]
    next_id = max([next_id, *(key + 1 for key in merged)])
    return Classes({"classes": classes, "closed": closed, "next_id": next_id}, class_map)


def merge_fields(
    base: Texts, ours: Texts, theirs: Texts, clashes: Clashes
) -> tuple[dict[str, str], dict[str, str]]:
    """Types of metadata fields, all of both sides; and the fields whose values have to change their type.

    int and float join as float. Any other two types clash; while nobody chose, the type is ours. `union` makes both
    text.
    """
    merged, forced = {**ours.fields}, {}
    for name, kind in theirs.fields.items():
        mine = merged.setdefault(name, kind)
        if mine == kind:
            continue
        if {mine, kind} == {"int", "float"}:
            merged[name] = "float"
            continue
        types = [side.fields.get(name) for side in (base, ours, theirs)]
        clash = Clash("field-type", "fields", name, ("type",), *_three(types))
        chosen = clashes.settle(clash)
        if chosen is not None:
            merged[name] = {"theirs": kind, "union": "str"}.get(str(chosen), mine)
            forced[name] = merged[name]
    return merged, forced


def merge_text(
    kind: str, base: str | None, ours: str | None, theirs: str | None, clashes: Clashes
) -> str | None:
    """Contract or file-level keys: one-sided changes are taken, two different ones clash."""
    chosen, clash = three_way(base, ours, theirs)
    if not clash:
        return None if chosen is None else str(chosen)
    found = Clash(kind, kind, kind, ("text",), *_three([base, ours, theirs], key="text"))
    return {"theirs": theirs, "base": base}.get(str(clashes.settle(found)), ours)


def _by_id(ontology: Mapping[str, Any]) -> dict[int, ClassEntry]:
    return {int(entry["id"]): dict(entry) for entry in ontology.get("classes", ())}


def _renumbered(old: Mapping[int, ClassEntry], a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[int, int]:
    """New numbers for classes that theirs added: that of ours where the name is the same, a free one where taken."""
    ours, theirs = _by_id(a), _by_id(b)
    added = {entry["name"]: key for key, entry in ours.items() if key not in old}
    next_id = max([int(a.get("next_id", 0)), int(b.get("next_id", 0)), *(k + 1 for k in (*ours, *theirs))])
    numbers: dict[int, int] = {}
    new = {key: entry["name"] for key, entry in sorted(theirs.items()) if key not in old}
    twins = {added[name] for name in new.values() if name in added}
    for key, name in new.items():
        if name in added:
            if added[name] != key:
                numbers[key] = added[name]
        elif key in ours or key in twins:
            numbers[key] = next_id
            next_id += 1
    return numbers


def _merge_class(
    key: int, sides: list[ClassEntry | None], used: tuple[frozenset[int], frozenset[int]], clashes: Clashes
) -> ClassEntry | None:
    old, a, b = sides
    if a is None or b is None:
        kept = a or b
        if kept is None or old is None:
            return kept
        is_used = key in used[0 if b is None else 1]
        if _content(kept) == _content(old):
            return kept if is_used else None
        settled = clashes.settle(Clash("edit-delete", ONTOLOGY, str(key), (), old, a, b))
        chosen = {"ours": a, "theirs": b, "base": old}.get(str(settled), kept)
        return (chosen or kept) if is_used else chosen
    merged, clashing = dict(a), []
    for name in _CLASS_FIELDS:
        value, clash = three_way((old or {}).get(name), a.get(name), b.get(name))
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
        clashing += [name] if clash else []
    if clashing:
        named = {"ours": a, "theirs": {**b, "id": key}, "base": old}
        clash_ = Clash("fields", ONTOLOGY, str(key), tuple(clashing), old, a, named["theirs"])
        merged = _settled(merged, tuple(clashing), named, clashes.settle(clash_))
    return merged


def _settled(
    merged: ClassEntry,
    fields: tuple[str, ...],
    sides: Mapping[str, ClassEntry | None],
    chosen: Resolution | None,
) -> ClassEntry:
    for name in fields:
        choice = chosen if isinstance(chosen, str) or chosen is None else chosen[name]
        side = sides.get(choice) if isinstance(choice, str) and choice in sides else None
        if side is not None and name in side:
            merged[name] = side[name]
        elif side is None and not isinstance(chosen, str) and chosen is not None:
            merged[name] = choice
    return merged


def _content(entry: ClassEntry) -> list[Any]:
    return [entry.get(name) for name in _CLASS_FIELDS]


def _names_apart(merged: dict[int, ClassEntry], sides: Any, clashes: Clashes) -> None:
    """Two classes of one name (one side renamed, the other added): the later one gets its id behind its name.

    A class whose own name is still open is left out: what it will be called is not known yet.
    """
    seen: dict[str, int] = {}
    undecided = {one.row_id for one in clashes.open if one.table == ONTOLOGY and "name" in one.fields}
    for key in sorted(merged):
        if str(key) in undecided:
            continue
        name = merged[key]["name"]
        first = seen.setdefault(name, key)
        if first == key:
            continue
        base, a, b = (_pair(side, first, key) for side in sides)
        chosen = clashes.settle(Clash("class-name", ONTOLOGY, f"{first}+{key}", ("name",), base, a, b))
        holder = first
        if chosen in ("ours", "theirs"):
            side = sides[1] if chosen == "ours" else sides[2]
            holder = next((one for one in (first, key) if side.get(one, {}).get("name") == name), first)
        other = key if holder == first else first
        merged[other] = {**merged[other], "name": _free(f"{name}~{other}", merged)}
        seen[name] = holder
        seen[merged[other]["name"]] = other


def _free(name: str, merged: Mapping[int, ClassEntry]) -> str:
    taken = {entry["name"] for entry in merged.values()}
    while name in taken:
        name += "~"
    return name


def _pair(side: Mapping[int, ClassEntry], *keys: int) -> dict[str, Any] | None:
    return {str(key): side[key]["name"] for key in keys if key in side} or None


def _three(values: list[str | None], key: str = "type") -> tuple[Row | None, Row | None, Row | None]:
    base, ours, theirs = (None if value is None else {key: value} for value in values)
    return base, ours, theirs
