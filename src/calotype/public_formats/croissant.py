"""Croissant: a JSON-LD file that describes the files of a dataset. Source: the Croissant format specification 1.0, 1.1.

`distribution` lists files (FileObject, with a checksum) and sets of files (FileSet, by patterns); `recordSet` says
which columns of them make records. It holds no labels itself. Read are record sets whose fields are columns of a CSV or
JSON lines file that lies beside the description: a column of image names, and columns of a box (x, y, width, height or
two corners, in pixels) or of a class. Nothing is downloaded; a description without such files is refused with what it
lists.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from calotype.datasets.model import Kind
from calotype.folder_reading.csv_rows import csv_rows
from calotype.folder_reading.folder import SPLITS, Reading, split_of, suffix_of
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.passthrough import image_name_problem, shown, text_problem
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedSource
from calotype.foundation.progress import Progress, silent
from calotype.public_formats.croissant_writing import write_described
from calotype.public_formats.numbers import LIMIT_PX, number

_MAX_BYTES = 20_000_000
_MAX_TABLE_BYTES = 2_000_000_000
_MARK = b"mlcommons.org/croissant"
_IMAGE = ("file_name", "filename", "image_path", "image", "image_name", "image_id", "path", "file")
_CLASS = ("class", "category", "category_name", "label", "class_name", "label_name", "name")
_SPLIT = ("split", "subset")
_SIDES = (
    ("x", "y", "width", "height"),
    ("bbox_x", "bbox_y", "bbox_width", "bbox_height"),
    ("x", "y", "w", "h"),
)
_CORNERS = (("xmin", "ymin", "xmax", "ymax"), ("x_min", "y_min", "x_max", "y_max"), ("x1", "y1", "x2", "y2"))


class Croissant:
    """A description of files, and what these hold."""

    name = "croissant"
    title = "Croissant"
    suffixes = (".json", ".jsonld")
    abilities = Abilities(
        reads=frozenset({Kind.BOX, Kind.CLASSIFICATION}),
        writes=frozenset({Kind.BOX, Kind.CLASSIFICATION}),
        loses=(
            "shapes other than boxes (their box is kept)",
            "captions",
            "id, score, attributes and extra keys of annotations; iscrowd of classes of whole images",
            "images that nobody labelled and images without objects look the same",
            "metadata, licence, source and tags of samples",
        ),
        source="Croissant format specification 1.0 and 1.1",
        coordinates="columns of x, y, width, height or of two corners, in pixels, as they are",
        ids="images by their path; classes by name; annotations have none",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """A JSON file with the context of Croissant."""
        for name in survey.with_suffix(".json", ".jsonld"):
            if _MARK in survey.head(name):
                return Sighting("a description of files", (name,), Certainty.DESCRIBED)
        return None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable: no description, or none of its record sets can be read from files beside it."""
        reading = Reading(path, images, self.title)
        file = reading.single or _description(reading)
        if file is None:
            raise reading.refused("there is no croissant.json", "give the description, or its folder")
        described = _Described.of(reading, file)
        tables = [table for table in described.record_sets if table.is_read]
        if not tables:
            hint = "put the files beside the description, or import them with the format that they have"
            raise reading.refused(described.summary(), hint)
        for at, table in enumerate(tables, 1):
            _read_table(reading, table)
            progress("reading labels", at, len(tables))
        for table in described.record_sets:
            if not table.is_read:
                what = "record set that cannot be read from files beside the description: left out"
                reading.notices.add("file-not-labels", table.name, what=what)
        reading.add_unlabelled(reading.image_files.images)
        return [ParsedSource(path.name, reading.labels())]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `croissant.json` and the tables and images that it describes; each time the same bytes."""
        return write_described(samples, out, progress)


def _description(reading: Reading) -> str | None:
    """The description nearest to the root."""
    found = []
    for name in reading.files.names:
        if suffix_of(name) in (".json", ".jsonld"):
            try:
                with reading.files.path(name).open("rb") as file:
                    if _MARK in file.read(64_000):
                        found.append(name)
            except OSError:
                continue
    return min(found, key=lambda name: (name.count("/"), name), default=None)


@dataclass(frozen=True)
class _Table:
    """A record set: its columns by what they are, and the file that holds them; `file` is empty where there is none."""

    name: str
    file: str
    columns: Mapping[str, str]

    @property
    def is_read(self) -> bool:
        """Whether its rows can be read: they name images."""
        return bool(self.file) and self.column(_IMAGE) is not None

    def column(self, names: Sequence[str]) -> str | None:
        """The first column of these names."""
        return next((self.columns[name] for name in names if name in self.columns), None)

    def four(self, choices: Sequence[Sequence[str]]) -> list[str] | None:
        """Four columns of a box."""
        found = next((names for names in choices if all(name in self.columns for name in names)), None)
        return None if found is None else [self.columns[name] for name in found]


@dataclass(frozen=True)
class _Described:
    """What a description lists."""

    files: list[str]
    missing: list[str]
    record_sets: list[_Table]

    @classmethod
    def of(cls, reading: Reading, file: str) -> _Described:
        """Read a description. Raises: LabelFileUnreadable."""
        text = reading.text(file, max_bytes=_MAX_BYTES)
        try:
            value = json.loads(text or "")
        except (ValueError, RecursionError) as error:
            raise reading.refused(
                f"it is not JSON: {str(error)[:120]}", "write it again", where=file
            ) from None
        if not isinstance(value, dict):
            raise reading.refused("it is not a JSON object", "write it again", where=file)
        above = file.rpartition("/")[0]
        local: dict[str, str] = {}
        files: list[str] = []
        missing: list[str] = []
        for one in _dicts(value.get("distribution")):
            found = _local(reading, above, one)
            identity = str(one.get("@id") or one.get("name") or "")[:200]
            (files if found else missing).append(identity)
            if found and len(found) == 1:
                local[identity] = found[0]
        sets = [_table(one, local) for one in _dicts(value.get("recordSet"))]
        return cls(files, missing, sets)

    def summary(self) -> str:
        """What is described and why it cannot be read, for an error."""
        parts = [f"it describes {len(self.files) + len(self.missing)} files"]
        if self.missing:
            parts.append(f"of which {len(self.missing)} are not beside it ({', '.join(self.missing[:3])})")
        names = ", ".join(table.name for table in self.record_sets[:5]) or "none"
        return (
            f"{' '.join(parts)}; its record sets ({names}) have no columns of images, boxes or classes there"
        )


def _dicts(value: Any) -> list[dict[str, Any]]:
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, dict)]


def _local(reading: Reading, above: str, one: Mapping[str, Any]) -> list[str]:
    """The files beside the description that an entry stands for; addresses on the web are not opened."""
    url = one.get("contentUrl")
    if isinstance(url, str) and "://" not in url:
        name = posixpath.normpath(posixpath.join(above, url.replace("\\", "/")))
        if not reading.files.has(name):
            return []
        stated = one.get("sha256")
        if isinstance(stated, str) and suffix_of(name) in (".csv", ".tsv", ".jsonl"):
            data = reading.data(name, max_bytes=_MAX_TABLE_BYTES)
            if data is not None and hashlib.sha256(data).hexdigest() != stated.strip().lower():
                reading.notices.add("checksum-differs", name)
        return [name]
    patterns = [p for p in _texts(one.get("includes")) if "://" not in p and len(p) <= 300]
    inside = f"{above}/" if above else ""
    below = [name for name in reading.files.names if name.startswith(inside)]
    return [name for name in below if any(fnmatch.fnmatchcase(name[len(inside) :], p) for p in patterns)]


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, str)]


def _table(one: Mapping[str, Any], local: Mapping[str, str]) -> _Table:
    """The columns of a record set that come from one local table."""
    name = str(one.get("@id") or one.get("name") or "")[:200]
    columns: dict[str, dict[str, str]] = {}
    for field in _dicts(one.get("field")):
        source = field.get("source")
        source = source if isinstance(source, dict) else {}
        owner = source.get("fileObject")
        identity = owner.get("@id") if isinstance(owner, dict) else owner
        extract = source.get("extract")
        extract = extract if isinstance(extract, dict) else {}
        column = extract.get("column") or str(extract.get("jsonPath") or "").removeprefix("$.")
        if isinstance(column, str) and column and isinstance(identity, str) and identity in local:
            called = str(field.get("name") or field.get("@id") or column).rpartition("/")[2].lower()
            of_file = columns.setdefault(local[identity], {})
            of_file.setdefault(column.lower(), column)
            of_file.setdefault(called, column)
    file = max(columns, key=lambda file: len(columns[file]), default="")
    usable = file if suffix_of(file) in (".csv", ".tsv", ".jsonl") else ""
    return _Table(name, usable, columns.get(file, {}))


def _read_table(reading: Reading, table: _Table) -> None:
    image, name, split = table.column(_IMAGE), table.column(_CLASS), table.column(_SPLIT)
    sides, corners = table.four(_SIDES), table.four(_CORNERS)
    is_list = "bbox" in table.columns
    for where, row in _rows(reading, table.file):
        key = _image(reading, row.get(image or ""), where)
        if key is None:
            continue
        stated = row.get(split or "")
        if isinstance(stated, str) and stated and not text_problem(stated):
            _set_split(reading, key, stated)
        has_box = sides or corners or is_list
        box = _box(row, sides, corners, table.columns.get("bbox")) if has_box else None
        class_name = row.get(name or "")
        if isinstance(box, str):
            reading.set_aside("annotation", where, box)
        elif not name and box is None:
            continue
        elif not isinstance(class_name, str | int) or class_name == "":
            reading.set_aside("annotation", where, f"its class is {shown(class_name)}")
        elif box is None:
            reading.add(ParsedAnnotation(key, str(class_name), Kind.CLASSIFICATION, where))
        else:
            area, crowd = box[2] * box[3], str(row.get("iscrowd", "")).strip().lower() in ("1", "true")
            reading.add(
                ParsedAnnotation(
                    key, str(class_name), Kind.BOX, where, bbox_xywh_px=box, area_px=area, iscrowd=crowd
                )
            )


def _rows(reading: Reading, file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Place and columns of each row; a row that is broken is a problem."""
    text = reading.text(file, max_bytes=_MAX_TABLE_BYTES)
    if text is None:
        return
    if suffix_of(file) == ".jsonl":
        for at, line in enumerate(text.split("\n"), 1):
            try:
                row = json.loads(line) if line.strip() else None
            except (ValueError, RecursionError):
                row = ()
            if isinstance(row, dict):
                yield f"{file}:{at}", row
            elif row is not None:
                reading.set_aside("annotation", f"{file}:{at}", "it is not a JSON object")
        return
    refuse = partial(reading.set_aside, "annotation")
    yield from csv_rows(file, text, refuse, delimiter="\t" if file.endswith(".tsv") else ",")


