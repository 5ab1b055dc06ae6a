"""Opens what was exported as a trainer does, by the public rule of each format, and compares counts.

The rules are written down here again, apart from the writers and readers of the formats: a set that our own reader
forgives may train on nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
import yaml
from defusedxml.ElementTree import ParseError, parse

from calotype.exchange.inspection import inspect
from calotype.foundation.errors import Invalid
from calotype.vision.images import IMAGE_EXTENSIONS, ImageUnreadable, decode_rgb

_SLACK = 0.01
"""How far a share may be outside 0 to 1 before a YOLO trainer refuses the image."""


class ExportNotReadable(Invalid):
    """An export that a trainer would not read whole."""

    code = "export-not-readable"
    what = "a trainer that opens the {format} export finds {found}, but {written} were written"
    fix = "report this with the names and classes of the dataset; nothing was released"


class _Refused(Exception):
    """What a trainer would refuse; never leaves this module."""


@dataclass(frozen=True, slots=True)
class Reopened:
    """What a trainer finds: images, annotations, and the rule that was followed."""

    images: int
    annotations: int
    rule: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"images": self.images, "annotations": self.annotations, "rule": self.rule}


def reopen(format: str, folder: Path) -> Reopened:
    """Open an export with its images by the rule of its format; formats without one by their own reader.

    Raises: ExportNotReadable, where a file that the rule asks for is not there or cannot be read.
    """
    rule = _RULES.get(format)
    if rule is None:
        inspected = inspect(folder, format=format)
        return Reopened(inspected.images, inspected.annotations, "read again")
    try:
        return rule(folder)
    except _Refused as error:
        raise ExportNotReadable(format=format, found=str(error), written="files") from None
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError, ParseError, ImageUnreadable) as error:
        found = f"an error ({type(error).__name__}: {str(error)[:200]})"
        raise ExportNotReadable(format=format, found=found, written="files") from error


def compare(format: str, reopened: Reopened, n_images: int, n_annotations: int) -> None:
    """Raises: ExportNotReadable where a trainer finds other counts than were written."""
    if (reopened.images, reopened.annotations) != (n_images, n_annotations):
        raise ExportNotReadable(
            format=format,
            found=f"{reopened.images} images and {reopened.annotations} annotations",
            written=f"{n_images} images and {n_annotations} annotations",
        )


def _yolo(folder: Path) -> Reopened:
    """The last `/images/` of an image's path becomes `/labels/`, its ending `.txt`; every row is a list of shares.

    Source: Ultralytics documentation, object detection datasets.
    """
    described = yaml.safe_load((folder / "data.yaml").read_text("utf-8"))
    n_classes, places = len(described["names"]), set()
    for split in ("train", "val", "test"):
        given = described.get(split) or []
        places |= {str(place) for place in (given if isinstance(given, list) else [given])}
    places |= {f"images/{name}" for name in os.listdir(folder / "images")}
    files = {file for place in places for file in _images_below(folder / place)}
    n_rows = 0
    for file in sorted(files):
        label = "/labels/".join(file.rsplit("/images/", 1)).rpartition(".")[0] + ".txt"
        if os.path.isfile(label):
            n_rows += sum(_is_row(line.split(), n_classes) for line in _lines(Path(label)))
    return Reopened(len(files), n_rows, "labels by the path of their image")


def _is_row(fields: list[str], n_classes: int) -> bool:
    numbers = [float(field) for field in fields]
    if not 0 <= numbers[0] < n_classes or len(numbers) < 5:
        raise _Refused(f"a row that a trainer refuses: {' '.join(fields)[:80]}")
    if any(not -_SLACK <= number <= 1 + _SLACK for number in numbers[1:5]):
        raise _Refused(f"a share outside 0 to 1: {' '.join(fields)[:80]}")
    return True


class _CocoImage(msgspec.Struct, gc=False):
    id: int
    file_name: str


class _CocoCategory(msgspec.Struct, gc=False):
    id: int


class _CocoRow(msgspec.Struct, gc=False):
    image_id: int
    category_id: int | None = None
    """None for a caption."""


class _CocoFile(msgspec.Struct, gc=False):
    images: list[_CocoImage]
    annotations: list[_CocoRow]
    categories: list[_CocoCategory] = []


def _coco(folder: Path) -> Reopened:
    """`file_name` below `images/`; annotations by the ids of their image and category.

    Source: COCO data format; torchvision's CocoDetection.
    """
    images: set[str] = set()
    n_annotations = 0
    decoder = msgspec.json.Decoder(_CocoFile)
    for file in sorted((folder / "annotations").glob("*.json")):
        body = decoder.decode(file.read_bytes())
        name_of = {image.id: image.file_name for image in body.images}
        if len(name_of) != len(body.images):
            raise _Refused(f"{file.name} gives an image id twice")
        images |= {name for name in name_of.values() if (folder / "images" / name).is_file()}
        classes = {category.id for category in body.categories}
        for row in body.annotations:
            n_annotations += row.image_id in name_of and (
                row.category_id is None or row.category_id in classes
            )
    return Reopened(len(images), n_annotations, "images by file_name, annotations by id")


def _panoptic(folder: Path) -> Reopened:
    """The pixels of each PNG have the numbers that its row describes, as many as its area says, and no others.

    Source: COCO data format, panoptic segmentation; the evaluation of panopticapi refuses numbers without a row.
    """
    images: set[str] = set()
    n_segments = 0
    for file in sorted((folder / "annotations").glob("*.json")):
        body = msgspec.json.decode(file.read_bytes())
        names = {image["id"]: image["file_name"] for image in body["images"]}
        images |= {name for name in names.values() if (folder / "images" / name).is_file()}
        classes = {category["id"] for category in body["categories"]}
        for row in body["annotations"]:
            rgb = decode_rgb((file.with_suffix("") / row["file_name"]).read_bytes()).astype(np.uint32)
            numbers, counts = np.unique(rgb @ np.array([1, 256, 65_536], np.uint32), return_counts=True)
            drawn = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
            segments = {segment["id"]: segment for segment in row["segments_info"]}
            if row["image_id"] not in names or {*drawn, 0} != {*segments, 0}:
                raise _Refused(f"{row['file_name']}, whose numbers and segments differ")
            if any(drawn[number] != segment["area"] for number, segment in segments.items()):
                raise _Refused(f"{row['file_name']}, where an area is not the number of its pixels")
            n_segments += sum(segment["category_id"] in classes for segment in segments.values())
    return Reopened(len(images), n_segments, "the numbers of the pixels are the ids of the segments")


def _voc(folder: Path) -> Reopened:
    """An XML file an image, of the same path below `Annotations` and `JPEGImages`; lists name the images of a split.

    Source: Pascal VOC development kit; torchvision's VOCDetection.
    """
    images = {_stem(file, folder / "JPEGImages"): file for file in _images_below(folder / "JPEGImages")}
    drawn: dict[str, set[str]] = {}
    n_objects = 0
    for file in sorted((folder / "Annotations").rglob("*.xml")):
        stem = _stem(str(file), folder / "Annotations")
        if stem not in images:
            raise _Refused(f"{stem}.xml has no image")
        names = [element.text or "" for element in parse(file).iterfind("object/name")]
        drawn[stem], n_objects = set(names), n_objects + len(names)
    for name, line in _list_lines(folder / "ImageSets" / "Main"):
        stem, flag = (
            (*line.rsplit(" ", 1), "")[:2] if line.rsplit(" ", 1)[-1] in ("1", "0", "-1") else (line, "")
        )
        stem = stem.strip()
        if stem not in drawn:
            raise _Refused(f"a list names {stem[:80]}, which has no XML")
        class_name = name.rpartition("_")[0]
        n_objects += flag == "1" and class_name not in drawn[stem]
    return Reopened(len(drawn), n_objects, "an XML an image, lists of splits")


def _list_lines(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.glob("*.txt")) if folder.is_dir() else ():
        for line in _lines(file):
            yield file.stem, line


def _folder(folder: Path) -> Reopened:
    """The folder that an image is in is its class; `_unlabelled` is outside of the class folders.

    Source: torchvision's ImageFolder.
    """
    files = [os.path.relpath(file, folder) for file in _images_below(folder)]
    n_labelled = sum(PurePosixPath(file).parts[0] != "_unlabelled" for file in files)
    return Reopened(len(files), n_labelled, "the class is the folder")


def _images_below(folder: Path) -> list[str]:
    found = []
    for root, _, names in os.walk(folder):
        found += [
            f"{root}/{name}" for name in names if PurePosixPath(name).suffix.lower() in IMAGE_EXTENSIONS
        ]
    return found


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text("utf-8").splitlines() if line.strip()]


def _stem(file: str, folder: Path) -> str:
    return os.path.relpath(file, folder).rpartition(".")[0]


_RULES: dict[str, Callable[[Path], Reopened]] = {
    "yolo": _yolo,
    "coco": _coco,
    "coco-panoptic": _panoptic,
    "voc": _voc,
    "folder": _folder,
}
