"""Write the files of a release or an export: into a staging folder, then renamed into place as a whole.

The same state gives the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets import rows
from calotype.datasets.model import Annotation, Sample
from calotype.datasets.snapshot import Snapshot
from calotype.exchange import registry, trainer_rules
from calotype.exchange.output_folder import ImagesMode, bring_image
from calotype.formats.base import ExportSamples
from calotype.formats.export_names import file_names
from calotype.foundation.durable import fsync_path
from calotype.foundation.printable import spreadsheet_cell
from calotype.foundation.progress import Progress
from calotype.release import card_text
from calotype.release.card import with_exports
from calotype.release.model import Exported, File
from calotype.store.media.combined import AllMedia
from calotype.store.media.objects import MediaMissing

_CHUNK = 100_000
_ID_BYTES = 32
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ExportSource:
    """What to write: samples of one state, in order of name."""

    snapshot: Snapshot
    samples: Sequence[Sample]
    label_set: str
    media: AllMedia
    images: ImagesMode = "copy"
    rehearsal: bool = False
    """Write the labels only, as if the images were there."""

    @classmethod
    def of(
        cls,
        snapshot: Snapshot,
        ids: Sequence[str],
        label_set: str,
        *,
        media: AllMedia,
        images: ImagesMode = "copy",
        rehearsal: bool = False,
    ) -> ExportSource:
        """Samples by id."""
        samples = sorted(snapshot.iter_samples(ids=ids), key=lambda sample: (sample.name, sample.sample_id))
        return cls(snapshot, samples, label_set, media, images, rehearsal)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """File names that are safe on every file system, by the id of their sample; made when first asked for."""
        return file_names(self.samples)

    def for_writer(self) -> ExportSamples:
        """The samples as the writers of formats take them."""
        return ExportSamples(
            ontology=self.snapshot.ontology,
            items=self._with_annotations,
            tables=self._tables,
            bring=self._add_image,
            file_name=lambda sample: self.names[sample.sample_id],
            listed=self.samples,
            info=self.snapshot.info,
        )

    def sha256(self, sample: Sample) -> str:
        """SHA-256 of a sample's image; for an image by reference it is computed now."""
        return self.media.sha256(sample.media_sha256)

    def hashes(self) -> set[str]:
        """SHA-256 of every image."""
        return {self.sha256(sample) for sample in self.samples}

    def _with_annotations(self) -> Iterator[tuple[Sample, list[Annotation]]]:
        for chunk, table in self._tables(rows.ANNOTATION_SCHEMA.names):
            of_sample: dict[str, list[Annotation]] = {sample.sample_id: [] for sample in chunk}
            for annotation in rows.annotations_from_arrow(table):
                of_sample[annotation.sample_id].append(annotation)
            for sample in chunk:
                yield sample, of_sample[sample.sample_id]

    def _tables(self, columns: Sequence[str]) -> Iterator[tuple[list[Sample], pa.Table]]:
        for start in range(0, len(self.samples), _CHUNK):
            chunk = list(self.samples[start : start + _CHUNK])
            ids = pa.array([sample.sample_id for sample in chunk], pa.string())
            selected = list(dict.fromkeys(["sample_id", "ann_id", *columns]))
            table = self.snapshot.annotations(self.label_set, sample_ids=ids.to_pylist(), columns=selected)
            position = pc.index_in(table["sample_id"], value_set=ids).to_numpy()
            yield chunk, table.take(pa.array(annotation_order(position, table["ann_id"])))

    def _add_image(self, sample: Sample, target: Path | str) -> bool:
        if self.rehearsal:
            return self.images != "none"
        source = self.media.path(sample.media_sha256) if self.images != "none" else ""
        try:
            return bring_image(source, target, self.images)
        except FileNotFoundError:
            raise MediaMissing(sha256=sample.media_sha256) from None


