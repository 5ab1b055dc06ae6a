"""Writing tens of thousands of small files: few system calls for each, and every folder is made once."""

from __future__ import annotations

import os
from pathlib import Path


class SmallFiles:
    """New files below a folder."""

    def __init__(self, out: Path) -> None:
        self._out = str(out)
        self._made: set[str] = set()

    def write(self, place: str, data: bytes) -> str:
        """Write one file that is not there yet; returns its place. Raises: OSError."""
        path = f"{self._out}/{place}"
        folder = path[: path.rindex("/")]
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)
            self._made.add(folder)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            while data:
                data = data[os.write(handle, data) :]
        finally:
            os.close(handle)
        return place
