"""What readers share: the files below a folder, which image a label belongs to, and the labels read so far."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from calotype.formats.base import LabelFileUnreadable
from calotype.formats.files_below import PassedOver, is_file, is_folder, walk
from calotype.formats.image_files import MAX_IMAGE_BYTES
from calotype.formats.notices import Losses, Notices
from calotype.formats.passthrough import value_problem
from calotype.formats.values import ParsedAnnotation, ParsedImage, ParsedLabels
from calotype.formats.windows import DeclaredClass, Problem
from calotype.foundation.durable import read_file
from calotype.vision import images as vision
from calotype.vision.images import IMAGE_EXTENSIONS
from calotype.vision.jpeg_header import quick_size

BACKGROUND = "background"
"""Tag of an image that was looked at and holds no object."""
SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
"""Usual names of split folders -> the split."""
IMAGE_ERRORS = (vision.ImageUnreadable, *vision.DECODER_ERRORS)
"""What a broken image raises."""
MAX_TEXT_BYTES = 50_000_000
_HEAD_BYTES = 65_536


class Files:
    """The files below a folder by their relative posix names; links that lead out of it are left out."""

    def __init__(self, folder: Path) -> None:
        self.root = Path(os.path.realpath(folder))
        self.names: list[str] = []
        self.links: list[str] = []
        self.problems: list[Problem] = []
        passed_over: list[PassedOver] = []
        root = str(self.root)
        start = len(root) + (not root.endswith(os.sep))
        for entry in walk(root, passed_over, hidden=False):
            name = entry.path[start:].replace(os.sep, "/")
            inside = not entry.is_symlink() or Path(os.path.realpath(entry.path)).is_relative_to(self.root)
            (self.names if inside else self.links).append(name)
        self.names.sort(key=lambda name: name.split("/"))
        for item in passed_over:
            what = "folder" if item.is_folder else "image"
            where = item.path[start:] or self.root.name
            self.problems.append(Problem("unreadable", what, where, item.reason))
        self.images = [name for name in self.names if suffix_of(name) in IMAGE_EXTENSIONS]
        self._listed = set(self.names)
        self._in_folder: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._by_last: dict[str, list[str]] = {}
        for name in self.images:
            self._by_stem.setdefault(_key(stem_of(name)), []).append(name)
            above, _, last = name.rpartition("/")
            self._by_last.setdefault(last, []).append(name)
            self._in_folder.setdefault(above, []).append(name)

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return name in self._listed

    def images_in(self, folder: str) -> list[str]:
        """Images that lie in a folder, not in one below it; the root is an empty name."""
        return self._in_folder.get(folder, [])

    def called(self, last: str) -> list[str]:
        """Images whose name without folders is this one."""
        return self._by_last.get(last, [])

    def path(self, name: str) -> Path:
        """The path of a listed file."""
        return self.root / name

    def with_stem(self, stem: str) -> list[str]:
        """Images of a relative name without its ending; where several differ by case only, the one of this case."""
        found = self._by_stem.get(_key(stem), [])
        same = [name for name in found if stem_of(name) == stem]
        return same or found


class Reading:
    """One reading of a folder, or of one label file in it: what was found so far."""

    def __init__(self, path: Path, images: Path | None, title: str) -> None:
        if not (is_file(path) or is_folder(path)):
            raise refused(path, title, "it does not exist", "give a folder, or a label file")
        self.path, self.title = path, title
        self.single = path.name if is_file(path) else None
        self.files = Files(path if self.single is None else path.parent)
        self.image_files = self.files if images is None else Files(images)
        self.has_own_images = images is None
        self.problems = [*self.files.problems]
        if images is not None:
            self.problems += self.image_files.problems
        self.notices, self.losses = Notices(), Losses()
        for link in dict.fromkeys([*self.files.links, *self.image_files.links]):
            self.notices.add("file-link", link)
        self.images: dict[str, ParsedImage] = {}
        self.annotations: list[ParsedAnnotation] = []

    def text(self, name: str, *, max_bytes: int = MAX_TEXT_BYTES) -> str | None:
        """The text of a label file; None where it cannot be read, which is a problem then."""
        data = self.data(name, max_bytes=max_bytes)
        if data is None:
            return None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.set_aside("image", name, "it is not UTF-8 text", kind="unreadable")
            return None

    def data(self, name: str, *, max_bytes: int) -> bytes | None:
        """The bytes of a file; None where it cannot be read, which is a problem then."""
        try:
            data = read_file(self.files.path(name), max_bytes=max_bytes)
        except OSError as error:
            reason = f"it cannot be read: {error.strerror or type(error).__name__}"
        else:
            if data is not None:
                return data
            reason = f"it is larger than {max_bytes // 1_000_000} MB"
        self.set_aside("image", name, reason, kind="unreadable")
        return None

    def set_aside(
        self, what: str, where: str, reason: str, *, kind: str = "invalid", item: Any = None
    ) -> None:
        """Count something that cannot be imported."""
        self.problems.append(Problem(kind, what, where, reason, item))

    def image_of(self, stems: Iterable[str], where: str) -> str | None:
        """The image of the first of these relative names, given without an ending, that there is.

        None where there is none; also where two files have the name, which is a problem that names both.
        """
        for stem in dict.fromkeys(stems):
            found = self.image_files.with_stem(stem)
            if len(found) == 1:
                return found[0]
            if found:
                claimants = " and ".join(found[:3])
                self.set_aside("image", where, f"it could belong to {claimants}")
                self.notices.add("label-ambiguous", where)
                return None
        return None

    def is_ambiguous(self, where: str) -> bool:
        """Whether `image_of` refused to choose for this label file."""
        return bool(self.problems) and self.problems[-1].where == where

    def add_image(self, name: str | None, missing: str, where: str, **facts: Any) -> str:
        """List an image and return its key: the file `name`, or where that is None one that is `missing`."""
        key = name or missing
        if key not in self.images:
            path = self.image_files.path(name) if name else None
            facts.setdefault("split", split_of(key))
            self.images[key] = ParsedImage(key, key, path, where=where, **facts)
        return key

    def add(self, annotation: ParsedAnnotation) -> None:
        """Add an annotation, unless what it holds cannot be stored."""
        problem = value_problem([dict(annotation.attributes), dict(annotation.extra), annotation.source_id])
        if problem:
            self.set_aside("annotation", annotation.where, problem)
        else:
            self.annotations.append(annotation)

    def add_unlabelled(self, names: Iterable[str], split: Callable[[str], str] | None = None) -> None:
        """List images that no label file names; nothing where one label file alone was asked for."""
        if self.single is not None:
            return
        for name in names:
            if name not in self.images:
                self.notices.add("image-without-labels", name)
                self.add_image(name, name, name, split=(split or split_of)(name))

    def size_of(self, name: str) -> tuple[int, int] | None:
        """Width and height of an upright image in pixels; None where it cannot be read."""
        return size_of(self.image_files.path(name))

    def labels(self, classes: Sequence[DeclaredClass] | None = None, **facts: Any) -> ParsedLabels:
        """Everything read. Without `classes`, those that annotations name, by name."""
        if classes is None:
            classes = [DeclaredClass(name) for name in sorted({a.class_name for a in self.annotations})]
        return ParsedLabels(
            list(self.images.values()),
            self.annotations,
            classes,
            self.problems,
            self.losses.listed(),
            self.notices.listed(),
            **facts,
        )

    def refused(self, detail: str, hint: str, *, where: str = "") -> LabelFileUnreadable:
        """The error for files that cannot be read as a whole."""
        return refused(self.path, self.title, detail, hint, where=where)


def refused(path: Path, title: str, detail: str, hint: str, *, where: str = "") -> LabelFileUnreadable:
    """The error for a file or folder that cannot be read as a whole."""
    return LabelFileUnreadable(
        where=where or path.name, file=path.name, format=title, detail=detail, hint=hint
    )


def size_of(path: Path) -> tuple[int, int] | None:
    """Width and height of an upright image in pixels; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            size = quick_size(file.read(_HEAD_BYTES))
        if size is not None:
            return size
        facts = vision.probe(read_file(path, max_bytes=MAX_IMAGE_BYTES) or b"")
    except (OSError, vision.ImageUnreadable):
        return None
    return facts.width_px, facts.height_px


def split_of(name: str) -> str:
    """The split of the first folder of a relative path that is named after one; empty where none is."""
    return next((SPLITS[part.lower()] for part in name.split("/")[:-1] if part.lower() in SPLITS), "")


def stem_of(name: str) -> str:
    """A relative name without its last ending."""
    return PurePosixPath(name).with_suffix("").as_posix() if suffix_of(name) else name


def suffix_of(name: str) -> str:
    """The last ending of a name in lower case, with its dot; empty where it has none."""
    return os.path.splitext(name)[1].lower()


def replaced(name: str, at: int, folder: str) -> str:
    """A relative name with the folder at a position replaced; empty removes it."""
    parts = name.split("/")
    parts[at : at + 1] = [folder] if folder else []
    return "/".join(parts)


def lines_of(text: str) -> list[tuple[int, str]]:
    """Number from 1 and text of each line that is not blank."""
    return [(at, line.strip()) for at, line in enumerate(text.split("\n"), 1) if line.strip()]


def _key(name: str) -> str:
    return name if name.isascii() and name.islower() else unicodedata.normalize("NFC", name).casefold()
