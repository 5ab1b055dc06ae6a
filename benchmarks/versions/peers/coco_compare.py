"""Two COCO files compared key by key. Standard library only."""

from __future__ import annotations

from collections import Counter
from typing import Any

Document = dict[str, Any]
_POINTERS = {"image_id": "images", "category_id": "categories", "license": "licenses"}
_NAMED_BY = {"images": "file_name", "categories": "name", "licenses": "name"}


def coco_differences(before: Document, after: Document) -> dict[str, int]:
    """How many values differ, by `part.key`; empty when the files say the same.

    Images are matched by file name, categories and licences by name, annotations by id (or by the `source_id` under
    which a file tells an older id), so that new numbers count once each and not as loss of everything.
    """
    differs: Counter[str] = Counter()
    names = [_names(document) for document in (before, after)]
    for part in sorted({*before, *after}):
        a, b = before.get(part), after.get(part)
        if not (isinstance(a, list) and isinstance(b, list)):
            differs[part] += a != b
            continue
        others = {_key(part, row): row for row in b}
        for row in a:
            other = others.pop(_key(part, row), None)
            if other is None:
                differs[f"{part} gone"] += 1
                continue
            for key in {*row, *other}:
                same = _value(key, row, names[0]) == _value(key, other, names[1])
                differs[f"{part}.{key}"] += not same
        differs[f"{part} added"] += len(others)
    return {key: n for key, n in sorted(differs.items()) if n}


def _names(document: Document) -> dict[str, dict[Any, str]]:
    """Of each part that others point to: id -> name."""
    return {part: {row["id"]: row[key] for row in document.get(part, [])} for part, key in _NAMED_BY.items()}


def _key(part: str, row: Document) -> Any:
    named_by = _NAMED_BY.get(part)
    return row[named_by] if named_by else row.get("source_id", row["id"])


def _value(key: str, row: Document, names: dict[str, dict[Any, str]]) -> Any:
    value = row.get(key, "(absent)")
    return names[_POINTERS[key]].get(value, value) if key in _POINTERS else value
