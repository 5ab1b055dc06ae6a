"""The pictures of a COCO file, registered where they lie: one look at each file's state, none at its pixels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from calotype.datasets.formats.coco_reading import CocoFile, metadata_of
from calotype.datasets.intake_reference import InPlace, look_at
from calotype.datasets.setting_aside import SetAside
from calotype.foundation.collector import collector_paused
from calotype.store.references import file_reference
from calotype.vision.images import EXTENSIONS

_MIMES = {extension: mime for mime, extensions in EXTENSIONS.items() for extension in extensions}
_DUMP = msgspec.json.Encoder(order="sorted")


def in_place_of(
    file: CocoFile, pictures: Path, *, licence: str
) -> tuple[InPlace, list[SetAside], list[int]]:  # fmt: skip
    """The images of a file whose pictures are there, those that are no images, and positions of missing ones.

    Sizes are taken from the file; where it gives none, from the picture's header.
    """
    images, folder = file.images, _Folder(pictures)
    found, bad, missing = InPlace(split=file.split), [], []
    with collector_paused():
        for at, name in enumerate(images.names):
            state = folder.find(name)
            if state is None:
                missing.append(at)
                continue
            path, stat = state
            width, height, mime = images.widths[at], images.heights[at], _mime(name)
            if not width or not height or mime is None:
                seen, broken = look_at([(name, Path(path))], licence=licence)
                bad += broken
                if not len(seen):
                    continue
                width, height, mime = seen.widths[0], seen.heights[0], seen.mimes[0]
            found.names.append(name)
            found.references.append(file_reference(path, stat))
            found.widths.append(width)
            found.heights.append(height)
            found.mimes.append(mime)
            found.licences.append(images.licences[at] or licence)
            found.metadata.append(_text(metadata_of(images.extras[at])))
            found.extra.append(_text(images.extras[at]))
    return found, bad, missing


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


def _text(value: dict[str, Any]) -> str:
    return _DUMP.encode(value).decode() if value else ""
