"""The images of a label source: copied, linked or registered by reference, in resumable chunks."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from calotype.acquire.intake import stored_chunks
from calotype.acquire.intake_reference import (
    CHUNK_FILES,
    ReferencedImages,
    ReferencePart,
    inspect_files,
    register_images,
)
from calotype.acquire.job import ImportJob
from calotype.acquire.labels.held_images import HeldImages
from calotype.acquire.labels.model import ImportOptions
from calotype.acquire.quarantine import QuarantinedItem
from calotype.acquire.sample_matcher import IncomingImage
from calotype.formats.base import LabelSource
from calotype.formats.image_files import ImageFile
from calotype.foundation.collector import collector_paused
from calotype.store.media.references import file_reference
from calotype.vision.images import EXTENSIONS

_COPY_ROWS = 1_024
_REFERENCED_ROWS = 10_000
_MIMES = {extension: mime for mime, extensions in EXTENSIONS.items() for extension in extensions}


class LabelImages:
    """Imports the images of one source.

    After `run`, `missing` has the positions without a file, and `quarantined` the files that are not valid images.
    """

    def __init__(self, job: ImportJob, source: LabelSource, options: ImportOptions) -> None:
        self._job = job
        self._source = source
        self._options = options
        self.missing = array("q")
        self.quarantined: list[QuarantinedItem] = []
        self._registered = array("q")
        self._registered_ids: pa.Array | None = None
        self._id_of: dict[str, str] = {}
        self._names = source.images.names

    def run(self, held: HeldImages) -> None:
        """Import the images; the samples of the last ones are held for the edit that follows.

        Raises: FileUnreadable (with `on_invalid="error"`).
        """
        n_images = len(self._source.images)
        if self._options.media == "reference" and not self._options.dry_run:
            registered = register_images(self._job, self._parts(), n_images)
            self.quarantined = registered.counts.quarantined
            ids = pa.concat_arrays([pa.array([], pa.string()), *registered.samples])
            place = np.full(n_images, -1)
            place[np.array(self._registered, np.int64)] = np.arange(len(ids))
            self._registered_ids = ids.take(pa.array(place, mask=place < 0))
            return
        held.matcher.refresh(self._job.working_state())
        link, done = self._options.media == "link", 0
        sizes_wh: dict[str, tuple[int, int]] = {}
        for n_files, loaded, bad in stored_chunks(
            self._job, self._incoming(), held.matcher, link=link, keep_bytes=not self._options.dry_run
        ):
            self.quarantined += bad
            held.add(loaded, self._id_of.__setitem__)
            sizes_wh.update((file.incoming.name, file.facts[:2]) for file in loaded)
            done += n_files
            self._job.progress("importing images", done, n_images)
        found = [sizes_wh.get(name, (0, 0)) for name in self._names.to_pylist()]
        self._source.sizes_found(np.array(found, np.int64).reshape(-1, 2))

    def sample_ids(self) -> pa.Array:
        """The sample of each of `source.images`, null where there is none; once the images held have their ids."""
        if self._registered_ids is not None:
            return self._registered_ids
        return pa.array([self._id_of.get(name) for name in self._names.to_pylist()], pa.string())

    def _incoming(self) -> Iterator[IncomingImage]:
        images = self._source.images
        for start in range(0, len(images), _COPY_ROWS):
            stop = min(start + _COPY_ROWS, len(images))
            values = images.values(range(start, stop))
            for at, (image, file) in enumerate(
                zip(values, self._source.locate(start, stop), strict=True), start
            ):
                if file is None:
                    self.missing.append(at)
                    continue
                yield IncomingImage(
                    path=Path(file.path),
                    name=image.name,
                    split=image.split,
                    licence=image.licence or self._options.licence,
                    source=self._options.source,
                    tags=image.tags,
                    metadata=image.metadata,
                    extra=image.extra,
                )

    def _parts(self) -> Iterator[ReferencePart]:
        for start in range(0, len(self._source.images), CHUNK_FILES):
            with collector_paused():
                part = self._part(start, min(start + CHUNK_FILES, len(self._source.images)))
            yield part

    def _part(self, start: int, stop: int) -> ReferencePart:
        """Sizes and types are taken from the source; where it has no size, from the header of the image."""
        part = ReferencedImages(source=self._options.source)
        bad: list[QuarantinedItem] = []
        for at in range(start, stop, _REFERENCED_ROWS):
            self._add_to(part, bad, at, min(at + _REFERENCED_ROWS, stop))
        return part, bad

    def _add_to(self, part: ReferencedImages, bad: list[QuarantinedItem], start: int, stop: int) -> None:
        images = self._source.images
        sizes = (images.widths[start:stop].tolist(), images.heights[start:stop].tolist())
        texts = (images.names, images.licences, images.metadata, images.extras, images.splits, images.tags)
        columns = [*sizes, *(column.slice(start, stop - start).to_pylist() for column in texts)]
        located = list(self._source.locate(start, stop))
        if self._add_all(part, located, columns):
            self._registered.extend(range(start, stop))
            return
        for at, (file, width, height, name, licence, metadata, extra, split, tags) in enumerate(
            zip(located, *columns, strict=True), start
        ):
            if file is None:
                self.missing.append(at)
                continue
            if file.is_temporary:
                reason = "it lies inside an archive and cannot be referenced; import it with `--media copy`"
                bad.append(QuarantinedItem("image", name, "file-unreadable", reason))
                continue
            mime = _mime_of(name)
            if not width or not height or mime is None:
                inspected, broken = inspect_files([(name, file.real_path)])
                bad += broken
                if not len(inspected):
                    continue
                width, height, mime = inspected.widths[0], inspected.heights[0], inspected.mimes[0]
            self._registered.append(at)
            part.add(name, file_reference(file.real_path, file.stat), (width, height, mime))
            part.licences.append(licence or self._options.licence)
            part.metadata.append(metadata)
            part.extra.append(extra)
            part.splits.append(split)
            part.tags.append(tags or ())

    def _add_all(
        self, part: ReferencedImages, located: list[ImageFile | None], columns: list[list[Any]]
    ) -> bool:
        """Add images that all have a file, a size and a type; False where one of them lacks something."""
        widths, heights, names, licences, metadata, extra, splits, tags = columns
        mimes = [mime for mime in map(_mime_of, names) if mime is not None]
        files = [file for file in located if file is not None and not file.is_temporary]
        if not len(files) == len(mimes) == len(names) or not all(widths) or not all(heights):
            return False
        part.names += names
        part.references += [file_reference(file.real_path, file.stat) for file in files]
        part.widths += widths
        part.heights += heights
        part.mimes += mimes
        part.metadata += metadata
        part.extra += extra
        part.splits += splits
        part.licences += [licence or self._options.licence for licence in licences]
        part.tags += [given or () for given in tags]
        return True


def _mime_of(name: str) -> str | None:
    """The type that the ending of a name says; None where it says none."""
    ending = name[-4:]
    if ending in _MIMES and name[-5:-4] not in ("", ".", "/"):
        return _MIMES[ending]
    return _MIMES.get(os.path.splitext(name)[1].lower())
