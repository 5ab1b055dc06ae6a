"""The images of the frames of a video, which lie below the folder one by one.

They lie in a folder that is named like the video, or else they are all that have a number. The number at the end of
the name counts from 0 where there is a 0, and from 1 otherwise, as most tools that take frames out of a video count.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from calotype.formats.fields import BadItem
from calotype.formats.image_finder import normalized
from calotype.tool_formats.collected import Collected, Entry

_NUMBER = re.compile(r"([0-9]{1,9})\D*$")


class Frames:
    """The frames of one video, counted from 0. Raises: BadItem, where they are not there or not its own."""

    def __init__(self, collected: Collected, video: str, size_wh: tuple[int, int] | None = None) -> None:
        self._collected, self._video, self._size_wh = collected, video, size_wh
        name = PurePosixPath(video).name
        named = {normalized(name), normalized(PurePosixPath(name).stem)}
        own = [f for f in collected.search.files if named & {normalized(p) for p in f.split("/")[:-1]}]
        if not own and collected.videos.setdefault("", video) != video:
            raise BadItem(
                f"its frames are not kept apart from those of {collected.videos['']!r}: use a folder a video"
            )
        self._files: dict[int, str] = {}
        for file in own or collected.search.files:
            found = _NUMBER.search(PurePosixPath(file).stem)
            if found and self._files.setdefault(int(found.group(1)), file) != file:
                raise BadItem(f"several files could be its frame {int(found.group(1))}: {file!r} is one")
        if not self._files:
            raise BadItem(f"the frames of its video {name!r} are not there as images")
        self._first = 0 if 0 in self._files else 1

    def image(self, frame: int, where: str) -> str:
        """The key of the image of a frame. Raises: BadItem."""
        file = self._files.get(frame + self._first)
        if file is None:
            raise BadItem(f"frame {frame} of its video is not there as an image")
        entry = Entry(file, where, self._size_wh, metadata={"video": self._video, "frame": frame})
        return self._collected.add_image(entry)
