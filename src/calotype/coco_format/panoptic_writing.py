"""Writing COCO panoptic: a JSON file and a folder of PNG files for each split.

The PNG of an image holds the number of a segment in each pixel as R + 256 G + 65536 B; 0 is a pixel without one. No two
segments share a pixel: where annotations overlap, the smaller one is kept, and crowds lie below everything else.
Source: the panoptic part of the COCO data format page.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec
import numpy as np
import numpy.typing as npt

from calotype.coco_format.files import category_row
from calotype.coco_format.rows import is_whole
from calotype.coco_format.writing import Licences, ellipse_outline, source_info
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.formats.base import ExportSamples, Written
from calotype.formats.notices import Losses
from calotype.foundation.progress import Progress
from calotype.vision import images as vision
from calotype.vision import masks
from calotype.vision.ontology import Class
from calotype.vision.polygons import rasterise

_encode = msgspec.json.Encoder().encode
_LARGEST_NUMBER = 2**24 - 1
_BACKGROUND = "background"
"""Tag of an image that was looked at and holds no object."""
Pixels = npt.NDArray[np.bool_]


def write(samples: ExportSamples, out: Path, *, progress: Progress) -> Written:
    """Write `annotations/panoptic[_split].json`, a folder of PNG files beside each, and `images/`."""
    return _Writing(samples, out).write(progress)


class _Writing:
    """One export. The rows of each split go to its file as they come."""

    def __init__(self, samples: ExportSamples, out: Path) -> None:
        self._samples = samples
        self._out = out
        self._losses = Losses()
        self._written: list[str] = []
        self._taken: set[str] = set()
        self._image_id: dict[str, int] = {}

    def write(self, progress: Progress) -> Written:
        (self._out / "annotations").mkdir(parents=True, exist_ok=True)
        by_split: dict[str, list[Sample]] = {}
        for sample in self._samples.listed:
            by_split.setdefault(sample.split, []).append(sample)
        info = source_info(self._samples.info)
        licences = Licences(info.get("licenses"), [s.licence for s in self._samples.listed])
        head = {"info": {}, **info, "licenses": licences.rows}
        files = {split: self._begin(split, of, head, licences) for split, of in sorted(by_split.items())}
        n_rows, n_segments = dict.fromkeys(files, 0), 0
        try:
            for done, (sample, labels) in enumerate(self._samples.items(), 1):
                row = self._row(sample, labels)
                if row is not None:
                    files[sample.split].write((b",\n" if n_rows[sample.split] else b"\n") + _encode(row))
                    n_rows[sample.split] += 1
                    n_segments += len(row["segments_info"])
                progress("writing segments", done, self._samples.n_samples)
            categories = b'], "categories": ' + _encode(self._categories()) + b"}"
            for file in files.values():
                file.write(categories)
        finally:
            for file in files.values():
                file.close()
        return Written(
            tuple(sorted(self._written)), self._samples.n_samples, n_segments, self._losses.listed()
        )

    def _begin(
        self, split: str, samples: Sequence[Sample], head: dict[str, Any], licences: Licences
    ) -> IO[bytes]:
        """Begin the file of a split with its images."""
        place = f"annotations/{_stem(split)}.json"
        self._written.append(place)
        given: list[Any] = [sample.extra.get("id") for sample in samples]
        kept = all(map(is_whole, given)) and len(set(given)) == len(given)
        file = (self._out / place).open("wb")
        file.write(_encode(head)[:-1] + b', "images": [')
        for at, sample in enumerate(samples, 1):
            number = given[at - 1] if kept else at
            if given[at - 1] is not None and not kept:
                self._losses.add("id of an image (renumbered)", sample.name)
            self._image_id[sample.sample_id] = number
            file.write((b",\n" if at > 1 else b"\n") + _encode(self._image_row(sample, number, licences)))
        file.write(b'], "annotations": [')
        return file

    def _image_row(self, sample: Sample, number: int, licences: Licences) -> dict[str, Any]:
        place = self._samples.file_name(sample)
        if self._samples.bring(sample, f"{self._out}/images/{place}"):
            self._written.append(f"images/{place}")
        for what, value in (("tags", sample.tags), ("source", sample.source)):
            if value:
                self._losses.add(f"{what} of a sample", sample.name)
        row = {**sample.extra, **sample.metadata}
        row.pop("license", None)
        row |= {"id": number, "file_name": place, "width": sample.width_px, "height": sample.height_px}
        return row | ({"license": licences.number[sample.licence]} if sample.licence else {})

    def _row(self, sample: Sample, labels: Sequence[Annotation]) -> dict[str, Any] | None:
        """The segments of an image, whose PNG is written; None for an image without any that nobody looked at."""
        numbers, segments = self._segments(sample, labels)
        if not segments and _BACKGROUND not in sample.tags:
            return None
        name = self._png_name(sample)
        target = self._out / "annotations" / _stem(sample.split) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        bytes_of_number = np.stack([numbers, numbers >> 8, numbers >> 16], axis=2) & 255
        target.write_bytes(vision.encode_png(bytes_of_number.astype(np.uint8)))
        self._written.append(target.relative_to(self._out).as_posix())
        return {"image_id": self._image_id[sample.sample_id], "file_name": name, "segments_info": segments}

    def _segments(
        self, sample: Sample, labels: Sequence[Annotation]
    ) -> tuple[npt.NDArray[np.uint32], list[dict[str, Any]]]:
        """(H, W) number of the segment of each pixel, 0 for none, and what each segment is, in the given order."""
        size_hw = (sample.height_px, sample.width_px)
        drawn = [(a, mask) for a in labels if (mask := self._mask(a, size_hw, sample)) is not None]
        number_of = self._numbers_of([a for a, _ in drawn], sample)
        numbers = np.zeros(size_hw, np.uint32)
        for at in sorted(range(len(drawn)), key=lambda at: (not drawn[at][0].iscrowd, -drawn[at][1].area_px)):
            numbers[masks.decode(drawn[at][1])] = number_of[at]
        segments = []
        for at, (a, mask) in enumerate(drawn):
            left, top, width, height = map(int, mask.bbox_xywh_px())
            kept = numbers[top : top + height, left : left + width] == number_of[at]
            n_kept = int(kept.sum())
            if not n_kept:
                self._losses.add("segment that others cover whole (left out)", sample.name)
                continue
            if n_kept < mask.area_px:
                self._losses.add("part of a segment that a smaller one covers", sample.name)
            segments.append(self._segment(a, number_of[at], kept, (left, top), sample))
        return numbers, segments

    def _segment(
        self, a: Annotation, number: int, kept: Pixels, corner_xy: tuple[int, int], sample: Sample
    ) -> dict[str, Any]:
        """What is said of a segment, whose pixels are given from a corner of the image on."""
        if a.score is not None:
            self._losses.add("score of an annotation", sample.name)
        for name in a.attributes:
            if not (name == "angle_deg" and a.rings_px):
                self._losses.add("attribute of an annotation", f"{sample.name}: {name}")
        rows, columns = np.flatnonzero(kept.any(axis=1)), np.flatnonzero(kept.any(axis=0))
        left, top, right, bottom = map(int, (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
        return {
            **a.extra,
            "id": number,
            "category_id": a.class_id,
            "area": int(kept.sum()),
            "bbox": [corner_xy[0] + left, corner_xy[1] + top, right - left, bottom - top],
            "iscrowd": int(a.iscrowd),
        }

    def _mask(self, a: Annotation, size_hw: tuple[int, int], sample: Sample) -> masks.Rle | None:
        """The pixels of an annotation; None where it has none that a segment can show."""
        if a.kind is Kind.MASK and a.mask_size_hw == size_hw:
            mask = masks.from_string(a.mask_rle, size_hw)
        elif a.kind in (Kind.POLYGON, Kind.ROTATED_BOX, Kind.ELLIPSE):
            rings = [ellipse_outline(a.rings_px[0])] if a.kind is Kind.ELLIPSE else a.rings_px
            mask = masks.encode(rasterise(rings, size_hw=size_hw))
            self._losses.add(f"shape of a {a.kind} (drawn as pixels)", sample.name)
        else:
            self._losses.add(f"annotation of kind {a.kind}", sample.name)
            return None
        if not mask.area_px:
            self._losses.add("shape without a pixel", sample.name)
            return None
        return mask

    def _numbers_of(self, drawn: Sequence[Annotation], sample: Sample) -> list[int]:
        """The number of each segment: that of its source where it is one, else the lowest that is free."""
        given = [int(a.source_id) if a.source_id.isascii() and a.source_id.isdecimal() else 0 for a in drawn]
        used: set[int] = set()
        numbers = []
        for number in given:
            fits = 0 < number <= _LARGEST_NUMBER and number not in used
            numbers.append(number if fits else 0)
            used.add(number)
        free = 1
        for at, a in enumerate(drawn):
            if numbers[at]:
                continue
            while free in used:
                free += 1
            numbers[at] = free
            used.add(free)
            if a.source_id:
                self._losses.add("id of an annotation (renumbered)", sample.name)
        return numbers

    def _png_name(self, sample: Sample) -> str:
        """The path of the image with the ending `.png`; `a.jpg` and `a.bmp` get different ones."""
        stem = PurePosixPath(self._samples.file_name(sample)).with_suffix("").as_posix()
        unique, at = stem, 1
        while f"{sample.split}/{unique}".casefold() in self._taken:
            at += 1
            unique = f"{stem}_{at}"
        self._taken.add(f"{sample.split}/{unique}".casefold())
        return f"{unique}.png"

    def _categories(self) -> list[dict[str, Any]]:
        return [_category(c) for c in self._samples.ontology.classes]


def _category(c: Class) -> dict[str, Any]:
    """A class with `isthing`, which is 1 unless its source says 0: evaluation asks for it."""
    stated = c.extra.get("isthing")
    is_stuff = isinstance(stated, int) and stated == 0
    return category_row(c) | {"isthing": 0 if is_stuff else 1}


def _stem(split: str) -> str:
    return f"panoptic_{split}" if split else "panoptic"
