"""A folder of Pascal VOC read together: XML files, their images, lists of splits and classes, masks."""

from __future__ import annotations

import gc
import os
from pathlib import Path, PurePosixPath
from typing import Any

from calotype.datasets.model import Kind
from calotype.formats.base import LabelFileUnreadable
from calotype.formats.box_rows import BoxTables
from calotype.formats.files_below import is_file, is_folder, paths_below
from calotype.formats.image_tree import ImageTree
from calotype.formats.passthrough import escaped
from calotype.formats.split_names import split_of_folder
from calotype.formats.values import AnnotationList, ParsedAnnotation, ParsedImage, ParsedLabels
from calotype.formats.windows import DeclaredClass, Problem
from calotype.foundation.collector import collector_paused
from calotype.foundation.progress import Progress
from calotype.trainer_formats.voc.image_sets import ImageSets, image_sets
from calotype.trainer_formats.voc.objects import add_objects, add_usual
from calotype.trainer_formats.voc.pairing import LABEL_FOLDERS, Labelled, Pairing, image_folders
from calotype.trainer_formats.voc.segments import Segments
from calotype.trainer_formats.voc.usual_text import read_usual
from calotype.trainer_formats.voc.xml_files import Element, OtherXml, contents, parsed, refused, text_of

_LARGEST_SIDE = 10_000_000
_COLLECT_BYTES = 16_000_000
"""Bytes of XML after which what strict parsers leave behind is collected: they hold themselves, and the elements."""


def read(path: Path, images: Path | None, progress: Progress) -> ParsedLabels:
    """Everything that the files say. Raises: LabelFileUnreadable when no file can be read."""
    with collector_paused():
        return _Reading(path, images, progress).labels()


