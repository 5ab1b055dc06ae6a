"""Images inside archives: extracted one by one to a temporary folder, which lives as long as its source."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from calotype.formats.image_files import MAX_IMAGE_BYTES, ImageFile, image_file
from calotype.formats.values import ParsedLabels, ParsedSource

ReadBytes = Callable[[], bytes | None]


class ArchivedSource(ParsedSource):
    """Labels whose images lie inside archives.

    Nothing is extracted before an image is asked for. Files in the temporary folder are numbered: no name of the
    archive becomes a path.
    """

    def __init__(self, file: str, parsed: ParsedLabels, images: Mapping[str, ReadBytes]) -> None:
        """`images` gives the bytes of an image by its key, None where they cannot be read."""
        super().__init__(file, parsed)
        self._keys = list(self._position)
        self._bytes = images
        self._folder: Path | None = None

    def locate(self, start: int, stop: int) -> Iterator[ImageFile | None]:
        """The extracted file of each of the images at these positions, None where it is missing or cannot be read."""
        for at in range(start, min(stop, len(self._keys))):
            yield self._extracted(at)

    def release_images(self) -> None:
        """Free the memory of `images`, and remove what was extracted."""
        super().release_images()
        self._keys = []
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _extracted(self, at: int) -> ImageFile | None:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="calotype-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        target = self._folder / f"{at:08}"
        found = image_file(str(target))
        if found is not None:
            return self._temporary(found)
        read = self._bytes.get(self._keys[at])
        data = read() if read is not None else None
        if data is None or len(data) > MAX_IMAGE_BYTES:
            return None
        target.write_bytes(data)
        found = image_file(str(target))
        return None if found is None else self._temporary(found)

    def _temporary(self, found: ImageFile) -> ImageFile:
        return found._replace(is_temporary=True)