def annotation_order(position: npt.NDArray[np.int32], ann_ids: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """The order of rows by the position of their samples, then by their ids.

    The ids are compared eight bytes at a time as numbers, which takes a fraction of the time that texts take.
    """
    ids = ann_ids.combine_chunks().cast(pa.binary())
    lengths = pc.min_max(pc.binary_length(ids)).as_py()
    if not len(ids) or lengths["min"] != _ID_BYTES or lengths["max"] != _ID_BYTES:
        keys = pa.table({"position": position, "ann_id": ann_ids})
        by_text = pc.sort_indices(keys, [("position", "ascending"), ("ann_id", "ascending")])
        order: npt.NDArray[np.int64] = by_text.to_numpy().astype(np.int64)
        return order
    start = np.frombuffer(ids.buffers()[1], np.int32)[ids.offset]
    data = np.frombuffer(ids.buffers()[2], np.uint8)[start : start + len(ids) * _ID_BYTES]
    words = data.view(">u8").reshape(len(ids), -1).astype(np.uint64)
    # the first word tells most ids apart; the others are compared only where it does not
    by_first = np.lexsort((words[:, 0], position))
    is_equal = (np.diff(words[by_first, 0]) == 0) & (np.diff(position[by_first]) == 0)
    return np.lexsort((*words.T[::-1], position)) if is_equal.any() else by_first


def is_unrecorded(target: Path, dataset: str, version: str) -> bool:
    """Whether a folder holds the files of a release that was interrupted before it was recorded.

    The caller knows that the release is not recorded.
    """
    try:
        manifest = json.loads((target / MANIFEST).read_bytes())
        return bool((manifest["dataset"], manifest["version"]) == (dataset, version))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write_export(folder: Path, source: ExportSource, format: str, *, progress: Progress) -> Exported:
    """Write one format into an existing, empty folder. Raises: FormatUnknown, MediaMissing."""
    result = registry.writer(format).write(source.for_writer(), folder, progress=progress)
    files = tuple(sorted(result.files))
    return Exported(folder, format, files, result.n_samples, result.n_annotations, result.losses)


@dataclass(frozen=True, slots=True)
class BuiltFiles:
    """The files of a finished folder. `listed` leaves out the copies of images, which the manifest does name."""

    card: Mapping[str, Any]
    exports: tuple[Exported, ...]
    all: tuple[File, ...]
    listed: tuple[File, ...]


def write_release(
    folder: Path, source: ExportSource, card: Mapping[str, Any], formats: Sequence[str], *, progress: Progress
) -> BuiltFiles:
    """Write the exports, card, splits and manifest of a release into an existing, empty folder.

    Each export is opened as a trainer opens it, and counted. Raises: ExportNotReadable, MediaMissing.
    """
    exports = []
    for format in formats:
        (folder / format).mkdir()
        exported = write_export(folder / format, source, format, progress=progress)
        reopened = trainer_rules.reopen(format, folder / format)
        trainer_rules.compare(format, reopened, exported.samples, exported.annotations)
        exports.append(replace(exported, reopened=reopened))
    full_card = with_exports(card, exports)
    _write(folder / "card.json", _json(full_card))
    _write(folder / "card.md", card_text.markdown(full_card).encode())
    _write(folder / "splits.csv", _splits_csv(source))
    files = list(_hash_files(folder, progress))
    manifest = {"dataset": card["dataset"], "version": card["version"], "commit": card["commit"]}
    _write(folder / MANIFEST, _json({**manifest, "files": [file.to_dict() for file in files]}))
    files.append(_hash_file(folder, folder / MANIFEST))
    media = source.hashes()
    listed = tuple(file for file in files if file.sha256 not in media)
    return BuiltFiles(full_card, tuple(exports), tuple(files), listed)


def _splits_csv(source: ExportSource) -> bytes:
    """One row per sample: its split and what identifies it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["split", "name", "file", "media_sha256", "group", "sample_id"])
    for s in source.samples:
        sha256 = source.sha256(s)
        texts = (s.split, s.name, source.names[s.sample_id], sha256, s.group, s.sample_id)
        writer.writerow([spreadsheet_cell(text) for text in texts])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _hash_files(folder: Path, progress: Progress) -> Iterator[File]:
    paths = sorted(
        (p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.relative_to(folder).as_posix()
    )
    for done, path in enumerate(paths, start=1):
        yield _hash_file(folder, path)
        progress("hashing files", done, len(paths))


def _hash_file(folder: Path, path: Path) -> File:
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return File(path.relative_to(folder).as_posix(), path.stat().st_size, digest)


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    fsync_path(path)
