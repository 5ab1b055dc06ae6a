"""Parquet shards of Hugging Face datasets: rows with the bytes of an image.

Source: the documentation of its features and data files. A shard is `data/<split>-00000-of-00001.parquet`. A column of
images is a structure of `bytes` and `path`; the metadata of the schema (key `huggingface`) describes the features, with
the names of numbered classes. Images are extracted to a temporary folder while they are imported; `path` names the
sample and never becomes a path on disk.
"""

from __future__ import annotations

import json
import posixpath
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from calotype.datasets.model import Kind, Sample
from calotype.folder_reading.folder import BACKGROUND, SPLITS, Reading, split_of, suffix_of
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.image_files import MAX_IMAGE_BYTES
from calotype.formats.notices import Losses
from calotype.formats.passthrough import escaped
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.foundation.progress import Progress, silent
from calotype.public_formats.records.extracted import ArchivedSource, ReadBytes
from calotype.public_formats.records.image_folder import PARQUET_ERRORS, SPLIT_FOLDERS, card_names, classes_of
from calotype.public_formats.records.row_writing import LOSES, Columns, named
from calotype.public_formats.records.rows import Names, features_names, json_value, read_record
from calotype.public_formats.writing import lose_sample

_BATCH = 64
_ROW_GROUP = 100
_MAX_ROWS = 50_000_000
_SHARD = re.compile(r"(.+?)-\d{5,}(?:-of-\d{5,})?(?:-[0-9a-f]+)?\.parquet")
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


