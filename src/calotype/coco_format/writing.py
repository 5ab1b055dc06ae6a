"""Writing COCO by columns: one file per split, annotation rows streamed, numbers and keys of the source kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calotype.coco_format.files import category_row
from calotype.coco_format.plain_rows import are_plain, as_numbers, plain_rows
from calotype.coco_format.rows import dicts, is_whole
from calotype.datasets.model import Kind, Sample
from calotype.formats.base import ExportSamples, Written
from calotype.formats.notices import Loss
from calotype.foundation.collector import collector_paused
from calotype.foundation.progress import Progress

_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines
_ROWS_AT_ONCE = 20_000
_KEPT_SAMPLES = 100_000
_LISTS = ("images", "annotations", "categories", "licenses")
_PLAIN = (
    "sample_id",
    "class_id",
    "x",
    "y",
    "w",
    "h",
    "area_px",
    "iscrowd",
    "source_id",
    "score",
    "extra",
    "attributes",
)
_SHAPES = ("kind", "rings", "mask_rle", "mask_h", "mask_w", "keypoints")
_COLUMNS = (*_PLAIN, *_SHAPES)
_NOT_HELD = pa.array([Kind.CLASSIFICATION, Kind.POLYLINE, Kind.POINT], pa.string())
"""Kinds that no row of COCO can say; captions have files of their own."""
_OUTLINE_POINTS = 64
_AS_POLYGON = {
    Kind.ROTATED_BOX: "shape of a rotated_box (the polygon of its corners is kept)",
    Kind.ELLIPSE: "shape of an ellipse (a polygon of 64 points is kept)",
}


def write(samples: ExportSamples, out: Path, *, progress: Progress) -> Written:
    """Write `annotations/instances[_split].json`, and `images/` where images are written."""
    return _Writing(samples, out, progress).write()


class _Writing:
    """One export. Splits are written side by side; each file has its images first and its annotations after."""

    def __init__(self, samples: ExportSamples, out: Path, progress: Progress) -> None:
        self._samples = samples
        self._out = out
        self._progress = progress
        self._losses: Counter[str] = Counter()
        self._files: list[str] = []
        self._image_id: dict[str, int] = {}
        self._split_of: dict[str, str] = {}
        self._has_one_split = False
        self._captions: dict[str, list[dict[str, Any]]] = {}
        self._drawn_classes: set[int] = set()
        self._kept: list[tuple[list[Sample], pa.Table]] | None = None
        self._caption_classes: set[int] = set()
        self._info = source_info(samples.info)

    def write(self) -> Written:
        (self._out / "annotations").mkdir(parents=True, exist_ok=True)
        by_split: dict[str, list[Sample]] = {}
        for sample in self._samples.listed:
            by_split.setdefault(sample.split, []).append(sample)
            self._split_of[sample.sample_id] = sample.split
        licences = Licences(self._info.get("licenses"), [s.licence for of in by_split.values() for s in of])
        files = {split: self._begin(split, of, licences) for split, of in sorted(by_split.items())}
        try:
            n_annotations = self._annotations(files)
            only_captions = self._caption_classes - self._drawn_classes
            classes = [c for c in self._samples.ontology.classes if c.id not in only_captions]
            for file in files.values():
                file.write(b'], "categories": ' + _encode([category_row(c) for c in classes]))
                file.write(b"}")
        finally:
            for file in files.values():
                file.close()
        for split, rows in sorted(self._captions.items()):
            n_annotations += self._write_captions(split, by_split[split], rows, licences)
        losses = tuple(Loss(what, count) for what, count in sorted(self._losses.items()) if count)
        return Written(tuple(sorted(self._files)), len(self._image_id), n_annotations, losses)

    def _begin(self, split: str, samples: list[Sample], licences: Licences) -> IO[bytes]:
        place = f"annotations/instances_{split}.json" if split else "annotations/instances.json"
        self._files.append(place)
        given: list[Any] = [sample.extra.get("id") for sample in samples]
        kept = all(map(is_whole, given)) and len(set(given)) == len(given)
        self._losses["id of an image (renumbered)"] += (
            0 if kept else sum(value is not None for value in given)
        )
        self._losses["tags of a sample"] += sum(1 for sample in samples if sample.tags)
        self._losses["source of a sample"] += sum(1 for sample in samples if sample.source)
        file = (self._out / place).open("wb")
        head = {"info": {}, **self._info, "licenses": licences.rows}
        file.write(_encode(head)[:-1] + b', "images": [')
        for start in range(0, len(samples), _ROWS_AT_ONCE):
            with collector_paused():
                rows = []
                for at, sample in enumerate(samples[start : start + _ROWS_AT_ONCE], start):
                    self._image_id[sample.sample_id] = given[at] if kept else at + 1
                    rows.append(self._image_row(sample, licences))
                file.write((b",\n" if start else b"\n") + _listed(rows))
        file.write(b'], "annotations": [')
        return file

    def _image_row(self, sample: Sample, licences: Licences) -> dict[str, Any]:
        place = self._samples.file_name(sample)
        if self._samples.bring(sample, f"{self._out}/images/{place}"):
            self._files.append(f"images/{place}")
        row = {**sample.extra, **sample.metadata}
        row["id"] = self._image_id[sample.sample_id]
        row["file_name"], row["width"], row["height"] = place, sample.width_px, sample.height_px
        row.pop("license", None)
        if sample.licence:
            row["license"] = licences.number[sample.licence]
        return row

    def _annotations(self, files: Mapping[str, IO[bytes]]) -> int:
        renumbered = self._renumbered_splits()
        self._has_one_split = len(files) == 1
        n_written: Counter[str] = Counter()
        done = 0
        for chunk, table in self._tables(_COLUMNS):
            drawn = _drawn(table)
            self._count_kinds(table)
            self._take_captions(table)
            for start in range(0, drawn.num_rows, _ROWS_AT_ONCE):
                part = drawn.slice(start, _ROWS_AT_ONCE).combine_chunks()
                with collector_paused():
                    for split, rows in self._rows_by_split(part, renumbered, n_written).items():
                        files[split].write((b",\n" if n_written[split] else b"\n") + _listed(rows))
                        n_written[split] += len(rows)
            done += len(chunk)
            self._progress("writing annotations", done, self._samples.n_samples)
        return n_written.total()

    def _tables(self, columns: Sequence[str]) -> Iterator[tuple[list[Sample], pa.Table]]:
        """The annotations, some thousand samples at a time; those of few samples are read only once."""
        if self._samples.n_samples > _KEPT_SAMPLES:
            yield from self._samples.tables(columns)
            return
        if self._kept is None:
            self._kept = list(self._samples.tables(_COLUMNS))
        yield from self._kept

    def _rows_by_split(
        self, table: pa.Table, renumbered: Set[str], n_written: Mapping[str, int]
    ) -> dict[str, list[Any]]:
        """The rows of each split in their order, as they are encoded."""
        by_split: dict[str, list[Any]] = {}
        if not renumbered and are_plain(table):
            sample_ids = table["sample_id"].to_pylist()
            plain = plain_rows(table, map(self._image_id.__getitem__, sample_ids))
            if self._has_one_split:
                return {self._split_of[sample_ids[0]]: plain}
            for sample_id, one in zip(sample_ids, plain, strict=True):
                by_split.setdefault(self._split_of[sample_id], []).append(one)
            return by_split
        for split, row in self._rows(table):
            rows = by_split.setdefault(split, [])
            number = n_written[split] + len(rows) + 1
            if split in renumbered:
                if "id" in row:
                    self._losses["id of an annotation (renumbered)"] += row["id"] != number
                    row["source_id"] = row["id"]
                row = {**row, "id": number}
            rows.append(row)
        return by_split

    def _count_kinds(self, table: pa.Table) -> None:
        """Count what is lost of each kind, and the classes that are drawn."""
        self._drawn_classes.update(_drawn(table)["class_id"].unique().to_pylist())
        counts = pc.value_counts(table["kind"].combine_chunks()).to_pylist()
        for kind, n in ((Kind(entry["values"]), entry["counts"]) for entry in counts):
            if kind in _AS_POLYGON:
                self._losses[_AS_POLYGON[kind]] += n
            elif kind.value in _NOT_HELD.to_pylist():
                self._losses[f"annotation of kind {kind}"] += n

    def _take_captions(self, table: pa.Table) -> None:
        captions = table.filter(pc.equal(table["kind"], Kind.CAPTION))
        for row in captions.to_pylist() if captions.num_rows else ():
            extra = msgspec.json.decode(row["extra"]) if row["extra"] else {}
            number = int(row["source_id"]) if _is_number(row["source_id"] or "") else None
            text = msgspec.json.decode(row["attributes"])["text"]
            sample_id = row["sample_id"]
            self._caption_classes.add(row["class_id"])
            self._captions.setdefault(self._split_of[sample_id], []).append(
                {**extra, "id": number, "image_id": self._image_id[sample_id], "caption": text}
            )

    def _write_captions(
        self, split: str, samples: list[Sample], rows: list[dict[str, Any]], licences: Licences
    ) -> int:
        """Write the captions of a split with all its images, so that none is left out of their list."""
        ids = {row["id"] for row in rows}
        if None in ids or len(ids) < len(rows):
            for number, row in enumerate(rows, 1):
                row["id"] = number
        images = [
            {
                "id": self._image_id[sample.sample_id],
                "file_name": self._samples.file_name(sample),
                "width": sample.width_px,
                "height": sample.height_px,
            }
            for sample in samples
        ]
        place = f"annotations/captions_{split}.json" if split else "annotations/captions.json"
        head = {"info": {}, **self._info, "licenses": licences.rows}
        (self._out / place).write_bytes(_encode({**head, "images": images, "annotations": rows}))
        self._files.append(place)
        return len(rows)

    def _renumbered_splits(self) -> set[str]:
        """Splits in which not every annotation has a number of its own from its source."""
        given: dict[str, list[pa.Array]] = {split: [] for split in set(self._split_of.values())}
        for chunk, table in self._tables(("source_id", "x", "kind")):
            drawn = _drawn(table)
            for split in given:
                ids = pa.array([s.sample_id for s in chunk if s.split == split], pa.string())
                own = (
                    drawn["source_id"].filter(pc.is_in(drawn["sample_id"], ids))
                    if len(given) > 1
                    else drawn["source_id"]
                )
                given[split].append(own.combine_chunks())
        return {split for split, parts in given.items() if not _own_numbers(pa.concat_arrays(parts))}

    def _rows(self, table: pa.Table) -> Iterator[tuple[str, dict[str, Any]]]:
        columns = [table[name].to_pylist() for name in _PLAIN]
        shapes = _shapes(table)
        for at, (sample_id, class_id, x, y, w, h, area, crowd, source, score, extra, attributes) in enumerate(
            zip(*columns, strict=True)
        ):
            row: dict[str, Any] = msgspec.json.decode(extra) if extra else {}
            if source:
                row["id"] = int(source) if _is_number(source) else source
            row["image_id"] = self._image_id[sample_id]
            row["category_id"] = class_id
            row["bbox"] = (x, y, w, h)
            row["area"] = area if area is not None else w * h
            row["iscrowd"] = int(crowd or 0)
            row["segmentation"] = []
            if score is not None:
                row["score"] = score
            if attributes:
                row["attributes"] = msgspec.json.decode(attributes)
            if shapes is not None:
                row |= shapes[at]
            yield self._split_of[sample_id], row


class Licences:
    """The licences of the source as they were listed, and numbers for those that came since."""

    def __init__(self, listed: Any, used: Sequence[str]) -> None:
        self.rows: list[dict[str, Any]] = list(dicts(listed))
        self.number = {str(row["name"]): row["id"] for row in self.rows if "name" in row and "id" in row}
        free = max((number for number in self.number.values() if is_whole(number)), default=0) + 1
        for at, name in enumerate(sorted({name for name in used if name} - set(self.number))):
            self.number[name] = free + at
            self.rows.append({"id": free + at, "name": name})


def source_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """The file-level keys of an imported file; none where several files have some."""
    infos = [value for value in info.values() if isinstance(value, dict)]
    return (
        {k: v for k, v in infos[0].items() if k not in _LISTS or k == "licenses"} if len(infos) == 1 else {}
    )


def _shapes(table: pa.Table) -> list[dict[str, Any]] | None:
    """The keys of shapes that are more than a box; None where no row has any."""
    has_rings = table["rings"].null_count < table.num_rows
    has_masks = pc.any(pc.not_equal(table["mask_rle"], "")).as_py()
    has_points = table["keypoints"].null_count < table.num_rows
    if not (has_rings or has_masks or has_points):
        return None
    made = []
    columns = (table[name].to_pylist() for name in _SHAPES)
    for kind, rings, rle, height, width, points in zip(*columns, strict=True):
        row: dict[str, Any] = {}
        if rings:
            row["segmentation"] = [ellipse_outline(rings[0])] if kind == "ellipse" else rings
        if rle and height is not None:
            row["segmentation"] = {"size": [height, width], "counts": rle}
        if points:
            row["keypoints"] = points
            row["num_keypoints"] = sum(v > 0 for v in points[2::3])
        made.append(row)
    return made


def _drawn(table: pa.Table) -> pa.Table:
    """The rows that COCO can hold as objects."""
    held = pc.invert(pc.is_in(table["kind"], value_set=_NOT_HELD))
    is_drawn = pc.and_(pc.is_valid(table["x"]), held)
    return table if pc.all(is_drawn, min_count=0).as_py() else table.filter(is_drawn)


def ellipse_outline(corners: Sequence[float]) -> list[float]:
    """64 points of the ellipse in a rectangle given by its corners x1, y1, ... x4, y4 in pixels."""
    first, second, third, fourth = np.asarray(corners, np.float64).reshape(4, 2)
    across, down = (second - first) / 2, (fourth - first) / 2
    angles = np.linspace(0, 2 * np.pi, _OUTLINE_POINTS, endpoint=False)
    points = (first + third) / 2 + np.outer(np.cos(angles), across) + np.outer(np.sin(angles), down)
    outline: list[float] = points.ravel().tolist()
    return outline


def _own_numbers(ids: pa.Array) -> bool:
    """Whether all are whole numbers and no two are equal."""
    numbers = as_numbers(ids)
    if numbers is not None:
        return not len(numbers) or bool(np.diff(np.sort(numbers)).all())
    whole = pc.match_substring_regex(ids, "^-?[0-9]+$")
    return bool(pc.all(whole, min_count=0).as_py()) and pc.count_distinct(ids).as_py() == len(ids)


def _listed(rows: Sequence[Any]) -> bytes:
    """Rows as they stand in a list."""
    return _encode_lines(rows)[:-1].replace(b"\n", b",\n")


def _is_number(text: str) -> bool:
    return text.isdecimal() or text.removeprefix("-").isdecimal()
