"""A source of lost bytes: a backup, another workspace, or a folder with the original images."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path, PurePosixPath

from calotype.foundation.errors import NotFound
from calotype.reliability.backups import contents
from calotype.reliability.backups.targets import FolderTarget
from calotype.store.store import FOLDER


class SourceNotFound(NotFound):
    """The repair source does not exist."""

    code = "repair-source-not-found"
    what = "{folder} is not a folder"
    fix = "name a backup, a restored workspace or a folder with the original images"


class RepairSource:
    """A folder to restore lost bytes from; read only."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise SourceNotFound(folder=str(folder))
        self._folder = folder
        home = folder / FOLDER
        self._home = home if home.is_dir() else folder

    def table_files(self, table: str) -> list[tuple[PurePosixPath, Path]]:
        """Files of a table (`<dataset id>/<table>`): path relative to the table's folder, and path in the source."""
        backup_files = self._backup.get(f"tables/{table}.lance")
        if backup_files is not None:
            return [(inner, self._folder / place) for inner, place in backup_files]
        folder = self._home / "tables" / f"{table}.lance"
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        return [(PurePosixPath(path.relative_to(folder).as_posix()), path) for path in paths]

    def media(self, sha256: str, n_bytes: int | None) -> bytes | None:
        """The bytes with this hash, verified; None if the source does not contain them."""
        stored = self._home / "media" / "sha256" / sha256[:2] / sha256
        candidates = [stored] if stored.is_file() else []
        candidates += self._by_size.get(n_bytes, []) if n_bytes is not None else []
        for path in candidates:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
        return None

    @cached_property
    def _by_size(self) -> dict[int, list[Path]]:
        """Files by size, if the source is not a workspace: only files of the right size are hashed."""
        files_by_size: dict[int, list[Path]] = {}
        if not (self._home / "tables").is_dir():
            for path in self._folder.rglob("*"):
                if path.is_file():
                    files_by_size.setdefault(path.stat().st_size, []).append(path)
        return files_by_size

    @cached_property
    def _backup(self) -> dict[str, list[tuple[PurePosixPath, str]]]:
        """Table folder -> files of the newest backup, if the source is a backup folder."""
        files_by_table: dict[str, list[tuple[PurePosixPath, str]]] = {}
        if not (self._folder / "latest").is_file():
            return files_by_table
        target = FolderTarget(self._folder)
        for file in contents.read_file_list(target, contents.find_backup(target, str(self._folder), None)):
            table, ending, inner = file.path.partition(".lance/")
            if ending:
                files_by_table.setdefault(f"{table}.lance", []).append(
                    (PurePosixPath(inner), file.object_name)
                )
        return files_by_table
