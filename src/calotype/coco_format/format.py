"""COCO instances: one JSON file with images, annotations and categories, or a list of results.

Source: the data format page of the COCO dataset.
"""

from __future__ import annotations

from pathlib import Path

from calotype.coco_format import writing as coco_writing
from calotype.coco_format.layout import (
    is_list,
    is_meant,
    is_panoptic,
    json_files,
    label_files,
    layout_of,
    looks_like,
)
from calotype.coco_format.opening import open_files
from calotype.datasets.model import Kind
from calotype.formats.base import Abilities, ExportSamples, LabelSource, Written
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.foundation.progress import Progress, silent

_KINDS = frozenset({Kind.BOX, Kind.POLYGON, Kind.MASK, Kind.KEYPOINTS})


class Coco:
    """Boxes, polygons, masks and keypoints in one JSON file."""

    name = "coco"
    title = "COCO"
    suffixes = (".json",)
    abilities = Abilities(
        reads=_KINDS | {Kind.CAPTION},
        writes=_KINDS | {Kind.CAPTION},
        one_file=True,
        streams=True,
        source="the data format page of the COCO dataset",
        coordinates="x, y, width and height in pixels, continuous, the origin is the top-left corner of the image; "
        "masks are run lengths by columns",
        ids="numbers of images, categories and annotations are kept; texts that are numbers are read as numbers",
        loses=(
            "classes of whole images, polylines and points",
            "rotated boxes and ellipses as such (a polygon of their outline is kept)",
            "whether an image without annotations was looked at",
            "tags and source of samples",
        ),
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """JSON files with images and annotations, alone or in a folder; broken: one that lacks them. Panoptic: none."""
        path = survey.path
        like = label_files(path) if not survey.is_file else [path] if looks_like(path) else []
        if like and all(map(is_panoptic, like)):
            return None  # a format of its own
        if like:
            evidence = tuple(file.relative_to(survey.root).as_posix() for file in like[:5])
            return Sighting(layout_of(like, survey.root), evidence, Certainty.DESCRIBED)
        if survey.is_file:
            is_json = path.suffix.lower() == ".json" and (is_meant(path) or not is_list(path))
            return Sighting("a JSON file without images", (path.name,), broken=True) if is_json else None
        others = [
            file for file in json_files(path) if file.parent == path or file.parent.name == "annotations"
        ]
        file = next((file for file in others if file.parent != path or is_meant(file)), None)
        return Sighting("a JSON file without images", (file.name,), broken=True) if file else None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[LabelSource]:
        """Raises: LabelFileUnreadable."""
        return open_files(path, images)

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `annotations/instances[_split].json`, captions beside them, and `images/`.

        The same input gives the same bytes.
        """
        return coco_writing.write(samples, out, progress=progress)
