"""Writing rows that describe an image: which columns an export needs, and the row of each image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from calotype.datasets.model import WHOLE_IMAGE, Annotation, Kind, Sample
from calotype.formats.base import ExportSamples
from calotype.formats.notices import Losses
from calotype.public_formats.writing import box_of, is_labelled, lose_annotation

LOSES = (
    "shapes other than boxes (their box is kept)",
    "extra keys of annotations; id, score and attributes of classes of whole images and captions",
    "classes of whole images that an image has twice",
    "metadata, licence, source and tags of samples",
)
"""What rows cannot hold."""


@dataclass(frozen=True)
class Columns:
    """The columns of an export. An image with several classes or captions makes the column one of lists."""

    objects: tuple[str, ...]
    label: str
    text: str

    @classmethod
    def of(cls, samples: ExportSamples) -> Columns:
        """Those that the annotations need."""
        most = {Kind.CLASSIFICATION: 0, Kind.CAPTION: 0}
        optional: set[str] = set()
        has_boxes = False
        for _, labels in samples.items():
            for kind in most:
                most[kind] = max(most[kind], sum(a.kind is kind for a in labels))
            for a in labels:
                if a.kind not in WHOLE_IMAGE:
                    has_boxes = True
                    used = {"id": a.source_id, "iscrowd": a.iscrowd, "attributes": a.attributes}
                    optional |= {name for name, value in used.items() if value}
                    optional |= {"score"} if a.score is not None else set()
        objects = ("bbox", "category", "area", *sorted(optional)) if has_boxes else ()
        n_labels, n_texts = most[Kind.CLASSIFICATION], most[Kind.CAPTION]
        label = "" if not n_labels else "label" if n_labels == 1 else "labels"
        return cls(objects, label, "" if not n_texts else "text" if n_texts == 1 else "captions")

    def row(self, sample: Sample, labels: Sequence[Annotation], losses: Losses) -> tuple[dict[str, Any], int]:
        """The columns of one image, classes as ids of the ontology, and how many annotations they hold.

        `objects` is None for an image that nobody labelled, and has empty lists for one that is known to be empty.
        """
        objects: dict[str, list[Any]] = {column: [] for column in self.objects}
        classes: list[int] = []
        texts: list[str] = []
        for a in labels:
            if a.kind is Kind.CLASSIFICATION:
                classes.append(a.class_id)
                lose_annotation(losses, a, sample.name)
            elif a.kind is Kind.CAPTION:
                texts.append(str(a.attributes.get("text", "")))
                lose_annotation(losses, a, sample.name, attributes=("text",))
            elif (box := box_of(losses, a, sample.name)) is not None:
                lose_annotation(losses, a, sample.name, keeps=("id", "score", "iscrowd"), attributes=None)
                values = _object(a, box)
                for column, listed in objects.items():
                    listed.append(values[column])
        row: dict[str, Any] = {}
        n_boxes = len(objects.get("bbox", ()))
        if self.objects:
            row["objects"] = objects if is_labelled(sample, range(n_boxes)) else None
        if self.label:
            row[self.label] = classes if self.label == "labels" else classes[0] if classes else None
        if self.text:
            row[self.text] = texts if self.text == "captions" else texts[0] if texts else None
        return row, n_boxes + len(classes) + len(texts)


def named(row: dict[str, Any], names: dict[int, Any]) -> dict[str, Any]:
    """The row with something else for each id of a class, such as its name."""
    row = dict(row)
    if row.get("objects"):
        row["objects"] = {**row["objects"], "category": [names[c] for c in row["objects"]["category"]]}
    if row.get("label") is not None:
        row["label"] = names[row["label"]]
    if row.get("labels"):
        row["labels"] = [names[c] for c in row["labels"]]
    return row


def _object(a: Annotation, box: tuple[float, float, float, float]) -> dict[str, Any]:
    attributes = {**a.attributes}
    return {
        "bbox": [*box],
        "category": a.class_id,
        "area": a.area_px if a.area_px is not None else box[2] * box[3],
        "iscrowd": int(a.iscrowd),
        "id": a.source_id,
        "score": a.score,
        "attributes": json.dumps(attributes, sort_keys=True, ensure_ascii=False) if attributes else "",
    }
