"""A table of classes: a row an image, a column a class, 1 where the image has it and 0 where not.

Source: the multi-label classification export of Roboflow, `_classes.csv` in each split folder beside the images. The
file of that name in its exports of masks names the colours (`Pixel Value, Class`) and is another thing.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from calotype.datasets.model import Kind
from calotype.folder_reading.csv_rows import csv_rows
from calotype.folder_reading.folder import BACKGROUND, Reading
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.csv_cells import long_cells
from calotype.formats.fields import BadItem
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedSource
from calotype.formats.windows import DeclaredClass
from calotype.foundation.progress import Progress, silent
from calotype.service_formats.image_names import add_stated

_NAME = "_classes.csv"
_FIRST = "filename"
_MAX_CLASSES = 20_000


class ClassTable:
    """Classes of whole images, several of each, in a CSV file."""

    name = "class-table"
    title = "Class table (CSV)"
    suffixes = (".csv",)
    abilities = Abilities(
        reads=frozenset({Kind.CLASSIFICATION}),
        writes=frozenset(),
        one_file=True,
        source="multi-label classification export of Roboflow (`_classes.csv`)",
        coordinates="none",
        ids="images by file name beside the CSV file; classes by the name of their column",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """`_classes.csv` whose first column is `filename`."""
        names = [survey.path.name] if survey.is_file else survey.named(_NAME)
        like = [name for name in names if name.lower().endswith(_NAME) and _is_like(survey.head(name, 4_000))]
        if not like:
            return None
        folders = {name.rpartition("/")[0] for name in like}
        layout = "a table of classes in each split folder" if len(folders) > 1 else "a table of classes"
        return Sighting(layout, tuple(like[:5]), Certainty.DESCRIBED)

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when there is no such table."""
        reading = Reading(path, images, self.title)
        tables = [n for n in reading.files.names if n.rpartition("/")[2].lower() == _NAME]
        tables = tables if reading.single is None else [reading.single]
        if not tables:
            raise reading.refused("there is no _classes.csv", "give the folder that holds the split folders")
        names: dict[str, None] = {}
        n_read = 0
        for at, table in enumerate(tables, 1):
            n_read += _read(table, reading, names)
            progress("reading labels", at, len(tables))
        if not n_read:
            reason = reading.problems[-1].reason if reading.problems else "it is empty"
            raise reading.refused(reason, f"the first line must be {_FIRST} and the names of the classes")
        reading.add_unlabelled(reading.image_files.images)
        return [ParsedSource(path.name, reading.labels(list(map(DeclaredClass, names))))]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Raises: NotImplementedError: the format is read only."""
        raise NotImplementedError(self.name)


def _is_like(head: bytes) -> bool:
    first = head.split(b"\n", 1)[0].decode("utf-8-sig", "replace").split(",")
    return len(first) > 1 and first[0].strip().strip('"').lower() == _FIRST


def _read(table: str, reading: Reading, names: dict[str, None]) -> bool:
    """Read one table; False where it is not one."""
    content = reading.text(table)
    if content is None:
        return False
    with long_cells():
        head = [cell.strip() for cell in next(csv.reader(content.splitlines()[:1]), [])]
        problem = _head_problem(head)
        if problem:
            reading.set_aside("image", table, problem, kind="unreadable")
            return False
        names |= dict.fromkeys(head[1:])
        rows = csv_rows(table, content, lambda where, reason: reading.set_aside("image", where, reason))
        for where, cells in rows:
            values = [cell.strip() for cell in cells.values()]
            try:
                key = add_stated(reading, values[0], where, [table.rpartition("/")[0]])
            except BadItem as bad:
                reading.set_aside("image", where, bad.reason)
                continue
            _add_row(reading, key, where, dict(zip(head[1:], values[1:], strict=True)))
    return True


def _head_problem(head: list[str]) -> str:
    if len(head) < 2 or head[0].lower() != _FIRST:
        return f"its first line is not {_FIRST} and the names of the classes"
    if len(head) > _MAX_CLASSES:
        return f"it has more than {_MAX_CLASSES:,} columns"
    if len({*head}) < len(head) or "" in head:
        return "two of its columns have one name, or one has none"
    return ""


def _add_row(reading: Reading, key: str, where: str, stated: dict[str, str]) -> None:
    """Add the classes of an image; one without any was looked at and has none."""
    if any(a.image_key == key for a in reading.annotations[-len(stated) :]):
        reading.notices.add("duplicate", where)
        return
    has_bad = False
    n_classes = 0
    for name, value in stated.items():
        if value in ("1", "1.0"):
            reading.add(ParsedAnnotation(key, name, Kind.CLASSIFICATION, f"{where} {name}"))
            n_classes += 1
        elif value not in ("0", "0.0"):
            has_bad = True
            reading.set_aside("annotation", f"{where} {name}"[:200], f"{value[:40]!r} is neither 1 nor 0")
    if not n_classes and not has_bad:
        reading.notices.add("image-empty", where)
        reading.images[key] = replace(reading.images[key], tags=(BACKGROUND,))
