"""Opening a YOLO set: the description is found, files are listed and read, labels joined to images, splits stated."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from calotype.datasets.model import Kind
from calotype.formats.files_below import head_of, is_file, is_folder, is_own_file
from calotype.formats.notices import Notices
from calotype.formats.passthrough import escaped, image_name_problem
from calotype.formats.windows import ImageColumns, ImageColumnsBuilder, Problem
from calotype.foundation.collector import collector_paused
from calotype.foundation.durable import read_file
from calotype.foundation.progress import Progress
from calotype.trainer_formats.yolo import config as yolo_config
from calotype.trainer_formats.yolo import image_sizes, shapes, splits
from calotype.trainer_formats.yolo.config import Config, refused
from calotype.trainer_formats.yolo.label_text import Ints, Rows, TextCollector
from calotype.trainer_formats.yolo.layout import Files, list_files
from calotype.trainer_formats.yolo.pairing import Pairs, image_stem, pair, trainer_stems
from calotype.trainer_formats.yolo.reading import Labels, YoloSource, place_of
from calotype.trainer_formats.yolo.shapes import Form, Judged

BACKGROUND = "background"
"""The tag of an image that was looked at and holds no object: its label file is empty."""
_MAX_LABELS = 50_000_000
_MAX_LIST = 500_000_000
_SILENT = ("readme", "license", "licence", "classes.", "changelog", "requirements")


def config_file(root: Path, listed: Files | None = None) -> Path | None:
    """The file with the names: in the folder, else the only one below it.

    Raises: LabelFileUnreadable when several lie below it.
    """
    for name in (*yolo_config.YAML_NAMES, *yolo_config.NAME_LISTS):
        if is_own_file(root / name, root):
            return root / name
    others = [file for file in other_yamls(root) if b"names" in head_of(file, 100_000)]
    if len(others) == 1:
        return others[0]
    below = [
        name
        for name in (listed.texts if listed else ())
        if name.rpartition("/")[2].lower() in (*yolo_config.YAML_NAMES, *yolo_config.NAME_LISTS)
    ]
    nearest = [name for name in below if name.count("/") == min(other.count("/") for other in below)]
    if listed is None or not nearest:
        return None
    contents = {head_of(listed.path(name), 1_000_000) for name in nearest}
    if len(contents) > 1 and len({name.rpartition("/")[0] for name in nearest}) > 1:
        detail = f"several lists of names lie below it: {', '.join(nearest[:3])}"
        raise refused(root, detail, "import each folder by itself, or give the YAML")
    return listed.path(nearest[0])


def other_yamls(folder: Path) -> list[Path]:
    """The YAML files of a folder, by name; none where it cannot be listed."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.lower().endswith((".yaml", ".yml")))
    except OSError:
        return []
    return [folder / name for name in names if is_own_file(folder / name, folder)]


def open_set(path: Path, images: Path | None, progress: Progress) -> YoloSource:
    """A folder, its YAML, or one label file. Raises: LabelFileUnreadable."""
    if not (is_file(path) or is_folder(path)):
        raise refused(path, "it does not exist", "give the folder with the YAML, or the YAML itself")
    with collector_paused():
        return _Opening(path, images, progress).source()


