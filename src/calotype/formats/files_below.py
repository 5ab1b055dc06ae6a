"""The files below a folder. Nothing is opened: pipes, devices and links to themselves are named, not read."""

from __future__ import annotations

import errno
import os
import stat as modes
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from calotype.formats.windows import Problem
from calotype.vision.images import IMAGE_EXTENSIONS

_KINDS = {
    modes.S_IFIFO: "a pipe",
    modes.S_IFSOCK: "a socket",
    modes.S_IFCHR: "a device",
    modes.S_IFBLK: "a device",
}
_DATA_ENDINGS = {*IMAGE_EXTENSIONS, ".txt", ".xml"}
_OF_TOOLS = {".cache", ".dvc", ".git", ".hg", ".idea", ".ipynb_checkpoints", ".svn", ".venv", ".vscode"}
_IS_HIDDEN = "its name begins with a dot; rename it to import it"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file or folder that cannot be read: its path, and why."""

    path: str
    reason: str
    is_folder: bool = False


def walk(
    folder: str,
    passed_over: list[PassedOver],
    *,
    hidden: bool = True,
    linked_folders: list[str] | None = None,
) -> Iterator[os.DirEntry[str]]:
    """Regular files, and links to regular files: those of a folder by name, then those of the folders in it.

    Links to folders are not followed. A file that vanishes while the folder is listed is left to whoever reads it.

    Args:
        passed_over: What cannot be read is added to it, and hidden files that look like images or labels.
        hidden: Also files and folders whose name begins with a dot.
        linked_folders: The paths of links to folders are added to it.
    """
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            passed_over.append(PassedOver(here, f"the folder cannot be read: {_words(error)}", True))
            continue
        inner = []
        for entry in entries:
            if not hidden and entry.name[0] == ".":
                passed_over += _hidden(entry)
            elif entry.is_dir(follow_symlinks=False):
                inner.append(entry.path)
            elif (
                entry.is_file(follow_symlinks=False)
                or (problem := _problem(entry.path, entry.is_symlink())) is None
            ):
                yield entry
            elif problem:
                passed_over.append(PassedOver(entry.path, problem))
            elif linked_folders is not None and entry.is_symlink():
                linked_folders.append(entry.path)
        waiting += reversed(inner)


def _hidden(entry: os.DirEntry[str]) -> Iterator[PassedOver]:
    """A hidden file or folder that a person may have meant to import; what systems and tools leave is not named."""
    if entry.name.startswith("._") or entry.name in _OF_TOOLS or entry.is_symlink():
        return
    if not entry.is_dir(follow_symlinks=False):
        if _suffix(entry.name) in _DATA_ENDINGS:
            yield PassedOver(entry.path, _IS_HIDDEN)
        return
    with suppress(OSError), os.scandir(entry.path) as listed:
        if any(_suffix(inner.name) in _DATA_ENDINGS for inner in listed):
            yield PassedOver(entry.path, _IS_HIDDEN, True)


def files_below(
    folder: Path, suffixes: Collection[str], problems: list[Problem], *, hidden: bool = True
) -> list[Path]:
    """`paths_below` as paths."""
    return list(map(Path, paths_below(folder, suffixes, problems, hidden=hidden)))


def paths_below(
    folder: Path, suffixes: Collection[str], problems: list[Problem], *, hidden: bool = True
) -> list[str]:
    """The files below a folder with one of these extensions, sorted by path; symbolic links are left out.

    Each begins with the folder as it was given.

    Args:
        problems: Folders, and special files of these extensions, that cannot be read are added to it.
        hidden: Also files and folders whose name begins with a dot.
    """
    root = str(folder)
    passed_over: list[PassedOver] = []
    found = [
        entry.path
        for entry in walk(root, passed_over, hidden=hidden)
        if _suffix(entry.name) in suffixes and not entry.is_symlink()
    ]
    start = len(root) + (not root.endswith(os.sep))
    for item in passed_over:
        if item.is_folder or _suffix(item.path) in suffixes:
            what = "folder" if item.is_folder else "image"
            problems.append(Problem("unreadable", what, item.path[start:] or folder.name, item.reason))
    return sorted(found, key=lambda path: path[start:].split(os.sep))


def is_file(path: Path) -> bool:
    """Whether there is a regular file, or a link to one; False for any path that the system refuses to look up."""
    return _has_mode(path, modes.S_ISREG)


def is_own_file(path: Path, folder: Path) -> bool:
    """Whether there is a regular file at a path below a folder, and no link of it leads out of the folder."""
    return is_file(path) and Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def is_folder(path: Path) -> bool:
    """Whether there is a folder, or a link to one; False for any path that the system refuses to look up."""
    return _has_mode(path, modes.S_ISDIR)


def _has_mode(path: Path, test: Callable[[int], bool]) -> bool:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # a name that is too long, or has a NUL in it
        return False
    return test(mode)


def head_of(path: Path, n_bytes: int) -> bytes:
    """The first bytes of a regular file; nothing where it cannot be read."""
    if not is_file(path):
        return b""
    try:
        with open(path, "rb") as file:
            return file.read(n_bytes)
    except OSError:
        return b""


def problem_of(path: Path) -> str | None:
    """Why a path that is neither a regular file nor a folder cannot be read; None where there is nothing at all."""
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):
        return None
    return _problem(str(path), modes.S_ISLNK(mode)) or None


def _problem(path: str, is_link: bool) -> str | None:
    """Why this is not a file to read; None for a link to a regular file, empty for what is left out without a word."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if not is_link:
            return ""  # it has vanished
        if error.errno == errno.ELOOP:
            return "it is a link to itself"
        return (
            "it is a link to nothing" if error.errno == errno.ENOENT else f"its link fails: {_words(error)}"
        )
    if modes.S_ISREG(mode):
        return None
    return "" if modes.S_ISDIR(mode) else f"it is {_KINDS.get(modes.S_IFMT(mode), 'a special file')}"


def suffix_of(name: str) -> str:
    """The ending of a posix path, in lower case, with its dot; as `pathlib` reads it, without an object for it."""
    dot, start = name.rfind("."), name.rfind("/") + 1
    return name[dot:].lower() if start < dot < len(name) - 1 else ""


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _words(error: OSError) -> str:
    return error.strerror or type(error).__name__
