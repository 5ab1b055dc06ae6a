"""Writing CVAT XML 1.1 for images: one `annotations.xml`, the images beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.tool_formats import shapes
from calotype.tool_formats.mask_runs import mask_to_rows
from calotype.tool_formats.writing import Export
from calotype.vision.ontology import Class

CAPTION = "caption"
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OWN = frozenset({"occluded", "group_id", "angle_deg"})
_KEPT_EXTRA = frozenset({"z_order", "source"})


def write(export: Export) -> None:
    """Write `annotations.xml` and `images/`."""
    body: list[str] = []
    types: dict[str, dict[str, list[Any]]] = {}
    export.lose_of_classes(keeps={"keypoints"})
    has_caption = False
    for number, (sample, labels) in enumerate(export.samples.items()):
        place = export.samples.file_name(sample)
        export.add_image(sample, f"images/{place}")
        export.lose_of_sample(sample, keeps={"split"})
        body.append(_image_tag(export, number, place, sample))
        for a in labels:
            name = CAPTION if a.kind is Kind.CAPTION else export.names[a.class_id]
            has_caption = has_caption or a.kind is Kind.CAPTION
            lines = _element(export, a, name, sample)
            body += lines
            export.count()
            for key, value in a.attributes.items():
                if _is_listed(key, value):
                    types.setdefault(name, {}).setdefault(key, []).append(value)
        body.append("  </image>")
    names = {c.name for c in export.samples.ontology.classes}
    extra = [Class(0, CAPTION)] if has_caption and CAPTION not in names else []
    classes = [*export.samples.ontology.classes, *extra]
    meta = _meta(export, classes, types)
    text = "\n".join(
        ['<?xml version="1.0" encoding="utf-8"?>', "<annotations>", *meta, *body, "</annotations>", ""]
    )
    export.write("annotations.xml", text.encode())


def _image_tag(export: Export, number: int, place: str, sample: Sample) -> str:
    values = {"id": number, "name": place, "subset": sample.split or None}
    sides = {"width": sample.width_px, "height": sample.height_px}
    return f"  <image{_values(export, {**values, **sides})}>"


def _element(export: Export, a: Annotation, name: str, sample: Sample) -> list[str]:
    tag, numbers, inner = _geometry(export, a, sample)
    export.lose_of_annotation(a, keeps={"extra"})
    for key in a.extra:
        if key not in _KEPT_EXTRA:
            export.lose("extra keys of an annotation", a)
    values: dict[str, object] = {"label": name, "source": a.extra.get("source", "manual")}
    if tag != "tag":
        values["occluded"] = int(bool(a.attributes.get("occluded")))
    values |= numbers
    if tag != "tag":
        values["z_order"] = a.extra.get("z_order", 0)
    group = a.attributes.get("group_id")
    if _is_group(group):
        values["group_id"] = group
    attributes = [
        f"      <attribute{_values(export, {'name': key})}>{_text(export, _written(export, a, value))}</attribute>"
        for key, value in a.attributes.items()
        if _is_listed(key, value)
    ]
    return [f"    <{tag}{_values(export, values)}>", *inner, *attributes, f"    </{tag}>"]


def _geometry(export: Export, a: Annotation, sample: Sample) -> tuple[str, dict[str, object], list[str]]:
    """The element of an annotation: its tag, its numbers, and the elements inside it."""
    if a.kind in (Kind.CLASSIFICATION, Kind.CAPTION) or a.bbox_xywh_px is None:
        return "tag", {}, []
    x, y, w, h = a.bbox_xywh_px
    if a.kind is Kind.BOX:
        return "box", _corners(x, y, x + w, y + h), []
    if a.kind is Kind.ROTATED_BOX:
        at = shapes.turned(a.rings_px[0])
        left, top = at.x - at.width / 2, at.y - at.height / 2
        rotation = {"rotation": _number(at.angle_deg)}
        return "box", {**_corners(left, top, left + at.width, top + at.height), **rotation}, []
    if a.kind is Kind.ELLIPSE:
        at = shapes.turned(a.rings_px[0])
        numbers = {"cx": at.x, "cy": at.y, "rx": at.width / 2, "ry": at.height / 2, "rotation": at.angle_deg}
        return "ellipse", {key: _number(value) for key, value in numbers.items()}, []
    if a.kind is Kind.KEYPOINTS:
        return "skeleton", {}, _skeleton(export, a)
    if a.kind is Kind.MASK or (a.kind is Kind.POLYGON and len(a.rings_px) > 1):
        if a.kind is Kind.POLYGON:
            export.lose("outline of a polygon of several parts (written as a mask)", a)
        return "mask", _mask(a, sample), []
    tag = {Kind.POLYGON: "polygon", Kind.POLYLINE: "polyline", Kind.POINT: "points"}[a.kind]
    return tag, {"points": _pairs(export.longest_part(a))}, []


def _skeleton(export: Export, a: Annotation) -> list[str]:
    one = export.samples.ontology.by_id(a.class_id)
    names = one.keypoints if one is not None else ()
    lines = []
    for at in range(len(a.keypoints_xyv) // 3):
        x, y, v = a.keypoints_xyv[3 * at : 3 * at + 3]
        values = {
            "label": names[at] if at < len(names) else str(at + 1),
            "source": "manual",
            "outside": int(v == 0),
            "occluded": int(v == 1),
            "points": _pairs((x, y)),
        }
        lines += [f"      <points{_values(export, values)}>", "      </points>"]
    export.lose("box of a skeleton (its points are written)", a)
    return lines


def _mask(a: Annotation, sample: Sample) -> dict[str, object]:
    inside = shapes.mask_of(a, (sample.width_px, sample.height_px))
    left, top, width, height = shapes.pixel_bounds(inside)
    part = inside[top : top + height, left : left + width]
    sides = {"left": left, "top": top, "width": width, "height": height}
    return {"rle": ", ".join(map(str, mask_to_rows(part))), **sides}


def _meta(
    export: Export, classes: Iterable[Class], types: Mapping[str, Mapping[str, list[Any]]]
) -> list[str]:
    lines = [
        "  <version>1.1</version>",
        "  <meta>",
        "    <task>",
        f"      <size>{export.samples.n_samples}</size>",
    ]
    lines += ["      <mode>annotation</mode>", "      <labels>"]
    for one in classes:
        lines += ["        <label>", f"          <name>{_text(export, one.name)}</name>"]
        lines += [
            f"          <type>{'skeleton' if one.keypoints else 'any'}</type>",
            "          <attributes>",
        ]
        for name, values in types.get(one.name, {}).items():
            lines += _declaration(export, name, values)
        lines.append("          </attributes>")
        if one.keypoints:
            lines.append(f"          <svg>{_text(export, _svg(one))}</svg>")
        lines.append("        </label>")
        for point in one.keypoints:
            name, parent = _text(export, point), _text(export, one.name)
            lines += ["        <label>", f"          <name>{name}</name>", "          <type>points</type>"]
            lines += [f"          <parent>{parent}</parent>", "        </label>"]
    return [*lines, "      </labels>", "    </task>", "  </meta>"]


def _declaration(export: Export, name: str, values: list[Any]) -> list[str]:
    kind, default, listed = "text", "", ""
    if all(isinstance(value, bool) for value in values):
        kind, default = "checkbox", "false"
    elif all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        step = "1" if all(isinstance(value, int) for value in values) else "0.01"
        kind, default = "number", str(min(values))
        listed = f"{min(values)}\n{max(values)}\n{step}"
    return [
        "            <attribute>",
        f"              <name>{_text(export, name)}</name>",
        "              <mutable>False</mutable>",
        f"              <input_type>{kind}</input_type>",
        f"              <default_value>{_text(export, default)}</default_value>",
        f"              <values>{_text(export, listed)}</values>",
        "            </attribute>",
    ]


def _svg(one: Class) -> str:
    nodes = [
        f'<circle r="1" cx="{10 * at + 5}" cy="50" data-type="element node" data-element-id="{at + 1}" '
        f'data-node-id="{at + 1}" data-label-name={quoteattr(name)}></circle>'
        for at, name in enumerate(one.keypoints)
    ]
    edges = [
        f'<line x1="{10 * a + 5}" y1="50" x2="{10 * b + 5}" y2="50" data-type="edge" data-node-from="{a + 1}" '
        f'data-node-to="{b + 1}"></line>'
        for a, b in one.skeleton
    ]
    return "".join([*edges, *nodes])


def _is_listed(name: str, value: Any) -> bool:
    """Whether an attribute is written as an `attribute` element, not by a key of its own."""
    if name == "group_id":
        return not _is_group(value)
    return name not in _OWN or (name == "occluded" and not isinstance(value, bool))


def _is_group(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**18


def _written(export: Export, a: Annotation, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    export.lose("list or object as value of an attribute (written as text)", a)
    return json.dumps(value, ensure_ascii=False)


def _corners(x1: float, y1: float, x2: float, y2: float) -> dict[str, object]:
    return {"xtl": _number(x1), "ytl": _number(y1), "xbr": _number(x2), "ybr": _number(y2)}


def _pairs(ring: Iterable[float]) -> str:
    flat = [_number(value) for value in ring]
    return ";".join(f"{x},{y}" for x, y in zip(flat[0::2], flat[1::2], strict=True))


def _number(value: float) -> str:
    return repr(float(value))


def _values(export: Export, values: Mapping[str, object]) -> str:
    listed = ((key, value) for key, value in values.items() if value is not None)
    return "".join(f" {key}={quoteattr(_legal(export, str(value)))}" for key, value in listed)


def _text(export: Export, value: str) -> str:
    return escape(_legal(export, value), {"\r": "&#13;"})


def _legal(export: Export, value: str) -> str:
    legal = _UNWRITABLE.sub("\ufffd", value)
    export.losses.add("control character in a text (XML has none)", n=int(legal != value))
    return legal
