"""What every label format module offers: detect, read into a neutral form, write from it, and say what is lost.

A reader never touches the store: it turns files into `Parsed`, in which each thing that cannot be taken is a
`Problem` with its place. The room `annotate` decides (`on_unknown`, `on_invalid`) and writes. A writer gets
`ExportSamples` and reports each thing that the format cannot hold as a `Loss`; nothing is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.foundation.errors import Invalid, NotFound
from calotype.foundation.progress import Progress, silent
from calotype.vision.ontology import Ontology


class LabelFileUnreadable(Invalid):
    """The file as a whole cannot be taken."""

    code = "label-file-unreadable"
    what = "{file} cannot be read as {format}: {detail}"
    fix = "{hint}"


class FormatUnknown(NotFound):
    """No format of that name, or none recognises the files."""

    code = "format-unknown"
    what = "no label format for {got}"
    fix = "name one with --format: {known}"


@dataclass(frozen=True, slots=True)
class ParsedImage:
    """One image that the label files list.

    `key` joins annotations to it inside this `Parsed`; `name` becomes the sample's name (relative, posix);
    `path` is the file found for it, None when missing.
    """

    key: str
    name: str
    path: Path | None
    split: str = ""
    licence: str = ""
    metadata: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True, slots=True)
class ParsedAnnotation:
    """One annotation in pixels of the upright image, its class still a name. Geometry as in `model.Annotation`."""

    image_key: str
    class_name: str
    kind: Kind
    where: str
    bbox_xywh_px: tuple[float, float, float, float] | None = None
    rings_px: tuple[tuple[float, ...], ...] = ()
    mask_rle: str = ""
    mask_size_hw: tuple[int, int] | None = None
    keypoints_xyv: tuple[float, ...] = ()
    area_px: float | None = None
    score: float | None = None
    iscrowd: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class ParsedClass:
    """A class that the label files declare, with the id they give it (kept when it is free)."""

    name: str
    id: int | None = None
    supercategory: str = ""
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that cannot be taken: set aside with its place, a reason, and the item itself.

    `kind` is "invalid" (broken geometry, wrong type, dangling reference) or "missing-file"; `what` is "image" or
    "annotation". Unknown classes are found later, against the dataset's ontology.
    """

    kind: str
    what: str
    where: str
    reason: str
    item: Any = None
    image_key: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that could not be kept, how often, and one example."""

    what: str
    count: int
    example: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """Everything that label files say. `warnings` are adjustments that kept the item, as losses with counts.

    `info` holds file-level keys kept for round trips (COCO `info`, `licenses`, unknown top-level keys).
    """

    format: str
    images: tuple[ParsedImage, ...]
    annotations: tuple[ParsedAnnotation, ...]
    classes: tuple[ParsedClass, ...]
    problems: tuple[Problem, ...] = ()
    losses: tuple[Loss, ...] = ()
    warnings: tuple[Loss, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExportSamples:
    """What a writer gets: samples with their annotations, and how to get at the bytes.

    `items()` yields (sample, annotations) in a fixed order and may be called several times; `tables(columns)` yields
    the same as some thousand samples and columns of their annotation rows, in the order of the samples.
    `bring(sample, target)` puts the sample's image at a path, or leaves it where it lies, and says which.
    `file_name(sample)` is a safe, unique, relative posix path with the right extension that the writer uses below its
    image folder.
    """

    ontology: Ontology
    items: Callable[[], Iterator[tuple[Sample, list[Annotation]]]]
    tables: Callable[[Sequence[str]], Iterator[tuple[list[Sample], pa.Table]]]
    bring: Callable[[Sample, Path], bool]
    file_name: Callable[[Sample], str]
    listed: Sequence[Sample]
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_samples(self) -> int:
        """How many samples are to be written."""
        return len(self.listed)


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer made: files relative to the target folder, and what the format could not hold."""

    files: tuple[str, ...]
    n_samples: int
    n_annotations: int
    losses: tuple[Loss, ...]


class Format(Protocol):
    """One label format."""

    name: str
    title: str
    holds: frozenset[Kind]

    def detect(self, path: Path) -> bool:
        """Whether these files look like this format (a cheap look, never an error)."""
        ...

    def read(self, path: Path, *, images: Path | None = None, progress: Progress = silent) -> Parsed:
        """Read label files (a file or a folder).

        Raises: LabelFileUnreadable when nothing can be taken from a file.
        """
        ...

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Write into an existing empty folder; the same input gives the same bytes."""
        ...
