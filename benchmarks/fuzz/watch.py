"""Which files are opened while a mutant is read: none outside its folder may be, whatever its links and names say."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_EVENTS = frozenset({"open", "os.listdir", "os.scandir"})
_SYSTEM = (
    *(
        "/dev/null",
        "/dev/urandom",
        "/proc/meminfo",
        "/proc/cpuinfo",
        "/proc/self/status",
        "/proc/stat",
        "/proc/mounts",
    ),
    *("/sys/", "/usr/share/zoneinfo", "/etc/mime.types", "/etc/localtime"),
)
_state: dict[str, Any] = {"is_on": False, "is_added": False, "allowed": (), "denied": "", "found": []}


@contextmanager
def watched(place: Path, *, more: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Collect the paths that are opened or listed outside `place`, or in the folder `outside` of it.

    What Python itself opens is left out, and so are temporary folders of Calotype and the paths of `more`.
    """
    if not _state["is_added"]:
        sys.addaudithook(_hook)
        _state["is_added"] = True
    own = {os.path.realpath(folder) for folder in (sys.prefix, sys.base_prefix, *sys.path) if folder}
    temporary = os.path.join(os.path.realpath(tempfile.gettempdir()), "calotype-")
    root = os.path.realpath(place)
    maps = f"/proc/{os.getpid()}/maps"
    _state["allowed"] = (
        root + os.sep,
        *(folder + os.sep for folder in own),
        temporary,
        maps,
        *more,
        *_SYSTEM,
    )
    _state["denied"] = os.path.join(root, "outside")
    found: list[str] = []
    _state["found"], _state["is_on"] = found, True
    try:
        yield found
    finally:
        _state["is_on"] = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS or not _state["is_on"]:
        return
    path = arguments[0]
    if not isinstance(path, str | bytes | os.PathLike):
        return  # a number of an open file, or the current folder
    try:
        real = os.path.realpath(os.fsdecode(path))
    except (OSError, ValueError):
        return
    if _state["denied"].startswith(os.path.join(real, "")):
        return  # the folders above: a workspace makes sure that its own is on the disk
    outside = real.startswith(_state["denied"]) or not (real + os.sep).startswith(_state["allowed"])
    if outside and not _is_removal():
        _state["found"].append(real)


def _is_removal() -> bool:
    """Whether a temporary folder is being removed: its files are named relative to open folders then."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename == shutil.__file__:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False