class _Reading:
    def __init__(self, path: Path, images: Path | None, progress: Progress) -> None:
        self._path = path
        self._root = root_of(path)
        self._pairing = Pairing(ImageTree(images or self._root), images is not None)
        self._labels = ImageTree(self._root)
        self._problems = self._pairing.problems
        self._notices = self._pairing.notices
        self._progress = progress
        tables = BoxTables()
        self._objects = AnnotationList(tables)
        self._objects_of: dict[str, tuple[int, int]] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._sets: dict[str, ImageSets] = {}
        self._segments: dict[str, Segments] = {}
        self._images: list[ParsedImage] = []
        self._n_parsed = 0
        self._annotations = AnnotationList(tables)

    def labels(self) -> ParsedLabels:
        files = self._pairing.pair(self._load())
        for file in files:
            self._add(file)
        if not is_file(self._path):
            self._add_unlabelled(files)
        for link in self._pairing.tree.links_out:
            self._notices.add("file-link", escaped(link))
        self._objects = AnnotationList(self._objects.boxes.tables)
        names = self._annotations.classes(0, len(self._annotations))
        classes = [DeclaredClass(name) for name in sorted(names)]
        return ParsedLabels(
            self._images,
            self._annotations,
            classes,
            list({(p.where, p.reason): p for p in self._problems}.values()),
            warnings=self._notices.listed(),
        )

    def _load(self) -> list[Labelled]:
        """The XML files that are annotations, with their objects read."""
        found = label_files(self._path, self._problems)
        if not found:
            hint = "give the folder that holds Annotations/, or one XML file"
            raise refused(self._path, "it contains no XML file", hint)
        files, others = [], []
        keys = self._keys(found)
        for at, (file, key) in enumerate(zip(found, keys, strict=True)):
            first = len(self._objects)
            try:
                stated, folder, self._sizes[key] = self._read(file, escaped(key))
            except OtherXml as error:
                others.append((key, error))
                continue
            except LabelFileUnreadable as error:
                if len(found) == 1:
                    raise
                self._problems.append(Problem("invalid", "image", escaped(key), error.message))
                continue
            stated = self._pairing.usable_name(stated, escaped(key))
            folder = folder.replace("\\", "/").strip("/")
            usable = folder if folder and ".." not in folder.split("/") and ":" not in folder else ""
            files.append(Labelled(key, stated, usable))
            self._objects_of[key] = (first, len(self._objects))
            self._progress("reading labels", at + 1, len(found))
        if others and not files and not self._problems:
            raise others[0][1]
        for key, _ in others:
            self._notices.add("file-not-labels", escaped(key))
        return files

    def _read(self, file: str, key: str) -> tuple[str, str, tuple[int, int]]:
        """The stated file name, folder and size of a file, whose objects are added.

        Raises: LabelFileUnreadable, OtherXml.
        """
        data = contents(file)
        usual = read_usual(data)
        if usual is not None and add_usual(usual.objects, key, self._objects):
            return usual.filename.strip(), usual.folder.strip(), _usable_size(*usual.size)
        self._n_parsed += len(data)
        if self._n_parsed > _COLLECT_BYTES:
            gc.collect()
            self._n_parsed = 0
        tree = parsed(data, file)
        add_objects(tree, key, self._objects, self._problems)
        return text_of(tree, "filename"), text_of(tree, "folder"), _size_of(tree)

    def _keys(self, files: list[str]) -> list[str]:
        """The paths of files relative to the root."""
        if is_file(self._path):
            return [Path(os.path.relpath(file, self._root)).as_posix() for file in files]
        above = Path(os.path.relpath(self._path, self._root)).as_posix()
        before = "" if above == "." else f"{above}/"
        start = len(str(self._path)) + (not str(self._path).endswith(os.sep))
        return [before + file[start:].replace(os.sep, "/") for file in files]

    def _add(self, file: Labelled) -> None:
        key = escaped(file.key)
        name = self._name(file.image, file.root) if file.image else file.missing_name
        path = self._pairing.tree.location(file.image) if file.image else None
        size = self._sizes[file.key]
        self._add_image(key, name, path, file.root, size)
        below = f"{file.below}/{file.stem}" if file.below else file.stem
        first, end = self._objects_of[file.key]
        segments = self._segments_of(file.root)
        if segments.is_there:
            objects = [self._objects.item(at) for at in range(first, end)]
            for item in segments.with_masks(below, key, objects):
                self._annotations.append(item)
        else:
            self._annotations.extend(self._objects, first, end)
        self._add_classes(key, name, file.root, self._objects.classes(first, end))

    def _add_unlabelled(self, files: list[Labelled]) -> None:
        """The images without an XML file: not labelled, unless lists or masks say something."""
        taken = {file.image for file in files}
        roots = sorted({file.root for file in files}, key=len, reverse=True)
        for image in image_folders(self._pairing, files):
            if image in taken or any(part.startswith("Segmentation") for part in image.split("/")[:-1]):
                continue
            root = next((r for r in roots if not r or image.startswith(f"{r}/")), "")
            name = self._name(image, root)
            self._add_image(escaped(image), name, self._pairing.tree.location(image), root, (0, 0))
            below = str(PurePosixPath(name.removeprefix(f"{root}/")).with_suffix(""))
            segments = self._segments_of(root)
            made = segments.with_masks(below, escaped(image), []) if segments.is_there else []
            for item in made:
                self._annotations.append(item)
            n_before = len(self._annotations)
            self._add_classes(escaped(image), name, root, {item.class_name for item in made})
            if not made and len(self._annotations) == n_before:
                what = "image without an XML file: imported as not labelled"
                self._notices.add("image-without-labels", escaped(image), what=what)

    def _add_image(self, key: str, name: str, path: str | None, root: str, size_wh: tuple[int, int]) -> None:
        sets = self._sets_of(root)
        listed = name.removeprefix(f"{root}/") if root else name
        split = sets.of(listed) or next(filter(None, map(split_of_folder, key.split("/")[:-1])), "")
        extra: dict[str, Any] = {}
        said = sets.classes_of(listed)
        if said.get("-1"):
            extra["negative_classes"] = sorted(set(said["-1"]))
        if said.get("0"):
            extra["difficult_classes"] = sorted(set(said["0"]))
        size = size_wh if all(size_wh) else None
        self._images.append(ParsedImage(key, name, path, split, where=key, extra=extra, size_wh=size))

    def _add_classes(self, key: str, name: str, root: str, drawn: set[str]) -> None:
        """The classes that lists give to an image as a whole, where no object of it has them."""
        listed = name.removeprefix(f"{root}/") if root else name
        given = self._sets_of(root).classes_of(listed).get("1")
        for class_name in sorted(set(given) - drawn) if given else ():
            where = f"{key} class {class_name}"
            self._annotations.append(ParsedAnnotation(key, class_name, Kind.CLASSIFICATION, where))

    def _name(self, image: str, root: str) -> str:
        """The name of an image: its path without the folder of the images."""
        bases = [b for b in self._pairing.bases(root) if image.startswith(f"{b}/")]
        inner = image[len(max(bases, key=len)) + 1 :] if bases else image
        return f"{root}/{inner}" if root and not self._pairing.given else inner

    def _sets_of(self, root: str) -> ImageSets:
        if root not in self._sets:
            self._sets[root] = image_sets(self._labels, root, self._notices)
        return self._sets[root]

    def _segments_of(self, root: str) -> Segments:
        if root not in self._segments:
            self._segments[root] = Segments(self._labels, root, self._problems)
        return self._segments[root]


def label_files(path: Path, problems: list[Problem]) -> list[str]:
    """The XML file at a path, or all below it."""
    if is_file(path):
        return [str(path)]
    return paths_below(path, {".xml"}, problems, hidden=False) if is_folder(path) else []


def root_of(path: Path) -> Path:
    """The folder of the dataset that label files belong to."""
    folder = Path(os.path.realpath(path if is_folder(path) else path.parent))
    for ancestor in (folder, *folder.parents[:2]):
        if ancestor.name.lower() in LABEL_FOLDERS:
            return ancestor.parent
        if is_folder(path):
            break
    return folder


def _size_of(tree: Element) -> tuple[int, int]:
    """The stated width and height; zeros where they are not whole numbers of pixels."""
    size = tree.find("size")
    return _usable_size(_text_of_size(tree, size, "width"), _text_of_size(tree, size, "height"))


def _usable_size(width: str, height: str) -> tuple[int, int]:
    return _usable_side(width.strip()), _usable_side(height.strip())


def _usable_side(text: str) -> int:
    side = int(text) if text.isdecimal() and text.isascii() and len(text) < 8 else 0
    return side if 0 < side <= _LARGEST_SIDE else 0


def _text_of_size(tree: Element, size: Element | None, side: str) -> str:
    """The text of the first element of that path; it is mostly in the first element `size`."""
    text = size.findtext(side) if size is not None else ""
    return text_of(tree, f"size/{side}") if text is None else text.strip()
