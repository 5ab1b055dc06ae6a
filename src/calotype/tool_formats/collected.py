"""What a reader collects from its label files: images, annotations, problems, notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from calotype.formats.fields import BadItem, score_or_none
from calotype.formats.files_below import is_folder
from calotype.formats.image_finder import ImageFinder, image_size, normalized, stated_path
from calotype.formats.notices import Losses, Notices
from calotype.formats.passthrough import image_name_problem, text_problem, value_problem
from calotype.formats.values import ParsedAnnotation, ParsedImage, ParsedLabels, ParsedSource
from calotype.formats.windows import DeclaredClass, Problem
from calotype.foundation.progress import Progress
from calotype.tool_formats.shapes import Shape

BACKGROUND = "background"
"""The tag of an image that was looked at and holds no object."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a label file says about an annotation beside its shape and class."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    source_id: str = ""
    score: Any = None
    iscrowd: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What a label file says about an image. `within` are folders in which it is looked for first."""

    stated: str
    where: str
    size_wh: tuple[int, int] | None = None
    split: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    within: Sequence[str] = ()


_NO_FACTS = Facts()


class Collected:
    """Collects one reading. An item that cannot be read is a problem with its place, and costs nothing else."""

    def __init__(self, file: str, folder: Path) -> None:
        self.file = file
        self.search = ImageFinder(folder)
        self.problems: list[Problem] = list(self.search.problems)
        self.notices = Notices()
        self.losses = Losses()
        self.classes: dict[str, DeclaredClass] = {}
        self.images: dict[str, ParsedImage] = {}
        self.annotations: list[ParsedAnnotation] = []
        self.info: dict[str, Any] = {}
        self.videos: dict[str, str] = {}
        """The video whose frames have no folder of its name, at ""."""
        self._sizes: dict[str, tuple[int, int]] = {}

    @contextmanager
    def item(self, where: str, what: str = "annotation") -> Iterator[None]:
        """A `BadItem` that is raised inside becomes a problem at this place."""
        try:
            yield
        except BadItem as bad:
            self.problems.append(Problem("invalid", what, where, bad.reason))

    def add_image(self, entry: Entry, *, path: Path | None = None) -> str:
        """Add an image, or what is said about it once more; returns its key. Raises: BadItem.

        Args:
            path: The file, where it is known already.
        """
        problem = image_name_problem(entry.stated) if path is None else ""  # names of files are escaped later
        if not entry.stated.strip() or problem:
            raise BadItem(problem or "it names no image")
        relative = stated_path(entry.stated)
        if not relative:
            raise BadItem("it names no image")
        unstorable = value_problem([dict(entry.metadata), dict(entry.extra), *entry.tags, entry.split])
        if unstorable:
            raise BadItem(unstorable)
        if "\\" in entry.stated:
            self.notices.add("name-separator", entry.where)
        if path is None:
            path = self.search.find(relative, within=entry.within)
            if path is not None and path.name != (name := relative.rpartition("/")[2]):
                without_ending = normalized(name) == normalized(path.stem)
                words = "name without the ending of the file: joined" if without_ending else ""
                self.notices.add("name-form", entry.where, what=words)
        key = relative if path is None else self.search.name_of(path)
        known = self.images.get(key)
        if known is None:
            self.images[key] = ParsedImage(
                key,
                key,
                path,
                split=entry.split,
                tags=entry.tags,
                where=entry.where,
                metadata=entry.metadata,
                extra=entry.extra,
                size_wh=entry.size_wh,
            )
        else:
            self._add_to(known, entry)
        return key

    def _add_to(self, known: ParsedImage, entry: Entry) -> None:
        if entry.split and known.split and entry.split != known.split:
            self.notices.add("image-in-two-splits", entry.where)
        self.images[known.key] = replace(
            known,
            split=known.split or entry.split,
            tags=tuple(dict.fromkeys((*known.tags, *entry.tags))),
            metadata={**entry.metadata, **known.metadata},
            extra={**entry.extra, **known.extra},
            size_wh=known.size_wh or entry.size_wh,
        )

    def size_of(self, key: str) -> tuple[int, int]:
        """Width and height of an image in pixels: as stated, or else from its file. Raises: BadItem."""
        image = self.images[key]
        if image.size_wh is not None:
            return image.size_wh
        if key not in self._sizes:
            if image.path is None:
                raise BadItem("its image is missing and its size is not stated")
            self._sizes[key] = image_size(image.path)
        return self._sizes[key]

    def add(self, key: str, class_name: str, shape: Shape, where: str, facts: Facts = _NO_FACTS) -> None:
        """Add an annotation of an image. Raises: BadItem."""
        if text_problem(facts.source_id):
            raise BadItem(f"its id cannot be used: {text_problem(facts.source_id)}")
        score = score_or_none(facts.score)
        if score is None and facts.score is not None:
            self.notices.add("value-dropped", where, what="score that is not between 0 and 1: left out")
        self.annotations.append(
            ParsedAnnotation(
                key,
                class_name,
                shape.kind,
                where,
                bbox_xywh_px=shape.bbox_xywh_px,
                rings_px=shape.rings_px,
                mask_rle=shape.mask_rle,
                mask_size_hw=shape.mask_size_hw,
                keypoints_xyv=shape.keypoints_xyv,
                area_px=shape.area_px,
                score=score,
                iscrowd=facts.iscrowd,
                attributes=facts.attributes,
                extra=facts.extra,
                source_id=facts.source_id,
            )
        )

    def declare(self, name: str, **more: Any) -> None:
        """A class that the label file declares; the first declaration counts."""
        declared = DeclaredClass(name, **more)
        unstorable = value_problem([name, *declared.keypoints, dict(declared.extra)])
        if unstorable:
            self.problems.append(
                Problem("invalid", "class", self.file, f"its class cannot be used: {unstorable}")
            )
            return
        self.classes.setdefault(name, declared)

    def sort_classes(self, names: Sequence[str]) -> None:
        """Put these classes first, in this order."""
        first = {name: self.classes[name] for name in names if name in self.classes}
        self.classes = {**first, **self.classes}

    def with_tag(self, key: str, tag: str) -> None:
        """Add a tag to an image."""
        image = self.images[key]
        if tag not in image.tags:
            self.images[key] = replace(image, tags=(*image.tags, tag))

    def add_metadata(self, key: str, name: str, value: str | int | float | bool) -> None:
        """Add a value that is about an image as a whole. Raises: BadItem."""
        if value_problem([name, value]):
            raise BadItem(value_problem([name, value]))
        image = self.images[key]
        self.images[key] = replace(image, metadata={**image.metadata, name: value})

    def source(self) -> ParsedSource:
        """What was collected, as a source; says which images hold no annotation."""
        labelled = {annotation.image_key for annotation in self.annotations}
        for key, image in self.images.items():
            if key not in labelled:
                empty = BACKGROUND in image.tags
                self.notices.add("image-empty" if empty else "image-without-labels", image.where)
        labels = ParsedLabels(
            list(self.images.values()),
            self.annotations,
            list(self.classes.values()),
            self.problems,
            self.losses.listed(),
            self.notices.listed(),
            self.info,
        )
        return ParsedSource(self.file, labels)


def read_each(
    files: Sequence[Path],
    path: Path,
    images: Path | None,
    progress: Progress,
    read: Callable[[Path, Collected], None],
) -> list[ParsedSource]:
    """One source for each label file at a path, read one after the other. Raises: LabelFileUnreadable."""
    root = path if is_folder(path) else path.parent
    sources = []
    for at, file in enumerate(files):
        collected = Collected(file.relative_to(root).as_posix(), images or root)
        read(file, collected)
        sources.append(collected.source())
        progress("reading labels", at + 1, len(files))
    return sources
