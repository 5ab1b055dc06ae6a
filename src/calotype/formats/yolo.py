"""YOLO: one text file an image, shares of width and height. Source: the dataset format of Ultralytics.

Boxes (class cx cy w h), polygons (class x y x y ...) and poses (with `kpt_shape`) are told apart row by row. An empty
label file is a picture that was looked at (tag `background`); a picture without one is not labelled.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath

import yaml

from calotype.datasets.model import Kind
from calotype.formats import yolo_files, yolo_writing
from calotype.formats.base import (
    ExportSamples,
    LabelFileUnreadable,
    Loss,
    Parsed,
    ParsedAnnotation,
    ParsedClass,
    ParsedImage,
    Problem,
    Written,
)
from calotype.formats.yolo_files import Config, Row, refused
from calotype.foundation.progress import Progress, silent
from calotype.vision import images as vision

BACKGROUND = "background"
_NO_SPLIT = "unassigned"


class Yolo:
    """Boxes, polygons and poses, one text file an image."""

    name = "yolo"
    title = "YOLO"
    holds = frozenset({Kind.BOX, Kind.POLYGON})

    def detect(self, path: Path) -> bool:
        """A YAML or a list with names, and label files; or a label file."""
        if path.is_file() and path.suffix == ".txt":
            return True
        file = path if path.is_file() else yolo_files.config_file(path)
        if file is None or file.suffix not in (".yaml", ".yml", ".txt", ".names"):
            return False
        return file.suffix not in (".yaml", ".yml") or b"names" in file.read_bytes()[:100_000]

    def read(self, path: Path, *, images: Path | None = None, progress: Progress = silent) -> Parsed:
        """Raises: LabelFileUnreadable when there are no names, or no label file can be taken."""
        reading = _Reading(path, images)
        for at, file in enumerate(reading.labels):
            reading.take(file)
            progress("reading labels", at + 1, len(reading.labels))
        return reading.answer(self.name)

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `data.yaml`, `images/<split>/` and `labels/<split>/`; the same input gives the same bytes."""
        classes = list(samples.ontology.classes)
        number_of = {c.id: at for at, c in enumerate(classes)}
        losses: Counter[str] = Counter()
        losses["id of a class (numbered from 0)"] = sum(c.id != at for at, c in enumerate(classes))
        files, splits, n_annotations = ["data.yaml"], set(), 0
        written = yolo_writing.LabelFiles(out)
        for chunk, table in samples.tables(yolo_writing.COLUMNS):
            losses.update(yolo_writing.losses_of(chunk, table, BACKGROUND))
            for sample, rows, is_labelled in yolo_writing.rows_of(chunk, table, number_of):
                split = sample.split or _NO_SPLIT
                splits.add(split)
                name = samples.file_name(sample)
                if samples.bring(sample, out / f"images/{split}/{name}"):
                    files.append(f"images/{split}/{name}")
                n_annotations += len(rows)
                if is_labelled or BACKGROUND in sample.tags:
                    files.append(written.write(f"labels/{split}/{name.rpartition('.')[0]}.txt", rows))
            progress("writing labels", len(files), len(files))
        (out / "data.yaml").write_text(_config(splits, [c.name for c in classes]), encoding="utf-8")
        lost = tuple(Loss(what, count) for what, count in sorted((+losses).items()))
        return Written(tuple(sorted(files)), samples.n_samples, n_annotations, lost)


