"""Image folders: one folder per class, optionally below one folder per split. Source: the layout of
torchvision ImageFolder.

The class is the first folder below the split; folders inside it belong to it. Loaders disagree about those (some name
the class after the innermost folder), so an export has none: further folders become part of the file name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.files_below import PassedOver, files_below, is_folder, walk
from calotype.formats.notices import Losses, Notices
from calotype.formats.passthrough import escaped
from calotype.formats.split_names import split_of_folder
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedImage, ParsedLabels, ParsedSource
from calotype.formats.windows import DeclaredClass, Problem
from calotype.foundation.progress import Progress, silent
from calotype.vision.images import IMAGE_EXTENSIONS

UNLABELLED = "_unlabelled"
_MAX_NAME = 120


class Folder:
    """Classification by the name of the folder that an image is in."""

    name = "folder"
    title = "Image folders by class"
    suffixes = ()
    abilities = Abilities(
        reads=frozenset({Kind.CLASSIFICATION}),
        writes=frozenset({Kind.CLASSIFICATION}),
        loses=(
            "annotations other than classes of whole images",
            "further classes of one image",
            "metadata of samples",
            "folders inside the folder of a class (they become part of the file name)",
        ),
        source="the layout that torchvision's ImageFolder documents",
        coordinates="none: a class belongs to the whole image",
        ids="classes are names; images are paths",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """A folder with folders of images in it."""
        inner = [name for name in survey.images if "/" in name]
        if survey.is_file or not inner:
            return None
        layout = _Layout(survey.images)
        words = f"class folders below {', '.join(layout.splits)}" if layout.splits else "images in folders"
        return Sighting(words, (inner[0],), Certainty.LAYOUT)

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when there is no folder or no image in it."""
        root = Path(os.path.realpath(images or path))
        problems: list[Problem] = []
        files = files_below(root, IMAGE_EXTENSIONS, problems, hidden=False) if is_folder(root) else []
        if not files and not problems:
            hint = "give the folder that holds one folder per class"
            raise LabelFileUnreadable(
                where=path.name, file=path.name, format=self.title, detail="no images below it", hint=hint
            )
        notices = Notices()
        names = [file.relative_to(root).as_posix() for file in files]
        layout = _Layout(names)
        listed: list[ParsedImage] = []
        annotations: list[ParsedAnnotation] = []
        for name, file in zip(names, files, strict=True):
            split, class_name = layout.place_of(name)
            listed.append(ParsedImage(name, name, file, split=split, where=name))
            if class_name:
                annotations.append(ParsedAnnotation(name, class_name, Kind.CLASSIFICATION, name))
            else:
                what = "image in no folder of a class: imported as not labelled"
                notices.add("image-without-labels", escaped(name), what=what)
        for link in _links(root):
            what = "link to an image: left out, give the folder that it leads to"
            notices.add("file-link", escaped(link), what=what)
        classes = [DeclaredClass(name) for name in sorted({a.class_name for a in annotations})]
        parsed = ParsedLabels(listed, annotations, classes, problems, warnings=notices.listed())
        return [ParsedSource(path.name, parsed)]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Copies each image to `[split/]class/name`, or to `_unlabelled/[split/]name` where it has no class.

        What a folder cannot hold is a loss.
        """
        losses = Losses()
        folders = _class_folders([c.name for c in samples.ontology.classes])
        taken: set[str] = set()
        files, n_annotations = [], 0
        for sample, labels in samples.items():
            chosen = _class_of(sample, labels, losses)
            kept = samples.ontology.by_id(chosen.class_id) if chosen else None
            n_annotations += 1 if kept else 0
            parts = (sample.split, folders[kept.name]) if kept else (UNLABELLED, sample.split)
            name = _file_name(samples.file_name(sample), sample.split, kept.name if kept else "")
            if "/" in name:
                losses.add("folder inside that of the class (part of the file name now)", sample.name)
            place = _free("/".join(part for part in (*parts, name.replace("/", "_")) if part), taken)
            if samples.bring(sample, out / place):
                files.append(place)
        return Written(tuple(sorted(files)), samples.n_samples, n_annotations, losses.listed())


class _Layout:
    """Which folders are splits: all at the top, or at least two of different splits, with folders in them.

    A single `train` beside `bus` and `car` is a class of its own; `train` and `valid` alone are splits, also without
    folders in them. One folder around everything counts as nothing where
    splits are in it, or where it is called `images`.
    """

    def __init__(self, names: list[str]) -> None:
        self._around = ""
        self.splits = _splits(names)
        outer = {name.partition("/")[0] for name in names}
        if not self.splits and len(outer) == 1 and all(name.count("/") >= 2 for name in names):
            (folder,) = outer
            inner = _splits([name.partition("/")[2] for name in names])
            if inner or folder.lower() == "images":
                self._around, self.splits = folder, inner

    def place_of(self, name: str) -> tuple[str, str]:
        """The split and the class of an image; empty where it has none."""
        folders = name.split("/")[1 if self._around else 0 : -1]
        if folders and folders[0] == UNLABELLED:
            return (split_of_folder(folders[1]) if len(folders) > 1 else ""), ""
        split = self.splits.get(folders[0], "") if folders else ""
        below = folders[1:] if split else folders
        return split, "" if not below or below[0] == UNLABELLED else below[0]


def _splits(names: list[str]) -> dict[str, str]:
    """The folders at the top that are splits, with the split that each is."""
    split_of = {top: split_of_folder(top) for top, _, below in (n.partition("/") for n in names) if below}
    of_classes = [folder for folder, split in split_of.items() if not split and folder != UNLABELLED]
    has_inner = any(name.count("/") >= 2 and split_of.get(name.partition("/")[0]) for name in names)
    several = len({split for split in split_of.values() if split}) >= 2
    is_split = (has_inner and several) or (not of_classes and (has_inner or several))
    return {folder: split for folder, split in sorted(split_of.items()) if split and is_split}


def _links(root: Path) -> Iterator[str]:
    passed_over: list[PassedOver] = []
    for entry in walk(str(root), passed_over, hidden=False) if is_folder(root) else ():
        if entry.is_symlink() and os.path.splitext(entry.name)[1].lower() in IMAGE_EXTENSIONS:
            yield os.path.relpath(entry.path, root)


def _class_of(sample: Sample, labels: list[Annotation], losses: Losses) -> Annotation | None:
    """The class that the image is filed under; the rest is lost."""
    whole = [a for a in labels if a.kind is Kind.CLASSIFICATION]
    for a in labels:
        if a.kind is not Kind.CLASSIFICATION:
            losses.add(f"annotation of kind {a.kind}", sample.name)
    losses.add("further classes of one image", sample.name, n=max(0, len(whole) - 1))
    if sample.metadata:
        losses.add("metadata of a sample", sample.name)
    return whole[0] if whole else None


def _class_folders(names: list[str]) -> dict[str, str]:
    """A folder name for each class, no two alike even where case does not count."""
    taken: set[str] = set()
    return {name: _free(_safe(name), taken) for name in names}


def _file_name(name: str, split: str, class_name: str) -> str:
    """The planned name without the folders of the split and the class, which the file gets anyway."""
    parts = name.split("/")
    if len(parts) > 1 and split and split_of_folder(parts[0]) == split_of_folder(split) != "":
        parts = parts[1:]
    if len(parts) > 1 and class_name and parts[0] in (class_name, _safe(class_name)):
        parts = parts[1:]
    return "/".join(parts)


def _free(place: str, taken: set[str]) -> str:
    """The place, with a number before its ending where another file has it."""
    stem, ending = os.path.splitext(place)
    candidate, n = place, 1
    while candidate.casefold() in taken:
        n += 1
        candidate = f"{stem}-{n}{ending}"
    taken.add(candidate.casefold())
    return candidate


def _safe(name: str) -> str:
    safe = "".join(c if c.isalnum() or c in " -_.()" else f"%{ord(c):x}" for c in name).strip(" .")
    return safe[:_MAX_NAME] or "_"
