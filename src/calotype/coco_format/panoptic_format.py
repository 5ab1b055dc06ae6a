"""COCO panoptic as a format of its own, so that masks can be written as segments and a panoptic file read by itself.

Source: the panoptic part of the COCO data format page.
"""

from __future__ import annotations

from pathlib import Path

from calotype.coco_format import panoptic_writing
from calotype.coco_format.layout import is_panoptic, label_files, layout_of
from calotype.coco_format.opening import open_panoptic
from calotype.datasets.model import Kind
from calotype.formats.base import Abilities, ExportSamples, LabelSource, Written
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.foundation.progress import Progress, silent


class CocoPanopticFormat:
    """Segments that cover an image without overlap: a JSON file and PNG files of segment numbers."""

    name = "coco-panoptic"
    title = "COCO panoptic"
    suffixes = (".json",)
    abilities = Abilities(
        reads=frozenset({Kind.MASK}),
        writes=frozenset({Kind.MASK, Kind.POLYGON, Kind.ROTATED_BOX, Kind.ELLIPSE}),
        streams=True,
        source="the panoptic part of the COCO data format page",
        coordinates="a pixel of the PNG is a pixel of the image; its value R + 256 G + 65536 B is the id of its "
        "segment, 0 is none",
        ids="numbers of images and categories are kept, those of segments where they are from 1 to 16777215 and "
        "different in their image",
        loses=(
            "pixels that two segments share: the smaller segment keeps them, and a crowd gives way to all others",
            "polygons, rotated boxes and ellipses as such (drawn as pixels)",
            "boxes, keypoints, polylines, points, classes of whole images and captions",
            "which classes are stuff, unless `isthing` of the category says so (written as things)",
            "score and attributes of annotations",
            "whether an image without annotations was looked at",
            "tags and source of samples",
        ),
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """JSON files of segments, and no others that list images."""
        files = label_files(survey.path)
        if not files or not all(map(is_panoptic, files)):
            return None
        evidence = tuple(file.relative_to(survey.root).as_posix() for file in files[:5])
        return Sighting(layout_of(files, survey.root), evidence, Certainty.DESCRIBED)

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[LabelSource]:
        """The panoptic files at a path; others beside them are left out with a notice. Raises: LabelFileUnreadable."""
        return open_panoptic(path, images)

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `annotations/panoptic[_split].json`, PNG files in a folder of the same name, and `images/`.

        The same input gives the same bytes.
        """
        return panoptic_writing.write(samples, out, progress=progress)
