"""Small files below the `cache` folder of a workspace: bounded, written atomically, safe to delete at any time."""

from __future__ import annotations

from pathlib import Path

from calotype.foundation.cache_files import mark_used, prune, write_atomically
from calotype.store import Store

MAX_FILES = 256
MAX_FILE_BYTES = 4_000_000
_FOLDER = "overviews"


def read(store: Store, name: str) -> str | None:
    """The text of a file; None if there is none."""
    file = _folder(store) / name
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            return None
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if not store.catalog.read_only:
        mark_used(file)
    return text


def write(store: Store, name: str, text: str) -> None:
    """Write a file and remove those used least recently. Errors such as a full disk are ignored."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_FILE_BYTES or store.catalog.read_only:
        return
    write_atomically(_folder(store) / name, data)
    prune(_folder(store), MAX_FILES)


def _folder(store: Store) -> Path:
    return store.folder / "cache" / _FOLDER
