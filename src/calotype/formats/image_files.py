"""Finding image files below a folder by name; links that lead out of the folder are not followed."""

from __future__ import annotations

import os
import stat as modes
from pathlib import Path
from typing import NamedTuple

from calotype.formats.files_below import files_below
from calotype.formats.windows import Problem
from calotype.vision.images import IMAGE_EXTENSIONS

MAX_IMAGE_BYTES = 1_000_000_000
"""Larger files are not read as images."""


class ImageFile(NamedTuple):
    """An image file: its path, the path behind a symbolic link, and the state of the file.

    `is_temporary` says that it was extracted from an archive and is removed after the import.
    """

    path: str
    real_path: str
    stat: os.stat_result
    is_temporary: bool = False


def image_file(path: str) -> ImageFile | None:
    """The file at a path; None where there is none."""
    try:
        stat = os.lstat(path)
        real_path = path
        if modes.S_ISLNK(stat.st_mode):
            real_path = os.path.realpath(path)
            stat = os.stat(real_path)
    except (OSError, ValueError):  # also a name that is too long, or that no file can have
        return None
    return ImageFile(path, real_path, stat) if modes.S_ISREG(stat.st_mode) else None


class ImageFolder:
    """Finds the images of a folder by their relative name, or by its last part."""

    def __init__(self, folder: Path) -> None:
        self._root = Path(os.path.realpath(folder))
        self._inside: dict[str, bool] = {}

    def find(self, name: str) -> ImageFile | None:
        """The file of a name; None where it is missing or outside the folder."""
        last = name.rpartition("/")[2]
        for candidate in (name,) if last == name else (name, last):
            file = image_file(f"{self._root}/{candidate}")
            if file is not None and self._holds(os.path.dirname(file.real_path)):
                return file
        return None

    def _holds(self, folder: str) -> bool:
        if folder not in self._inside:
            self._inside[folder] = Path(os.path.realpath(folder)).is_relative_to(self._root)
        return self._inside[folder]


def images_below(folder: Path, problems: list[Problem]) -> list[Path]:
    """All image files below a folder by their extension, sorted; symbolic links are left out.

    Args:
        problems: Folders that cannot be read, and pipes and the like with the name of an image, are added to it.
    """
    return files_below(folder, IMAGE_EXTENSIONS, problems)
