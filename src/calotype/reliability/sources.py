"""Where lost bytes may be found again: a backup, another workspace, or a folder with the original images."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path, PurePosixPath

from calotype.foundation.errors import NotFound
from calotype.reliability import backups
from calotype.reliability.targets import FolderTarget
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

    def table_files(self, table: str) -> list[tuple[PurePosixPath, Path]]:
        """Files of a table (`<dataset id>/<table>`): the path below the table's folder, and where each lies."""
        listed = self._backup.get(f"tables/{table}.lance")
        if listed is not None:
            return [(inner, self._folder / place) for inner, place in listed]
        folder = self._home / "tables" / f"{table}.lance"
        every = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        return [(PurePosixPath(path.relative_to(folder).as_posix()), path) for path in every]

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
        if not (self._home / "tables").is_dir():
            for path in self._folder.rglob("*"):
                if path.is_file():
                    found.setdefault(path.stat().st_size, []).append(path)
        return found

    @cached_property
    def _backup(self) -> dict[str, list[tuple[PurePosixPath, str]]]:
        """Table folder -> files of the newest backup, where the source is a folder of backups."""
        found: dict[str, list[tuple[PurePosixPath, str]]] = {}
        if not (self._folder / "latest").is_file():
            return found
        target = FolderTarget(self._folder)
        for file in backups.list_of(target, backups.one_of(target, str(self._folder), None)):
            table, ending, inner = file.path.partition(".lance/")
            if ending:
                found.setdefault(f"{table}.lance", []).append((PurePosixPath(inner), file.place))
        return found
