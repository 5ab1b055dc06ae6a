"""The list of label formats. Everything that names formats takes their names from here: commands, HTTP, docs, app."""

from __future__ import annotations

from pathlib import Path

from calotype.formats.base import Format, FormatUnknown
from calotype.formats.coco import Coco
from calotype.formats.folder import Folder
from calotype.formats.voc import Voc
from calotype.formats.yolo import Yolo

_ALL: tuple[Format, ...] = (Coco(), Voc(), Yolo(), Folder())

FORMATS = {format.name: format for format in _ALL}
"""Name -> format; `detect` asks them in this order."""

READABLE = tuple(name for name, format in FORMATS.items() if format.abilities.reads)
WRITABLE = tuple(name for name, format in FORMATS.items() if format.abilities.writes)
UPLOADABLE = tuple(name for name in READABLE if FORMATS[name].abilities.one_file)
"""Formats of which a single label file can be imported by itself."""


def reader(name: str) -> Format:
    """The format of a name, to read. Raises: FormatUnknown."""
    return _get(name, READABLE)


def writer(name: str) -> Format:
    """The format of a name, to write. Raises: FormatUnknown."""
    return _get(name, WRITABLE)


def detect(path: Path) -> Format:
    """The first format that recognises the files; or the one whose description is there and broken, so that opening
    it says what is wrong: a layout of folders is only a guess where no format describes the files.

    Raises: FormatUnknown.
    """
    described = [FORMATS[name] for name in READABLE if name != Folder.name]
    for format in described:
        if format.detect(path):
            return format
    for format in described:
        if format.broken_description(path) is not None:
            return format
    if FORMATS[Folder.name].detect(path):
        return FORMATS[Folder.name]
    raise FormatUnknown(got=f"the files at {path.name!r}", known=", ".join(READABLE))


def _get(name: str, known: tuple[str, ...]) -> Format:
    if name not in known:
        raise FormatUnknown(got=repr(name[:40]), known=", ".join(known))
    return FORMATS[name]
