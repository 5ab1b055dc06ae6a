"""Finding the image files of a folder: sorted, inside the folder, recognised by content or extension."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from calotype.acquire.quarantine import QuarantinedItem
from calotype.acquire.sample_matcher import IncomingImage
from calotype.formats import files_below
from calotype.formats.passthrough import escaped
from calotype.foundation.os_errors import PathNotFound
from calotype.vision.images import IMAGE_EXTENSIONS

_OTHER_IMAGES = frozenset(
    {".svg", ".ico", ".heic", ".heif", ".avif", ".jp2", ".psd", ".eps", ".raw", ".dng", ".ppm"}
)
"""Known image types that are not supported: they are quarantined with a reason instead of being ignored."""

_LEADS_OUT = "it is a link to a file outside the folder, which is not followed"
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Files that are images by content or name, the number of others beside them, and what cannot be read."""

    files: list[tuple[str, str]]
    """Name and path of each; texts, since a folder may hold millions."""
    ignored: int
    unreadable: list[QuarantinedItem] = field(default_factory=list)
    """Folders that cannot be read; links that lead out, pipes and devices with the name of an image."""

    def incoming(self, *, source: str, licence: str, tags: Sequence[str] = ()) -> list[IncomingImage]:
        """The files, to be imported."""
        return [
            IncomingImage(path=Path(path), name=name, source=source, licence=licence, tags=tuple(tags))
            for name, path in self.files
        ]


def find_images(path: Path) -> FoundFiles:
    """The image files at a path: itself, or all below a folder. Hidden files are ignored, links that lead out named.

    Raises: PathNotFound.
    """
    if files_below.is_file(path):
        return FoundFiles([(escaped(path.name), str(path))], 0)
    if not files_below.is_folder(path):
        problem = files_below.problem_of(path)
        if problem is None:
            raise PathNotFound(path=str(path))
        return FoundFiles([], 0, [QuarantinedItem("image", escaped(path.name), "file-unreadable", problem)])
    root = os.path.realpath(path)
    files, start = [], len(root) + (root != os.sep)
    passed_over: list[files_below.PassedOver] = []
    ignored = 0
    for entry in files_below.walk(root, passed_over, hidden=False):
        if _looks_like_image(entry, root):
            name = entry.path[start:].replace(os.sep, "/")
            files.append((escaped(name), entry.path))
        elif entry.is_symlink() and _has_image_name(entry.name):
            passed_over.append(files_below.PassedOver(entry.path, _LEADS_OUT))
        else:
            ignored += 1
    unreadable = []
    for item in passed_over:
        if not item.is_folder and not _has_image_name(item.path):
            ignored += 1
            continue
        what = "folder" if item.is_folder else "image"
        place = escaped(item.path[start:].replace(os.sep, "/")) or path.name
        unreadable.append(QuarantinedItem(what, place, "file-unreadable", item.reason))
    return FoundFiles(files, ignored, unreadable)


def _looks_like_image(file: os.DirEntry[str], root: str) -> bool:
    if file.is_symlink() and not Path(os.path.realpath(file.path)).is_relative_to(root):
        return False
    if _has_image_name(file.name):
        return True
    try:
        with open(file.path, "rb") as handle:
            return handle.read(8).startswith(_MAGIC)
    except OSError:
        return False


def _has_image_name(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_EXTENSIONS | _OTHER_IMAGES