def _image(reading: Reading, stated: Any, where: str) -> str | None:
    """The image that a cell names, by its path, or by its last part where only one image has it."""
    if not isinstance(stated, str | int) or str(stated) == "" or image_name_problem(str(stated)):
        reading.set_aside("annotation", where, f"its image is {shown(stated)}")
        return None
    place = posixpath.normpath(str(stated).replace("\\", "/"))
    if place.startswith(("../", "/")) or place == "..":
        reading.set_aside("annotation", where, f"its image {shown(stated)} leads out of the folder")
        return None
    if reading.image_files.has(place):
        return reading.add_image(place, place, where)
    last = place.rpartition("/")[2]
    found = reading.image_files.called(last)
    if len(found) > 1:
        reading.set_aside("annotation", where, f"its image could be {found[0]} or {found[1]}")
        reading.notices.add("label-ambiguous", where)
        return None
    return reading.add_image(found[0] if found else None, place, where)


def _set_split(reading: Reading, key: str, stated: str) -> None:
    image = reading.images[key]
    split = SPLITS.get(stated.lower(), stated[:100])
    if image.split in ("", split_of(key)) and split != image.split:
        reading.images[key] = replace(image, split=split)


def _box(
    row: Mapping[str, Any], sides: list[str] | None, corners: list[str] | None, whole: str | None
) -> tuple[float, float, float, float] | str:
    """The box of a row, or why it is invalid."""
    cells: Any = [row.get(column) for column in sides or corners or ()]
    if not cells:
        cells = row.get(whole or "")
        cells = cells.strip("[] ").split(",") if isinstance(cells, str) else cells
    if not isinstance(cells, list) or len(cells) != 4:
        return f"its box is {shown(cells)}"
    values = [number(str(cell).strip()) for cell in cells]
    usable = [value for value in values if value is not None and abs(value) <= LIMIT_PX]
    if len(usable) != 4:
        return f"its box is {shown(', '.join(map(str, cells)))}"
    x, y, w, h = usable
    if sides is None and corners is not None:
        w, h = w - x, h - y
    return (x, y, w, h) if w >= 0 and h >= 0 else f"its box is {shown(', '.join(map(str, cells)))}"