class ParquetShards:
    """Rows with the image inside."""

    name = "hf-parquet"
    title = "Hugging Face Parquet"
    suffixes = (".parquet",)
    abilities = Abilities(
        reads=frozenset({Kind.BOX, Kind.CLASSIFICATION, Kind.CAPTION}),
        writes=frozenset({Kind.BOX, Kind.CLASSIFICATION, Kind.CAPTION}),
        one_file=True,
        loses=(*LOSES, "a missing split (train is written)"),
        source="features and data files in the documentation of Hugging Face datasets",
        coordinates="bbox is x, y, width, height in pixels, as it is",
        ids="images by the path inside; classes by name, or numbers named in the schema; ids of objects are kept",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """Parquet files with a column of images."""
        for name in survey.with_suffix(".parquet")[:20]:
            try:
                column = _image_column(pq.read_schema(survey.root / name))
            except PARQUET_ERRORS:
                continue
            if column is not None:
                return Sighting("Parquet files with the images inside", (name,), Certainty.DESCRIBED)
        return None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ArchivedSource]:
        """Raises: LabelFileUnreadable when no file has a column of images."""
        reading = Reading(path, images, self.title)
        names = reading.files.names if reading.single is None else [reading.single]
        files = [name for name in names if suffix_of(name) == ".parquet"]
        shards = [shard for name in files if (shard := _shard(reading, name)) is not None]
        if not shards:
            hint = "give the folder that holds data/*.parquet"
            raise reading.refused("there is no Parquet file with a column of images", hint)
        card = card_names(reading) if reading.single is None else Names()
        members: dict[str, ReadBytes] = {}
        used = Names(dict(card.by_path))
        for at, shard in enumerate(shards, 1):
            used.by_path |= shard.names.by_path
            _read_shard(reading, shard, used, members)
            progress("reading labels", at, len(shards))
        return [ArchivedSource(path.name, reading.labels(classes_of(reading, used)), members)]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `data/<split>-00000-of-00001.parquet`; the same input gives the same bytes."""
        losses = Losses()
        writing = _Writing(samples, out, losses)
        with tempfile.TemporaryDirectory(prefix="calotype-") as folder:
            for done, (sample, labels) in enumerate(samples.items(), 1):
                row, n_written = writing.columns.row(sample, labels, losses)
                writing.n_annotations += n_written
                writing.add(sample, row, Path(folder))
                lose_sample(losses, sample)
                progress("writing labels", done, samples.n_samples)
        writing.close()
        files = tuple(sorted(writing.files.values()))
        return Written(files, samples.n_samples, writing.n_annotations, losses.listed())


@dataclass
class _Shard:
    """One Parquet file: its column of images, its split and the names of its classes."""

    name: str
    path: Path
    column: str
    split: str
    names: Names
    columns: list[str]


def _image_column(schema: pa.Schema) -> str | None:
    """The first column that is a structure of bytes and a path."""
    for column in schema:
        kind = column.type
        if pa.types.is_struct(kind) and {"bytes", "path"} <= {
            kind.field(at).name for at in range(kind.num_fields)
        }:
            return str(column.name)
    return None


def _shard(reading: Reading, name: str) -> _Shard | None:
    path = reading.files.path(name)
    try:
        schema = pq.read_schema(path)
    except PARQUET_ERRORS as error:
        reason = f"it cannot be read as Parquet: {str(error)[:150]}"
        reading.set_aside("image", name, reason, kind="unreadable")
        return None
    column = _image_column(schema)
    if column is None:
        reading.notices.add("file-not-labels", name)
        return None
    described = json_value((schema.metadata or {}).get(b"huggingface", b"").decode("utf-8", "replace"))
    info = described.get("info") if isinstance(described, dict) else None
    names = features_names(info.get("features") if isinstance(info, dict) else None)
    # the bytes of images are not read here
    columns = [f"{c.name}.path" if c.name == column else c.name for c in schema]
    return _Shard(name, path, column, _split(name), names, columns)


def _split(name: str) -> str:
    last = escaped(name.rpartition("/")[2])
    found = _SHARD.fullmatch(last)
    word = found[1] if found else last.rpartition(".")[0]
    return SPLITS.get(word.lower(), split_of(name) or (word if found else ""))


def _read_shard(reading: Reading, shard: _Shard, names: Names, members: dict[str, ReadBytes]) -> None:
    taken = {image.name for image in reading.images.values()}
    bytes_of = _BytesOfShard(shard)
    at = 0
    try:
        with pq.ParquetFile(shard.path) as opened:
            for batch in opened.iter_batches(_BATCH, columns=shard.columns):
                for row in batch.to_pylist():
                    if at < _MAX_ROWS:
                        _read_row(reading, shard, at, row, names, taken)
                        members[f"{shard.name} row {at}"] = bytes_of.reader(at)
                    at += 1
    except PARQUET_ERRORS as error:
        reason = f"it cannot be read further than row {at}: {str(error)[:150]}"
        reading.set_aside("image", shard.name, reason, kind="unreadable")


def _read_row(
    reading: Reading, shard: _Shard, at: int, row: dict[str, Any], names: Names, taken: set[str]
) -> None:
    key = where = f"{shard.name} row {at}"
    image = row.pop(shard.column) or {}
    stated = posixpath.normpath(str(image.get("path") or "").replace("\\", "/")).lstrip("/.")
    stated = stated or f"{at:06}"
    name = "/".join(filter(None, (shard.split, stated)))
    if name in taken:
        name = "/".join(filter(None, (shard.split, f"{shard.name.rpartition('/')[2]}-{at:06}", stated)))
    taken.add(name)
    reading.add_image(None, key, where, split=shard.split)
    metadata, extra, is_empty = read_record(reading, key, where, row, names)
    if is_empty:
        reading.notices.add("image-empty", where)
    elif not any(a.image_key == key for a in reading.annotations[-1:]):
        reading.notices.add("image-without-labels", where)
    tags = (BACKGROUND,) if is_empty else ()
    reading.images[key] = replace(reading.images[key], name=name, metadata=metadata, extra=extra, tags=tags)


class _BytesOfShard:
    """The bytes of the images of a shard, read forward; going back starts again."""

    def __init__(self, shard: _Shard) -> None:
        self._shard = shard
        self._rows: Iterator[bytes | None] = iter(())
        self._next = 0

    def reader(self, at: int) -> ReadBytes:
        """A function that reads the image of a row."""
        return lambda: self._read(at)

    def _read(self, at: int) -> bytes | None:
        if at < self._next or self._next == 0:
            self._rows, self._next = self._all(), 0
        data = None
        while self._next <= at:
            data = next(self._rows, None)
            self._next += 1
        return data

    def _all(self) -> Iterator[bytes | None]:
        try:
            with pq.ParquetFile(self._shard.path) as opened:
                column = f"{self._shard.column}.bytes"
                for batch in opened.iter_batches(_BATCH, columns=[column]):
                    for value in batch.column(0):
                        data = value["bytes"] if value.is_valid else None
                        small = (
                            data is not None and data.is_valid and len(data.as_buffer()) <= MAX_IMAGE_BYTES
                        )
                        yield data.as_py() if data is not None and small else None
        except PARQUET_ERRORS:
            return


class _Writing:
    """One writing: an open file a split, and the rows that it waits for."""

    def __init__(self, samples: ExportSamples, out: Path, losses: Losses) -> None:
        self.columns = Columns.of(samples)
        self.files: dict[str, str] = {}
        self.n_annotations = 0
        self._samples, self._out, self._losses = samples, out, losses
        self._numbers = {c.id: at for at, c in enumerate(samples.ontology.classes)}
        self._schema = _schema(self.columns, [c.name for c in samples.ontology.classes])
        self._waiting: dict[str, list[dict[str, Any]]] = {}
        self._writers: dict[str, pq.ParquetWriter] = {}

    def add(self, sample: Sample, row: Mapping[str, Any], folder: Path) -> None:
        """Add the row of an image."""
        split = SPLIT_FOLDERS.get(sample.split, sample.split) or "train"
        if not sample.split:
            self._losses.add("missing split of a sample (train is written)", sample.name)
        target = folder / "image"
        brought = self._samples.bring(sample, target)
        data = target.read_bytes() if brought else None
        target.unlink(missing_ok=True)
        image = {"bytes": data, "path": self._samples.file_name(sample)}
        waiting = self._waiting.setdefault(split, [])
        waiting.append({"image": image, **named(dict(row), self._numbers)})
        if len(waiting) >= _ROW_GROUP:
            self._flush(split)

    def close(self) -> None:
        """Write what waits, and close the files."""
        for split in sorted(self._waiting):
            self._flush(split)
        for writer in self._writers.values():
            writer.close()

    def _flush(self, split: str) -> None:
        if split not in self._writers:
            safe = re.sub(r"[^\w.]", "_", split)
            name = f"data/{safe}-00000-of-00001.parquet"
            (self._out / "data").mkdir(exist_ok=True)
            self._writers[split] = pq.ParquetWriter(self._out / name, self._schema)
            self.files[split] = name
        rows = self._waiting.pop(split)
        if rows:
            self._writers[split].write_table(pa.Table.from_pylist(rows, self._schema))


def _schema(columns: Columns, names: list[str]) -> pa.Schema:
    """The schema, with the features as Hugging Face datasets reads them."""
    label = {"names": names, "_type": "ClassLabel"}
    kinds: dict[str, tuple[pa.DataType, Any]] = {
        "bbox": (pa.list_(pa.float64()), {"feature": _value("float64"), "_type": "Sequence"}),
        "category": (pa.int64(), label),
        "area": (pa.float64(), _value("float64")),
        "iscrowd": (pa.int64(), _value("int64")),
        "id": (pa.string(), _value("string")),
        "score": (pa.float64(), _value("float64")),
        "attributes": (pa.string(), _value("string")),
    }
    fields = [pa.field("image", _IMAGE)]
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    if columns.objects:
        fields.append(pa.field("objects", pa.struct([(c, pa.list_(kinds[c][0])) for c in columns.objects])))
        features["objects"] = {c: {"feature": kinds[c][1], "_type": "Sequence"} for c in columns.objects}
    if columns.label:
        is_list = columns.label == "labels"
        fields.append(pa.field(columns.label, pa.list_(pa.int64()) if is_list else pa.int64()))
        features[columns.label] = {"feature": label, "_type": "Sequence"} if is_list else label
    if columns.text:
        is_list = columns.text == "captions"
        fields.append(pa.field(columns.text, pa.list_(pa.string()) if is_list else pa.string()))
        features[columns.text] = (
            {"feature": _value("string"), "_type": "Sequence"} if is_list else _value("string")
        )
    described = json.dumps({"info": {"features": features}})
    return pa.schema(fields, {"huggingface": described})


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}
