"""What every label format offers: detect its files, open them as sources of windows, write them, and say what is lost.

A reader never touches the store. `Format.open` gives one `LabelSource` for each label file (or one for a folder of
small files): the images as columns, the classes it declares, the problems found so far, and its annotations as windows
of some thousand rows. The importer in `acquire` handles every source the same way; whatever differs between formats is
declared in their `Abilities`. A format that parses whole files into values hands them to `values.ParsedSource`.
A writer gets `ExportSamples` and reports everything that the format cannot hold as a `Loss`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.formats.image_files import ImageFile
from calotype.formats.notices import Loss, Notice
from calotype.formats.survey import Sighting, Survey
from calotype.formats.windows import DeclaredClass, ImageColumns, LabelIndex, Problem, Window
from calotype.foundation.errors import Invalid, NotFound
from calotype.foundation.progress import Progress, silent
from calotype.vision.ontology import Ontology


class LabelFileUnreadable(Invalid):
    """A label file that cannot be read as a whole."""

    code = "label-file-unreadable"
    what = "{file} cannot be read as {format}: {detail}"
    fix = "{hint}"


class FormatUnknown(NotFound):
    """No format has this name, or none recognises the files."""

    code = "format-unknown"
    what = "no label format for {got}"
    fix = "name one with --format: {known}"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a format can do.

    `source` names the specification that the module follows. `reads` and `writes` are the kinds of annotations it
    reads and writes; a format without `writes` is read only.
    `one_file` says that one label file is complete by itself (it names its classes), so that it can be uploaded alone.
    `streams` says that a large file is read in bounded memory. `loses` names what an export cannot hold.
    `coordinates` says in one line what its numbers mean, `ids` how images, classes and annotations are identified.
    """

    reads: frozenset[Kind]
    writes: frozenset[Kind]
    one_file: bool = False
    streams: bool = False
    loses: tuple[str, ...] = ()
    source: str = ""
    coordinates: str = ""
    ids: str = ""


class LabelSource(Protocol):
    """One opened label file, or a folder of small ones read together.

    `index` says which images and classes the rows refer to; it is None for a file that lists none itself and refers to
    those of the dataset by the numbers of an earlier import (COCO results). Every class that a window names is in
    `classes`, unless `index` is None. `problems` are those found when the source was opened. `losses` could not be kept
    and `warnings` were adjusted on reading. `info` holds file-level keys kept for round trips.
    """

    @property
    def file(self) -> str:
        """The name of the file, as places show it."""
        ...

    @property
    def images(self) -> ImageColumns: ...
    @property
    def index(self) -> LabelIndex | None: ...
    @property
    def classes(self) -> Sequence[DeclaredClass]: ...
    @property
    def problems(self) -> Sequence[Problem]: ...
    @property
    def losses(self) -> Sequence[Loss]: ...
    @property
    def warnings(self) -> Sequence[Notice]: ...
    @property
    def info(self) -> Mapping[str, Any]: ...

    def locate(self, start: int, stop: int) -> Iterator[ImageFile | None]:
        """The file of each of the images at these positions, None where it is missing; looked up one by one."""
        ...

    def windows(self, index: LabelIndex) -> Iterator[Window]:
        """The annotations, in the same order each time.

        Args:
            index: `self.index`, or one made from the dataset where that is None.
        Raises: LabelFileUnreadable.
        """
        ...

    def sizes_found(self, found_wh: npt.NDArray[np.int64]) -> None:
        """The sizes of the files became known; from now on, `warnings` and `windows` take them into account.

        Args:
            found_wh: (N, 2) width and height of the upright images in pixels, 0 where unknown.
        """
        ...

    def release_images(self) -> None:
        """Free the memory of `images`; `index` stays."""
        ...


@dataclass(frozen=True, slots=True)
class ExportSamples:
    """What a writer gets: samples with their annotations, and how to get at the bytes.

    `items()` yields (sample, annotations) in a fixed order and may be called several times; `tables(columns)` yields
    the same as some thousand samples and columns of their annotation rows, in the order of the samples.
    `bring(sample, target)` puts the sample's image at a path, or leaves it where it is, and says which.
    `file_name(sample)` is a safe, unique, relative posix path with the right extension that the writer uses below its
    image folder.
    """

    ontology: Ontology
    items: Callable[[], Iterator[tuple[Sample, list[Annotation]]]]
    tables: Callable[[Sequence[str]], Iterator[tuple[list[Sample], pa.Table]]]
    bring: Callable[[Sample, Path | str], bool]
    file_name: Callable[[Sample], str]
    listed: Sequence[Sample]
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_samples(self) -> int:
        """Number of samples to write."""
        return len(self.listed)


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer wrote: files relative to the target folder, and what the format could not hold."""

    files: tuple[str, ...]
    n_samples: int
    n_annotations: int
    losses: tuple[Loss, ...]


class Format(Protocol):
    """One label format; a class with these constants and methods, listed in `registry`."""

    @property
    def name(self) -> str:
        """What commands and files call it."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The extensions of its label files, the usual one first; none for folders of images."""
        ...

    @property
    def abilities(self) -> Abilities:
        """What it reads, writes and loses."""
        ...

    def recognise(self, survey: Survey) -> Sighting | None:
        """Whether these files look like this format, how they lie and what shows it (cheap, never an error)."""
        ...

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> Sequence[LabelSource]:
        """Open label files (a file or a folder).

        Args:
            images: The folder of the images, where they are not beside the label files.
        Raises: LabelFileUnreadable when a file cannot be read as a whole.
        """
        ...

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Write into an existing empty folder; the same input gives the same bytes."""
        ...
