"""Writing FiftyOne: the layout that `fiftyone.types.LegacyFiftyOneDataset` imports, a field for each kind of label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.formats.split_names import split_of_folder
from calotype.tool_formats import shapes
from calotype.tool_formats.mask_runs import mask_to_array
from calotype.tool_formats.writing import Export, json_bytes

CAPTIONS = "captions"
_FIELD = "ground_truth"
_OWN_OF_SAMPLE = frozenset(
    {"filepath", "tags", "metadata", "id", "frames", CAPTIONS, "created_at", "last_modified_at"}
)
OWN_OF_LABEL = frozenset(
    {"label", "tags", "confidence", "bounding_box", "mask", "mask_path", "index", "points", "closed", "filled",
     "attributes", "id", "iscrowd", "logits", "visibility", "instance"}
)  # fmt: skip


def write(export: Export) -> None:
    """Write all files."""
    export.lose_of_classes(keeps={"keypoints"})
    skeletons: dict[str, Any] = {}
    posed = [one for one in export.samples.ontology.classes if one.keypoints]
    fields = {one.id: f"{_FIELD}_keypoints{'' if at == 0 else f'_{at + 1}'}" for at, one in enumerate(posed)}
    for one in posed:
        edges = [list(edge) for edge in one.skeleton]
        skeletons[fields[one.id]] = {"labels": list(one.keypoints), "edges": edges}
    samples = [_sample(export, sample, labels, fields) for sample, labels in export.samples.items()]
    metadata = {
        "name": "calotype",
        "media_type": "image",
        "num_samples": len(samples),
        "default_classes": list(export.samples.ontology.names),
        "skeletons": skeletons,
        "info": {},
    }
    export.write("metadata.json", json_bytes(metadata))
    export.write("samples.json", json_bytes({"samples": samples}))


def _sample(
    export: Export, sample: Sample, labels: Sequence[Annotation], fields: dict[int, str]
) -> dict[str, Any]:
    place = f"data/{export.samples.file_name(sample)}"
    export.add_image(sample, place)
    kept = {"tags", "metadata"} | ({"split"} if split_of_folder(sample.split) == sample.split else set())
    export.lose_of_sample(sample, keeps=kept)
    said: dict[str, Any] = {
        "filepath": place,
        "tags": [
            *([sample.split] if sample.split else []),
            *(tag for tag in sample.tags if tag != sample.split),
        ],
        "metadata": {
            "_cls": "ImageMetadata",
            "size_bytes": sample.n_bytes,
            "mime_type": sample.mime,
            "width": sample.width_px,
            "height": sample.height_px,
        },
    }
    for name, value in sample.metadata.items():
        if name in _OWN_OF_SAMPLE or name.startswith((_FIELD, "_")) or not name.isidentifier():
            export.losses.add("metadata whose name a field cannot have", sample.name)
        else:
            said[name] = value
    for a in labels:
        export.lose_of_annotation(a, keeps={"score", "iscrowd"})
        export.count()
        if a.kind is Kind.CAPTION:
            said.setdefault(CAPTIONS, []).append(a.attributes["text"])
            continue
        kind, field, label = _label(export, a, (sample.width_px, sample.height_px), fields)
        listed = f"{kind.lower()}s"
        said.setdefault(field, {"_cls": f"{kind}s", listed: []})[listed].append(label)
    return said


def _label(
    export: Export, a: Annotation, size_wh: tuple[int, int], fields: dict[int, str]
) -> tuple[str, str, dict[str, Any]]:
    """The class of the label, the field it goes to, and the label itself."""
    kind, field, drawn = _drawn(export, a, size_wh, fields)
    said: dict[str, Any] = {"_cls": kind, "tags": [], "label": export.names[a.class_id], **drawn}
    if a.score is not None:
        said["confidence"] = a.score
    if a.iscrowd:
        said["iscrowd"] = 1
    attributes = dict(a.attributes)
    track = attributes.get("track_id")
    if isinstance(track, int) and not isinstance(track, bool):
        said["index"] = attributes.pop("track_id")
    if isinstance(attributes.get("tags"), list):
        said["tags"] = attributes.pop("tags")
    for name, value in attributes.items():
        if name in OWN_OF_LABEL or name.startswith("_") or value is None:
            export.lose("attribute whose name or value a label cannot have", a)
        else:
            said[name] = value
    return kind, field, said


def _drawn(
    export: Export, a: Annotation, size_wh: tuple[int, int], fields: dict[int, str]
) -> tuple[str, str, dict[str, Any]]:
    if a.kind is Kind.CLASSIFICATION or a.bbox_xywh_px is None:
        return "Classification", f"{_FIELD}_classes", {}
    if a.kind is Kind.MASK:
        inside = shapes.mask_of(a, size_wh)
        x, y, w, h = shapes.pixel_bounds(inside)
        box = {"bounding_box": _shares((x, y, w, h), size_wh)}
        return "Detection", _FIELD, {**box, "mask": mask_to_array(inside[y : y + h, x : x + w])}
    if a.kind is Kind.KEYPOINTS and a.class_id in fields:
        export.lose("box of a skeleton (its points are written)", a)
        numbers = a.keypoints_xyv
        points: list[list[float | None]] = []
        for px, py, v in zip(numbers[0::3], numbers[1::3], numbers[2::3], strict=True):
            points.append([*_shares((px, py), size_wh)] if v else [None, None])
        return (
            "Keypoint",
            fields[a.class_id],
            {"points": points, "visibility": [int(v) for v in numbers[2::3]]},
        )
    if a.kind is Kind.POINT:
        return "Keypoint", f"{_FIELD}_points", {"points": _points(a.rings_px[0], size_wh)}
    if a.kind is Kind.BOX or not a.rings_px:
        if a.kind is not Kind.BOX:
            export.lose(f"shape of a {a.kind} (its box is kept)", a)
        return "Detection", _FIELD, {"bounding_box": _shares(a.bbox_xywh_px, size_wh)}
    rings: Sequence[Sequence[float]] = a.rings_px
    if a.kind is Kind.ELLIPSE:
        export.lose("ellipse (written as a polygon)", a)
        rings = [shapes.outline(shapes.turned(a.rings_px[0]))]
    elif a.kind is Kind.ROTATED_BOX:
        export.lose("rotated box (written as a polygon)", a)
    closed = a.kind is not Kind.POLYLINE
    points_of = [_points(ring, size_wh) for ring in rings]
    return "Polyline", f"{_FIELD}_polylines", {"points": points_of, "closed": closed, "filled": closed}


def _points(ring: Sequence[float], size_wh: tuple[int, int]) -> list[list[float]]:
    flat = _shares(ring, size_wh)
    return [[x, y] for x, y in shapes.paired(flat)]


def _shares(numbers: Sequence[float], size_wh: tuple[int, int]) -> list[float]:
    return [value / size_wh[at % 2] for at, value in enumerate(numbers)]
