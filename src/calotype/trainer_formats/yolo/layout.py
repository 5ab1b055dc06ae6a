"""The files of a YOLO set: its images, texts and folders, each by its path below the folder that was given."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from calotype.formats.files_below import PassedOver, suffix_of, walk
from calotype.formats.notices import Notices
from calotype.formats.passthrough import escaped
from calotype.formats.windows import Problem
from calotype.vision.images import IMAGE_EXTENSIONS

_TEXT_ENDINGS = frozenset({".txt", ".yaml", ".yml", ".names", ".data"})


@dataclass
class Files:
    """The files below one folder. Paths are relative and posix; `\\` in a file name is read as a separator.

    Attributes:
        real: Path as it is read -> path on disk.
        images: Paths of images.
        labels: Paths of all files that end in `.txt`.
        texts: Paths of descriptions and lists, `.txt` included.
        links: Paths of images that are links out of the folder; they are not followed.
        folders: Every folder that holds one of these files, and those above it.
    """

    root: str
    real: dict[str, str] = field(default_factory=dict)
    images: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)

    def path(self, name: str) -> Path:
        """Where a file lies on disk."""
        return Path(self.real[name])


def list_files(
    folder: Path, notices: Notices, problems: list[Problem], *, images_only: bool = False
) -> Files:
    """The files below a folder, hidden ones left out.

    Links that lead out of it, and links to folders, are passed over with a notice.
    """
    root = os.path.realpath(folder)
    files = Files(root)
    passed_over: list[PassedOver] = []
    linked: list[str] = []
    inside = _inside(root)
    start = len(root) + (not root.endswith(os.sep))
    for entry in walk(root, passed_over, hidden=False, linked_folders=linked):
        suffix = suffix_of(entry.name)
        if suffix not in IMAGE_EXTENSIONS and (images_only or suffix not in _TEXT_ENDINGS):
            continue
        shown = entry.path[start:]
        if entry.is_symlink() and not inside(os.path.realpath(entry.path)):
            notices.add("file-link", escaped(shown))
            if suffix in IMAGE_EXTENSIONS:
                files.links.append(shown.replace(os.sep, "/"))
            continue
        _add(files, shown.replace(os.sep, "/"), entry.path, suffix, notices)
    for path in linked:
        notices.add("file-link", escaped(path[start:]), what="link to a folder: not followed")
    for item in passed_over:
        suffix = os.path.splitext(item.path)[1].lower()
        if item.is_folder or suffix in IMAGE_EXTENSIONS or (suffix == ".txt" and not images_only):
            where = escaped(item.path[start:]) or folder.name
            problems.append(
                Problem("unreadable", "folder" if item.is_folder else "image", where, item.reason)
            )
    for names in (files.images, files.labels, files.texts):
        names.sort(key=lambda name: name.split("/"))
    return files


def _add(files: Files, name: str, path: str, suffix: str, notices: Notices) -> None:
    if "\\" in name:
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        as_read = "/".join(parts)
        if as_read and as_read not in files.real:
            notices.add("name-separator", escaped(name))
            name = as_read
    if name in files.real:
        return
    files.real[name] = path
    if suffix in IMAGE_EXTENSIONS:
        files.images.append(name)
    else:
        files.texts.append(name)
        if suffix == ".txt":
            files.labels.append(name)
    above = name.rpartition("/")[0]
    while above not in files.folders:
        files.folders.add(above)
        above = above.rpartition("/")[0]


def _inside(root: str) -> Callable[[str], bool]:
    start = root if root.endswith(os.sep) else root + os.sep
    return lambda path: path.startswith(start)
