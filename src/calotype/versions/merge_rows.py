"""Three-way rules for one row: field by field, sets as sets, JSON objects key by key.

All geometry is one field: a box with the left edge of one side and the width of the other would be wrong for both.
Provenance columns never conflict: they follow the side that changed the content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from calotype.datasets import rows
from calotype.datasets.model import Kind
from calotype.foundation.ids import canonical_json
from calotype.versions.model import SIDES, Resolution, Row

GEOMETRY = ("kind", "x", "y", "w", "h", "rings", "mask_rle", "mask_h", "mask_w", "keypoints", "area_px")
IMAGE = ("media_sha256", "width_px", "height_px", "mime", "n_bytes")
DERIVED = ("parent_id", "recipe")

_ANNOTATION = {
    "geometry": GEOMETRY,
    "sample_id": ("sample_id",),
    "class_id": ("class_id",),
    "score": ("score",),
    "iscrowd": ("iscrowd",),
    "source_id": ("source_id",),
}
_SAMPLE = {
    "image": IMAGE,
    "name": ("name",),
    "source": ("source",),
    "licence": ("licence",),
    "group": ("group",),
    "split": ("split",),
    "derivation": DERIVED,
}
_SETS = {True: ("names", "tags"), False: ()}
_OBJECTS = {True: ("metadata", "extra"), False: ("attributes", "extra")}
_FOLLOW = ("author", "import_id", "created_at_us")
_ABSENT = object()


def same(table: str, a: Row | None, b: Row | None) -> bool:
    """Whether two rows are equal except for provenance."""
    if a is None or b is None:
        return a is b
    names = rows.schema_of(table).names
    return all(a[name] == b[name] for name in names if name not in rows.PROVENANCE)


def merge_row(table: str, base: Row | None, ours: Row, theirs: Row) -> tuple[Row, tuple[str, ...]]:
    """The row with the changes of both sides, and the conflicting fields (where it has our value).

    Args:
        base: None where both sides added the row.
    """
    is_sample = table == rows.SAMPLES
    before: Row = base or {}
    merged = dict(ours)
    conflicting: list[str] = []
    for field, columns in (_SAMPLE if is_sample else _ANNOTATION).items():
        values = [tuple(row.get(name) for name in columns) for row in (before, ours, theirs)]
        old = values[0] if base is not None else _empty_base(values[1:])
        chosen, differs = three_way(old, values[1], values[2])
        merged.update(zip(columns, chosen, strict=True))
        conflicting += [field] if differs else []
    for name in _SETS[is_sample]:
        merged[name] = merge_lists(before.get(name), ours[name], theirs[name])
    for name in _OBJECTS[is_sample]:
        merged[name], differs = three_way(before.get(name) or "", ours[name] or "", theirs[name] or "")
        if not differs:
            continue
        merged_object, keys = merge_objects(*(load(row.get(name)) for row in (before, ours, theirs)))
        merged[name] = canonical_json(merged_object) if merged_object else ""
        conflicting += [f"{name}.{key}" for key in keys]
    for name in _FOLLOW if not is_sample else _FOLLOW[1:]:
        merged[name] = _merged_provenance(table, name, before, ours, theirs)
    return _with_words(merged, (ours, theirs, before)), tuple(conflicting)


def three_way(base: Any, ours: Any, theirs: Any) -> tuple[Any, bool]:
    """The merged value, and whether both sides changed it differently (then it is our value)."""
    if ours == theirs or theirs == base:
        return ours, False
    if ours == base:
        return theirs, False
    return ours, True


def merge_lists(
    base: Sequence[str] | None, ours: Sequence[str] | None, theirs: Sequence[str] | None
) -> list[str] | None:
    """Merge lists as sets: additions and removals of both sides apply. Kept names first, then new ones in order."""
    before, a, b = list(base or ()), list(ours or ()), list(theirs or ())
    if a == b or b == before:
        return None if ours is None else a
    if a == before:
        return None if theirs is None else b
    kept = [name for name in before if name in a and name in b]
    return kept + sorted({*a, *b} - {*before})


def merge_objects(
    base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Merge a JSON object key by key. Returns it with the conflicting keys, which keep our value.

    Removing a key conflicts with changing it.
    """
    merged: dict[str, Any] = {}
    conflicting = []
    for key in sorted({*base, *ours, *theirs}):
        values = [_with_type(side.get(key, _ABSENT)) for side in (base, ours, theirs)]
        chosen, differs = three_way(*values)
        if chosen[1] is not _ABSENT:
            merged[key] = chosen[1]
        if differs:
            conflicting.append(key)
    return merged, conflicting


