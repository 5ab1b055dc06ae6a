"""Writing Labelbox: data rows to upload, and a line for each annotation as its import takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.tool_formats import shapes
from calotype.tool_formats.mask_runs import mask_to_image
from calotype.tool_formats.writing import Export, json_bytes, json_lines

DATA_ROWS = "data_rows.json"
LABELS = "labels.ndjson"
CAPTION = "caption"
QUESTION = "class"


def write(export: Export) -> None:
    """Write all files."""
    export.lose_of_classes()
    rows: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for sample, labels in export.samples.items():
        place = export.samples.file_name(sample)
        export.add_image(sample, f"images/{place}")
        export.lose_of_sample(sample, keeps={"split"})
        row: dict[str, Any] = {"row_data": f"images/{place}", "global_key": place, "media_type": "IMAGE"}
        if sample.split:
            row["metadata_fields"] = [{"name": "split", "value": sample.split}]
        rows.append(row)
        for a in labels:
            lines.append(_line(export, a, sample, place))
            export.count()
    export.write(DATA_ROWS, json_bytes(rows))
    export.write(LABELS, json_lines(lines))


def _line(export: Export, a: Annotation, sample: Sample, place: str) -> dict[str, Any]:
    export.lose_of_annotation(a, keeps={"id", "score"})
    said: dict[str, Any] = {"uuid": export.uuid_of(a), "dataRow": {"globalKey": place}}
    if a.score is not None:
        said["confidence"] = a.score
    attributes = dict(a.attributes)
    if a.kind is Kind.CAPTION:
        name = attributes.pop("question", CAPTION)
        answer: Any = attributes.pop("text")
        export.losses.add("attribute of a caption", a.ann_id, n=len(attributes))
        return {**said, "name": str(name), "answer": answer}
    name = export.names[a.class_id]
    if a.kind is Kind.CLASSIFICATION or a.bbox_xywh_px is None:
        question = attributes.pop("question", QUESTION)
        answer = {"name": name, "classifications": _classifications(export, a, attributes)}
        return {**said, "name": str(question), "answer": answer}
    drawn = _drawn(export, a, (sample.width_px, sample.height_px))
    return {**said, "name": name, "classifications": _classifications(export, a, attributes), **drawn}


def _classifications(export: Export, a: Annotation, attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    for name, value in attributes.items():
        if isinstance(value, bool):
            listed.append({"name": name, "answer": {"name": "true" if value else "false"}})
        elif isinstance(value, list) and value and all(isinstance(one, str) and one for one in value):
            listed.append({"name": name, "answer": [{"name": one} for one in value]})
        elif value == "":
            export.lose("attribute that is an empty text", a)
        else:
            listed.append({"name": name, "answer": export.as_text(a, value)})
    return listed


def _drawn(export: Export, a: Annotation, size_wh: tuple[int, int]) -> dict[str, Any]:
    if a.kind is Kind.MASK or (a.kind is Kind.POLYGON and len(a.rings_px) > 1):
        if a.kind is Kind.POLYGON:
            export.lose("outline of a polygon of several parts (written as a mask)", a)
        return {"mask": {"png": mask_to_image(shapes.mask_of(a, size_wh))}}
    if a.kind is Kind.ELLIPSE:
        export.lose("ellipse (written as a polygon)", a)
        return {"polygon": _points(shapes.outline(shapes.turned(a.rings_px[0])))}
    if a.kind in (Kind.POLYGON, Kind.ROTATED_BOX):
        if a.kind is Kind.ROTATED_BOX:
            export.lose("rotated box (written as a polygon)", a)
        return {"polygon": _points(a.rings_px[0])}
    if a.kind is Kind.POLYLINE:
        return {"line": _points(export.longest_part(a))}
    if a.kind is Kind.POINT:
        return {"point": _points(export.first_point(a))[0]}
    if a.kind is not Kind.BOX:
        export.lose(f"shape of a {a.kind} (its box is kept)", a)
    x, y, w, h = a.bbox_xywh_px or (0.0, 0.0, 0.0, 0.0)
    return {"bbox": {"top": y, "left": x, "height": h, "width": w}}


def _points(ring: tuple[float, ...]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in shapes.paired(ring)]
