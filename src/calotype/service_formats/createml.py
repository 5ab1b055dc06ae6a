"""Create ML JSON: a list of images with boxes. Source: "Building an object detector data source" of Apple's Create ML.

`coordinates` are x and y of the centre, width and height in pixels, the origin at the top left. The image is named by
`image`, or `imagefilename` in older files, its boxes by `annotations` or `annotation`. Roboflow puts one file
`_annotations.createml.json` in each split folder, beside the images.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from calotype.datasets.model import Kind
from calotype.folder_reading.folder import BACKGROUND, Reading, suffix_of
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.fields import BadItem, listing, mapping, number, score_or_none, text
from calotype.formats.json_text import load
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedSource
from calotype.foundation.progress import Progress, silent
from calotype.service_formats.image_names import add_stated

_ENDING = ".createml.json"
_IMAGE = re.compile(rb'"image(?:filename)?"\s*:\s*"')
_BOXES = re.compile(rb'"annotations?"\s*:\s*\[')
_KEYS = frozenset({"label", "coordinates", "confidence"})
_IMAGE_KEYS = frozenset({"image", "imagefilename", "annotations", "annotation"})


class CreateMl:
    """Boxes in a JSON list of images."""

    name = "createml"
    title = "Create ML JSON"
    suffixes = (".json",)
    abilities = Abilities(
        reads=frozenset({Kind.BOX}),
        writes=frozenset(),
        one_file=True,
        source='"Building an object detector data source" of Create ML',
        coordinates="x and y of the centre, width and height in pixels, the origin is the top-left corner",
        ids="images by file name beside the JSON file; classes by name; boxes have none",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """JSON lists of images with coordinates, or files of the name that Roboflow gives."""
        like = [name for name in survey.with_suffix(".json")[:200] if _is_like(name, survey.head(name))]
        if not like:
            return None
        folders = {name.rpartition("/")[0] for name in like}
        layout = "a JSON file in each split folder" if len(folders) > 1 else "a JSON file beside the images"
        return Sighting(layout, tuple(like[:5]), Certainty.DESCRIBED)

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when no file can be read."""
        reading = Reading(path, images, self.title)
        files = [name for name in reading.files.names if suffix_of(name) == ".json"]
        own = [name for name in files if name.lower().endswith(_ENDING)]
        files = [reading.single] if reading.single is not None else own or files
        if not files:
            raise reading.refused(
                "the folder contains no JSON files", "give the folder that contains the label files"
            )
        n_read = 0
        for at, name in enumerate(files, 1):
            try:
                _read(load(reading.files.path(name), self.title), name, reading)
                n_read += 1
            except (LabelFileUnreadable, BadItem) as error:
                reason = error.reason if isinstance(error, BadItem) else error.message
                if len(files) == 1:
                    raise reading.refused(reason, "export the file again") from None
                reading.set_aside("image", name, reason, kind="unreadable")
            progress("reading labels", at, len(files))
        if not n_read:
            raise reading.refused("no file can be read", "export the files again")
        reading.add_unlabelled(reading.image_files.images)
        return [ParsedSource(path.name, reading.labels())]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Raises: NotImplementedError: the format is read only."""
        raise NotImplementedError(self.name)


def _is_like(name: str, head: bytes) -> bool:
    is_list = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["
    if not is_list or not _IMAGE.search(head) or not _BOXES.search(head):
        return False
    return b'"coordinates"' in head or name.lower().endswith(_ENDING)


def _read(content: Any, file: str, reading: Reading) -> None:
    """Read one file. Raises: BadItem where it is not a list."""
    for at, row in enumerate(listing(content, "content")):
        where = f"{file} [{at}]"
        try:
            image = mapping(row, "image")
            stated = text(image.get("image", image.get("imagefilename")), "image")
            boxes = listing(image.get("annotations", image.get("annotation")), "annotations")
            key = add_stated(reading, stated, where, [file.rpartition("/")[0]])
        except BadItem as bad:
            reading.set_aside("image", where, bad.reason)
            continue
        listed = reading.images[key]
        extra = {name: value for name, value in image.items() if name not in _IMAGE_KEYS}
        is_new = not boxes and not any(a.image_key == key for a in reading.annotations[-1:])
        tags = (BACKGROUND,) if is_new else ()
        reading.images[key] = replace(listed, extra={**extra, **listed.extra}, tags=tags)
        if not boxes:
            reading.notices.add("image-empty", where)
        for n, box in enumerate(boxes):
            place = f"{where} annotations[{n}]"
            try:
                reading.add(_box(mapping(box, "annotation"), key, place, reading))
            except BadItem as bad:
                reading.set_aside("annotation", place, bad.reason)


def _box(row: Mapping[str, Any], key: str, where: str, reading: Reading) -> ParsedAnnotation:
    """One box. Raises: BadItem."""
    at = mapping(row.get("coordinates"), "coordinates")
    x, y, width, height = (number(at.get(side), side) for side in ("x", "y", "width", "height"))
    if width < 0 or height < 0:
        raise BadItem("its width or height is below 0")
    score = score_or_none(row.get("confidence"))
    if score is None and row.get("confidence") is not None:
        reading.notices.add("value-dropped", where, what="confidence that is not between 0 and 1: left out")
    return ParsedAnnotation(
        key,
        text(row.get("label"), "label"),
        Kind.BOX,
        where,
        bbox_xywh_px=(x - width / 2, y - height / 2, width, height),
        area_px=width * height,
        score=score,
        extra={name: value for name, value in row.items() if name not in _KEYS},
    )
