"""Three-way merge of the documents of a dataset: classes, metadata field types, contract, file-level keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from calotype.versions.merge_rows import three_way
from calotype.versions.model import (
    ConflictCollector,
    ConflictContent,
    DecodedDocuments,
    Resolution,
    Row,
    Side,
)

ONTOLOGY = "ontology"

_CLASS_FIELDS = (
    "name",
    "supercategory",
    "keypoints",
    "skeleton",
    "extra",
    "definition",
    "colour",
    "key",
    "tools",
    "attributes",
    "parent",
    "retired",
    "split_into",
)
ClassEntry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Classes:
    """The merged ontology as JSON, and a map from class ids of theirs to their new ids."""

    ontology: Mapping[str, Any]
    class_map: Mapping[int, int]


def merge_ontology(base: DecodedDocuments, ours: Side, theirs: Side, conflicts: ConflictCollector) -> Classes:
    """Merge classes by id, and classes that both sides added by name.

    A class that one side removed is kept when annotations changed by the other side use it, so that no annotation is
    left without a class. When both sides added different classes with one id, the class of theirs gets a new id.
    """
    our_classes, their_classes = ours.documents.ontology, theirs.documents.ontology
    if our_classes == their_classes:
        return Classes(our_classes, {})
    old = _by_id(base.ontology)
    class_map = _new_ids(old, our_classes, their_classes)
    next_id = max(int(side.get("next_id", 0)) for side in (base.ontology, our_classes, their_classes))
    sides = (
        old,
        _by_id(our_classes),
        {
            class_map.get(key, key): _renumbered(entry, class_map)
            for key, entry in _by_id(their_classes).items()
        },
    )
    used = (ours.classes, frozenset(class_map.get(key, key) for key in theirs.classes))
    merged: dict[int, ClassEntry] = {}
    for key in sorted({*sides[0], *sides[1], *sides[2]}):
        merged_class = _merge_class(key, [side.get(key) for side in sides], used, conflicts)
        if merged_class is not None:
            merged[key] = {**merged_class, "id": key}
    _make_names_unique(merged, sides, conflicts)
    closed, _ = three_way(
        *(bool(side.get("closed", False)) for side in (base.ontology, our_classes, their_classes))
    )
    classes = [merged[key] for key in sorted(merged)]
    next_id = max([next_id, *(key + 1 for key in merged)])
    return Classes({"classes": classes, "closed": closed, "next_id": next_id}, class_map)


def with_used_classes(
    merged: Mapping[str, Any], used: Collection[int], ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The merged ontology with the removed classes that annotations still use.

    One side may remove samples and then a class that only their annotations had. If the merge keeps such a sample, its
    annotations are restored and need their class.
    """
    present = _by_id(merged)
    restored = {
        key: entry
        for key, entry in sorted({**_by_id(theirs), **_by_id(ours)}.items())
        if key in used and key not in present
    }
    if not restored:
        return merged
    for key, entry in restored.items():
        taken = {other["name"] for other in present.values()}
        name = _free(f"{entry['name']}~{key}", present) if entry["name"] in taken else entry["name"]
        present[key] = {**entry, "name": name}
    return {**merged, "classes": [present[key] for key in sorted(present)]}


def merge_fields(
    base: DecodedDocuments, ours: DecodedDocuments, theirs: DecodedDocuments, conflicts: ConflictCollector
) -> tuple[dict[str, str], dict[str, str]]:
    """Merge the types of metadata fields. Returns all types, and those of fields whose values must be converted.

    int and float merge to float. Any other pair of types is a conflict; until it is resolved, our type holds. `union`
    makes the field `str`.
    """
    merged, forced = {**ours.fields}, {}
    for name, their_type in theirs.fields.items():
        our_type = merged.setdefault(name, their_type)
        if our_type == their_type:
            continue
        if {our_type, their_type} == {"int", "float"}:
            merged[name] = "float"
            continue
        types = [side.fields.get(name) for side in (base, ours, theirs)]
        conflict = ConflictContent("field-type", "fields", name, ("type",), *_three(types))
        resolution = conflicts.resolve(conflict)
        if resolution is not None:
            merged[name] = {"theirs": their_type, "union": "str"}.get(str(resolution), our_type)
            forced[name] = merged[name]
    return merged, forced