def resolve_fields(
    table: str, fields: Sequence[str], sides: Mapping[str, Row | None], resolution: Resolution
) -> Row:
    """The merged row with its conflicting fields resolved: one side for all fields, or a choice for each."""
    ours, theirs, base = sides["ours"], sides["theirs"], sides["base"]
    if ours is None or theirs is None:
        return dict(ours or theirs or {})
    merged, _ = merge_row(table, base, ours, theirs)
    side_for_all = resolution if isinstance(resolution, str) else ""
    for field in fields:
        choice = side_for_all if isinstance(resolution, str) else resolution[field]
        side = choice if isinstance(choice, str) and choice in (*SIDES, "union") else None
        if side is None:
            _set_value(merged, field, choice)
        else:
            source = (
                sides.get("ours" if side == "union" else side) or ours
            )  # a row that both added has no base
            _copy_field(table, merged, source, field)
    return _with_words(merged, (ours, theirs, base or {}))


def _with_words(merged: Row, sides: Sequence[Row]) -> Row:
    """The row; a caption keeps its words where one side removed them and the other made it a caption."""
    if merged.get("kind") == Kind.CAPTION and "text" not in load(merged.get("attributes")):
        texts = (load(side.get("attributes")).get("text", _ABSENT) for side in sides)
        words = next((text for text in texts if text is not _ABSENT), "")
        _edit_object(merged, "attributes", lambda values: _set_key(values, "text", words))
    return merged


def second_id(table: str, row_id: str, theirs: Row) -> str:
    """The id of the second annotation that `union` keeps. Deterministic, so repeating the merge gives the same id."""
    content = [theirs[name] for name in rows.schema_of(table).names if name not in rows.PROVENANCE]
    return hashlib.sha256(canonical_json(["union", row_id, content]).encode()).hexdigest()[:32]


def load(text: str | None) -> dict[str, Any]:
    """Decode a JSON column."""
    return dict(json.loads(text)) if text else {}


def _empty_base(values: Sequence[tuple[Any, ...]]) -> Any:
    """The base value of a field in a row that both sides added: an empty value if one side has it, else absent."""
    return next((value for value in values if all(column in (None, "") for column in value)), _ABSENT)


def _copy_field(table: str, merged: Row, source: Row, field: str) -> None:
    name, _, key = field.partition(".")
    if key:
        value = load(source.get(name)).get(key, _ABSENT)
        _edit_object(merged, name, lambda values: _set_key(values, key, value))
        return
    for column in (_SAMPLE if table == rows.SAMPLES else _ANNOTATION).get(field, (field,)):
        merged[column] = source.get(column)


def _set_value(merged: Row, field: str, value: Any) -> None:
    name, _, key = field.partition(".")
    if key:
        _edit_object(merged, name, lambda values: _set_key(values, key, value))
    elif isinstance(value, Mapping):  # a geometry or an image: its columns by name
        merged.update(value)
    else:
        merged[name] = value


def _edit_object(merged: Row, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    values = load(merged.get(name))
    change(values)
    merged[name] = canonical_json(values) if values else ""


def _set_key(values: dict[str, Any], key: str, value: Any) -> None:
    if value is _ABSENT:
        values.pop(key, None)
    else:
        values[key] = value


def _with_type(value: Any) -> tuple[str, Any]:
    """The value with its JSON text, because 1, 1.0 and true are equal in Python but differ in JSON."""
    return canonical_json(value) if value is not _ABSENT else "", value


def _merged_provenance(table: str, name: str, base: Row, ours: Row, theirs: Row) -> Any:
    if not base or not (same(table, base, ours) or same(table, base, theirs)):
        newest = max(
            (ours, theirs),
            key=lambda row: (row["created_at_us"] or 0, row["import_id"] or "", row.get("author") or ""),
        )
        chosen, differs = three_way(base.get(name, _ABSENT), ours[name], theirs[name])
        return newest[name] if differs or name in rows.PROVENANCE else chosen
    return (theirs if same(table, base, ours) else ours)[name]
