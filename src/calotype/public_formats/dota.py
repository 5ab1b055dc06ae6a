"""DOTA: one text file an image, four corners an object. Source: the annotation format page of the DOTA dataset.

A line is `x1 y1 x2 y2 x3 y3 x4 y4 class difficult`, the corners clockwise from the one that is top-left for the object.
Two lines at the head, `imagesource:` and `gsd:`, say where the image is from and how many metres a pixel is.
Four corners that form a rectangle are a rotated box, others a polygon; the coordinates stay as they are. The files hold
whole numbers or tenths, so corners may be off a true rectangle by `RECTANGLE_TOLERANCE_PX`. A class cannot hold blanks:
`-` is written for them, as in `small-vehicle`.
"""

from __future__ import annotations

import math
from pathlib import Path

from calotype.datasets.model import CORNERED, Annotation, Kind, Sample
from calotype.folder_reading.folder import BACKGROUND, Reading, lines_of, replaced, stem_of
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
    is_labelled,
    lose_annotation,
    lose_sample,
)
from calotype.vision.polygons import ring_area

RECTANGLE_TOLERANCE_PX = 2.0
_RELATIVE_TOLERANCE = 0.1
_SPLIT = "annfiles"
"""The folder of labels in a dataset that MMRotate has split into tiles."""
_FOLDER = "labeltxt"
_HEADS = ("imagesource", "gsd")


class Dota:
    """Rotated boxes of aerial images."""

    name = "dota"
    title = "DOTA"
    suffixes = (".txt",)
    abilities = Abilities(
        reads=frozenset({Kind.ROTATED_BOX, Kind.POLYGON}),
        writes=frozenset({Kind.BOX, Kind.ROTATED_BOX, Kind.POLYGON}),
        loses=(
            "upright boxes are written as their four corners (and read back as rotated boxes)",
            "polygons other than of four corners, ellipses, masks, keypoints, lines (their rectangle is kept)",
            "classes of whole images and captions",
            "blanks in class names (`-` is written), folders in names of images",
            "id, score, iscrowd and extra keys of annotations, attributes other than difficult",
            "metadata other than imagesource and gsd, licence, source and tags of samples",
        ),
        source="annotation format of DOTA v1.0 to v2.0",
        coordinates="four corners in pixels from 0, as they are",
        ids="images by file name; classes by name; annotations have none",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """Text files with eight numbers, a class and a flag a line."""
        names = [n for n in survey.with_suffix(".txt")[:200] if survey.is_file or _folder_at(n) is not None]
        for name in names:
            lines = survey.head(name).decode("utf-8", "replace").splitlines()[:12]
            looks = [_looks_like_row(line.split()) for line in lines if line.strip() and not _head(line)]
            if looks and (all(looks) if survey.is_file else any(looks)):
                layout = "one label file" if survey.is_file else "labelTxt beside images"
                return Sighting(layout, (name,), Certainty.DESCRIBED)
        own = [name for name in names if survey.head(name, 100).startswith(b"imagesource:")]
        if own and survey.images:
            return Sighting("labelTxt without a row that can be read", tuple(own[:1]), Certainty.LAYOUT)
        return None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when there is no label file."""
        reading = Reading(path, images, self.title)
        names = [
            name for name in reading.files.names if name.endswith(".txt") and _folder_at(name) is not None
        ]
        names = names if reading.single is None else [reading.single]
        if not names:
            raise reading.refused(
                "there is no folder labelTxt with text files", "give the folder above labelTxt"
            )
        for at, name in enumerate(names):
            _read_file(reading, name)
            progress("reading labels", at + 1, len(names))
        reading.add_unlabelled(reading.image_files.images)
        return [ParsedSource(path.name, reading.labels())]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `images/` and `labelTxt/`, below a folder for each split; each time the same bytes."""
        losses, files, n_annotations = Losses(), FileWriter(out), 0
        flat = FlatNames(samples, losses)
        classes = [(c.id, c.name) for c in samples.ontology.classes]
        rule = "blanks are written as `-`, a number with a `_` before it"
        names = WrittenClassNames(classes, losses, _class_text, rule)
        for done, (sample, labels) in enumerate(samples.items(), 1):
            stem, suffix = flat.of(sample)
            folder = f"{sample.split}/" if sample.split else ""
            files.image(samples, sample, f"{folder}images/{stem}{suffix}")
            rows = [row for a in labels if (row := _row(a, names[a.class_id], losses, sample)) is not None]
            if is_labelled(sample, rows):
                heads = [f"{key}:{sample.metadata[key]}" for key in _HEADS if key in sample.metadata]
                heads = [head for head in heads if len(head.splitlines()) == 1]
                files.text(f"{folder}labelTxt/{stem}.txt", "".join(f"{line}\n" for line in (*heads, *rows)))
                n_annotations += len(rows)
            lose_sample(losses, sample, keeps=_HEADS)
            progress("writing labels", done, samples.n_samples)
        return Written(files.listed(), samples.n_samples, n_annotations, losses.listed())


def _looks_like_row(row: list[str]) -> bool:
    is_class = len(row) in (9, 10) and number(row[8]) is None
    return is_class and pixels(row[:8]) is not None and (len(row) == 9 or whole(row[9]) is not None)


def _folder_at(name: str) -> int | None:
    """Position of the label folder in a relative name: `labelTxt`, also with a version behind it, or `annfiles`."""
    parts = [part.lower() for part in name.split("/")[:-1]]
    return next((at for at, part in enumerate(parts) if part.startswith(_FOLDER) or part == _SPLIT), None)


def _head(line: str) -> tuple[str, str] | None:
    key, colon, value = line.strip().partition(":")
    return (key.lower(), value.strip()) if colon and key.lower() in _HEADS else None


def _read_file(reading: Reading, name: str) -> None:
    text = reading.text(name)
    if text is None:
        return
    stems = _stems(reading, name)
    image = reading.image_of(stems, name)
    if image is None and reading.is_ambiguous(name):
        return
    lines = lines_of(text)
    metadata: dict[str, str | float] = {}
    for key, value in filter(None, (_head(line) for _, line in lines[:4])):
        metres = number(value)
        metadata[key] = metres if key == "gsd" and metres is not None else value[:500]
    metadata = {key: value for key, value in metadata.items() if value not in ("", "null", "None")}
    rows = [(at, line) for at, line in lines if _head(line) is None]
    if not rows:
        reading.notices.add("image-empty", name)
    tags = () if rows else (BACKGROUND,)
    key = reading.add_image(image, f"{stems[0]}.png", name, tags=tags, metadata=metadata)
    for at, line in rows:
        where = f"{name}:{at}"
        annotation = _annotation(line.split(), key, where)
        if isinstance(annotation, str):
            reading.set_aside("annotation", where, annotation, item=line[:500])
        else:
            reading.add(annotation)


def _stems(reading: Reading, name: str) -> list[str]:
    """Where the image of a label file may lie, without its ending."""
    stem, at = stem_of(name), _folder_at(name)
    if at is None:
        return [stem]
    last = stem.rpartition("/")[2]
    above = "/".join(stem.split("/")[:at])
    beside = [replaced(stem, at, "images"), f"{above}/images/{last}".lstrip("/")]
    return beside if reading.has_own_images else [*beside, replaced(stem, at, ""), last]


def _annotation(row: list[str], key: str, where: str) -> ParsedAnnotation | str:
    """The object of a line, or why it is invalid."""
    if len(row) not in (9, 10):
        return f"it has {len(row)} columns; an object has 8 numbers, a class and whether it is difficult"
    corners = pixels(row[:8])
    if corners is None:
        return f"its corners are {shown(' '.join(row[:8]))}"
    xs, ys = corners[::2], corners[1::2]
    ring = rectangle(corners)
    difficult = row[9] if len(row) == 10 else ""
    return ParsedAnnotation(
        key,
        row[8],
        Kind.POLYGON if ring is None else Kind.ROTATED_BOX,
        where,
        bbox_xywh_px=(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)),
        rings_px=(tuple(corners) if ring is None else ring,),
        area_px=ring_area(corners),
        attributes={"difficult": difficult == "1"} if difficult in ("0", "1") else {},
        extra={} if difficult in ("", "0", "1") else {"difficulty": difficult},
    )


