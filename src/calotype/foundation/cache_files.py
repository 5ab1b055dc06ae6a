"""Files of caches: complete or absent, and safe to delete at any time. Nothing needs them, so they are not synced."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_atomically(file: Path, data: bytes) -> None:
    """Write a file that is complete or absent. Errors such as a full disk are ignored."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            temporary.write(data)
        os.replace(temporary.name, file)
