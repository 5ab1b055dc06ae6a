"""Versions that a power cut tore: their names reached the disk and their bytes did not.

Lance gives a version its name when its bytes are written, so a version that is there and cannot be read was torn by a
cut. Nobody was told of it: a pin is written only after its version was flushed. But Lance opens the newest version
before it writes, so one torn version would stop every later edit of the table, and any torn one its clean-up.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import lance

_MAGIC = b"LANC"
_NEWEST = 2**64 - 1
ASIDE = "_torn"


def whole_head(uri: Path) -> bool:
    """Move newest versions that are torn aside. Returns whether there is a version at all."""
    while (path := _newest(uri)) is not None:
        if _ends_well(path) or _opens(uri, path):
            return True
        _set_aside(uri, path)
    return False


def set_torn_aside(uri: Path, *, pinned: Collection[int]) -> int:
    """Move all torn versions aside but those that something pins. Only inside the write lock. Returns how many."""
    torn = [
        path
        for path in (uri / "_versions").glob("*.manifest")
        if _number(path.name) not in pinned and not _ends_well(path) and not _opens(uri, path)
    ]
    for path in torn:
        _set_aside(uri, path)
    return len(torn)


def _set_aside(uri: Path, path: Path) -> None:
    (uri / ASIDE).mkdir(exist_ok=True)
    path.rename(uri / ASIDE / path.name)
    (uri / "_versions" / "latest_version_hint.json").unlink(missing_ok=True)


def _newest(uri: Path) -> Path | None:
    try:
        names = [name for name in os.listdir(uri / "_versions") if name.endswith(".manifest")]
    except FileNotFoundError:
        return None
    return uri / "_versions" / max(names, key=_number) if names else None


def _number(name: str) -> int:
    """The version in a name; newer ones are counted down, so that they are listed first."""
    digits = name.removesuffix(".manifest")
    if not digits.isdecimal():
        return -1
    return _NEWEST - int(digits) if len(digits) == 20 else int(digits)


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_MAGIC)))
        return file.read() == _MAGIC


def _opens(uri: Path, path: Path) -> bool:
    try:
        lance.dataset(str(uri), version=_number(path.name))
    except (OSError, ValueError):
        return False
    return True
