"""Where lost bytes may be found again: a backup, another workspace, or a folder with the original images."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

from calotype.foundation.errors import NotFound
from calotype.store.store import FOLDER


class SourceNotFound(NotFound):
    """Nothing to repair from."""

    code = "repair-source-not-found"
    what = "{folder} is no folder"
    fix = "name a backup, a restored workspace or a folder with the original images"


class Source:
    """One folder to take lost bytes from. Nothing in it is changed."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise SourceNotFound(folder=str(folder))
        self._folder = folder
        home = folder / FOLDER
        self._home = home if home.is_dir() else folder

    @property
    def tables(self) -> Path | None:
        """The folder of the tables, where the source is a workspace or a backup."""
        folder = self._home / "tables"
        return folder if folder.is_dir() else None

    def media(self, sha256: str, n_bytes: int | None) -> bytes | None:
        """The bytes of a hash, checked; None where the source does not hold them."""
        named = self._home / "media" / "sha256" / sha256[:2] / sha256
        candidates = [named] if named.is_file() else []
        candidates += self._by_size.get(n_bytes, []) if n_bytes is not None else []
        for path in candidates:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
        return None

    @cached_property
    def _by_size(self) -> dict[int, list[Path]]:
        """Files that are not in the layout of a workspace, by size: only those of the right size are hashed."""
        found: dict[int, list[Path]] = {}
        if self.tables is None:
            for path in self._folder.rglob("*"):
                if path.is_file():
                    found.setdefault(path.stat().st_size, []).append(path)
        return found
