"""Writing Darwin JSON 2.0: `annotations/` with a file for each image, and `images/`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.tool_formats import shapes
from calotype.tool_formats.mask_runs import values_to_rows
from calotype.tool_formats.writing import Export, json_bytes, keeps_split, split_folder, stable_uuid

CAPTION = "caption"
_SLOT = "0"
_SCHEMA = "https://darwin-public.s3.eu-west-1.amazonaws.com/darwin_json/2.0/schema.json"


def write(export: Export) -> None:
    """Write all files."""
    export.lose_of_classes(keeps={"keypoints"})
    for sample, labels in export.samples.items():
        place = split_folder(sample, export.samples.file_name(sample))
        export.add_image(sample, f"images/{place}")
        export.lose_of_sample(sample, keeps={"split"} if keeps_split(sample) else ())
        export.write(
            f"annotations/{place}.json", json_bytes(_content(export, sample, labels, PurePosixPath(place)))
        )


def _content(
    export: Export, sample: Sample, labels: Sequence[Annotation], place: PurePosixPath
) -> dict[str, Any]:
    listed: list[dict[str, Any]] = []
    masks: list[tuple[str, Annotation]] = []
    for a in labels:
        export.lose_of_annotation(a, keeps={"id", "score"})
        identity = export.uuid_of(a)
        listed.append(_annotation(export, a, identity))
        export.count()
        if "mask" in listed[-1]:
            masks.append((identity, a))
    if masks:
        listed.append(_layer(export, masks, sample))
    folder = place.parent.as_posix()
    slot = {
        "type": "image",
        "slot_name": _SLOT,
        "width": sample.width_px,
        "height": sample.height_px,
        "source_files": [{"file_name": place.name, "url": ""}],
    }
    item = {"name": place.name, "path": f"/{'' if folder == '.' else folder}", "slots": [slot]}
    return {"version": "2.0", "schema_ref": _SCHEMA, "item": item, "annotations": listed}


def _annotation(export: Export, a: Annotation, identity: str) -> dict[str, Any]:
    name = CAPTION if a.kind is Kind.CAPTION else export.names[a.class_id]
    said: dict[str, Any] = {"id": identity, "name": name, "slot_names": [_SLOT], **_drawn(export, a)}
    attributes = dict(a.attributes)
    track = attributes.get("track_id")
    if isinstance(track, int) and not isinstance(track, bool):
        said["instance_id"] = {"value": attributes.pop("track_id")}
    if isinstance(attributes.get("text"), str) and attributes["text"].strip():
        said["text"] = {"text": attributes.pop("text")}
    properties = []
    for key, value in attributes.items():
        values = value if isinstance(value, list) and len(value) > 1 else [value]
        properties += [{"frame_index": None, "name": key, "value": export.as_text(a, one)} for one in values]
    said["properties"] = properties
    if a.score is not None:
        said["inference"] = {"confidence": a.score, "model": {"id": "", "name": "", "type": ""}}
    return said


def _drawn(export: Export, a: Annotation) -> dict[str, Any]:
    if a.kind in (Kind.CLASSIFICATION, Kind.CAPTION) or a.bbox_xywh_px is None:
        return {"tag": {}}
    box = {"bounding_box": dict(zip("xywh", a.bbox_xywh_px, strict=True))}
    if a.kind is Kind.MASK:
        return {"mask": {"sparse_rle": None}}
    if a.kind is Kind.ELLIPSE:
        at = shapes.turned(a.rings_px[0])
        sides = {"center": _point(at.x, at.y), "radius": _point(at.width / 2, at.height / 2)}
        return {"ellipse": {**sides, "angle": math.radians(at.angle_deg)}}
    if a.kind in (Kind.POLYGON, Kind.ROTATED_BOX):
        if a.kind is Kind.ROTATED_BOX:
            export.lose("rotated box (written as a polygon)", a)
        elif len(a.rings_px) > 1 and shapes.overlap(a.rings_px):
            export.lose("parts of a polygon that overlap (read as holes)", a)
        return {**box, "polygon": {"paths": [_path(ring) for ring in a.rings_px]}}
    if a.kind is Kind.KEYPOINTS:
        export.lose("box of a skeleton (its nodes are written)", a)
        return {"skeleton": {"nodes": _nodes(export, a)}}
    if a.kind is Kind.POLYLINE:
        return {"line": {"path": _path(export.longest_part(a))}}
    if a.kind is Kind.POINT:
        return {"keypoint": _point(*export.first_point(a))}
    return box


def _nodes(export: Export, a: Annotation) -> list[dict[str, Any]]:
    one = export.samples.ontology.by_id(a.class_id)
    names = one.keypoints if one is not None else ()
    nodes = []
    for at in range(len(a.keypoints_xyv) // 3):
        x, y, v = a.keypoints_xyv[3 * at : 3 * at + 3]
        name = names[at] if at < len(names) else str(at + 1)
        if v:
            nodes.append({"name": name, "occluded": v == 1, "x": x, "y": y})
        else:
            export.lose("keypoint that is not labelled (left out of its skeleton)", a)
    return nodes


def _layer(export: Export, masks: Sequence[tuple[str, Annotation]], sample: Sample) -> dict[str, Any]:
    values = np.zeros((sample.height_px, sample.width_px), np.int64)
    for number, (_, a) in enumerate(masks, 1):
        inside = shapes.mask_of(a, (sample.width_px, sample.height_px))
        if inside.shape != values.shape:
            export.lose("mask that is not of the size of its image", a)
            continue
        if values[inside].any():
            export.lose("mask that overlaps another (the later one covers it)", a)
        values[inside] = number
    layer = {
        "dense_rle": values_to_rows(values),
        "mask_annotation_ids_mapping": {identity: number for number, (identity, _) in enumerate(masks, 1)},
        "total_pixels": int(values.size),
    }
    identity = stable_uuid(sample.sample_id, "raster layer")
    return {
        "id": identity,
        "name": "__raster_layer__",
        "slot_names": [_SLOT],
        "properties": [],
        "raster_layer": layer,
    }


def _path(ring: Sequence[float]) -> list[dict[str, float]]:
    return [_point(x, y) for x, y in shapes.paired(ring)]


def _point(x: float, y: float) -> dict[str, float]:
    return {"x": x, "y": y}
