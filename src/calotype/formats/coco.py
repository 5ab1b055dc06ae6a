"""COCO instances: one JSON file with images, annotations and categories, or a list of results.

Source: the data format page of the COCO dataset.
"""

from __future__ import annotations

from pathlib import Path

from calotype.datasets.model import Kind
from calotype.formats import coco_writing
from calotype.formats.base import Abilities, ExportSamples, LabelSource, Written
from calotype.formats.coco_files import label_files, refused
from calotype.formats.coco_reading import open_file
from calotype.foundation.progress import Progress, silent

_KINDS = frozenset({Kind.BOX, Kind.POLYGON, Kind.MASK, Kind.KEYPOINTS})


class Coco:
    """Boxes, polygons, masks and keypoints in one JSON file."""

    name = "coco"
    title = "COCO"
    suffixes = (".json",)
    abilities = Abilities(
        reads=_KINDS,
        writes=_KINDS,
        one_file=True,
        streams=True,
        loses=("classes of whole images", "tags and source of samples"),
    )

    def detect(self, path: Path) -> bool:
        """A JSON file, or a folder with one that names images and annotations."""
        return any(_looks_like(file) for file in label_files(path))

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[LabelSource]:
        """Raises: LabelFileUnreadable."""
        files = label_files(path)
        if not files:
            raise refused(path, "there is no JSON file", "give the JSON file, or the folder that holds it")
        return [open_file(file, images) for file in files]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `annotations/instances[_split].json` and `images/`; the same input gives the same bytes."""
        return coco_writing.write(samples, out, progress=progress)


def _looks_like(file: Path) -> bool:
    with file.open("rb") as handle:
        start = handle.read(10_000_000)
    return b'"images"' in start or (start.lstrip()[:1] == b"[" and b'"image_id"' in start)
