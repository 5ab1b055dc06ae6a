"""The image folder of Hugging Face datasets: images, and a metadata file beside them. Source: its image dataset guide.

`metadata.csv`, `metadata.jsonl` or `metadata.parquet` has a row an image with `file_name`, relative to the folder of
the file, and columns such as `objects`, `label` and `text`. There is one in each split folder, or one for all. Names of
numbered classes come from the features in the dataset card (`README.md`).
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from calotype.datasets.model import Kind
from calotype.folder_reading.csv_rows import csv_rows
from calotype.folder_reading.folder import BACKGROUND, Reading, stem_of, suffix_of
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.notices import Losses
from calotype.formats.passthrough import image_name_problem, shown
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedSource
from calotype.formats.windows import DeclaredClass
from calotype.foundation.errors import Invalid
from calotype.foundation.progress import Progress, silent
from calotype.foundation.yaml_text import compose, load
from calotype.public_formats.records.row_writing import LOSES, Columns, named
from calotype.public_formats.records.rows import Names, cell_value, features_names, read_record
from calotype.public_formats.writing import FileWriter, lose_sample

FILES = ("metadata.jsonl", "metadata.csv", "metadata.parquet")
SPLIT_FOLDERS = {"val": "validation"}
_MAX_BYTES = 2_000_000_000
_MAX_CARD_BYTES = 1_000_000
_BATCH = 1_000
PARQUET_ERRORS = (pa.ArrowException, OSError, ValueError)
"""What pyarrow raises for a file that is not Parquet, or a broken one."""


class HfImageFolder:
    """Images with a metadata file: boxes, classes of whole images, captions."""

    name = "hf-image-folder"
    title = "Hugging Face image folder"
    suffixes = (".jsonl", ".csv", ".parquet")
    abilities = Abilities(
        reads=frozenset({Kind.BOX, Kind.CLASSIFICATION, Kind.CAPTION}),
        writes=frozenset({Kind.BOX, Kind.CLASSIFICATION, Kind.CAPTION}),
        loses=(
            *LOSES,
            "a split other than train, validation and test keeps its folder, which loaders do not know",
        ),
        source="image dataset guide and object detection guide of Hugging Face datasets",
        coordinates="bbox is x, y, width, height in pixels, as it is",
        ids="images by file_name; classes by name, or numbers named in the dataset card; ids of objects are kept",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """A metadata file with the column file_name."""
        found = [name for name in survey.named(*FILES) if _has_file_name(survey, name)]
        if not found:
            return None
        layout = (
            "a metadata file beside the images" if len(found) == 1 else "a metadata file in each split folder"
        )
        return Sighting(layout, tuple(found[:3]), Certainty.DESCRIBED)

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when there is no metadata file."""
        reading = Reading(path, images, self.title)
        files = [name for name in reading.files.names if name.rpartition("/")[2].lower() in FILES]
        files = files if reading.single is None else [reading.single]
        if not files:
            raise reading.refused(
                "there is no metadata.jsonl, .csv or .parquet", "give the folder that holds it"
            )
        names = card_names(reading)
        for at, file in enumerate(files, 1):
            for where, row in _rows(reading, file):
                _read_row(reading, file, where, row, names)
            progress("reading labels", at, len(files))
        reading.add_unlabelled(reading.image_files.images)
        return [ParsedSource(path.name, reading.labels(classes_of(reading, names)))]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes the images and `metadata.jsonl`, in a folder for each split; the same input gives the same bytes."""
        losses, files, n_annotations = Losses(), FileWriter(out), 0
        columns = Columns.of(samples)
        names = {c.id: c.name for c in samples.ontology.classes}
        rows: dict[str, list[str]] = {}
        for done, (sample, labels) in enumerate(samples.items(), 1):
            folder = SPLIT_FOLDERS.get(sample.split, sample.split)
            place = f"images/{samples.file_name(sample)}"
            files.image(samples, sample, f"{folder}/{place}".lstrip("/"))
            row, n_written = columns.row(sample, labels, losses)
            n_annotations += n_written
            value = {"file_name": place, **named(row, names)}
            rows.setdefault(folder, []).append(json.dumps(value, ensure_ascii=False))
            lose_sample(losses, sample)
            progress("writing labels", done, samples.n_samples)
        for folder, lines in sorted(rows.items()):
            files.text(f"{folder}/metadata.jsonl".lstrip("/"), "".join(f"{line}\n" for line in lines))
        return Written(files.listed(), samples.n_samples, n_annotations, losses.listed())


def card_names(reading: Reading) -> Names:
    """The names of classes in the YAML at the head of the dataset card; a broken head is a problem."""
    cards = [name for name in reading.files.names if name.lower() == "readme.md"]
    text = reading.text(cards[0], max_bytes=_MAX_CARD_BYTES) if cards else None
    lines = (text or "").splitlines()
    if not lines or lines[0].strip() != "---" or "---" not in (line.strip() for line in lines[1:]):
        return Names()
    end = next(at for at, line in enumerate(lines[1:], 1) if line.strip() == "---")
    head = "\n".join(lines[1:end])
    if "class_label" not in head:
        return Names()

    def make_error(where: str, detail: str, hint: str) -> Invalid:
        return LabelFileUnreadable(where=where, file=where, format=reading.title, detail=detail, hint=hint)

    try:
        compose(head, cards[0], make_error, word="dataset card")
        value = load(head, cards[0], make_error)
    except Invalid as error:
        reading.set_aside("class", cards[0], error.message)
        return Names()
    info = value.get("dataset_info") if isinstance(value, dict) else None
    infos = info if isinstance(info, list) else [info]
    names = Names()
    for one in infos:
        if isinstance(one, dict):
            names.by_path |= features_names(one.get("features")).by_path
    return names


def classes_of(reading: Reading, names: Names) -> list[DeclaredClass]:
    """The classes that the features name in their order, then those that rows name."""
    used = {a.class_name for a in reading.annotations}
    listed = [name for name in names.listed() if name]
    return [DeclaredClass(name) for name in dict.fromkeys([*listed, *sorted(used - set(listed))])]


def _has_file_name(survey: Survey, name: str) -> bool:
    if suffix_of(name) == ".parquet":
        try:
            return "file_name" in pq.read_schema(survey.root / name).names
        except PARQUET_ERRORS:
            return False
    return b"file_name" in survey.head(name).partition(b"\n")[0]


def _rows(reading: Reading, file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Place and columns of each row; a row that is broken is a problem."""
    if suffix_of(file) == ".parquet":
        yield from _parquet_rows(reading, file)
        return
    text = reading.text(file, max_bytes=_MAX_BYTES)
    if text is None:
        return
    if suffix_of(file) == ".csv":
        yield from _csv_rows(reading, file, text)
        return
    for at, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{file}:{at}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            reading.set_aside("image", where, f"it is not JSON: {str(error)[:120]}")
            continue
        if isinstance(row, dict):
            yield where, row
        else:
            reading.set_aside("image", where, "it is not a JSON object")


