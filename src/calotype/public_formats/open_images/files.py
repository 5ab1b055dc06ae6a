"""The CSV files of Open Images: which file holds what, and their rows one by one within limits."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from calotype.folder_reading.folder import SPLITS, Reading, suffix_of

MAX_ROWS = 200_000_000
_MAX_CELLS = 64
BOXES, LABELS, MASKS, IMAGES, NAMES = "boxes", "labels", "masks", "images", "names"


@dataclass(frozen=True, slots=True)
class Table:
    """One CSV file: what it holds, and the split that its name states."""

    name: str
    kind: str
    split: str
    columns: tuple[str, ...]


def kind_of(name: str, header: Sequence[str]) -> str:
    """What a CSV file holds, by its columns; empty where it is not one of Open Images."""
    columns = set(header)
    if {"MaskPath", "ImageID", "LabelName"} <= columns:
        return MASKS
    if {"ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"} <= columns:
        return BOXES
    if {"ImageID", "LabelName", "Confidence"} <= columns:
        return LABELS
    if {"ImageID", "Subset"} <= columns:
        return IMAGES
    is_list = "class-descriptions" in name.rpartition("/")[2] or name.endswith("metadata/classes.csv")
    is_list = is_list and len(header) == 2
    return NAMES if is_list or {"LabelName", "DisplayName"} == columns else ""


def header_of(head: bytes) -> tuple[str, ...]:
    """The columns that the first line of a file names."""
    line = head.decode("utf-8-sig", "replace").partition("\n")[0].rstrip("\r")
    try:
        row = next(csv.reader([line]), [])
    except csv.Error:
        return ()
    return tuple(cell.strip() for cell in row[:_MAX_CELLS])


def tables_of(reading: Reading) -> list[Table]:
    """The CSV files of Open Images below the folder; others are left out with a notice."""
    tables = []
    names = [reading.single] if reading.single else reading.files.names
    for name in names:
        if suffix_of(name) != ".csv":
            continue
        try:
            with reading.files.path(name).open("rb") as file:
                header = header_of(file.read(10_000))
        except OSError as error:
            reason = f"it cannot be read: {error.strerror or type(error).__name__}"
            reading.set_aside("image", name, reason, kind="unreadable")
            continue
        kind = kind_of(name, header)
        if kind:
            tables.append(Table(name, kind, _split(name), header))
        else:
            reading.notices.add("file-not-labels", name)
    return tables


def rows_of(reading: Reading, table: Table) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Place and cells of each row; a row that is broken is a problem."""
    path = Path(reading.files.path(table.name))
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file)
        is_bare = table.kind == NAMES and {"LabelName", "DisplayName"} != set(table.columns)
        columns = ("LabelName", "DisplayName") if is_bare else table.columns
        at = 0
        while at < MAX_ROWS:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                reading.set_aside(
                    "annotation", f"{table.name}:{reader.line_num}", f"its row is broken: {error}"
                )
                continue
            at += 1
            if (at == 1 and not is_bare) or not row:
                continue
            where = f"{table.name}:{reader.line_num}"
            if len(row) != len(columns):
                reason = f"it has {len(row)} cells, the head of the file {len(columns)}"
                reading.set_aside("annotation", where, reason)
                continue
            yield where, dict(zip(columns, row, strict=True))


def _split(name: str) -> str:
    """The split that a file name states, as in `oidv6-train-annotations-bbox.csv`."""
    words = name.rpartition("/")[2].lower().replace("_", "-").split("-")
    return next((SPLITS[word] for word in words if word in SPLITS), "")
