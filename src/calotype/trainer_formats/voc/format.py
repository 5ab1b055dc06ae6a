"""Pascal VOC as a format: what it recognises, reads and writes. Source: the VOC2012 development kit."""

from __future__ import annotations

import re
from pathlib import Path

from calotype.datasets.model import Kind
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.files_below import is_folder
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedSource
from calotype.foundation.progress import Progress, silent
from calotype.trainer_formats.voc import reading as voc_reading
from calotype.trainer_formats.voc import writing as voc_writing

_ROOT = re.compile(rb"<annotation[\s>]")
_OF_WEB_TOOL = re.compile(rb"\A(?!.*<bndbox).*<(?:pt|segm|deleted)>", re.DOTALL)
"""The XML of the LabelMe web tool has the same first element, and points where Pascal VOC has boxes."""
_FOLDERS = ("Annotations", "annotations")
_MAX_LOOKED_AT = 100


class Voc:
    """Boxes, one XML file per image, and masks in images."""

    name = "voc"
    title = "Pascal VOC"
    suffixes = (".xml",)
    abilities = Abilities(
        reads=frozenset({Kind.BOX, Kind.ROTATED_BOX, Kind.POLYGON, Kind.MASK, Kind.CLASSIFICATION}),
        writes=frozenset({Kind.BOX, Kind.MASK, Kind.CLASSIFICATION}),
        one_file=True,
        loses=(
            "outlines of polygons and the like (their pixels are kept as a mask)",
            "keypoints (their box is kept), polylines, points and captions",
            "pixels of a mask that a later one covers",
            "id, score, iscrowd and extra keys of annotations",
            "attributes that are neither texts nor true or false",
            "metadata, licence, source and tags of samples",
        ),
        source="the annotation format of the VOC2012 development kit",
        coordinates='corners xmin, ymin, xmax, ymax in pixels, read and written as they are, without "+1"',
        ids="classes are names; images are paths; object n is pixel value n of its mask image",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """XML files with an `annotation` in them; broken: XML where label files are kept, and none of them has one."""
        files = survey.with_suffix(".xml")
        like = next((file for file in files[:_MAX_LOOKED_AT] if _ROOT.search(survey.head(file, 2_000))), None)
        if like is not None and _OF_WEB_TOOL.search(survey.head(like, 20_000)):
            return None
        if like is not None:
            kept_apart = any(part.lower() == "annotations" for part in like.split("/")[:-1])
            layout = "XML files in Annotations/" if kept_apart else "an XML file beside each image"
            return Sighting("an XML file" if survey.is_file else layout, (like,), Certainty.DESCRIBED)
        kept_apart = survey.is_file or any(is_folder(survey.root / name) for name in _FOLDERS)
        return (
            Sighting("XML without an annotation", (files[0],), broken=True) if files and kept_apart else None
        )

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when no file can be read."""
        return [ParsedSource(path.name, voc_reading.read(path, images, progress))]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `Annotations/`, `JPEGImages/`, `ImageSets/` and images of masks; the same input gives the same
        bytes."""
        return voc_writing.write(samples, out, progress=progress)
