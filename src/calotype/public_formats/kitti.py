"""KITTI: one text file an image, 15 columns an object. Source: the readme of the KITTI object development kit.

Columns: type, truncated (0 to 1), occluded (0 to 3), alpha, left, top, right, bottom, height, width, length, x, y, z,
rotation_y, and a score where the file holds results. -1, -10 and -1000 stand for "unknown". `DontCare` marks regions
where objects were not labelled: they are read as class `DontCare` with `iscrowd`, and written back as they were.
What belongs to the third dimension is kept in `extra["kitti"]`. A type cannot hold blanks: `_` is written for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.folder_reading.folder import BACKGROUND, Reading, lines_of, replaced, split_of, stem_of
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.notices import Losses
from calotype.formats.passthrough import shown
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedSource
from calotype.foundation.progress import Progress, silent
from calotype.public_formats.numbers import number, pixels, shortest, whole
from calotype.public_formats.writing import (
    FileWriter,
    FlatNames,
    WrittenClassNames,
    box_of,
    is_labelled,
    lose_annotation,
    lose_sample,
)

DONT_CARE = "DontCare"
_FOLDERS = ("label_2", "label_02", "label_3", "labels", "label")
_IMAGES = {
    "label_2": ("image_2", "images"),
    "label_02": ("image_02", "images"),
    "label_3": ("image_3", "images"),
    "labels": ("images", "image_2", "image", "data"),
    "label": ("image", "images", "image_2"),
}
_COLUMNS = (
    "alpha",
    "left",
    "top",
    "right",
    "bottom",
    "height_m",
    "width_m",
    "length_m",
    "x_m",
    "y_m",
    "z_m",
    "rotation_y",
)
_UNKNOWN = {"alpha": -10.0, "rotation_y": -10.0, "x_m": -1000.0, "y_m": -1000.0, "z_m": -1000.0}


class Kitti:
    """Boxes with occlusion, truncation and a place in space."""

    name = "kitti"
    title = "KITTI"
    suffixes = (".txt",)
    abilities = Abilities(
        reads=frozenset({Kind.BOX}),
        writes=frozenset({Kind.BOX}),
        loses=(
            "shapes other than boxes (their box is kept)",
            "classes of whole images and captions",
            "blanks in class names (`_` is written), folders and dots in names of images",
            "id of annotations, iscrowd of other classes than DontCare",
            "attributes other than occluded and truncated",
            "a split of images without labels: they lie in testing/",
            "metadata, licence, source and tags of samples",
        ),
        source="readme of the KITTI object development kit",
        coordinates="left, top, right, bottom in pixels from 0, as they are",
        ids="images by file name; classes by name; annotations have none",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """Text files with a type and 14 or 15 numbers a line."""
        names = [n for n in survey.with_suffix(".txt")[:200] if survey.is_file or _folder_of(n) is not None]
        for name in names:
            lines = survey.head(name).decode("utf-8", "replace").splitlines()[:10]
            looks = [_looks_like_row(line.split()) for line in lines if line.strip()]
            if looks and (all(looks) if survey.is_file else any(looks)):
                layout = "one label file" if survey.is_file else "label_2 beside image_2"
                return Sighting(layout, (name,), Certainty.DESCRIBED)
        own = [name for name in names if "label_2" in name.lower().split("/")]
        if own and survey.images:
            return Sighting("label_2 without a row that can be read", tuple(own[:1]), Certainty.LAYOUT)
        return None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when there is no label file."""
        reading = Reading(path, images, self.title)
        names = [
            name for name in reading.files.names if name.endswith(".txt") and _folder_of(name) is not None
        ]
        names = names if reading.single is None else [reading.single]
        if not names:
            hint = "give the folder that holds training/label_2"
            raise reading.refused("there is no folder label_2 with text files", hint)
        splits = _listed_splits(reading)
        for at, name in enumerate(names):
            _read_file(reading, name, splits)
            progress("reading labels", at + 1, len(names))
        others = reading.image_files.images
        if reading.has_own_images:
            used = {part for name in names for part in name.split("/")[:-1] if part in _FOLDERS}
            folders = {folder for part in used for folder in _IMAGES[part]}
            others = [image for image in others if folders.intersection(image.split("/")[:-1])]
        reading.add_unlabelled(others, lambda image: _split(image, splits))
        return [ParsedSource(path.name, reading.labels())]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `training/`, `testing/` for images without labels, and `ImageSets/`; each time the same bytes."""
        losses, files, listings, n_annotations = Losses(), FileWriter(out), dict[str, list[str]](), 0
        flat = FlatNames(samples, losses, dots=False)
        classes = [(c.id, c.name) for c in samples.ontology.classes]
        rule = "blanks are written as `_`"
        names = WrittenClassNames(classes, losses, lambda name: "".join(map(_not_blank, name)), rule)
        for done, (sample, labels) in enumerate(samples.items(), 1):
            stem, suffix = flat.of(sample)
            rows = [row for a in labels if (row := _row(a, names[a.class_id], losses, sample)) is not None]
            folder = "training" if is_labelled(sample, rows) else "testing"
            files.image(samples, sample, f"{folder}/image_2/{stem}{suffix}")
            if folder == "training":
                files.text(f"training/label_2/{stem}.txt", "".join(f"{row}\n" for row in rows))
                n_annotations += len(rows)
            elif sample.split != "test":
                losses.add("split of an image without labels (testing/ is read as test)", sample.name)
            if folder == "training" and not sample.split:
                losses.add("missing split of an image (training/ is read as train)", sample.name)
            if sample.split and (folder == "training" or sample.split == "test"):
                listings.setdefault(sample.split, []).append(stem)
            lose_sample(losses, sample)
            progress("writing labels", done, samples.n_samples)
        for split, stems in sorted(listings.items()):
            files.text(f"ImageSets/{split}.txt", "".join(f"{stem}\n" for stem in stems))
        return Written(files.listed(), samples.n_samples, n_annotations, losses.listed())


def _looks_like_row(row: list[str]) -> bool:
    return (
        len(row) in (15, 16)
        and number(row[0]) is None
        and all(number(field) is not None for field in row[1:])
        and whole(row[2]) is not None
    )


def _folder_of(name: str) -> int | None:
    """Position of the label folder in a relative name."""
    parts = name.split("/")[:-1]
    return next((at for at in reversed(range(len(parts))) if parts[at] in _FOLDERS), None)


def _listed_splits(reading: Reading) -> dict[str, list[str]]:
    """Stem -> the splits of `ImageSets/` that list it."""
    splits: dict[str, list[str]] = {}
    for name in reading.files.names if reading.single is None else ():
        folder, _, last = name.rpartition("/")
        if folder.rpartition("/")[2] == "ImageSets" and last.endswith(".txt") and last != "trainval.txt":
            for _, line in lines_of(reading.text(name) or ""):
                splits.setdefault(line.split()[0], []).append(stem_of(last))
    return splits


def _split(image: str, splits: Mapping[str, list[str]]) -> str:
    """The split that lists the image. `test` means the images of `testing/`, which may have the same numbers."""
    own = split_of(image)
    listed = splits.get(stem_of(image).rpartition("/")[2], [])
    chosen = [split for split in listed if (split == "test") == (own == "test")] or listed
    if own == "test" and chosen and "test" not in chosen:
        return own
    return chosen[0] if chosen else own


def _read_file(reading: Reading, name: str, splits: Mapping[str, list[str]]) -> None:
    text = reading.text(name)
    if text is None:
        return
    image = reading.image_of(_stems(reading, name), name)
    if image is None and reading.is_ambiguous(name):
        return
    rows = lines_of(text)
    missing = f"{next(iter(_stems(reading, name)))}.png"
    tags = () if rows else (BACKGROUND,)
    if not rows:
        reading.notices.add("image-empty", name)
    key = reading.add_image(image, missing, name, tags=tags, split=_split(image or missing, splits))
    for line, row in rows:
        where = f"{name}:{line}"
        annotation = _annotation(row.split(), key, where)
        if isinstance(annotation, str):
            reading.set_aside("annotation", where, annotation, item=row[:500])
        else:
            reading.add(annotation)


def _stems(reading: Reading, name: str) -> list[str]:
    """Where the image of a label file may lie, without its ending."""
    stem, at = stem_of(name), _folder_of(name)
    if at is None:
        return [stem]
    folders = _IMAGES[name.split("/")[at]]
    beside = [replaced(stem, at, folder) for folder in folders]
    if reading.has_own_images:
        return beside
    last = "/".join(stem.split("/")[at + 1 :])
    return [*beside, replaced(stem, at, ""), last]


def _annotation(row: list[str], key: str, where: str) -> ParsedAnnotation | str:
    """The object of a line, or why it is invalid."""
    if len(row) not in (15, 16):
        return f"it has {len(row)} columns; an object has 15, a result 16"
    values = [number(field) for field in row[1:]]
    if None in values:
        bad = next(field for field, value in zip(row[1:], values, strict=True) if value is None)
        return f"it holds {shown(bad)}, which is not a number"
    corners, occluded = pixels(row[4:8]), whole(row[2])
    if corners is None:
        return f"its corners are {shown(' '.join(row[4:8]))}"
    left, top, right, bottom = corners
    if right < left or bottom < top:
        return f"its corners are swapped: {left:g}, {top:g}, {right:g}, {bottom:g}"
    if occluded is None:
        return f"its occlusion is {shown(row[2])}"
    score = values[14] if len(row) == 16 else None
    truncated = values[0] or 0.0
    numbers = dict(zip(_COLUMNS, values[2:14], strict=True))
    space: dict[str, Any] = {"truncated": truncated, "occluded": occluded, **numbers}
    for side in ("left", "top", "right", "bottom"):
        del space[side]
    if score is not None and not 0 <= score <= 1:
        space["score"], score = score, None
    attributes = {"occluded": occluded > 0} if occluded in (0, 1, 2) else {}
    attributes |= {"truncated": truncated > 0} if truncated >= 0 else {}
    return ParsedAnnotation(
        key,
        row[0],
        Kind.BOX,
        where,
        bbox_xywh_px=(left, top, right - left, bottom - top),
        area_px=(right - left) * (bottom - top),
        score=score,
        iscrowd=row[0] == DONT_CARE,
        attributes=attributes,
        extra={"kitti": space},
    )


def _row(a: Annotation, name: str, losses: Losses, sample: Sample) -> str | None:
    """The line of an annotation; None where it has no box."""
    box = box_of(losses, a, sample.name)
    if box is None:
        return None
    is_region = name == DONT_CARE
    keeps = ("score", "kitti", "iscrowd") if is_region else ("score", "kitti")
    lose_annotation(losses, a, sample.name, keeps=keeps, attributes=("occluded", "truncated"))
    kept = a.extra.get("kitti")
    space = kept if isinstance(kept, Mapping) else {}
    truncated = _stated(space.get("truncated"), a.attributes.get("truncated"), 1.0)
    occluded = int(_stated(space.get("occluded"), a.attributes.get("occluded"), 1))
    x, y, w, h = box
    row = [name, shortest(truncated), str(occluded), _space(space, "alpha")]
    row += map(shortest, (x, y, x + w, y + h))
    row += [_space(space, column) for column in _COLUMNS[5:]]
    score = a.score if a.score is not None else space.get("score")
    return " ".join([*row, *([shortest(score)] if isinstance(score, int | float) else [])])


def _stated(kept: Any, flag: Any, when_true: float) -> float:
    """The number that was read, unless the flag says otherwise now; -1 where nothing is known."""
    if isinstance(kept, int | float) and (flag is None or bool(flag) == (kept > 0)):
        return kept
    return -1 if flag is None else when_true if flag in (True, "1", 1) else 0


def _space(space: Mapping[str, Any], column: str) -> str:
    value = space.get(column)
    return shortest(value if isinstance(value, int | float) else _UNKNOWN.get(column, -1.0))


def _not_blank(character: str) -> str:
    return "_" if character.isspace() else character
