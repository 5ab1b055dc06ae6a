"""Temporary files of dead processes: unused, they only take up space."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from calotype.reliability.model import Problem, Severity
from calotype.store import Store
from calotype.store.media.objects import TOUCH_PREFIX

STALE_S = 24 * 3600
"""Minimum age of a stale file, in seconds; running writers keep theirs for seconds only."""


def stale_files(store: Store, *, now_us: int, older_than_s: float = STALE_S) -> list[Path]:
    """Temporary files and folders of media, of replaced files and of releases, older than a day by default."""
    before = now_us / 1_000_000 - older_than_s
    return [path for path in _temporary_paths(store) if _is_older(path, before)]


def problems(store: Store, *, now_us: int) -> list[Problem]:
    """At most one problem, for all stale files."""
    stale = stale_files(store, now_us=now_us)
    if not stale:
        return []
    detail = f"{len(stale)} temporary files of dead processes"
    facts = {"files": [str(path) for path in stale[:100]]}
    return [
        Problem(
            "stale-files", "workspace", detail, "`calotype repair --yes` deletes them", Severity.UNTIDY, facts
        )
    ]


def _temporary_paths(store: Store) -> Iterator[Path]:
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
    except FileNotFoundError:  # its writer has just renamed it
        return False
