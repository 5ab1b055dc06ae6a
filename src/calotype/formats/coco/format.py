"""COCO instances: one JSON file with images, annotations and categories, or a list of results.

Source: the data format page of the COCO dataset.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from calotype.datasets.model import Kind
from calotype.formats.base import Abilities, ExportSamples, LabelSource, Written
from calotype.formats.coco import writing as coco_writing
from calotype.formats.coco.files import json_files, label_files, refused
from calotype.formats.coco.reading import open_file
from calotype.formats.files_below import head_of, is_file
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.foundation.progress import Progress, silent

_HEAD_BYTES = 10_000_000
_KEYS = (b'"annotations"', b'"categories"', b'"image_id"')
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

    def recognise(self, survey: Survey) -> Sighting | None:
        """A JSON file with images and annotations, alone or in a folder; broken: one that lacks them."""
        path = survey.path
        like = [file for file in label_files(path) if _looks_like(file)]
        if like:
            return Sighting("a JSON file", tuple(file.name for file in like[:5]), Certainty.DESCRIBED)
        if is_file(path):
            is_json = path.suffix.lower() == ".json"
            return Sighting("a JSON file without images", (path.name,), broken=True) if is_json else None
        kept_apart = [file for file in json_files(path / "annotations") if is_file(file)]
        beside = (file for file in json_files(path) if _is_meant(file))
        file = next(iter(kept_apart), None) or next(beside, None)
        return Sighting("a JSON file without images", (file.name,), broken=True) if file else None

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
    start = head_of(file, _HEAD_BYTES)
    return b'"images"' in start or (start.lstrip()[:1] == b"[" and b'"image_id"' in start)


def _is_meant(file: Path) -> bool:
    """Whether a JSON file without images is meant as one of COCO: by its keys, or since nothing can read it."""
    start = head_of(file, _HEAD_BYTES)
    if any(key in start for key in _KEYS):
        return True
    if len(start) == _HEAD_BYTES:
        return False
    try:
        msgspec.json.decode(start, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return True
    return False
