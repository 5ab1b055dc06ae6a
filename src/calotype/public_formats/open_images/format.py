"""Open Images: CSV files of boxes, labels of whole images and masks. Source: the data formats page of Open Images V7.

Boxes are `XMin, XMax, YMin, YMax` (in this order) as fractions of the size of the image. `IsOccluded`, `IsTruncated`,
`IsGroupOf`, `IsDepiction`, `IsInside` are 1, 0, or -1 where nobody knows. A class is an id such as `/m/01g317`, which
class-descriptions.csv names. A label of a whole image with confidence 0 says that people looked for the class and it is
not there: such classes are kept in `extra["negative_classes"]` of the sample. Masks are PNG files of any size; a mask
whose box is also in the file of boxes is read as one annotation.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from calotype.datasets.model import Kind
from calotype.folder_reading.folder import IMAGE_ERRORS, Reading, split_of, stem_of
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.image_files import MAX_IMAGE_BYTES
from calotype.formats.passthrough import class_name_problem, shown
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedSource
from calotype.formats.windows import DeclaredClass
from calotype.foundation.progress import Progress, silent
from calotype.public_formats.numbers import number
from calotype.public_formats.open_images import files as tables
from calotype.public_formats.open_images.files import Table
from calotype.public_formats.open_images.writing import write_tables
from calotype.vision import images as vision
from calotype.vision import masks

FLAGS = {
    "IsOccluded": "occluded",
    "IsTruncated": "truncated",
    "IsDepiction": "depiction",
    "IsInside": "inside",
}
_NOT_KEPT = frozenset(
    {
        "ImageID",
        "LabelName",
        "Confidence",
        "XMin",
        "XMax",
        "YMin",
        "YMax",
        "IsGroupOf",
        *FLAGS,
        "MaskPath",
        "BoxID",
        "BoxXMin",
        "BoxXMax",
        "BoxYMin",
        "BoxYMax",
    }
)
_SAME = 2e-6
"""Corners of the mask file and of the box file are rounded to six digits."""


class OpenImages:
    """Boxes, masks and verified labels of whole images, in CSV files."""

    name = "open-images"
    title = "Open Images CSV"
    suffixes = (".csv",)
    abilities = Abilities(
        reads=frozenset({Kind.BOX, Kind.MASK, Kind.CLASSIFICATION}),
        writes=frozenset({Kind.BOX, Kind.MASK, Kind.CLASSIFICATION}),
        loses=(
            "shapes other than boxes and masks (their box is kept)",
            "captions",
            "the scores of boxes and masks",
            "folders and endings in names of images: an image is named by its id",
            "attributes other than occluded, truncated, depiction and inside",
            "extra keys of annotations other than Source, ids of boxes",
            "metadata, licence, source and tags of samples",
        ),
        source="data formats of Open Images V7",
        coordinates="XMin, XMax, YMin, YMax as fractions of width and height",
        ids="images by ImageID (the file name without ending); classes by id, named in class-descriptions",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """A CSV file with the columns ImageID and LabelName."""
        found = []
        for name in survey.with_suffix(".csv")[:200]:
            kind = tables.kind_of(name, tables.header_of(survey.head(name)))
            if kind in (tables.BOXES, tables.LABELS, tables.MASKS):
                found.append(name)
        return Sighting("CSV files with ImageID", tuple(found[:3]), Certainty.DESCRIBED) if found else None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when there is no such CSV file."""
        reading = _Reading(path, images, self.title)
        of_labels = [t for t in reading.tables if t.kind in (tables.BOXES, tables.LABELS, tables.MASKS)]
        if not of_labels:
            hint = "give the folder with ...-annotations-bbox.csv"
            raise reading.refused("there is no CSV file with the columns ImageID and LabelName", hint)
        order = {tables.BOXES: 0, tables.LABELS: 1, tables.MASKS: 2}
        for at, table in enumerate(sorted(of_labels, key=lambda table: order[table.kind]), 1):
            for where, row in tables.rows_of(reading, table):
                reading.read_row(table, where, row)
            progress("reading labels", at, len(of_labels))
        mask_files = {name for name in reading.image_files.images if reading.is_mask(name)}
        reading.add_unlabelled(name for name in reading.image_files.images if name not in mask_files)
        return [ParsedSource(path.name, reading.labels(reading.classes()))]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `images/<split>/`, `annotations/*.csv` and `masks/`; the same input gives the same bytes."""
        return write_tables(samples, out, progress)


class _Reading(Reading):
    """One reading: the images by id, the names of classes, and the boxes by which masks are joined."""

    def __init__(self, path: Path, images: Path | None, title: str) -> None:
        super().__init__(path, images, title)
        self.tables = tables.tables_of(self)
        self._ids: dict[str, list[str]] = {}
        self._masks: dict[str, list[str]] = {}
        for name in self.image_files.images:
            self._ids.setdefault(stem_of(name).rpartition("/")[2], []).append(name)
        for name in self.files.images:
            self._masks.setdefault(name.rpartition("/")[2], []).append(name)
        self._used_masks: set[str] = set()
        self._names = self._class_names()
        self._declared: dict[str, DeclaredClass] = {}
        self._sizes: dict[str, tuple[int, int] | None] = {}
        self._boxes: dict[tuple[str, str], list[tuple[tuple[float, ...], int]]] = {}

    def is_mask(self, name: str) -> bool:
        """Whether an image file is a mask."""
        return name in self._used_masks or "masks" in name.split("/")[:-1]

    def classes(self) -> list[DeclaredClass]:
        """The classes that rows name."""
        return sorted(self._declared.values(), key=lambda declared: declared.name)

    def read_row(self, table: Table, where: str, row: Mapping[str, str]) -> None:
        """Read one row of any table."""
        image = self._image(row["ImageID"], table, where)
        if image is None:
            return
        name = self._class_name(row["LabelName"], where)
        if name is None:
            self.set_aside("annotation", where, f"its class is {shown(row['LabelName'])}")
            return
        key = self.add_image(image, image, where, split=table.split or split_of(image))
        reason = None
        if table.kind == tables.LABELS:
            reason = self._read_label(key, name, where, row)
        elif table.kind == tables.BOXES:
            reason = self._read_box(key, name, where, row)
        else:
            reason = self._read_mask(key, name, where, row)
        if reason:
            self.set_aside("annotation", where, reason, item=dict(row))

    def _image(self, identity: str, table: Table, where: str) -> str | None:
        found = [name for name in self._ids.get(identity, ()) if not self.is_mask(name)]
        if len(found) > 1 and table.split:
            found = [name for name in found if split_of(name) == table.split] or found
        if len(found) == 1:
            return found[0]
        if found:
            self.set_aside("annotation", where, f"its image could be {found[0]} or {found[1]}")
            self.notices.add("label-ambiguous", where)
        else:
            what = "row of an image that is not there: left out"
            self.notices.add("label-without-image", identity[:60], what=what)
        return None

    def _class_names(self) -> dict[str, str]:
        """Id -> name. Where two ids have one name, the second keeps its id behind it."""
        names: dict[str, str] = {}
        taken: set[str] = set()
        for name in [table.name for table in self.tables if table.kind == tables.NAMES]:
            table = next(table for table in self.tables if table.name == name)
            for _, row in tables.rows_of(self, table):
                identity, name = row["LabelName"], row["DisplayName"].strip()
                if identity in names or not name:
                    continue
                names[identity] = f"{name} ({identity})" if name in taken else name
                taken.add(names[identity])
        return names

    def _class_name(self, identity: str, where: str) -> str | None:
        name = self._names.get(identity)
        if class_name_problem(identity) or class_name_problem(name or identity):
            return None
        if name is None:
            name = self._names[identity] = identity
        if name == identity and identity.startswith(("/m/", "/g/")):
            self.notices.add("class-unnamed", where, what="class id without a name: kept as the name")
        if name not in self._declared:
            self._declared[name] = DeclaredClass(name, extra={} if name == identity else {"mid": identity})
        return name

    def _read_label(self, key: str, name: str, where: str, row: Mapping[str, str]) -> str | None:
        confidence = number(row["Confidence"])
        if confidence is None or not 0 <= confidence <= 1:
            return f"its confidence is {shown(row['Confidence'])}"
        source = row.get("Source", "")
        if confidence == 0 and source != "machine":
            image = self.images[key]
            negative = [*image.extra.get("negative_classes", ()), name]
            extra = {**image.extra, "negative_classes": list(dict.fromkeys(negative))}
            self.images[key] = replace(image, extra=extra)
            return None
        score = None if confidence == 1 else confidence
        extra = {"Source": source} if source else {}
        self.add(ParsedAnnotation(key, name, Kind.CLASSIFICATION, where, score=score, extra=extra))
        return None

    def _size(self, key: str) -> tuple[int, int] | None:
        if key not in self._sizes:
            self._sizes[key] = self.size_of(key)
        return self._sizes[key]

    def _read_box(self, key: str, name: str, where: str, row: Mapping[str, str]) -> str | None:
        corners = _corners(row, "")
        size = self._size(key)
        if corners is None:
            return "its corners are " + ", ".join(shown(row[c]) for c in ("XMin", "XMax", "YMin", "YMax"))
        if size is None:
            return "its image cannot be read, so its size is unknown"
        x1, x2, y1, y2 = corners
        if x2 < x1 or y2 < y1:
            return f"its corners are swapped: {x1:g}, {x2:g}, {y1:g}, {y2:g}"
        box = (x1 * size[0], y1 * size[1], (x2 - x1) * size[0], (y2 - y1) * size[1])
        confidence = number(row.get("Confidence", "1"))
        flags = {flag: row.get(column, "-1").strip() for column, flag in FLAGS.items()}
        extra = {k: v for k, v in row.items() if k not in _NOT_KEPT and v not in ("", "-1", "-1.000000")}
        self._boxes.setdefault((key, name), []).append((corners, len(self.annotations)))
        self.add(
            ParsedAnnotation(
                key,
                name,
                Kind.BOX,
                where,
                bbox_xywh_px=box,
                area_px=box[2] * box[3],
                score=confidence if confidence is not None and 0 <= confidence < 1 else None,
                iscrowd=row.get("IsGroupOf", "").strip() == "1",
                attributes={flag: value == "1" for flag, value in flags.items() if value in ("0", "1")},
                extra=extra,
            )
        )
        return None

    def _read_mask(self, key: str, name: str, where: str, row: Mapping[str, str]) -> str | None:
        file = row["MaskPath"].replace("\\", "/").rpartition("/")[2]
        found = self._masks.get(file, [])
        size = self._size(key)
        if len(found) != 1 or size is None:
            there = f"two files are called {shown(file)}" if found else f"its mask {shown(file)} is not there"
            return "its image cannot be read, so its size is unknown" if len(found) == 1 else there
        self._used_masks.add(found[0])
        data = self.data(found[0], max_bytes=MAX_IMAGE_BYTES)
        mask = _mask(data or b"", size)
        if isinstance(mask, str):
            return mask
        facts: dict[str, Any] = {
            "kind": Kind.MASK,
            "bbox_xywh_px": mask.bbox_xywh_px(),
            "mask_rle": masks.to_string(mask),
            "mask_size_hw": mask.size_hw,
            "area_px": float(mask.area_px),
            "source_id": row.get("BoxID", "")[:200].encode("utf-8", "backslashreplace").decode(),
        }
        corners = _corners(row, "Box")
        for stated, at in self._boxes.get((key, name), ()) if corners else ():
            same = max(abs(a - b) for a, b in zip(stated, corners or (), strict=True)) <= _SAME
            if same and self.annotations[at].kind is Kind.BOX:
                self.annotations[at] = replace(self.annotations[at], **facts)
                return None
        self.add(ParsedAnnotation(image_key=key, class_name=name, where=where, **facts))
        return None


def _corners(row: Mapping[str, str], prefix: str) -> tuple[float, float, float, float] | None:
    """XMin, XMax, YMin, YMax as fractions; None where they are not fractions of an image."""
    values = [number(row.get(f"{prefix}{column}", "")) for column in ("XMin", "XMax", "YMin", "YMax")]
    usable = [value for value in values if value is not None and abs(value) <= 100]
    return (usable[0], usable[1], usable[2], usable[3]) if len(usable) == 4 else None


def _mask(data: bytes, size_wh: tuple[int, int]) -> masks.Rle | str:
    """The pixels that are not black, at the size of the image; or why they cannot be read."""
    try:
        vision.probe(data)
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            grey = image.convert("L").resize(size_wh, Image.Resampling.NEAREST)
        mask = masks.encode(np.asarray(grey) > 0)
    except IMAGE_ERRORS as error:
        return f"its mask cannot be read: {shown(str(error))}"
    except masks.RleInvalid as error:
        return error.message
    return mask if mask.area_px else "its mask is empty"
