"""XML of the LabelMe web tool: one file an image, below `Annotations/` where the images are below `Images/`, or beside.

Source: the annotation files of LabelMeAnnotationTool, and the "LabelMe 3.0" export of CVAT. Coordinates are pixels.
An object is a polygon, a box where its `type` is `bounding_box`, or a mask (`segm`), of which the box is kept.
Objects marked as deleted are left out. `attributes` are words, or `name=value` as CVAT writes them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from calotype.datasets.model import Kind
from calotype.folder_reading.folder import BACKGROUND, Reading, stem_of, suffix_of
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.fields import BadItem, written_number
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedSource
from calotype.formats.xml_file import Element, load, named
from calotype.foundation.progress import Progress, silent
from calotype.service_formats.image_names import add_stated
from calotype.vision.polygons import ring_problem, rings_area, rings_bbox_xywh

_TITLE = "LabelMe XML"
_TOP = re.compile(rb"<annotation[\s>]")
_SHAPES = re.compile(rb"<(?:pt|segm|deleted)>")
_OF_VOC = b"<bndbox"
_YES = ("1", "yes", "true")


class LabelMeXml:
    """Polygons and boxes of the web tool, an XML file an image."""

    name = "labelme-xml"
    title = _TITLE
    suffixes = (".xml",)
    abilities = Abilities(
        reads=frozenset({Kind.POLYGON, Kind.BOX}),
        writes=frozenset(),
        one_file=True,
        source='annotation files of LabelMeAnnotationTool; "LabelMe 3.0" of CVAT',
        coordinates="pixels of the corners, the origin is the top-left corner",
        ids="images by `folder` and `filename`; classes by name; ids of objects are kept",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """XML files of annotations with points or `deleted`, and without the boxes of Pascal VOC."""
        like = [name for name in survey.with_suffix(".xml")[:100] if is_like(survey.head(name, 20_000))]
        return Sighting("an XML file an image", tuple(like[:5]), Certainty.DESCRIBED) if like else None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when no file can be read."""
        reading = Reading(path, images, _TITLE)
        files = [name for name in reading.files.names if suffix_of(name) == ".xml"]
        files = files if reading.single is None else [reading.single]
        if not files:
            raise reading.refused(
                "the folder contains no XML files", "give the folder that contains Annotations/"
            )
        n_read = 0
        for at, name in enumerate(files, 1):
            try:
                _read(load(reading.files.path(name), _TITLE, "annotation"), name, reading)
                n_read += 1
            except (LabelFileUnreadable, BadItem) as error:
                if len(files) == 1 and isinstance(error, LabelFileUnreadable):
                    raise
                reason = error.reason if isinstance(error, BadItem) else error.message
                reading.set_aside("image", name, reason)
            progress("reading labels", at, len(files))
        if not n_read and len(reading.problems) >= len(files) > 1:
            raise reading.refused("no file can be read", "export the files again")
        reading.add_unlabelled(reading.image_files.images)
        return [ParsedSource(path.name, reading.labels())]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Raises: NotImplementedError: the format is read only."""
        raise NotImplementedError(self.name)


def is_like(head: bytes) -> bool:
    """Whether the head of an XML file is that of an annotation of the web tool."""
    return bool(_TOP.search(head) and _SHAPES.search(head)) and _OF_VOC not in head


def _read(top: Element, file: str, reading: Reading) -> None:
    """Read one file. Raises: BadItem where its image cannot be known."""
    folder = file.rpartition("/")[0]
    stated = named(top, "filename") or stem_of(file).rpartition("/")[2]
    parts = folder.split("/")
    at = next((n for n, part in enumerate(parts) if part.lower() == "annotations"), None)
    inside = [] if at is None else ["/".join([*parts[:at], "Images", *parts[at + 1 :]])]
    key = add_stated(reading, stated, file, [*inside, folder])
    n_before = len(reading.annotations)
    n_problems = len(reading.problems)
    n_deleted = 0
    for n, one in enumerate(top.findall("object")):
        where = f"{file} object[{n}]"
        if named(one, "deleted").lower() in _YES:
            n_deleted += 1
            reading.notices.add("value-dropped", where, what="object marked as deleted: left out")
            continue
        try:
            reading.add(_object(one, key, where, reading))
        except BadItem as bad:
            reading.set_aside("annotation", where, bad.reason)
    if len(reading.annotations) == n_before and len(reading.problems) == n_problems and not n_deleted:
        reading.notices.add("image-empty", file)
        reading.images[key] = replace(reading.images[key], tags=(BACKGROUND,))


def _object(one: Element, key: str, where: str, reading: Reading) -> ParsedAnnotation:
    """One object. Raises: BadItem."""
    name = named(one, "name")
    if not name:
        raise BadItem("it has no name")
    kind, ring = _shape(one, where, reading)
    attributes = _attributes(named(one, "attributes"))
    if named(one, "occluded").lower() in _YES:
        attributes["occluded"] = True
    x, y, width, height = rings_bbox_xywh([ring])
    return ParsedAnnotation(
        key,
        name,
        kind,
        where,
        bbox_xywh_px=(x, y, width, height),
        rings_px=(ring,) if kind is Kind.POLYGON else (),
        area_px=rings_area([ring]),
        attributes=attributes,
        extra={"verified": True} if named(one, "verified").lower() in _YES else {},
        source_id=named(one, "id"),
    )


def _shape(one: Element, where: str, reading: Reading) -> tuple[Kind, tuple[float, ...]]:
    """The kind and the corners of an object. Raises: BadItem."""
    box = one.find("segm/box")
    if box is not None:
        what = "mask of an object, whose image is not read: its box is kept"
        reading.notices.add("shape-converted", where, what=what)
        x1, y1, x2, y2 = (written_number(named(box, f"{side}"), side) for side in _SIDES)
        return Kind.BOX, (x1, y1, x2, y1, x2, y2, x1, y2)
    points = one.findall("polygon/pt")
    ring = tuple(written_number(named(point, side), side) for point in points for side in ("x", "y"))
    is_box = named(one, "type").lower() == "bounding_box"
    if is_box and len(points) >= 2:
        x, y, width, height = rings_bbox_xywh([ring])
        return Kind.BOX, (x, y, x + width, y, x + width, y + height, x, y + height)
    problem = ring_problem(ring)
    if problem:
        raise BadItem(f"its polygon cannot be used: {problem}")
    return Kind.POLYGON, ring


_SIDES = ("xmin", "ymin", "xmax", "ymax")


def _attributes(text: str) -> dict[str, Any]:
    """`a=1, b=x` as names and values; other words as one description."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if parts and all("=" in part for part in parts):
        return {
            name.strip(): value.strip()
            for name, _, value in (p.partition("=") for p in parts)
            if name.strip()
        }
    return {"description": text} if parts else {}