class _Opening:
    """One set while it is opened."""

    def __init__(self, path: Path, images: Path | None, progress: Progress) -> None:
        self.path = path
        self.progress = progress
        self.notices = Notices()
        self.problems: list[Problem] = []
        self.root = path if is_folder(path) else path.parent
        is_description = is_file(path) and path.suffix.lower() != ".txt"
        self.single = is_file(path) and not is_description
        self.files = list_files(self.root, self.notices, self.problems)
        self.config_path = self._description(is_description)
        self.config = self._config()
        self.image_files = self.files if images is None else self._images_of(images)
        if self.single:
            name = os.path.relpath(os.path.realpath(path), self.files.root).replace(os.sep, "/")
            self.files.labels = [name]
            self.files.real[name] = str(path)

    def source(self) -> YoloSource:
        """The set as a source of labels. Raises: LabelFileUnreadable."""
        collector = TextCollector(self.problems)
        lists = self._read_texts(collector)
        rows = collector.rows()
        labels = [name for at, name in enumerate(self._read) if at not in set(collector.not_labels)]
        for at in collector.not_labels:
            self._not_labels(self._read[at])
        stated = self._splits(lists)
        labels = [name for name in labels if name not in stated.lists]
        if not labels and not self.image_files.images:
            raise self._nothing(stated)
        pairs = pair(list(self._pairing), labels)
        self._report(pairs, rows)
        return self._source(rows, pairs, stated)

    # ---- the description

    def _description(self, is_description: bool) -> Path:
        """The file with the names; for a single file or a folder of labels, also the folder above is looked at."""
        if is_description and self.path.name.lower() != yolo_config.DARKNET:
            return self.path
        file = config_file(self.root, self.files)
        if file is None and (self.single or self.root.name.lower() in ("labels", "images")):
            file = config_file(self.root.parent)
        if file is None:
            detail = "there is no data.yaml or classes.txt beside it"
            raise refused(self.path, detail, "write one with `names:`, class number to name")
        return file

    def _config(self) -> Config:
        config = yolo_config.load_config(self.config_path)
        for note in config.notes:
            self.notices.add("value-dropped", f"{config.file} {note}")
        darknet = self.config_path.parent / yolo_config.DARKNET
        if is_own_file(darknet, darknet.parent) and not config.splits:
            config = yolo_config.with_darknet(config, yolo_config.load_darknet(darknet))
        return config

    def _images_of(self, images: Path) -> Files:
        if not is_folder(images):
            raise refused(images, "it is not a folder", "give the folder that holds the images")
        return list_files(images, self.notices, self.problems, images_only=True)

    @property
    def _here(self) -> str:
        """The folder of the description below the folder that was given."""
        below = os.path.relpath(os.path.realpath(self.config_path.parent), self.files.root).replace(
            os.sep, "/"
        )
        return "" if below == "." or below.startswith("..") else below

    # ---- the texts

    def _read_texts(self, collector: TextCollector) -> dict[str, str]:
        """Read every text below the folder: rows go to the collector, lists of images are returned."""
        self._read: list[str] = []
        lists: dict[str, str] = {}
        description = os.path.realpath(self.config_path)
        for done, name in enumerate(self.files.labels, start=1):
            self.progress("reading labels", done, len(self.files.labels))
            last = name.rpartition("/")[2].lower()
            if self.files.real[name] == description or last in yolo_config.NAME_LISTS:
                continue
            data = self._bytes(name)
            if data is None:
                continue
            if splits.is_list_of_images(data):
                lists[name] = data.decode("utf-8-sig", "surrogateescape")
                continue
            try:
                collector.add(len(self._read), escaped(name), data)
            except UnicodeDecodeError:
                if self.single:
                    raise refused(self.path, "it is not a text file", "export the labels again") from None
                self.problems.append(Problem("invalid", "image", escaped(name), "it is not a text file"))
                continue
            self._read.append(name)
        return lists

    def _bytes(self, name: str) -> bytes | None:
        problem = "it is larger than 50 MB: a label file describes one image"
        try:
            limit = _MAX_LIST if "/" not in name and not self.single else _MAX_LABELS
            data = read_file(self.files.real[name], max_bytes=limit)
            if data is not None:
                return data
        except OSError as error:
            problem = yolo_config.unreadable(error)
        if self.single:
            raise refused(self.path, problem, "check the file")
        self.problems.append(Problem("invalid", "image", escaped(name), problem))
        return None

    def _not_labels(self, name: str) -> None:
        last = name.rpartition("/")[2].lower()
        if self.single:
            raise refused(
                self.path, "it holds no row of numbers", "give a label file, or the folder of the set"
            )
        if not last.startswith(_SILENT):
            self.notices.add("file-not-labels", escaped(name))

    # ---- images

    @cached_property
    def _pairing(self) -> dict[str, str]:
        """Path by which an image is joined to its label file -> its path below the folder of images."""
        root, folder = self.files.root, self.image_files.root
        start = os.path.relpath(folder, root).replace(os.sep, "/") + "/" if folder != root else ""
        if start.startswith("../"):
            start = ""
        return {start + name: name for name in self.image_files.images}

    def _splits(self, lists: Mapping[str, str]) -> splits.Splits:
        """The splits of the images, by the path by which they are joined."""
        images = list(self._pairing)
        folders = set(self.files.folders)
        for image in images:
            above = image.rpartition("/")[0]
            while above not in folders:
                folders.add(above)
                above = above.rpartition("/")[0]
        here = self._here if self.image_files.root.startswith(self.files.root) else None
        reader = splits.SplitReader(images, folders, lists, here, self.notices)
        stated = reader.read(self.config)
        for name in sorted(lists.keys() - stated.lists):
            self.notices.add(
                "file-not-labels", escaped(name), what="list of images that no split names: not used"
            )
        return stated

    def _nothing(self, stated: splits.Splits) -> Exception:
        detail = "there are no label files and no images"
        hint = "give the folder that holds labels/ and images/"
        if self.config.base or stated.outside:
            led = self.config.base or stated.outside[0]
            detail = f"nothing lies beside it, and what it names is elsewhere: {led[:80]!r}"
            hint = "put the data beside the YAML; nothing outside the folder is opened"
        return refused(self.config_path, detail, hint)

    def _report(self, pairs: Pairs, rows: Rows) -> None:
        """Notices for what was joined in spite of its form or left out, and problems for rows that are left out."""
        unpaired = set(self._read) - set(pairs.label_of.values())
        lines = {
            name: rows.lines[slice(*np.searchsorted(rows.files, (at, at + 1)))].tolist()
            for at, name in enumerate(self._read)
            if name in unpaired
        }
        for label in pairs.renamed:
            self.notices.add("name-form", escaped(label))
        for label, images in pairs.ambiguous.items():
            self._left_out("label-ambiguous", label, f"it could belong to {_listed(images)}", lines)
        for image, labels in pairs.contested.items():
            for label in labels:
                others = f" as could {_listed([other for other in labels if other != label])}" * (
                    len(labels) > 1
                )
                self._left_out(
                    "label-ambiguous", label, f"it could belong to {_listed([image])}{others}", lines
                )
        for label, image in pairs.unused.items():
            place = f"{escaped(label)}: {escaped(image)} has {escaped(pairs.label_of[image])}"
            self.notices.add("label-not-used", place)
        linked = {stem: link for link in self.files.links for stem in trainer_stems(link)}
        for label in pairs.without_image:
            link = linked.get(label.rpartition(".")[0])
            why = f"there is no image {escaped(image_stem(label))}.*"
            if link is not None:
                why = f"its image {escaped(link)} is a link out of the folder, which is not followed"
            self._left_out("label-without-image", label, why, lines)

    def _left_out(self, code: str, label: str, why: str, lines: Mapping[str, list[int]]) -> None:
        """Report a label file without an image, and each of its rows."""
        self.notices.add(code, f"{escaped(label)}: {why}")
        kind = "missing-file" if code == "label-without-image" else "invalid"
        for line in lines.get(label, ()):
            self.problems.append(Problem(kind, "annotation", f"{escaped(label)}:{line}", why))
        if not lines.get(label):
            self.problems.append(Problem(kind, "image", escaped(label), why))

    # ---- the source

    def _source(self, rows: Rows, pairs: Pairs, stated: splits.Splits) -> YoloSource:
        number = {name: at for at, name in enumerate(self._read)}
        background = self._background(rows)
        image_of_file = np.full(len(self._read), -1)
        builder = ImageColumnsBuilder()
        paths: list[str] = []
        places: list[str] = []
        for image, below in self._pairing.items():
            path, label = self.image_files.real[below], pairs.label_of.get(image)
            name = below if below.isascii() else escaped(below)
            if self.single and label is None:
                continue
            problem = image_name_problem(name)
            if problem:
                self.problems.append(Problem("invalid", "image", name[:200], problem))
                continue
            is_empty = label is not None and number[label] in background
            if label is None:
                self.notices.add("image-without-labels", name)
            else:
                image_of_file[number[label]] = len(paths)
            if is_empty:
                self.notices.add("image-empty", name)
            split = stated.of.get(image) or splits.split_of_folders(image.rpartition("/")[0])
            size = (0, 0) if label is None or is_empty else image_sizes.size_of(path)
            builder.add_texts(
                len(paths), (name, "", split, "", ""), size, (BACKGROUND,) if is_empty else None
            )
            paths.append(path)
            places.append(name if label is None else escaped(label))
        columns = builder.build(places.__getitem__)
        labels = self._labels(rows, image_of_file, columns)
        found = (self._unique_problems(), self.notices.listed())
        return YoloSource(self.path.name, self.config, columns, paths, labels, found)

    def _background(self, rows: Rows) -> set[int]:
        """The files without a row, valid or not."""
        counts = np.bincount(rows.files, minlength=len(self._read))
        broken = {
            problem.where.rpartition(":")[0] for problem in self.problems if problem.what == "annotation"
        }
        empty = np.flatnonzero(counts == 0).tolist()
        return {at for at in empty if escaped(self._read[at]) not in broken}

    def _unique_problems(self) -> list[Problem]:
        return list({(p.where, p.reason): p for p in self.problems}.values())

    def _labels(self, rows: Rows, image_of_file: Ints, columns: ImageColumns) -> Labels:
        """The rows that can be imported; the others of images that are there become problems."""
        judged = shapes.judge(rows, self.config)
        names = [escaped(name) for name in self._read]
        image = image_of_file[rows.files] if len(rows) else np.empty(0, np.int64)
        here = image >= 0
        sizes = np.zeros((len(rows), 2))
        sizes[here, 0], sizes[here, 1] = columns.widths[image[here]], columns.heights[image[here]]
        judged, is_loose = shapes.with_oriented(rows, judged, self.config, sizes)
        forms = judged.forms
        for at in np.flatnonzero(here & (forms == Form.INVALID)).tolist():
            reason = shapes.problem(rows.row(at), self.config)
            self.problems.append(Problem("invalid", "annotation", place_of(rows, names, at), reason))
        unsized = here & (forms != Form.INVALID) & (sizes[:, 0] == 0)
        for at in np.flatnonzero(unsized).tolist():
            reason = "its image is unreadable, so its size is unknown"
            self.problems.append(Problem("invalid", "annotation", place_of(rows, names, at), reason))
        good = here & (forms != Form.INVALID) & ~unsized
        self._note_rows(rows, names, good, judged, is_loose)
        chosen = np.flatnonzero(good)
        return Labels(rows, chosen, image[chosen], judged, names)

    def _note_rows(
        self, rows: Rows, names: list[str], good: shapes.Bools, judged: Judged, is_loose: bool
    ) -> None:
        def note(code: str, which: Ints, what: str = "") -> None:
            for at in which[:5].tolist():
                self.notices.add(code, place_of(rows, names, at), what=what)
            self.notices.add(code, n=max(0, len(which) - 5), what=what)

        note("clipped", np.flatnonzero(good & judged.clipped))
        what = "corner of an oriented box up to 1 % outside the image: kept as it is"
        note("beyond-edge", np.flatnonzero(good & judged.beyond), what)
        if is_loose:
            loose = good & (judged.forms == Form.POLYGON) & (np.diff(rows.starts) - judged.scored == 9)
            what = f"oriented box whose corners form no rectangle: read as a {Kind.POLYGON}"
            note("shape-converted", np.flatnonzero(loose), what)
        confident = good & judged.scored & (judged.forms == Form.POSE)
        what = "confidence of each keypoint: seen from 0.5 on"
        note("value-dropped", np.flatnonzero(confident), what)


def _listed(names: list[str]) -> str:
    shown = " or ".join(escaped(name) for name in names[:3])
    return f"{shown} or {len(names) - 3} more" if len(names) > 3 else shown
