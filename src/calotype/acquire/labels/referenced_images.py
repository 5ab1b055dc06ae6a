"""The pictures of a COCO file, registered where they lie: one look at each file's state, none at its pixels."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from calotype.acquire.intake_reference import CHUNK_FILES, InPlace, Part, look_at
from calotype.formats.coco_reading import CocoFile
from calotype.foundation.collector import collector_paused
from calotype.store.media.references import file_reference
from calotype.vision.images import EXTENSIONS

_MIMES = {extension: mime for mime, extensions in EXTENSIONS.items() for extension in extensions}


class PicturesInPlace:
    """The images of a file whose pictures are there, a part at a time; those that are missing are remembered.

    Sizes are taken from the file; where it gives none, from the picture's header.
    """

    def __init__(self, file: CocoFile, pictures: Path, *, licence: str, source: str) -> None:
        self._file = file
        self._folder = _Folder(pictures)
        self._licence = licence
        self._source = source
        self.taken = array("q")
        """Positions in `file.images` of what the parts held, in their order; `missing` those without a picture."""
        self.missing = array("q")

    def __len__(self) -> int:
        return len(self._file.images)

    def parts(self) -> Iterator[Part]:
        """What there is to refer to, and what of it is no image."""
        images = self._file.images
        for start in range(0, len(images), CHUNK_FILES):
            part = slice(start, start + CHUNK_FILES)
            columns = [images.widths[part].tolist(), images.heights[part].tolist()]
            for texts in (images.names, images.licences, images.metadata, images.extras):
                columns.append(texts.slice(start, CHUNK_FILES).to_pylist())
            with collector_paused():
                found = self._part(start, columns)
            yield found

    def _part(self, start: int, columns: list[list[Any]]) -> Part:
        found, bad = InPlace(split=self._file.split, source=self._source), []
        for at, (width, height, name, licence, metadata, extra) in enumerate(
            zip(*columns, strict=True), start
        ):
            state = self._folder.find(name)
            if state is None:
                self.missing.append(at)
                continue
            path, stat = state
            mime = _mime(name)
            if not width or not height or mime is None:
                seen, broken = look_at([(name, path)], licence="")
                bad += broken
                if not len(seen):
                    continue
                width, height, mime = seen.widths[0], seen.heights[0], seen.mimes[0]
            self.taken.append(at)
            found.names.append(name)
            found.references.append(file_reference(path, stat))
            found.widths.append(width)
            found.heights.append(height)
            found.mimes.append(mime)
            found.licences.append(licence or self._licence)
            found.metadata.append(metadata)
            found.extra.append(extra)
        return found, bad


class _Folder:
    """Finds pictures below a folder, by their name or its last part; links that lead out are not followed."""

    def __init__(self, folder: Path) -> None:
        self._root = folder.resolve()
        self._inside: dict[str, bool] = {}

    def find(self, name: str) -> tuple[str, os.stat_result] | None:
        last = name.rpartition("/")[2]
        for candidate in (name,) if last == name else (name, last):
            path = f"{self._root}/{candidate}"
            try:
                stat = os.lstat(path)
                if _is_link(stat):
                    path = os.path.realpath(path)
                    stat = os.stat(path)
            except OSError:
                continue
            if _is_file(stat) and self._holds(os.path.dirname(path)):
                return path, stat
        return None

    def _holds(self, folder: str) -> bool:
        if folder not in self._inside:
            self._inside[folder] = Path(folder).resolve().is_relative_to(self._root)
        return self._inside[folder]


def _is_link(stat: os.stat_result) -> bool:
    return (stat.st_mode & 0o170000) == 0o120000


def _is_file(stat: os.stat_result) -> bool:
    return (stat.st_mode & 0o170000) == 0o100000


def _mime(name: str) -> str | None:
    return _MIMES.get(os.path.splitext(name)[1].lower())
