"""Writing Open Images: a CSV file a split for boxes, labels of whole images and masks."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.formats.base import ExportSamples, Written
from calotype.formats.notices import Losses
from calotype.foundation.progress import Progress
from calotype.public_formats.numbers import shortest
from calotype.public_formats.writing import FileWriter, FlatNames, box_of, lose_annotation, lose_sample
from calotype.vision import images as vision
from calotype.vision import masks
from calotype.vision.ontology import Class

_FLAGS = {
    "IsOccluded": "occluded",
    "IsTruncated": "truncated",
    "IsDepiction": "depiction",
    "IsInside": "inside",
}
_BOXES = (
    "ImageID",
    "Source",
    "LabelName",
    "Confidence",
    "XMin",
    "XMax",
    "YMin",
    "YMax",
    "IsOccluded",
    "IsTruncated",
    "IsGroupOf",
    "IsDepiction",
    "IsInside",
)
_LABELS = ("ImageID", "Source", "LabelName", "Confidence")
_MASKS = (
    "MaskPath",
    "ImageID",
    "LabelName",
    "BoxID",
    "BoxXMin",
    "BoxXMax",
    "BoxYMin",
    "BoxYMax",
    "PredictedIoU",
    "Clicks",
)
_IMAGES = (
    "ImageID",
    "Subset",
    "OriginalURL",
    "OriginalLandingURL",
    "License",
    "AuthorProfileURL",
    "Author",
    "Title",
    "OriginalSize",
    "OriginalMD5",
    "Thumbnail300KURL",
    "Rotation",
)
_NAMES = {
    "boxes": "annotations-bbox",
    "labels": "annotations-human-imagelabels",
    "masks": "annotations-object-segmentation",
    "images": "images-with-rotation",
}
_HEADS = {"boxes": _BOXES, "labels": _LABELS, "masks": _MASKS, "images": _IMAGES}
_SPLITS = {"val": "validation"}


def write_tables(samples: ExportSamples, out: Path, progress: Progress) -> Written:
    """Write images, tables and masks; the same input gives the same bytes."""
    writing = _Writing(samples, out)
    for done, (sample, labels) in enumerate(samples.items(), 1):
        writing.add(sample, labels)
        progress("writing labels", done, samples.n_samples)
    return writing.finish()


class _Writing:
    """One writing: the rows of each table so far."""

    def __init__(self, samples: ExportSamples, out: Path) -> None:
        self._samples = samples
        self._losses, self._files = Losses(), FileWriter(out)
        self._flat = FlatNames(samples, self._losses)
        self._tables: dict[tuple[str, str], list[tuple[str, ...]]] = {}
        self._classes = {c.id: c for c in samples.ontology.classes}
        self._by_name = {c.name: c for c in samples.ontology.classes}
        self._n_annotations = 0

    def add(self, sample: Sample, labels: list[Annotation]) -> None:
        """Write one image and its rows."""
        identity, suffix = self._flat.of(sample)
        split = _SPLITS.get(sample.split, sample.split)
        self._files.image(self._samples, sample, "/".join(filter(None, ("images", split, identity + suffix))))
        self._rows(split, "images").append((identity, split, *[""] * 10))
        for a in labels:
            if a.kind is Kind.CLASSIFICATION:
                confidence = "1" if a.score is None else shortest(a.score)
                row = (identity, _source(a, "verification"), _mid(self._classes[a.class_id]), confidence)
                self._rows(split, "labels").append(row)
                lose_annotation(self._losses, a, sample.name, keeps=("score", "Source"))
                self._n_annotations += 1
            elif (a.kind is Kind.MASK or box_of(self._losses, a, sample.name)) and a.bbox_xywh_px:
                self._add_box(sample, a, identity, split)
        for name in sample.extra.get("negative_classes", ()):
            mid = _mid(self._by_name[name]) if name in self._by_name else str(name)
            self._rows(split, "labels").append((identity, "verification", mid, "0"))
        lose_sample(self._losses, sample, extra=bool(set(sample.extra) - {"negative_classes"}))

    def finish(self) -> Written:
        """Write the tables."""
        for (split, kind), rows in sorted(self._tables.items()):
            name = "-".join(filter(None, (split, _NAMES[kind])))
            self._files.text(f"annotations/{name}.csv", _csv([_HEADS[kind], *rows]))
        names = [("LabelName", "DisplayName"), *((_mid(c), c.name) for c in self._classes.values())]
        self._files.text("annotations/oidv7-class-descriptions.csv", _csv(names))
        n = self._samples.n_samples
        return Written(self._files.listed(), n, self._n_annotations, self._losses.listed())

    def _rows(self, split: str, kind: str) -> list[tuple[str, ...]]:
        if kind == "images" and (split, "boxes") not in self._tables:
            self._tables[split, "boxes"] = []  # a split without boxes has a file, too
        return self._tables.setdefault((split, kind), [])

    def _add_box(self, sample: Sample, a: Annotation, identity: str, split: str) -> None:
        x, y, w, h = a.bbox_xywh_px or (0.0, 0.0, 0.0, 0.0)
        width, height = sample.width_px, sample.height_px
        corners = tuple(repr(v) for v in (x / width, (x + w) / width, y / height, (y + h) / height))
        mid = _mid(self._classes[a.class_id])
        flags = {column: _flag(a.attributes.get(flag)) for column, flag in _FLAGS.items()}
        flags["IsGroupOf"] = "1" if a.iscrowd else "0"
        row = (identity, _source(a, "xclick"), mid, "1", *corners, *(flags[column] for column in _BOXES[8:]))
        self._rows(split, "boxes").append(row)
        self._n_annotations += 1
        keeps = ("iscrowd", "Source", *(("id",) if a.kind is Kind.MASK else ()))
        lose_annotation(self._losses, a, sample.name, keeps=keeps, attributes=_FLAGS.values())
        if a.kind is Kind.MASK and a.mask_size_hw is not None:
            box_id = a.source_id or hashlib.sha256(a.ann_id.encode()).hexdigest()[:8]
            digits = hashlib.sha256(f"{mid}\x1f{box_id}\x1f{a.ann_id}".encode()).hexdigest()[:12]
            file = f"{identity}_{digits}.png"
            pixels = masks.decode(masks.from_string(a.mask_rle, a.mask_size_hw))
            self._files.data(f"masks/{file}", vision.encode_png(pixels.astype("uint8") * 255))
            self._rows(split, "masks").append((file, identity, mid, box_id, *corners, "1", ""))


def _mid(declared: Class) -> str:
    """The id of a class: the one that it was imported with, or else its name."""
    mid = declared.extra.get("mid")
    return mid if isinstance(mid, str) and mid else declared.name


def _source(a: Annotation, default: str) -> str:
    source = a.extra.get("Source")
    return source if isinstance(source, str) and source else default


def _flag(value: Any) -> str:
    return "-1" if value is None else "1" if value in (True, 1, "1") else "0"


def _csv(rows: Sequence[tuple[str, ...]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
