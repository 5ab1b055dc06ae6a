"""Annotations as the plain values that the event log keeps, and back; and as the pages show them."""

from __future__ import annotations

from typing import Any

import msgspec

from calotype.datasets.model import Annotation
from calotype.vision.ontology import Ontology

ORIGIN = "origin"
DRAWN, PRELABEL, ADJUSTED, IMPORTED = "drawn", "prelabel", "adjusted", "imported"
"""How an annotation came to be: drawn by a person, a model's that was kept, changed by a person, there before."""
_ALWAYS = ("ann_id", "sample_id", "kind", "class_id")
_MAX_TEXT = 1_000
Plain = dict[str, Any]


def to_plain(annotation: Annotation, origin: str) -> Plain:
    """The values that differ from the defaults, with the origin."""
    # By way of JSON: lists and numbers as the catalog gives them back.
    values = msgspec.json.decode(msgspec.json.encode(annotation, enc_hook=dict))
    kept = {
        key: value for key, value in values.items() if key in _ALWAYS or value not in ("", None, [], {}, 0)
    }
    if not annotation.iscrowd:
        kept.pop("iscrowd", None)
    for name in ("score", "area_px"):  # 0 is a value of these
        if values[name] is not None:
            kept[name] = values[name]
    return {**kept, ORIGIN: origin}


def from_plain(plain: Plain) -> Annotation:
    """The annotation of plain values."""
    values = {key: value for key, value in plain.items() if key != ORIGIN}
    return msgspec.convert(values, Annotation, strict=False)


def same_label(first: Plain, second: Plain) -> bool:
    """Whether two states of an annotation have the same class, shape and attributes."""
    return all(
        first.get(name) == second.get(name)
        for name in (
            "kind",
            "class_id",
            "bbox_xywh_px",
            "rings_px",
            "mask_rle",
            "keypoints_xyv",
            "attributes",
            "iscrowd",
        )
    )


def shown(plain: Plain, ontology: Ontology) -> dict[str, Any]:
    """An annotation as the HTTP answers show it; coordinates are pixels of the upright image."""
    annotation = from_plain(plain)
    class_ = ontology.by_id(annotation.class_id)
    text, size = annotation.attributes.get("text"), annotation.mask_size_hw
    box = annotation.bbox_xywh_px
    return {
        "id": annotation.ann_id,
        "kind": str(annotation.kind),
        "class": class_.name if class_ else f"#{annotation.class_id}",
        "class_id": annotation.class_id,
        "bbox": None if box is None else list(box),
        "rings": [list(ring) for ring in annotation.rings_px],
        "keypoints": list(annotation.keypoints_xyv),
        "mask": {"size": list(size), "counts": annotation.mask_rle} if size else None,
        "score": annotation.score,
        "iscrowd": annotation.iscrowd,
        "author": annotation.author,
        "text": text[:_MAX_TEXT] if isinstance(text, str) else None,
        "attributes": dict(annotation.attributes),
        "area": annotation.area_px,
        "source_id": annotation.source_id,
        "origin": plain.get(ORIGIN, DRAWN),
    }
