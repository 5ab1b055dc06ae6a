"""Version of the files that a stage reads: a hash over names and contents.

Contents are only hashed again if a name, size or modification time changed, or if a file is so young that a change
might not show in its modification time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from calotype.acquire import folders
from calotype.foundation.clock import now_us
from calotype.foundation.ids import sha256_json
from calotype.foundation.os_errors import PathNotFound
from calotype.foundation.progress import Progress
from calotype.pipeline import repository
from calotype.store import Store

_TIMESTAMP_STEP_US = 2_000_000
"""Some file systems store times in steps of two seconds; younger files are hashed again."""


@dataclass(frozen=True, slots=True)
class Files:
    """Number of files, and the hash over them."""

    count: int
    sha256: str


def image_files(path: Path, *, exclude: Path | None = None) -> list[tuple[str, Path]]:
    """The image files that `acquire` would find, with their names; files below `exclude` are left out.

    Raises: PathNotFound.
    """
    excluded = None if exclude is None else exclude.resolve()
    files = [(name, Path(file)) for name, file in folders.find_images(path).files]
    return [(name, file) for name, file in files if excluded is None or not file.is_relative_to(excluded)]


def label_files(path: Path) -> list[tuple[str, Path]]:
    """A label file, or all files of a folder except hidden ones. Raises: PathNotFound."""
    if path.is_file():
        return [(path.name, path)]
    if not path.is_dir():
        raise PathNotFound(path=str(path))
    root = path.resolve()
    listed = []
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        listed += [Path(folder) / name for name in sorted(names) if not name.startswith(".")]
    return [(file.relative_to(root).as_posix(), file) for file in listed if file.is_file()]


def version(
    files: Iterable[tuple[str, Path]], key: str, *, store: Store, run_id: str, progress: Progress
) -> Files:
    """Hash over names and contents, cached under `key`."""
    listed = list(files)
    stats = [_stat(name, file) for name, file in listed]
    listing = sha256_json([[name, n_bytes, at_ns] for name, n_bytes, at_ns in stats])
    with store.catalog.read() as conn:
        job = repository.job(conn, key)
    if job is not None and job.result is not None and job.result.get("seen") == listing:
        newest_us = max((at_ns // 1_000 for _, _, at_ns in stats), default=0)
        if newest_us < job.result["at_us"] - _TIMESTAMP_STEP_US:
            return Files(len(listed), job.result["sha256"])
    started_us = now_us()
    files_now = Files(len(listed), _hash_all(listed, progress))
    with store.catalog.bookkeeping() as conn:
        result = {"seen": listing, "at_us": started_us, "sha256": files_now.sha256}
        repository.record(conn, key, kind="files", run_id=run_id, result=result, now_us=now_us())
    return files_now


def _stat(name: str, file: Path) -> tuple[str, int, int]:
    try:
        info = file.stat()
    except OSError:
        return name, -1, 0
    return name, info.st_size, info.st_mtime_ns


def _hash_all(listed: list[tuple[str, Path]], progress: Progress) -> str:
    total = hashlib.sha256()
    for done, (name, file) in enumerate(listed, start=1):
        total.update(name.encode("utf-8", "surrogatepass") + b"\0" + _hash(file) + b"\0")
        progress("reading files", done, len(listed))
    return total.hexdigest()


def _hash(file: Path) -> bytes:
    try:
        with file.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").digest()
    except OSError:
        return b"unreadable"
