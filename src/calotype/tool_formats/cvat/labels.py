"""The labels that a CVAT XML file declares in its `meta`: names, attributes with their types, skeletons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from calotype.formats.fields import BadItem
from calotype.formats.xml_file import Element, named

_NODE = re.compile(r"<(circle|line)\b([^>]*)>")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*["']([^"']*)["']""")


@dataclass(frozen=True, slots=True)
class Label:
    """One label: its attributes' input types by name, and of a skeleton its points and edges (counted from 0)."""

    name: str
    types: Mapping[str, str] = field(default_factory=dict)
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    colour: str = ""


class Labels(dict[str, Label]):
    """Labels by name; where the file declares any, another name is a mistake."""

    is_closed = False

    def label(self, name: str) -> Label:
        """The label of a name. Raises: BadItem, for one that the task does not have."""
        if self.is_closed and name not in self:
            raise BadItem(f"its label {name[:80]!r} is not among those of the task")
        return self.get(name, Label(name))


def declared(meta: Element | None) -> Labels:
    """The labels by name, those that are parts of a skeleton left out."""
    listed = [] if meta is None else [one for one in meta.iter("label") if one.find("name") is not None]
    parts: dict[str, list[str]] = {}
    for one in listed:
        parent = named(one, "parent")
        if parent:
            parts.setdefault(parent, []).append(named(one, "name"))
    labels = Labels()
    for one in listed:
        name = named(one, "name")
        if named(one, "parent") or not name or name in labels:
            continue
        types = {
            named(attribute, "name"): named(attribute, "input_type") or "text"
            for attribute in one.iter("attribute")
        }
        keypoints = tuple(dict.fromkeys(parts.get(name, ())))
        edges = _edges(one.findtext("svg") or "", keypoints)
        labels[name] = Label(name, types, keypoints, edges, named(one, "color"))
    labels.is_closed = bool(labels)
    return labels


def typed(value: str, input_type: str) -> Any | None:
    """The value of an attribute by its declared type; None where the text is not of that type."""
    if input_type == "checkbox":
        return {"true": True, "false": False}.get(value.strip().lower())
    if input_type != "number":
        return value
    stripped = value.strip()
    if re.fullmatch(r"-?[0-9]{1,18}", stripped):
        return int(stripped)
    if re.fullmatch(r"-?[0-9]*\.?[0-9]+(e[+-]?[0-9]{1,2})?", stripped, re.IGNORECASE) and len(stripped) < 100:
        return float(stripped)
    return None


def _edges(svg: str, keypoints: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    nodes: dict[str, str] = {}
    lines: list[tuple[str, str]] = []
    for tag, inside in _NODE.findall(svg):
        values = dict(_ATTRIBUTE.findall(inside))
        if tag == "circle":
            nodes[values.get("data-node-id", "")] = values.get("data-label-name", "")
        else:
            lines.append((values.get("data-node-from", ""), values.get("data-node-to", "")))
    place = {name: at for at, name in enumerate(keypoints)}
    ends = [(place.get(nodes.get(a, "")), place.get(nodes.get(b, ""))) for a, b in lines]
    return tuple((a, b) for a, b in ends if a is not None and b is not None)