def merge_text(
    kind: str, base: str | None, ours: str | None, theirs: str | None, conflicts: ConflictCollector
) -> str | None:
    """Merge the contract or file-level keys: a change of one side is taken, two different changes are a conflict."""
    merged, differs = three_way(base, ours, theirs)
    if not differs:
        return None if merged is None else str(merged)
    conflict = ConflictContent(kind, kind, kind, ("text",), *_three([base, ours, theirs], key="text"))
    return {"theirs": theirs, "base": base}.get(str(conflicts.resolve(conflict)), ours)


def _by_id(ontology: Mapping[str, Any]) -> dict[int, ClassEntry]:
    return {int(entry["id"]): dict(entry) for entry in ontology.get("classes", ())}


def _renumbered(entry: ClassEntry, class_map: Mapping[int, int]) -> ClassEntry:
    """A class of theirs whose references to other classes have the new ids."""
    entry = dict(entry)
    if "parent" in entry:
        entry["parent"] = class_map.get(entry["parent"], entry["parent"])
    if "split_into" in entry:
        entry["split_into"] = [class_map.get(key, key) for key in entry["split_into"]]
    return entry


def _new_ids(old: Mapping[int, ClassEntry], a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[int, int]:
    """New ids for classes that theirs added: our id for a class of the same name, a free id if the id is taken."""
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
    key: int,
    sides: list[ClassEntry | None],
    used: tuple[frozenset[int], frozenset[int]],
    conflicts: ConflictCollector,
) -> ClassEntry | None:
    old, a, b = sides
    if a is None or b is None:
        kept = a or b
        if kept is None or old is None:
            return kept
        is_used = key in used[0 if b is None else 1]
        if _content(kept) == _content(old):
            return kept if is_used else None
        resolution = conflicts.resolve(ConflictContent("edit-delete", ONTOLOGY, str(key), (), old, a, b))
        chosen = {"ours": a, "theirs": b, "base": old}.get(str(resolution), kept)
        return (chosen or kept) if is_used else chosen
    merged, conflicting = dict(a), []
    for name in _CLASS_FIELDS:
        value, differs = three_way((old or {}).get(name), a.get(name), b.get(name))
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
        conflicting += [name] if differs else []
    if conflicting:
        versions = {"ours": a, "theirs": {**b, "id": key}, "base": old}
        conflict = ConflictContent(
            "fields", ONTOLOGY, str(key), tuple(conflicting), old, a, versions["theirs"]
        )
        merged = _with_resolution(merged, tuple(conflicting), versions, conflicts.resolve(conflict))
    return merged


def _with_resolution(
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


def _make_names_unique(merged: dict[int, ClassEntry], sides: Any, conflicts: ConflictCollector) -> None:
    """Make class names unique: of two classes with one name, the later gets its id as a suffix.

    This happens when one side renames a class and the other adds one. A class whose name is in an open conflict is
    skipped, because its final name is not known yet.
    """
    seen: dict[str, int] = {}
    in_conflict = {
        conflict.row_id
        for conflict in conflicts.open
        if conflict.table == ONTOLOGY and "name" in conflict.fields
    }
    for key in sorted(merged):
        if str(key) in in_conflict:
            continue
        name = merged[key]["name"]
        first = seen.setdefault(name, key)
        if first == key:
            continue
        base, a, b = (_pair(side, first, key) for side in sides)
        chosen = conflicts.resolve(
            ConflictContent("class-name", ONTOLOGY, f"{first}+{key}", ("name",), base, a, b)
        )
        holder = first
        if chosen in ("ours", "theirs"):
            side = sides[1] if chosen == "ours" else sides[2]
            holder = next(
                (conflict for conflict in (first, key) if side.get(conflict, {}).get("name") == name), first
            )
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
