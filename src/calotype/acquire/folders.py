"""Finding the image files of a folder: sorted, inside the folder, recognised by content or extension."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from calotype.acquire.sample_matcher import IncomingImage
from calotype.foundation.os_errors import PathNotFound
from calotype.vision.images import IMAGE_EXTENSIONS

_OTHER_IMAGES = frozenset(
    {".svg", ".ico", ".heic", ".heif", ".avif", ".jp2", ".psd", ".eps", ".raw", ".dng", ".ppm"}
)
"""Known image types that are not supported: they are quarantined with a reason instead of being ignored."""

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Files that are images by content or name, and the number of others beside them."""

    files: list[tuple[str, str]]
    """Name and path of each; texts, since a folder may hold millions."""
    ignored: int

    def incoming(self, *, source: str, licence: str, tags: Sequence[str] = ()) -> list[IncomingImage]:
        """The files, to be imported."""
        return [
            IncomingImage(path=Path(path), name=name, source=source, licence=licence, tags=tuple(tags))
            for name, path in self.files
        ]


def find_images(path: Path) -> FoundFiles:
    """The image files at a path: itself, or all below a folder. Hidden files and links that lead out are ignored.

    Raises: PathNotFound.
    """
    if path.is_file():
        return FoundFiles([(_readable(path.name), str(path))], 0)
    if not path.is_dir():
        raise PathNotFound(path=str(path))
    root = path.resolve()
    files, ignored, start = [], 0, len(str(root)) + (str(root) != os.sep)
    for entry in _walk(str(root)):
        if _looks_like_image(entry, root):
            name = entry.path[start:].replace(os.sep, "/")
            files.append((_readable(name), entry.path))
        else:
            ignored += 1
    return FoundFiles(files, ignored)


def _readable(name: str) -> str:
    """The name with bytes that are not UTF-8 replaced."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "replace")


def _walk(folder: str) -> Iterator[os.DirEntry[str]]:
    """Files by name, then those of the folders in it; a folder that cannot be read is ignored."""
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as listed:
                entries = sorted(
                    (entry for entry in listed if entry.name[0] != "."), key=lambda entry: entry.name
                )
        except OSError:
            continue
        yield from (entry for entry in entries if not entry.is_dir())
        inner = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        waiting += reversed(inner)


def _looks_like_image(file: os.DirEntry[str], root: Path) -> bool:
    if file.is_symlink() and not Path(file.path).resolve().is_relative_to(root):
        return False
    if not file.is_file():
        return False  # a pipe or a device; reading one would block
    if os.path.splitext(file.name)[1].lower() in IMAGE_EXTENSIONS | _OTHER_IMAGES:
        return True
    try:
        with open(file.path, "rb") as handle:
            return handle.read(8).startswith(_MAGIC)
    except OSError:
        return False
