"""YOLO: one text file per image, coordinates relative to width and height.

Source: the dataset formats of Ultralytics YOLO (detect, segment, pose, OBB), Darknet, and YOLO 1.1 of CVAT.

Boxes (class cx cy w h), polygons (class x y x y ...), poses (with `kpt_shape`) and predictions (with a score at the
end) are distinguished row by row; a set whose polygons are all rectangles of four corners is one of oriented boxes.
An empty label file means an image without objects (tag `background`); an image without one is not labelled.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from calotype.datasets.model import Kind
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.files_below import head_of, is_file, is_folder
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.foundation.progress import Progress, silent
from calotype.trainer_formats.yolo import config as yolo_config
from calotype.trainer_formats.yolo import opening, writing
from calotype.trainer_formats.yolo.reading import YoloSource

_HEAD = 8_192
_SAMPLED = 20
"""Label files whose first rows are looked at."""


class Yolo:
    """Boxes, oriented boxes, polygons and poses, one text file per image."""

    name = "yolo"
    title = "YOLO"
    suffixes = (".txt",)
    abilities = Abilities(
        reads=frozenset({Kind.BOX, Kind.POLYGON, Kind.KEYPOINTS, Kind.ROTATED_BOX}),
        writes=frozenset({Kind.BOX, Kind.POLYGON, Kind.KEYPOINTS, Kind.ROTATED_BOX, Kind.MASK, Kind.ELLIPSE}),
        source="Ultralytics YOLO dataset formats (detect, segment, pose, OBB); Darknet; CVAT YOLO 1.1",
        coordinates="shares (0 to 1) of width and height of the upright image; boxes by centre and size",
        ids="images and labels by their path; classes by their position in `names`; annotations have none",
        loses=(
            "classes of whole images, captions, points and lines (use `folder` for classes of whole images)",
            "more than one form of row: among polygons, boxes become four corners; among poses, other shapes a box",
            "holes of masks (filled) and parts of a polygon (joined by a line)",
            "what lies beyond the edge of the image (clipped) and shapes without area (left out)",
            "id, score, iscrowd, attributes and extra keys of annotations",
            "ids of classes (they count from 0)",
            "metadata, licence, source and tags of samples",
        ),
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """A description with names, and label files; or one label file. Broken: a description without names."""
        path = survey.path
        if survey.is_file and path.suffix.lower() == ".txt":
            return Sighting("one label file", (path.name,))
        root = path if is_folder(path) else path.parent
        described = _description(survey)
        if described is not None:
            labels = _label_files(survey)
            if labels or survey.is_file:
                evidence = (described, *labels[:3])
                return Sighting(_layout(survey, described, labels), evidence, Certainty.DESCRIBED)
            is_own = survey.images and _is_own_description(survey, described)
            if is_own or any("images" in name.split("/")[:-1] for name in survey.images):
                return Sighting("images without label files", (described,), Certainty.LAYOUT)
            return None
        for file in [path] if is_file(path) else opening.other_yamls(path):
            if file.suffix.lower() in (".yaml", ".yml") and _looks_like_config(file, root):
                return Sighting("a description without names", (file.name,), broken=True)
        if is_folder(path / "labels") and _label_files(survey):
            return Sighting("label files without a list of names", ("labels/",), broken=True)
        return None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[YoloSource]:
        """Raises: LabelFileUnreadable when there are no names, or neither label files nor images."""
        return [opening.open_set(path, images, progress)]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `data.yaml`, `images/<split>/` and `labels/<split>/`; the same input gives the same bytes."""
        return writing.write(samples, out, progress)


def _description(survey: Survey) -> str | None:
    """The file with the names, relative to the folder; None where there is none that `open` would read."""
    path = survey.path
    if survey.is_file:
        is_names = path.suffix.lower() in (".names", ".data")
        is_yaml = path.suffix.lower() in (".yaml", ".yml")
        return path.name if is_names or (is_yaml and b"names" in head_of(path, 100_000)) else None
    try:
        file = opening.config_file(survey.root)
    except LabelFileUnreadable:
        file = None
    if file is None:
        known = survey.named(*yolo_config.YAML_NAMES, *yolo_config.NAME_LISTS)
        file = survey.root / known[0] if known else None
    if file is None and survey.root.name.lower() == "labels":
        file = opening.config_file(survey.root.parent)
    if file is None:
        return None
    if file.suffix.lower() in (".yaml", ".yml") and b"names" not in head_of(file, 100_000):
        return None
    return file.relative_to(survey.root).as_posix() if file.is_relative_to(survey.root) else file.name


def _is_own_description(survey: Survey, described: str) -> bool:
    """Whether only this format has such a description: then images without a readable label are not class folders."""
    last = described.rpartition("/")[2].lower()
    if last in (yolo_config.DARKNET, yolo_config.DARKNET_NAMES) or survey.named(yolo_config.DARKNET):
        return True
    return last.endswith((".yaml", ".yml")) and bool(_keys(survey.head(described)) & {b"train", b"val"})


def _looks_like_config(file: Path, root: Path) -> bool:
    """Whether a YAML is meant as a description: by its name, by its keys, or by what lies beside it."""
    by_keys = len(_keys(head_of(file, 100_000)) & {b"names", b"nc", b"train", b"val", b"test"}) >= 2
    return by_keys or file.name in yolo_config.YAML_NAMES[:3] or is_folder(root / "labels")


def _keys(yaml: bytes) -> set[bytes]:
    return {line.partition(b":")[0].strip() for line in yaml.splitlines()}


def _label_files(survey: Survey) -> list[str]:
    """The first label files: texts with a row of numbers, or empty ones in a folder."""
    found = []
    for name in survey.with_suffix(".txt"):
        if name.rpartition("/")[2].lower() in yolo_config.NAME_LISTS:
            continue
        head = survey.head(name, _HEAD)
        if _holds_row(head) or (not head.strip() and "/" in name):
            found.append(name)
        if len(found) >= _SAMPLED:
            break
    return found if any(survey.head(name, _HEAD).strip() for name in found) or len(found) > 1 else []


def _rows(head: bytes) -> list[list[bytes]]:
    return [line.split() for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:5]]


def _holds_row(head: bytes) -> bool:
    """Whether one of the first lines begins with five numbers."""
    return any(
        len(fields) >= 5 and not b"".join(fields[:5]).translate(None, b"0123456789.eE+-")
        for fields in _rows(head)
    )


def _layout(survey: Survey, described: str, labels: list[str]) -> str:
    """How the files lie, and what the first rows are, in plain words."""
    folders = Counter(part for name in labels for part in name.split("/")[:-1])
    if any(part.lower().startswith("obj_") for part in folders):
        how = "Darknet: labels beside the images, a list of names"
    elif any(name.split("/")[1:2] == ["labels"] for name in labels):
        how = "a folder for each split, with images/ and labels/"
    elif folders["labels"]:
        how = "images/ and labels/, with the same folders below"
    else:
        how = "labels beside the images" if labels else "a description"
    return f"{how}; described by {described}{_form(survey, described, labels)}"


def _form(survey: Survey, described: str, labels: list[str]) -> str:
    if b"kpt_shape" in survey.head(described):
        return "; poses"
    rows = [fields for name in labels for fields in _rows(survey.head(name, _HEAD))[:-1] if fields]
    lengths = {len(fields) for fields in rows}
    if lengths and lengths <= {9}:
        return "; rows of four corners: oriented boxes where they are rectangles"
    return "; polygons" if any(n >= 7 for n in lengths) else ""
