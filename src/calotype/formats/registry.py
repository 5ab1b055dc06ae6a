"""The label formats, an explicit list."""

from __future__ import annotations

from pathlib import Path

from calotype.formats.base import Format, FormatUnknown
from calotype.formats.coco import Coco
from calotype.formats.folder import Folder
from calotype.formats.voc import Voc
from calotype.formats.yolo import Yolo

FORMATS: dict[str, Format] = {made.name: made for made in (Coco(), Voc(), Yolo(), Folder())}
"""Name -> format; `detect` asks them in this order."""


def get(name: str) -> Format:
    """The format of a name. Raises: FormatUnknown."""
    if name not in FORMATS:
        raise FormatUnknown(got=repr(name[:40]), known=", ".join(FORMATS))
    return FORMATS[name]


def detect(path: Path) -> Format:
    """The first format that recognises the files. Raises: FormatUnknown."""
    for made in FORMATS.values():
        if made.detect(path):
            return made
    raise FormatUnknown(got=f"the files at {path.name!r}", known=", ".join(FORMATS))
