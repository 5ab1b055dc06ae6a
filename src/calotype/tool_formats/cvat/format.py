"""CVAT XML 1.1, for images and for video. Source: "CVAT for image" and "CVAT for video" of the CVAT documentation.

Coordinates are pixels, rotation is in degrees about the centre. A mask gives run lengths row by row inside its own box,
beginning with background. A track is a shape at keyframes; between them it is interpolated, `outside` ends it.
"""

from __future__ import annotations

import re
from pathlib import Path

from calotype.datasets.model import Kind
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.fields import size_or_none, text
from calotype.formats.files_below import files_below, is_file
from calotype.formats.json_text import refused
from calotype.formats.split_names import split_of_folder
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedSource
from calotype.formats.xml_file import Element, load, whole_or_none
from calotype.foundation.progress import Progress, silent
from calotype.tool_formats import shapes
from calotype.tool_formats.collected import Collected, Entry, Facts, read_each
from calotype.tool_formats.cvat import labels as cvat_labels
from calotype.tool_formats.cvat import writing as cvat_writing
from calotype.tool_formats.cvat.elements import cuboid_extra, drawn, facts, shape
from calotype.tool_formats.cvat.labels import Label, Labels
from calotype.tool_formats.cvat.video import Tracks
from calotype.tool_formats.writing import Export

_TITLE = "CVAT XML"
_MAX_FILES = 200
_ROOT = re.compile(rb"<annotations[\s>]")
_OWN = re.compile(rb"<(?:image|track|meta|version)[\s>]")
_SUBSET = "default"


class Cvat:
    """All shapes of CVAT, of images and of frames of a video, in one XML file."""

    name = "cvat"
    title = "CVAT XML 1.1"
    suffixes = (".xml",)
    abilities = Abilities(
        reads=frozenset(Kind),
        writes=frozenset(Kind),
        one_file=True,
        loses=(
            "polygons of several parts (written as a mask), parts of a line but the longest",
            "boxes of skeletons that are not the bounds of their points",
            "id, score, iscrowd and extra keys of annotations",
            "ids and supercategories of classes",
            "metadata, licence, source and tags of samples",
        ),
        source="CVAT documentation: CVAT for image, CVAT for video (XML 1.1)",
        coordinates="pixels; corners of boxes; angles in degrees, clockwise about the centre",
        ids="images by name; labels by name; a track's id becomes `track_id`, its frame the sample's `frame`",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """XML files whose top element is `annotations`, with images or tracks in it."""
        evidence = []
        for name in survey.with_suffix(".xml")[:_MAX_FILES]:
            head = survey.head(name)
            if _ROOT.search(head[:2_000]) and _OWN.search(head):
                evidence.append(name)
        if not evidence:
            return None
        has_tracks = any(b"<track" in survey.head(name) for name in evidence)
        layout = "tracks of a video in an XML file" if has_tracks else "an XML file for all images"
        return Sighting(layout, tuple(evidence[:5]), Certainty.DESCRIBED)

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable."""
        files = [path] if is_file(path) else files_below(path, {".xml"}, [], hidden=False)
        files = [file for file in files if file == path or _ROOT.search(_head(file))]
        if not files:
            raise refused(
                path, _TITLE, "there is no XML file with annotations", "give the file annotations.xml"
            )
        return read_each(files, path, images, progress, _read)

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `annotations.xml` and `images/`; the same input gives the same bytes."""
        export = Export(samples, out, progress)
        cvat_writing.write(export)
        return export.written()


def _read(file: Path, collected: Collected) -> None:
    root = load(file, _TITLE, "annotations")
    meta = root.find("meta")
    labels = cvat_labels.declared(meta)
    for label in labels.values():
        extra = {"color": label.colour} if label.colour else {}
        collected.declare(label.name, keypoints=label.keypoints, skeleton=label.skeleton, extra=extra)
    subset = next((one.text or "" for one in root.iter("subset")), "") if meta is not None else ""
    for at, element in enumerate(root.findall("image")):
        where = f"{collected.file} image[{at}]"
        with collected.item(where, "image"):
            _read_image(element, labels, collected, where, subset)
    if root.find("track") is not None:
        Tracks(collected, labels, meta).read(root)


def _read_image(element: Element, labels: Labels, collected: Collected, where: str, subset: str) -> None:
    stated = text(element.get("name"), "name")
    named = (element.get("subset") or subset).strip()
    split = "" if named.lower() == _SUBSET else split_of_folder(named) or named
    size = size_or_none(*(whole_or_none(element.get(side)) for side in ("width", "height")))
    within = [f"images/{named}", named, "images"] if named else ["images"]
    key = collected.add_image(Entry(stated, where, size, split, within=within))
    for at, child in enumerate(element):
        place = f"{where} {child.tag[:40]}[{at}]"
        with collected.item(place):
            _read_shape(child, labels, collected, key, place)


def _read_shape(element: Element, labels: Labels, collected: Collected, key: str, where: str) -> None:
    name = text(element.get("label"), "label")
    label = labels.label(name)
    known = facts(element, label, collected.notices, where)
    if element.tag == "tag":
        is_caption = name == cvat_writing.CAPTION and isinstance(known.attributes.get("text"), str)
        drawing = shapes.Shape(Kind.CAPTION) if is_caption else shapes.whole_image()
        collected.add(key, name, drawing, where, known)
        return
    at = drawn(element, label)
    if element.tag == "skeleton" and not label.keypoints:
        names = tuple((part.get("label") or "").strip() for part in element.findall("points"))
        labels[name] = Label(name, label.types, names, (), label.colour)
        collected.classes.pop(name, None)
        collected.declare(name, keypoints=names)
    size = collected.size_of(key) if at.tag == "mask" else None
    if at.tag == "cuboid":
        collected.notices.add("shape-converted", where, what="cuboid: read as its outline")
        known = Facts(known.attributes, {**known.extra, **cuboid_extra(at)}, score=known.score)
    collected.add(key, name, shape(at, size), where, known)


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(2_000)