class _Reading:
    """One reading: the files found, and what they said so far."""

    def __init__(self, path: Path, images: Path | None) -> None:
        if not path.exists():
            raise refused(path, "it is not there", "give the folder with the YAML, or the YAML itself")
        root = path if path.is_dir() else path.parent
        is_yaml = path.is_file() and path.suffix != ".txt"
        file = path if is_yaml else yolo_files.config_file(root)
        if file is None:
            raise refused(
                path,
                "no data.yaml or classes.txt lies with it",
                "write one with `names:`, class number to name",
            )
        self.config: Config = yolo_files.load_config(file)
        self.single = path.is_file() and not is_yaml
        self.root = root.resolve()
        self.labels = [path] if self.single else yolo_files.label_files(root)
        self.folder = (images or root).resolve()
        self.pictures = {
            self._key(picture, self.folder): picture for picture in yolo_files.pictures(self.folder)
        }
        self.by_stem: dict[str, list[str]] = {}
        for key in self.pictures:
            self.by_stem.setdefault(PurePosixPath(key).name, []).append(key)
        self.listed: dict[str, ParsedImage] = {}
        self.found: list[ParsedAnnotation] = []
        self.problems: list[Problem] = []
        self.warnings: Counter[str] = Counter()
        if not self.labels and not self.pictures:
            raise refused(
                path,
                "there are no label files and no pictures",
                "give the folder that holds labels/ and images/",
            )

    def take(self, file: Path) -> None:
        """One label file."""
        key = self._key(file.resolve(), self.root)
        try:
            lines = yolo_files.lines_of(file)
        except LabelFileUnreadable as error:
            if self.single:
                raise
            self.problems.append(Problem("invalid", "image", file.name, error.message))
            return
        picture_key = self._picture_of(key)
        picture = self.pictures.get(picture_key or "")
        size = self._size(picture)
        tags = () if lines else (BACKGROUND,)
        self.warnings["empty label file: nothing to see, tagged `background`"] += not lines
        name = picture.relative_to(self.folder).as_posix() if picture else f"{key}.jpg"
        self.listed[picture_key or key] = ParsedImage(
            picture_key or key, name, picture, yolo_files.split_of(key), tags=tags, where=file.name
        )
        for at, fields in lines:
            where = f"{file.name}:{at}"
            row = yolo_files.row(fields, self.config)
            if isinstance(row, str) or size is None:
                reason = (
                    row if isinstance(row, str) else "its picture is missing or unreadable, so it has no size"
                )
                self.problems.append(
                    Problem("invalid", "annotation", where, reason, image_key=picture_key or key)
                )
                continue
            self.warnings["box or polygon beyond the image by rounding: clipped"] += row.clipped
            self.found.append(_annotation(row, picture_key or key, where, size, self.config))

    def answer(self, format: str) -> Parsed:
        """All of it; pictures without a label file come along unless one label file was asked for."""
        if not self.single:
            for key, picture in self.pictures.items():
                if key not in self.listed:
                    self.warnings["picture without a label file: not labelled"] += 1
                    name = picture.relative_to(self.folder).as_posix()
                    self.listed[key] = ParsedImage(key, name, picture, yolo_files.split_of(key), where=name)
        points = self.config.keypoints
        names = tuple(f"point-{at}" for at in range(points[0])) if points else ()
        classes = tuple(
            ParsedClass(name, number, keypoints=names) for number, name in sorted(self.config.names.items())
        )
        warnings = tuple(Loss(what, count) for what, count in sorted((+self.warnings).items()))
        return Parsed(
            format,
            tuple(self.listed.values()),
            tuple(self.found),
            classes,
            tuple(self.problems),
            warnings=warnings,
        )

    def _key(self, file: Path, root: Path) -> str:
        return yolo_files.key_of(PurePosixPath(file.resolve().relative_to(root).as_posix()))

    def _picture_of(self, key: str) -> str | None:
        if key in self.pictures:
            return key
        found = self.by_stem.get(PurePosixPath(key).name, [])
        return found[0] if len(found) == 1 else None

    def _size(self, picture: Path | None) -> tuple[int, int] | None:
        if picture is None:
            return None
        try:
            facts = vision.probe(picture.read_bytes())
        except (OSError, vision.ImageUnreadable):
            return None
        return facts.width_px, facts.height_px


def _annotation(row: Row, key: str, where: str, size_wh: tuple[int, int], config: Config) -> ParsedAnnotation:
    width, height = size_wh
    name = config.names[row.number]
    if row.ring:
        ring = tuple(v * (height if at % 2 else width) for at, v in enumerate(row.ring))
        xs, ys = ring[::2], ring[1::2]
        box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
        return ParsedAnnotation(key, name, Kind.POLYGON, where, bbox_xywh_px=box, rings_px=(ring,))
    x, y, w, h = row.box or (0.0, 0.0, 0.0, 0.0)
    box = (x * width, y * height, w * width, h * height)
    if row.points:
        points = tuple(
            v * width if at % 3 == 0 else v * height if at % 3 == 1 else v for at, v in enumerate(row.points)
        )
        return ParsedAnnotation(key, name, Kind.KEYPOINTS, where, bbox_xywh_px=box, keypoints_xyv=points)
    return ParsedAnnotation(
        key, name, Kind.BOX, where, bbox_xywh_px=box, area_px=box[2] * box[3], score=row.score
    )


def _config(splits: set[str], names: list[str]) -> str:
    value: dict[str, object] = {"path": "."}
    value |= {split: f"images/{split}" for split in sorted(splits)}
    value |= {key: f"images/{min(splits)}" for key in ("train", "val") if splits and key not in splits}
    value["names"] = dict(enumerate(names))
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=1_000)
