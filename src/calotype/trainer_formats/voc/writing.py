"""Writing Pascal VOC: XML, images of masks, lists of splits, and lists of classes of whole images."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets import rows
from calotype.datasets.model import AREAS, Annotation, Kind, Sample
from calotype.formats.base import ExportSamples, Written
from calotype.formats.notices import MAX_EXAMPLES, Losses
from calotype.formats.small_files import SmallFiles
from calotype.foundation.collector import collector_paused
from calotype.foundation.progress import Progress
from calotype.trainer_formats.voc.objects import FLAGS, SIDES
from calotype.trainer_formats.voc.palette import LABEL_MAP, VOID, colour_map, label_map
from calotype.trainer_formats.voc.plain_boxes import are_plain, object_texts
from calotype.trainer_formats.voc.xml_files import leaf
from calotype.vision import masks, polygons
from calotype.vision.number_images import encode_palette

_COLUMNS = (
    *("sample_id", "ann_id", "class_id", "source_id"),
    *(column.name for column in rows.DRAWN_FIELDS),
)
_AT_ONCE = 5_000
"""Samples whose files are made together."""
_OUTLINED = frozenset({Kind.MASK, Kind.POLYGON, Kind.ROTATED_BOX})
_BOXED = AREAS | {Kind.KEYPOINTS}
Rows = npt.NDArray[np.int64]
_SAFE_NAME = re.compile(r"[^\x00-\x1f/\\:*?\"<>|]{1,100}")


def write(samples: ExportSamples, out: Path, *, progress: Progress) -> Written:
    """Write `Annotations/`, `JPEGImages/`, `ImageSets/Main/`, and what masks and classes of images need."""
    return _Writing(samples, out, progress).write()


class _Writing:
    def __init__(self, samples: ExportSamples, out: Path, progress: Progress) -> None:
        self._samples = samples
        self._out = out
        self._progress = progress
        self._losses = Losses()
        self._files: list[str] = []
        self._names = {c.id: c.name for c in samples.ontology.classes}
        self._index = {c.id: at for at, c in enumerate(samples.ontology.classes, 1)}
        self._lists: dict[str, list[str]] = defaultdict(list)
        self._masked = False
        self._small_files = SmallFiles(out)

    def write(self) -> Written:
        n_annotations = done = 0
        for chunk, table in self._samples.tables(_COLUMNS):
            ids = pa.array([sample.sample_id for sample in chunk], pa.string())
            of_row = pc.index_in(table["sample_id"], value_set=ids).to_numpy()
            for start in range(0, len(chunk), _AT_ONCE):
                part = chunk[start : start + _AT_ONCE]
                low, high = np.searchsorted(of_row, (start, start + len(part))).tolist()
                some = table.slice(low, high - low).combine_chunks()
                with collector_paused():
                    n_annotations += self._write_part(part, some, of_row[low:high] - start)
                done += len(part)
                self._progress("writing labels", done, self._samples.n_samples)
        for name, lines in sorted(self._lists.items()):
            self._put(f"ImageSets/{name}.txt", "".join(f"{line}\n" for line in lines).encode())
        if self._masked:
            names = [c.name.replace(":", "_") for c in self._samples.ontology.classes]
            self._put(LABEL_MAP, label_map(names).encode())
        files = tuple(sorted(self._files))
        return Written(files, self._samples.n_samples, n_annotations, self._losses.listed())

    def _write_part(self, samples: list[Sample], table: pa.Table, of_row: Rows) -> int:
        """Write the files of some samples; returns the number of annotations.

        Args:
            of_row: (N,) position in `samples` of each row of the table, ascending.
        """
        self._lose_columns(samples, table, of_row)
        has_more = np.zeros(len(samples), bool)
        has_more[of_row[~are_plain(table)]] = True
        with_more = pa.array(has_more[of_row])
        values = iter(_annotations(table.filter(with_more)))
        texts = iter(object_texts(table.filter(pc.invert(with_more)), self._names))
        counts = np.bincount(of_row, minlength=len(samples)).tolist()
        n_annotations = 0
        for sample, more, n in zip(samples, has_more.tolist(), counts, strict=True):
            place = self._samples.file_name(sample)
            if self._samples.bring(sample, f"{self._out}/JPEGImages/{place}"):
                self._files.append(f"JPEGImages/{place}")
            self._lose_facts(sample)
            if more:
                n_annotations += self._put_shapes(sample, place, list(islice(values, n)))
            else:
                self._put_objects(sample, place, "".join(islice(texts, n)), (), False)
                n_annotations += n
        return n_annotations

    def _put_shapes(self, sample: Sample, place: str, labels: list[Annotation]) -> int:
        """Write the files of a sample whose annotations are more than plain boxes; returns their number."""
        kept = [a for a in labels if a.kind in _BOXED]
        self._lose(sample, labels)
        has_masks = self._write_masks(sample, _stem(place), kept)
        lines = (line for a in kept for line in _object(a, self._names[a.class_id]))
        whole = [a for a in labels if a.kind is Kind.CLASSIFICATION]
        self._put_objects(sample, place, "".join(f"{line}\n" for line in lines), whole, has_masks)
        drawn = {a.class_id for a in kept}
        n_apart = sum(a.class_id not in drawn for a in whole)
        self._losses.add("class of a whole image beside an object of it", place, n=len(whole) - n_apart)
        return len(kept) + n_apart

    def _put_objects(
        self, sample: Sample, place: str, objects: str, whole: Sequence[Annotation], has_masks: bool
    ) -> None:
        """Write the XML of a sample, and note it in the lists.

        Args:
            whole: Its classes as a whole.
        """
        stem = _stem(place)
        text = f"{_head(sample, place, has_masks)}{objects}</annotation>\n"
        self._put(f"Annotations/{stem}.xml", text.encode())
        self._list_classes(sample, stem, whole)
        if sample.split:
            self._lists[f"Main/{sample.split}"].append(stem)
            if has_masks:
                self._lists[f"Segmentation/{sample.split}"].append(stem)

    def _put(self, place: str, data: bytes) -> None:
        self._files.append(self._small_files.write(place, data))

    def _write_masks(self, sample: Sample, stem: str, kept: list[Annotation]) -> bool:
        """The pixels of the n-th object have the value n; later objects cover earlier ones."""
        if not any(a.kind in _OUTLINED for a in kept):
            return False
        if len(self._names) >= VOID:
            self._losses.add(f"mask: more than {VOID - 1} classes", sample.name)
            return False
        size_hw = (sample.height_px, sample.width_px)
        objects, classes = np.zeros(size_hw, np.uint8), np.zeros(size_hw, np.uint8)
        areas: dict[int, int] = {}
        for number, a in enumerate(kept, 1):
            if a.kind not in _OUTLINED:
                continue
            mask = _mask_of(a, size_hw) if number < VOID else None
            if mask is None:
                self._losses.add("mask: of another size than its image, or beyond object 254", sample.name)
                continue
            objects[mask], classes[mask] = number, self._index[a.class_id]
            areas[number] = int(mask.sum())
        left = np.bincount(objects.ravel(), minlength=VOID)
        hidden = sum(left[number] < area for number, area in areas.items())
        self._losses.add("pixels of a mask that a later one covers", sample.name, n=int(hidden))
        colours = colour_map()
        self._put(f"SegmentationObject/{stem}.png", encode_palette(objects, colours))
        self._put(f"SegmentationClass/{stem}.png", encode_palette(classes, colours))
        self._masked = True
        return True

    def _list_classes(self, sample: Sample, stem: str, labels: Sequence[Annotation]) -> None:
        """Lines of the lists of classes: only what is known of this image, so that nothing becomes a negative."""
        values = dict.fromkeys(_names_in(sample, "negative_classes"), -1)
        values |= dict.fromkeys(_names_in(sample, "difficult_classes"), 0)
        values |= {self._names[a.class_id]: 1 for a in labels if a.kind is Kind.CLASSIFICATION}
        for name, value in values.items():
            if _SAFE_NAME.fullmatch(name) and name not in (".", ".."):
                self._lists[f"Main/{name}_{sample.split or 'trainval'}"].append(f"{stem} {value:2d}")
            else:
                self._losses.add("class of a whole image: its name cannot be a file name", name[:80])

    def _lose(self, sample: Sample, labels: list[Annotation]) -> None:
        for a in labels:
            if a.kind is Kind.CLASSIFICATION:
                continue
            if a.kind not in _BOXED:
                self._losses.add(f"annotation of kind {a.kind}", sample.name)
                continue
            if a.kind not in (Kind.BOX, Kind.MASK):
                kept = "its pixels are kept" if a.kind in _OUTLINED else "its box is kept"
                self._losses.add(f"shape of a {a.kind} ({kept})", sample.name)
            extra = {key: value for key, value in a.extra.items() if key != "parts"}
            self._losses.add("extra", sample.name, n=bool(extra))
            lost = [name for name, value in a.attributes.items() if not isinstance(value, bool | str)]
            self._losses.add("attribute that is neither a text nor true or false", sample.name, n=len(lost))

    def _lose_columns(self, samples: list[Sample], table: pa.Table, of_row: Rows) -> None:
        """What no object has room for, looked at by columns."""
        boxed = pc.is_in(table["kind"], value_set=pa.array(map(str, sorted(_BOXED)), pa.string()))
        facts = {
            "id of an annotation": pc.not_equal(table["source_id"], ""),
            "score": pc.is_valid(table["score"]),
            "iscrowd": table["iscrowd"],
        }
        for what, mask in facts.items():
            lost = of_row[pc.and_(boxed, pc.fill_null(mask, False)).to_numpy().astype(bool)]
            for at in np.unique(lost)[:MAX_EXAMPLES].tolist():
                self._losses.add(what, samples[at].name)
            self._losses.add(what, n=len(lost) - min(MAX_EXAMPLES, len(np.unique(lost))))

    def _lose_facts(self, sample: Sample) -> None:
        facts = {
            "metadata": sample.metadata,
            "licence": sample.licence,
            "source": sample.source,
            "tags": sample.tags,
        }
        for what, value in facts.items():
            if value:
                self._losses.add(f"{what} of a sample", sample.name)


def _mask_of(a: Annotation, size_hw: tuple[int, int]) -> npt.NDArray[np.bool_] | None:
    """(H, W) pixels of a shape; None where its mask has another size."""
    if a.kind is not Kind.MASK:
        return polygons.rasterise(a.rings_px, size_hw=size_hw)
    if a.mask_size_hw != size_hw:
        return None
    return masks.decode(masks.from_string(a.mask_rle, size_hw))


def _names_in(sample: Sample, key: str) -> list[str]:
    value: Any = sample.extra.get(key)
    return [name for name in value if isinstance(name, str)] if isinstance(value, list | tuple) else []


def _stem(place: str) -> str:
    stem, dot, _ = place.rpartition(".")
    return stem if dot and "/" not in place[len(stem) :] else place


def _annotations(table: pa.Table) -> list[Annotation]:
    """Rows of `_COLUMNS` as values."""
    for name in rows.ANNOTATION_SCHEMA.names:
        if name not in table.schema.names:
            table = table.append_column(name, pa.nulls(len(table), rows.ANNOTATION_SCHEMA.field(name).type))
    return rows.annotations_from_arrow(table)


def _head(sample: Sample, place: str, has_masks: bool) -> str:
    """The XML up to the objects."""
    folder = f"JPEGImages/{place}".rpartition("/")[0]
    return (
        f"<?xml version='1.0' encoding='utf-8'?>\n<annotation>\n{leaf('folder', folder, 1)}\n"
        f"{leaf('filename', place, 1)}\n  <size>\n    <width>{sample.width_px}</width>\n"
        f"    <height>{sample.height_px}</height>\n    <depth>3</depth>\n  </size>\n"
        f"  <segmented>{int(has_masks)}</segmented>\n"
    )


def _object(a: Annotation, name: str) -> list[str]:
    """The lines of an object in the order of the development kit; attributes that it lacks follow."""
    known = ("pose", *FLAGS)
    attributes = {key: value for key, value in a.attributes.items() if isinstance(value, bool | str)}
    lines = ["  <object>", leaf("name", name, 2)]
    lines += [leaf(key, _text(attributes[key]), 2) for key in known if key in attributes]
    lines += _box(a.bbox_xywh_px or (0.0, 0.0, 0.0, 0.0), 2)
    for part in _parts(a):
        lines += ["    <part>", leaf("name", part["name"], 3), *_box(part["bbox"], 3), "    </part>"]
    others = sorted(attributes.keys() - set(known))
    if others:
        lines.append("    <attributes>")
        for key in others:
            value = attributes[key]
            text = str(value).lower() if isinstance(value, bool) else value
            lines += ["      <attribute>", leaf("name", key, 4), leaf("value", text, 4), "      </attribute>"]
        lines.append("    </attributes>")
    return [*lines, "  </object>"]


def _text(value: bool | str) -> str:
    return str(int(value)) if isinstance(value, bool) else value


def _box(box: tuple[float, ...], depth: int) -> list[str]:
    x, y, w, h = box
    corners = zip(SIDES, (x, y, x + w, y + h), strict=True)
    indent = "  " * depth
    lines = [leaf(side, f"{number:.10g}", depth + 1) for side, number in corners]
    return [f"{indent}<bndbox>", *lines, f"{indent}</bndbox>"]


def _parts(a: Annotation) -> list[dict[str, Any]]:
    parts = a.extra.get("parts")
    usable = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list | tuple) else []
    return [
        part
        for part in usable
        if isinstance(part.get("name"), str)
        and isinstance(part.get("bbox"), list | tuple)
        and len(part["bbox"]) == 4
        and all(isinstance(n, int | float) for n in part["bbox"])
    ]