def _csv_rows(reading: Reading, file: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for where, row in csv_rows(file, text, partial(reading.set_aside, "image")):
        yield where, {column: cell_value(column, cell) for column, cell in row.items()}


def _parquet_rows(reading: Reading, file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    at = 0
    try:
        with pq.ParquetFile(reading.files.path(file)) as opened:
            for batch in opened.iter_batches(_BATCH):
                for row in batch.to_pylist():
                    yield f"{file} row {at}", row
                    at += 1
    except PARQUET_ERRORS as error:
        reading.set_aside(
            "image", file, f"it cannot be read as Parquet: {str(error)[:150]}", kind="unreadable"
        )


def _read_row(reading: Reading, file: str, where: str, row: Mapping[str, Any], names: Names) -> None:
    stated = row.get("file_name")
    if not isinstance(stated, str) or not stated or image_name_problem(stated):
        reading.set_aside("image", where, f"its file_name is {shown(stated)}")
        return
    if "\\" in stated:
        reading.notices.add("name-separator", where)
    folder = file.rpartition("/")[0]
    place = posixpath.normpath(posixpath.join(folder, stated.replace("\\", "/")))
    if place.startswith(("../", "/")) or place == "..":
        reading.set_aside("image", where, f"its file_name {shown(stated)} leads out of the folder")
        return
    name = _image(reading, place, where)
    if name is None and reading.is_ambiguous(where):
        return
    if (name or place) in reading.images:
        reading.set_aside("image", where, f"{shown(stated)} has a row already")
        return
    key = reading.add_image(name, place, where)
    metadata, extra, is_empty = read_record(reading, key, where, row, names)
    tags = (BACKGROUND,) if is_empty else ()
    if is_empty:
        reading.notices.add("image-empty", where)
    elif not any(a.image_key == key for a in reading.annotations[-1:]):
        reading.notices.add("image-without-labels", where)
    reading.images[key] = replace(reading.images[key], metadata=metadata, extra=extra, tags=tags)


def _image(reading: Reading, place: str, where: str) -> str | None:
    """The image at a path, also where its name is written in another form or case."""
    if reading.image_files.has(place):
        return place
    found = [n for n in reading.image_files.with_stem(stem_of(place)) if suffix_of(n) == suffix_of(place)]
    if len(found) == 1:
        reading.notices.add("name-form", where)
        return found[0]
    return (
        None
        if found or reading.has_own_images
        else reading.image_of([stem_of(place.rpartition("/")[2])], where)
    )
