"""What processes that died left behind: temporary files. Nothing reads them; they only cost room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from calotype.reliability.model import Problem, Severity
from calotype.store import Store
from calotype.store.media.objects import TOUCH_PREFIX

STALE_S = 24 * 3600
"""A temporary file this old belongs to nobody: writers hold theirs for seconds."""


def stale_files(store: Store, *, now_us: int, older_than_s: float = STALE_S) -> list[Path]:
    """Temporary files and folders, older than a day, of media on their way in, of files replaced whole, of releases."""
    before = now_us / 1_000_000 - older_than_s
    return [path for path in _temporary(store) if _is_older(path, before)]


def found(store: Store, *, now_us: int) -> list[Problem]:
    """One problem for all of them."""
    stale = stale_files(store, now_us=now_us)
    if not stale:
        return []
    said = f"{len(stale)} temporary files of processes that died"
    facts = {"files": [str(path) for path in stale[:100]]}
    return [
        Problem(
            "stale-files", "workspace", said, "`calotype repair --yes` removes them", Severity.UNTIDY, facts
        )
    ]


def _temporary(store: Store) -> Iterator[Path]:
    incoming = store.folder / "media" / "incoming"
    if incoming.is_dir():
        yield from (path for path in incoming.iterdir() if not path.name.startswith(TOUCH_PREFIX))
    for pattern in (".*.tmp", "upload-*", "import-*"):
        yield from store.folder.glob(pattern)
    releases = store.root / "releases"
    if releases.is_dir():
        yield from releases.glob("*/.*.tmp")


def _is_older(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:  # its writer is alive and has just renamed it
        return False
