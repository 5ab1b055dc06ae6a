"""COCO instances: one JSON with images, annotations and categories. Source: the data format page of the
COCO dataset.
"""

from __future__ import annotations

from pathlib import Path

from calotype.datasets.model import Kind
from calotype.formats import coco_writing
from calotype.formats.base import ExportSamples, Parsed, Written
from calotype.formats.coco_files import label_files, refused, split_of
from calotype.formats.coco_reading import CocoFile, CocoResults, opened
from calotype.formats.coco_values import parsed
from calotype.foundation.progress import Progress, silent


class Coco:
    """Boxes, polygons, masks and keypoints in one JSON file."""

    name = "coco"
    title = "COCO"
    holds = frozenset({Kind.BOX, Kind.POLYGON, Kind.MASK, Kind.KEYPOINTS})

    def detect(self, path: Path) -> bool:
        """A JSON file, or a folder with one that names images and annotations."""
        return any(_looks_like(file) for file in label_files(path))

    def read(self, path: Path, *, images: Path | None = None, progress: Progress = silent) -> Parsed:
        """Raises: LabelFileUnreadable."""
        files = [file for file in self.files(path) if isinstance(file, CocoFile)]
        if not files:
            raise refused(
                path, "its top level is no object", "give a file with images, annotations and categories"
            )
        return parsed(files, images)

    def files(self, path: Path) -> list[CocoFile | CocoResults]:
        """The label files at a path, opened.

        Raises: LabelFileUnreadable.
        """
        files = label_files(path)
        if not files:
            raise refused(path, "there is no JSON file", "give the JSON file, or the folder that holds it")
        return [opened(file, split=split_of(file)) for file in files]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `annotations/instances[_split].json` and `images/`; the same input gives the same bytes."""
        return coco_writing.write(samples, out, progress=progress)


def _looks_like(file: Path) -> bool:
    with file.open("rb") as handle:
        start = handle.read(10_000_000)
    return b'"images"' in start or (start.lstrip()[:1] == b"[" and b'"image_id"' in start)
