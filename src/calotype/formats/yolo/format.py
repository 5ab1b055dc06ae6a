"""YOLO: one text file per image, coordinates relative to width and height. Source: the dataset format of Ultralytics.

Boxes (class cx cy w h), polygons (class x y x y ...) and poses (with `kpt_shape`) are distinguished row by row. An
empty label file means an image without objects (tag `background`); an image without a label file is not labelled.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path, PurePosixPath

import yaml

from calotype.datasets.model import Kind
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.files_below import head_of, is_file, is_folder
from calotype.formats.image_files import images_below
from calotype.formats.notices import Loss, Notices
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedImage, ParsedLabels, ParsedSource
from calotype.formats.windows import DeclaredClass, Problem
from calotype.formats.yolo import files as yolo_files
from calotype.formats.yolo import writing as yolo_writing
from calotype.formats.yolo.files import Config, Row, refused
from calotype.foundation.progress import Progress, silent
from calotype.store.files.durable import read_file
from calotype.vision import images as vision

BACKGROUND = "background"
_NO_SPLIT = "unassigned"
_MAX_IMAGE = 1_000_000_000


class Yolo:
    """Boxes, polygons and poses, one text file per image."""

    name = "yolo"
    title = "YOLO"
    suffixes = (".txt",)
    abilities = Abilities(
        reads=frozenset({Kind.BOX, Kind.POLYGON, Kind.KEYPOINTS}),
        writes=frozenset({Kind.BOX, Kind.POLYGON}),
        loses=(
            "masks and keypoints (their box is kept)",
            "further parts of a polygon (the largest is kept)",
            "classes of whole images",
            "id, score, iscrowd, attributes and extra keys of annotations",
            "ids of classes (they count from 0)",
            "metadata, licence, source and tags of samples",
        ),
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """A YAML or a list with names, and label files; or a label file. Broken: a YAML without names."""
        path = survey.path
        if is_file(path) and path.suffix == ".txt":
            return Sighting("one label file", (path.name,))
        file = path if is_file(path) else yolo_files.config_file(path)
        if file is not None and file.suffix in (".yaml", ".yml", ".txt", ".names"):
            is_yaml = file.suffix in (".yaml", ".yml")
            if not is_yaml or b"names" in head_of(file, 100_000):
                return Sighting("label files beside a list of names", (file.name,), Certainty.DESCRIBED)
        root = path if is_folder(path) else path.parent
        for file in [path] if is_file(path) else yolo_files.other_yamls(path):
            if file.suffix in (".yaml", ".yml") and yolo_files.looks_like_config(file, root):
                return Sighting("a description without names", (file.name,), broken=True)
        labels = path / "labels"
        if is_folder(labels) and yolo_files.label_files(labels, []):
            return Sighting("label files without a list of names", ("labels/",), broken=True)
        return None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when there are no names, or no label file can be read."""
        reading = _Reading(path, images)
        for at, file in enumerate(reading.label_files):
            reading.read_file(file)
            progress("reading labels", at + 1, len(reading.label_files))
        return [ParsedSource(path.name, reading.labels())]

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
    """One reading: the files below the folder, and the labels read so far."""

    def __init__(self, path: Path, images: Path | None) -> None:
        if not (is_file(path) or is_folder(path)):
            raise refused(path, "it does not exist", "give the folder with the YAML, or the YAML itself")
        root = path if is_folder(path) else path.parent
        is_yaml = is_file(path) and path.suffix != ".txt"
        file = path if is_yaml else yolo_files.config_file(root)
        if file is None:
            raise refused(
                path,
                "there is no data.yaml or classes.txt beside it",
                "write one with `names:`, class number to name",
            )
        self.config: Config = yolo_files.load_config(file)
        self.single = is_file(path) and not is_yaml
        self.problems: list[Problem] = []
        self.root = Path(os.path.realpath(root))
        self.label_files = [path] if self.single else yolo_files.label_files(self.root, self.problems)
        self.folder = Path(os.path.realpath(images or root))
        below = images_below(self.folder, self.problems)
        self.problems = list({problem.where: problem for problem in self.problems}.values())
        self.image_files = {self._key(image, self.folder): image for image in below}
        self.by_stem: dict[str, list[str]] = {}
        for key in self.image_files:
            self.by_stem.setdefault(PurePosixPath(key).name, []).append(key)
        self.images: dict[str, ParsedImage] = {}
        self.annotations: list[ParsedAnnotation] = []
        self.notices = Notices()
        if not self.label_files and not self.image_files:
            raise refused(
                path,
                "there are no label files and no images",
                "give the folder that holds labels/ and images/",
            )

    def read_file(self, file: Path) -> None:
        """Read one label file."""
        label_key = self._key(Path(os.path.realpath(file)), self.root)
        try:
            lines = yolo_files.lines_of(file)
        except LabelFileUnreadable as error:
            if self.single:
                raise
            self.problems.append(Problem("invalid", "image", file.name, error.message))
            return
        image_key = self._image_key(label_key)
        image = self.image_files.get(image_key or "")
        key = image_key or label_key
        size = self._size(image)
        tags = () if lines else (BACKGROUND,)
        if not lines:
            self.notices.add("image-empty", file.name)
        name = image.relative_to(self.folder).as_posix() if image else f"{label_key}.jpg"
        split = yolo_files.split_of(label_key)
        self.images[key] = ParsedImage(key, name, image, split, tags, file.name, size_wh=size)
        for number, fields in lines:
            self._read_row(key, f"{file.name}:{number}", fields, size)

    def _read_row(self, key: str, where: str, fields: list[str], size: tuple[int, int] | None) -> None:
        row = yolo_files.row(fields, self.config)
        if isinstance(row, str) or size is None:
            reason = (
                row if isinstance(row, str) else "its image is missing or unreadable, so its size is unknown"
            )
            self.problems.append(Problem("invalid", "annotation", where, reason))
            return
        self.notices.add("clipped", where, n=row.clipped)
        self.annotations.append(_annotation(row, key, where, size, self.config))

    def labels(self) -> ParsedLabels:
        """Everything read; images without a label file are included unless one label file was asked for."""
        if not self.single:
            for key, image in self.image_files.items():
                if key not in self.images:
                    self.notices.add("image-without-labels", key)
                    name = image.relative_to(self.folder).as_posix()
                    self.images[key] = ParsedImage(key, name, image, yolo_files.split_of(key), where=name)
        shape = self.config.keypoints
        points = tuple(f"point-{at}" for at in range(shape[0])) if shape else ()
        return ParsedLabels(
            images=list(self.images.values()),
            annotations=self.annotations,
            classes=[
                DeclaredClass(name, number, keypoints=points)
                for number, name in sorted(self.config.names.items())
            ],
            problems=self.problems,
            warnings=self.notices.listed(),
        )

    def _key(self, file: Path, root: Path) -> str:
        return yolo_files.key_of(PurePosixPath(file.relative_to(root).as_posix()))

    def _image_key(self, label_key: str) -> str | None:
        if label_key in self.image_files:
            return label_key
        same_stem = self.by_stem.get(PurePosixPath(label_key).name, [])
        return same_stem[0] if len(same_stem) == 1 else None

    def _size(self, image: Path | None) -> tuple[int, int] | None:
        if image is None:
            return None
        try:
            facts = vision.probe(read_file(image, max_bytes=_MAX_IMAGE) or b"")
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
