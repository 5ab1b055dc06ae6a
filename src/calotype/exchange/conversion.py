"""From one label format to another, without a workspace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from calotype.datasets import rows
from calotype.datasets.model import Annotation, Sample
from calotype.exchange.classes import with_declared_classes
from calotype.exchange.inspection import add_problems, check_images_folder, detected_at
from calotype.exchange.output_folder import (
    ImagesMode,
    bring_image,
    check_images_mode,
    move_export_into_place,
    staging_folder,
)
from calotype.exchange.registry import Detected, writer
from calotype.formats.base import ExportSamples, Format, LabelSource, Written
from calotype.formats.export_names import file_names
from calotype.formats.image_files import MAX_IMAGE_BYTES, ImageFile
from calotype.formats.notices import Loss, Notice, Notices
from calotype.formats.windows import ListedImage, Window
from calotype.foundation.durable import read_file
from calotype.foundation.errors import Invalid
from calotype.foundation.progress import Progress, silent
from calotype.vision import images as vision
from calotype.vision.jpeg_header import quick_size
from calotype.vision.ontology import Ontology

_LOCATED_AT_ONCE = 10_000
_CHUNK = 50_000
_HEAD_BYTES = 65_536


class NothingToConvert(Invalid):
    """Label files of which no image can be used."""

    code = "nothing-to-convert"
    what = "nothing in {file} can be converted; the first problem: {reason}"
    fix = "correct the files; pass --images DIR if the images are in another folder"


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written, what the reading adjusted or left out, and what the target format cannot hold."""

    source_format: str
    layout: str
    evidence: tuple[str, ...]
    format: str
    out: Path
    files: int
    samples: int
    annotations: int
    warnings: tuple[Notice, ...] = ()
    losses: tuple[Loss, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        value = asdict(self) | {"out": str(self.out), "evidence": list(self.evidence)}
        return value | {"from": value.pop("source_format")}


def convert(
    source: str | Path,
    *,
    to: str,
    out: str | Path,
    from_: str = "auto",
    images: str | Path | None = None,
    mode: ImagesMode = "copy",
    progress: Progress = silent,
) -> Converted:
    """Read label files and write them in another format, into a folder that is new or empty.

    Args:
        from_: The format to read, or "auto".
        images: The folder of the images, where they are not beside the labels.
        mode: Images beside the new labels: "copy", hard "link" or "none".
    Raises: PathNotFound, FormatUnknown, LabelFileUnreadable, NothingToConvert, ImagesModeUnknown, TargetNotEmpty,
        TargetNotWritable.
    """
    check_images_mode(mode)
    source, out, images = Path(source), Path(out), Path(images) if images is not None else None
    check_images_folder(images)
    target_format = writer(to)
    detected = detected_at(source, from_)
    opened = detected.format.open(source, images=images, progress=progress)
    read = _Reading(opened)
    read.run()
    if not read.samples:
        about_files = [n for n in read.notices.listed() if n.code.startswith("file-")]
        reason = about_files[0].what if about_files else "no image is listed"
        raise NothingToConvert(file=source.name, reason=reason)
    with staging_folder(out) as (staging, target):
        written = target_format.write(read.for_writer(mode), staging, progress=progress)
        move_export_into_place(staging, target)
    return _report(detected, target_format, target, written, read)


def _report(detected: Detected, format: Format, out: Path, written: Written, read: _Reading) -> Converted:
    return Converted(
        source_format=detected.format.name,
        layout=detected.sighting.layout,
        evidence=detected.evidence,
        format=format.name,
        out=out,
        files=len(written.files),
        samples=written.n_samples,
        annotations=written.n_annotations,
        warnings=(*read.notices.listed(), *(n for source in read.sources for n in source.warnings)),
        losses=(*(loss for source in read.sources for loss in source.losses), *written.losses),
    )


@dataclass
class _Reading:
    """The samples and annotations of all sources, as the writers of formats take them."""

    sources: Sequence[LabelSource]
    notices: Notices = field(default_factory=Notices)
    samples: dict[str, Sample] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    ontology: Ontology = field(default_factory=Ontology)
    _batches: list[pa.RecordBatch] = field(default_factory=list)
    _n_rows: int = 0

    def run(self) -> None:
        """Read everything. Images that are missing or broken are left out, with a notice."""
        declared = [declared for source in self.sources for declared in source.classes]
        self.ontology = with_declared_classes(Ontology(), declared)
        for source in self.sources:
            add_problems(self.notices, source.problems)
            if source.index is None:
                self.notices.add("label-without-image", source.file)
                continue
            sample_ids = self._read_images(source)
            place = source.index.positions(source.images.ids)
            of_index: list[str | None] = [None] * len(source.index.image_ids)
            for at, sample_id in zip(place.tolist(), sample_ids, strict=True):
                of_index[at] = sample_id
            self._read_annotations(source, pa.array(of_index, pa.string()))

    def for_writer(self, mode: ImagesMode) -> ExportSamples:
        """The samples in order of name."""
        listed = sorted(self.samples.values(), key=lambda sample: (sample.name, sample.sample_id))
        names = file_names(listed)
        order = {sample.sample_id: at for at, sample in enumerate(listed)}
        table = pa.Table.from_batches(self._batches, rows.ANNOTATION_SCHEMA)
        position = np.array([order[sample_id] for sample_id in table["sample_id"].to_pylist()], np.int64)
        in_order = np.argsort(position, kind="stable")
        table, position = table.take(pa.array(in_order)), position[in_order]

        def tables(columns: Sequence[str]) -> Iterator[tuple[list[Sample], pa.Table]]:
            chosen = table.select(list(dict.fromkeys(["sample_id", "ann_id", *columns])))
            for start in range(0, len(listed), _CHUNK):
                chunk = listed[start : start + _CHUNK]
                low, high = np.searchsorted(position, [start, start + len(chunk)]).tolist()
                yield chunk, chosen.slice(low, high - low)

        return ExportSamples(
            ontology=self.ontology,
            items=lambda: _items(tables),
            tables=tables,
            bring=lambda sample, target: bring_image(self.files[sample.sample_id], target, mode),
            file_name=lambda sample: names[sample.sample_id],
            listed=listed,
            info=self._info(),
        )

    def _info(self) -> dict[str, Any]:
        described = [source for source in self.sources if source.info]
        return {"ground_truth": dict(described[0].info)} if len(described) == 1 else {}

    def _read_images(self, source: LabelSource) -> list[str | None]:
        """The sample of each image of a source; the same file in two sources is one sample."""
        ids: list[str | None] = []
        sizes_wh: list[tuple[int, int]] = []
        for start in range(0, len(source.images), _LOCATED_AT_ONCE):
            stop = min(start + _LOCATED_AT_ONCE, len(source.images))
            listed = source.images.values(range(start, stop))
            for image, file in zip(listed, source.locate(start, stop), strict=True):
                sample = self._sample(image, file)
                ids.append(sample.sample_id if sample else None)
                sizes_wh.append((sample.width_px, sample.height_px) if sample else (0, 0))
        source.sizes_found(np.array(sizes_wh, np.int64).reshape(-1, 2))
        return ids

    def _sample(self, image: ListedImage, file: ImageFile | None) -> Sample | None:
        """The sample of an image, new or known; None where its file is missing or broken."""
        if file is None:
            self.notices.add("file-missing", image.name, what="image file is missing")
            return None
        sample_id = f"{image.name}\0{file.real_path}"
        if sample_id in self.samples:
            return self.samples[sample_id]
        facts = _facts(file)
        if isinstance(facts, str):
            self.notices.add("file-unreadable", image.name, what=facts)
            return None
        width, height, mime = facts
        self.files[sample_id] = file.real_path
        self.samples[sample_id] = Sample(
            sample_id=sample_id,
            media_sha256="",
            name=image.name,
            width_px=width,
            height_px=height,
            mime=mime,
            n_bytes=file.stat.st_size,
            licence=image.licence,
            split=image.split,
            tags=image.tags,
            metadata=image.metadata,
            extra=image.extra,
        )
        return self.samples[sample_id]

    def _read_annotations(self, source: LabelSource, sample_ids: pa.Array) -> None:
        assert source.index is not None
        numbers = np.array(sorted(source.index.classes), np.int64)
        known = [self.ontology.by_name(source.index.classes[number]) for number in numbers.tolist()]
        class_ids = np.array([c.id if c else 0 for c in known], np.int32)
        has_sample = sample_ids.is_valid().to_numpy(zero_copy_only=False)
        for window in source.windows(source.index):
            add_problems(self.notices, window.problems)
            keep = has_sample[window.image]
            if not keep.all():
                lost = int((~keep).sum())
                place = window.place(int(np.flatnonzero(~keep)[0]))
                self.notices.add("label-without-image", place, n=lost)
                window = window.filter(keep)
            if len(window):
                of_row = class_ids[np.searchsorted(numbers, window.category)]
                self._batches.append(self._batch(window, sample_ids, of_row))

    def _batch(self, window: Window, sample_ids: pa.Array, class_ids: Any) -> pa.RecordBatch:
        n = len(window)
        first, self._n_rows = self._n_rows, self._n_rows + n
        columns: dict[str, Any] = dict(window.columns)
        columns["ann_id"] = pa.array([f"{at:016x}" for at in range(first, first + n)], pa.string())
        columns["sample_id"] = sample_ids.take(pa.array(window.image))
        columns["class_id"] = pa.array(class_ids)
        columns["source_id"] = window.source_id.cast(pa.string()).fill_null("")
        columns |= {
            "author": pa.repeat("", n),
            "import_id": pa.repeat("", n),
            "created_at_us": pa.repeat(0, n),
        }
        arrays = [columns[column.name].cast(column.type) for column in rows.ANNOTATION_SCHEMA]
        return pa.RecordBatch.from_arrays(arrays, schema=rows.ANNOTATION_SCHEMA)


def _items(tables: Any) -> Iterator[tuple[Sample, list[Annotation]]]:
    for chunk, table in tables(rows.ANNOTATION_SCHEMA.names):
        of_sample: dict[str, list[Annotation]] = {sample.sample_id: [] for sample in chunk}
        for annotation in rows.annotations_from_arrow(table):
            of_sample[annotation.sample_id].append(annotation)
        for sample in chunk:
            yield sample, of_sample[sample.sample_id]


def _facts(file: ImageFile) -> tuple[int, int, str] | str:
    """Size in pixels of the upright image and type, from its header; or why it is not an image."""
    try:
        with open(file.real_path, "rb") as opened:
            quick = quick_size(opened.read(_HEAD_BYTES))
        if quick is not None and quick[0] * quick[1] <= vision.MAX_PIXELS:
            return *quick, "image/jpeg"
        facts = vision.probe(read_file(Path(file.real_path), max_bytes=MAX_IMAGE_BYTES) or b"")
    except OSError as error:
        return f"it cannot be read: {error.strerror or type(error).__name__}"
    except vision.ImageUnreadable as error:
        return error.message
    return facts.width_px, facts.height_px, facts.mime
