"""Table versions damaged by a power failure: the file name reached the disk, the content did not.

Lance names a version when its bytes are written, so an unreadable version was cut off. Nothing refers to it: a pin is
stored only after its version was synced. But Lance opens the newest version before it writes, so a damaged one there
would block every later edit, and any damaged version blocks Lance's clean-up.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection
from pathlib import Path

import lance

_MAGIC = b"LANC"
_NEWEST = 2**64 - 1
DAMAGED_FOLDER = "_torn"


def recover_head(uri: Path) -> bool:
    """Move damaged newest versions aside. Returns whether any version remains."""
    while (path := _newest(uri)) is not None:
        if _has_footer(path) or _is_readable(uri, path):
            return True
        _isolate(uri, path)
    return False


def isolate_damaged(uri: Path, *, pinned: Collection[int]) -> int:
    """Move all damaged, unpinned versions aside. Returns how many. Requires the write lock."""
    damaged = [
        path
        for path in (uri / "_versions").glob("*.manifest")
        if _number(path.name) not in pinned and not _has_footer(path) and not _is_readable(uri, path)
    ]
    for path in damaged:
        _isolate(uri, path)
    return len(damaged)


def _isolate(uri: Path, path: Path) -> None:
    (uri / DAMAGED_FOLDER).mkdir(exist_ok=True)
    path.rename(uri / DAMAGED_FOLDER / path.name)
    (uri / "_versions" / "latest_version_hint.json").unlink(missing_ok=True)


def _newest(uri: Path) -> Path | None:
    try:
        names = [name for name in os.listdir(uri / "_versions") if name.endswith(".manifest")]
    except FileNotFoundError:
        return None
    return uri / "_versions" / max(names, key=_number) if names else None


def _number(name: str) -> int:
    """The version in a file name. Newer naming schemes count down, so that the newest version is listed first."""
    digits = name.removesuffix(".manifest")
    if not digits.isdecimal():
        return -1
    return _NEWEST - int(digits) if len(digits) == 20 else int(digits)


def written_for(folder: str, name: str) -> float:
    """The version that a file of a table was written for or on, by its name; infinite if the name does not say."""
    if folder == "_versions":
        number = _number(name.removesuffix(".manifest")) if name.endswith(".manifest") else -1
        return number if number >= 0 else math.inf
    parts = name.split("-")
    at = {"_transactions": 0, "_deletions": 1}.get(folder, len(parts))
    return int(parts[at]) if at < len(parts) - 1 and parts[at].isdecimal() else math.inf


def _has_footer(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_MAGIC)))
        return file.read() == _MAGIC


def _is_readable(uri: Path, path: Path) -> bool:
    try:
        lance.dataset(str(uri), version=_number(path.name))
    except (OSError, ValueError):
        return False
    return True
