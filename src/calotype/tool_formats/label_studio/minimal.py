"""JSON_MIN of Label Studio: a record for each annotation, with the results by the name of their control.

Source: `convert_to_json_min` of the Label Studio converter. The data of the task come first, then `id`, the results,
and what is said of the annotation. A single choice is a plain text, as is a single text: only the configuration tells
them apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_KEYS = (re.compile(rb'"annotation_id"\s*:'), re.compile(rb'"annotator"\s*:'))
_BRUSH = re.compile(rb'"format"\s*:\s*"rle"')
_LAST = "annotator"
_CONTROLS = ("choices", "taxonomy", "number", "rating", "datetime", "text")


def is_minimal(head: bytes) -> bool:
    """Whether a JSON file begins like such a list; the runs of a brush may fill all of its head."""
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"[" or b'"annotations"' in head:
        return False
    return all(key.search(head) for key in _KEYS) or bool(_BRUSH.search(head))


def as_task(record: Mapping[str, Any], texts: Collection[str]) -> Mapping[str, Any]:
    """The record as a task with one annotation.

    Args:
        texts: The controls that hold texts, by the configuration.
    """
    names = list(record)
    first = names.index("id") + 1 if "id" in names else len(names)
    stop = names.index(_LAST) if _LAST in names else len(names)
    results = [
        {"from_name": name, **result}
        for name in names[first:stop]
        for result in _results(record[name], name in texts)
    ]
    said = {"id": record.get("annotation_id"), "completed_by": record.get(_LAST), "result": results}
    is_labelled = record.get("annotation_id") not in (None, "")
    data = {name: record[name] for name in names[:first] if name != "id"}
    return {"id": record.get("id"), "data": data, "annotations": [said] if is_labelled else []}


def _results(value: Any, is_text: bool) -> Iterator[dict[str, Any]]:
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        yield {"type": "textarea", "value": {"text": value}}
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            key, said = ("text", "textarea") if is_text else ("choices", "choices")
            yield {"type": said, "value": {key: [one]}}
        elif isinstance(one, dict):
            labels = next((key for key in one if key.endswith("labels") and key != "textlabels"), "labels")
            control = next(
                (key for key in _CONTROLS if key in one and "x" not in one and "points" not in one), ""
            )
            sides = {key: one[key] for key in ("original_width", "original_height") if key in one}
            yield {"type": {"text": "textarea"}.get(control, control) or labels, "value": one, **sides}
