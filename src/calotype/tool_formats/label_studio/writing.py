"""Writing Label Studio: `tasks.json` for its import, `label_config.xml` for the project, the images beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.tool_formats import shapes
from calotype.tool_formats.collected import BACKGROUND
from calotype.tool_formats.label_studio.reading import CAPTION, HIDDEN, VISIBILITY
from calotype.tool_formats.label_studio.regions import percent
from calotype.tool_formats.mask_runs import mask_to_bits
from calotype.tool_formats.writing import Export, json_bytes, stable_uuid

_CHOSEN = "choice"
_POINTS = "points"
_TAGS = {
    "rectanglelabels": "RectangleLabels",
    "ellipselabels": "EllipseLabels",
    "polygonlabels": "PolygonLabels",
    "keypointlabels": "KeyPointLabels",
    _POINTS: "KeyPointLabels",
    "brushlabels": "BrushLabels",
    "choices": "Choices",
}


class Tasks:
    """Collects the tasks of one writing, and which controls their project needs."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._labels: dict[str, dict[str, None]] = {}
        self._attributes: dict[str, set[str]] = {}
        self._has_captions = False

    def write(self) -> None:
        """Write `tasks.json`, `label_config.xml` and `images/`."""
        export = self._export
        export.lose_of_classes(keeps={"keypoints"})
        for one in export.samples.ontology.classes:
            self._label("rectanglelabels", one.name)
        tasks = []
        for number, (sample, labels) in enumerate(export.samples.items(), 1):
            place = export.samples.file_name(sample)
            export.add_image(sample, f"images/{place}")
            export.lose_of_sample(sample, keeps={"split", BACKGROUND})
            data = {"image": f"/data/local-files/?d={quote(f'images/{place}')}"}
            if sample.split:
                data["split"] = sample.split
            result = [part for a in labels for part in self._results(a, sample)]
            done = bool(labels) or BACKGROUND in sample.tags
            annotations = [{"result": result, "ground_truth": False, "was_cancelled": False}] if done else []
            tasks.append({"id": number, "data": data, "annotations": annotations, "predictions": []})
            export.count(len(labels))
        export.write("tasks.json", json_bytes(tasks))
        export.write("label_config.xml", self._config().encode("utf-8", "xmlcharrefreplace"))

    def _results(self, a: Annotation, sample: Sample) -> list[dict[str, Any]]:
        self._export.lose_of_annotation(a, keeps={"id", "score"})
        identity = a.source_id or stable_uuid(a.ann_id)
        scored = {} if a.score is None else {"score": a.score}
        name = self._export.names[a.class_id]
        if a.kind is Kind.CAPTION:
            self._has_captions = True
            text = {"text": [a.attributes["text"]]}
            return [_result(identity, CAPTION, "textarea", text)]
        if a.kind is Kind.CLASSIFICATION or a.bbox_xywh_px is None:
            self._export.losses.add("attribute of a class of a whole image", a.ann_id, n=len(a.attributes))
            self._label("choices", name)
            return [{**_result(identity, _CHOSEN, "choices", {"choices": [name]}), **scored}]
        size = (sample.width_px, sample.height_px)
        kind, value = self._geometry(a, size)
        self._label(kind, name)
        sides = {"original_width": size[0], "original_height": size[1], "image_rotation": 0}
        tag = "keypointlabels" if kind == _POINTS else kind
        result = {**_result(identity, kind, tag, {**value, tag: [name]}), **sides}
        if kind == "brushlabels":
            result["value"]["format"] = "rle"
        said = [{**one, **sides} for one in self._attribute_results(a, identity, value)]
        points = [{**one, **sides} for one in self._points(a, identity, size)]
        return [{**result, **scored}, *said, *points]

    def _geometry(self, a: Annotation, size: tuple[int, int]) -> tuple[str, dict[str, Any]]:
        """The type of the region of an annotation and its coordinates."""
        if a.kind is Kind.ELLIPSE:
            at = shapes.turned(a.rings_px[0])
            x, y, rx, ry = percent((at.x, at.y, at.width / 2, at.height / 2), size)
            return "ellipselabels", {"x": x, "y": y, "radiusX": rx, "radiusY": ry, "rotation": at.angle_deg}
        if a.kind is Kind.ROTATED_BOX:
            at = shapes.turned(a.rings_px[0])
            x, y, w, h = percent((*a.rings_px[0][:2], at.width, at.height), size)
            return "rectanglelabels", {"x": x, "y": y, "width": w, "height": h, "rotation": at.angle_deg}
        if a.kind is Kind.MASK or (a.kind is Kind.POLYGON and len(a.rings_px) > 1):
            if a.kind is Kind.POLYGON:
                self._export.lose("outline of a polygon of several parts (written as a mask)", a)
            return "brushlabels", {"rle": list(mask_to_bits(shapes.mask_of(a, size)))}
        if a.kind in (Kind.POLYGON, Kind.POLYLINE):
            points = shapes.paired(percent(self._export.longest_part(a), size))
            return "polygonlabels", {"points": [list(p) for p in points], "closed": a.kind is Kind.POLYGON}
        if a.kind is Kind.POINT:
            x, y = percent(self._export.first_point(a), size)
            return _POINTS, {"x": x, "y": y, "width": 0.5}
        x, y, w, h = percent(a.bbox_xywh_px or (), size)
        return "rectanglelabels", {"x": x, "y": y, "width": w, "height": h, "rotation": 0}

    def _points(self, a: Annotation, identity: str, size: tuple[int, int]) -> Iterable[dict[str, Any]]:
        one = self._export.samples.ontology.by_id(a.class_id)
        names = one.keypoints if one is not None else ()
        for at in range(len(a.keypoints_xyv) // 3):
            x, y, v = a.keypoints_xyv[3 * at : 3 * at + 3]
            name = names[at] if at < len(names) else str(at + 1)
            self._label("keypointlabels", name)
            if not v:
                continue
            own = f"{identity}-{at}"
            x, y = percent((x, y), size)
            where = {"x": x, "y": y, "width": 0.5}
            value = {**where, "keypointlabels": [name]}
            yield {**_result(own, "keypointlabels", "keypointlabels", value), "parentID": identity}
            if v == 1:
                self._attributes.setdefault(VISIBILITY, set()).add("choices")
                yield _result(own, VISIBILITY, "choices", {**where, "choices": [HIDDEN]})

    def _attribute_results(
        self, a: Annotation, identity: str, geometry: Mapping[str, Any]
    ) -> Iterable[dict[str, Any]]:
        where = {key: value for key, value in geometry.items() if key != "rle"}
        for name, value in a.attributes.items():
            said: dict[str, Any]
            if isinstance(value, bool):
                kind, said = "choices", {"choices": ["true" if value else "false"]}
            elif isinstance(value, int | float):
                kind, said = "number", {"number": value}
            else:
                if not isinstance(value, str):
                    self._export.lose("list or object as value of an attribute (written as text)", a)
                written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                kind, said = "textarea", {"text": [written]}
            self._attributes.setdefault(name, set()).add(kind)
            yield _result(identity, name, kind, {**where, **said})

    def _label(self, kind: str, name: str) -> None:
        self._labels.setdefault(kind, {})[name] = None

    def _config(self) -> str:
        lines = ["<View>", '  <Image name="image" value="$image"/>']
        for kind, tag in _TAGS.items():
            names = self._labels.get(kind, {})
            if not names:
                continue
            inner = "Choice" if kind == "choices" else "Label"
            control = _CHOSEN if kind == "choices" else kind
            lines.append(f'  <{tag} name="{control}" toName="image">')
            for at, name in enumerate(names):
                order = f' model_index="{at}"' if kind == "keypointlabels" else ""
                lines.append(f"    <{inner} value={_quoted(name)}{order}/>")
            lines.append(f"  </{tag}>")
        taken = {*self._labels, _CHOSEN, "image", CAPTION}
        for name, kinds in self._attributes.items():
            if name not in taken:
                lines += _control(name, "textarea" if len(kinds) > 1 else min(kinds))
        if self._has_captions:
            lines.append(f'  <TextArea name="{CAPTION}" toName="image"/>')
        return "\n".join([*lines, "</View>", ""])


def _control(name: str, kind: str) -> list[str]:
    start = f'name={_quoted(name)} toName="image" perRegion="true"'
    if kind != "choices":
        return [f"  <{'Number' if kind == 'number' else 'TextArea'} {start}/>"]
    values = (HIDDEN,) if name == VISIBILITY else ("true", "false")
    return [f"  <Choices {start}>", *(f'    <Choice value="{value}"/>' for value in values), "  </Choices>"]


def _result(identity: str, from_name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": identity, "from_name": from_name, "to_name": "image", "type": kind, "value": value}


def _quoted(text: str) -> str:
    return quoteattr("".join(c if c.isprintable() or c in "\t\n\r" else "\ufffd" for c in text))
