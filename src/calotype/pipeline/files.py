"""What version of its files a stage reads: a hash over names and contents.

Names, sizes and times decide whether contents are hashed at all: where none of them moved since a time that is safely
later than every one of them, the hash of then holds. SHA-256 decides everything else.
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
from calotype.foundation.progress import Progress
from calotype.pipeline import repository
from calotype.store import Store

_SETTLED_US = 2_000_000
"""Some file systems tell times in steps of two seconds; younger files are hashed again."""


@dataclass(frozen=True, slots=True)
class Files:
    """How many files, and the hash over them."""

    count: int
    sha256: str


def images_below(path: Path, *, beside: Path | None = None) -> list[tuple[str, Path]]:
    """The image files that `acquire` would see, with their names; those below `beside` are left out.

    Raises: PathNotFound.
    """
    resolved = None if beside is None else beside.resolve()
    files = [(name, Path(file)) for name, file in folders.find_images(path).files]
    return [(name, file) for name, file in files if resolved is None or not file.is_relative_to(resolved)]


def labels_at(path: Path) -> list[tuple[str, Path]]:
    """A label file, or every visible file of a folder of them. Raises: PathNotFound."""
    if path.is_file():
        return [(path.name, path)]
    if not path.is_dir():
        raise folders.PathNotFound(path=str(path))
    root = path.resolve()
    listed = []
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        listed += [Path(folder) / name for name in sorted(names) if not name.startswith(".")]
    return [(file.relative_to(root).as_posix(), file) for file in listed if file.is_file()]


def text_of(file: Path) -> str:
    """The text of a small file. Raises: PathNotFound."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise folders.PathNotFound(path=str(file)) from None


def version(
    files: Iterable[tuple[str, Path]], key: str, *, store: Store, run_id: str, progress: Progress
) -> Files:
    """The hash over names and contents, remembered under `key`."""
    listed = list(files)
    facts = [_stat(name, file) for name, file in listed]
    seen = sha256_json([[name, n_bytes, at_ns] for name, n_bytes, at_ns in facts])
    with store.catalog.read() as conn:
        known = repository.job(conn, key)
    if known is not None and known.result is not None and known.result.get("seen") == seen:
        newest_us = max((at_ns // 1_000 for _, _, at_ns in facts), default=0)
        if newest_us < known.result["at_us"] - _SETTLED_US:
            return Files(len(listed), known.result["sha256"])
    began = now_us()
    found = Files(len(listed), _contents(listed, progress))
    with store.catalog.bookkeeping() as conn:
        result = {"seen": seen, "at_us": began, "sha256": found.sha256}
        repository.record(conn, key, kind="files", run_id=run_id, result=result, now_us=now_us())
    return found


def _stat(name: str, file: Path) -> tuple[str, int, int]:
    try:
        facts = file.stat()
    except OSError:
        return name, -1, 0
    return name, facts.st_size, facts.st_mtime_ns


def _contents(listed: list[tuple[str, Path]], progress: Progress) -> str:
    total = hashlib.sha256()
    for at, (name, file) in enumerate(listed):
        total.update(name.encode("utf-8", "surrogatepass") + b"\0" + _hash(file) + b"\0")
        progress("reading files", at + 1, len(listed))
    return total.hexdigest()


def _hash(file: Path) -> bytes:
    try:
        with file.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").digest()
    except OSError:
        return b"unreadable"