def rectangle(corners: list[float]) -> tuple[float, ...] | None:
    """The corners in clockwise order (as seen) from the first one, where they form a rectangle; else None."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = zip(corners[::2], corners[1::2], strict=True)
    sides = math.hypot(bx - ax, by - ay), math.hypot(cx - bx, cy - by)
    tolerance = min(RECTANGLE_TOLERANCE_PX, _RELATIVE_TOLERANCE * max(sides))
    skew = math.hypot(ax + cx - bx - dx, ay + cy - by - dy)
    diagonals = math.hypot(cx - ax, cy - ay), math.hypot(dx - bx, dy - by)
    if skew > tolerance or abs(diagonals[0] - diagonals[1]) > tolerance:
        return None
    turn = (bx - ax) * (cy - by) - (by - ay) * (cx - bx)
    if turn < 0:  # the other way round: the first corner stays
        return (ax, ay, dx, dy, cx, cy, bx, by)
    return tuple(corners)


def _row(a: Annotation, name: str, losses: Losses, sample: Sample) -> str | None:
    """The line of an annotation; None where it has no place in the image."""
    ring = a.rings_px[0] if len(a.rings_px) == 1 and len(a.rings_px[0]) == 8 else None
    if ring is None or a.kind not in (*CORNERED, Kind.POLYGON):
        if a.bbox_xywh_px is None:
            losses.add(f"annotation of kind {a.kind}", sample.name)
            return None
        x, y, w, h = a.bbox_xywh_px
        ring = (x, y, x + w, y, x + w, y + h, x, y + h)
    if a.kind is Kind.BOX:
        losses.add("upright box (written as its four corners)", sample.name)
    elif a.kind is Kind.ELLIPSE or ring not in a.rings_px:
        losses.add(f"shape of a {a.kind} (its rectangle is kept)", sample.name)
    lose_annotation(losses, a, sample.name, keeps=("difficulty",), attributes=("difficult",))
    kept = a.extra.get("difficulty")
    flag = a.attributes.get("difficult")
    difficult = kept if isinstance(kept, str) and flag is None else str(int(flag in (True, 1, "1")))
    return " ".join([*map(shortest, ring), name, difficult])


def _class_text(name: str) -> str:
    text = "".join("-" if character.isspace() else character for character in name)
    return f"_{text}" if number(text) is not None else text
