"""From what a verification found to what can be mended, and the mending. Nothing that is reachable is ever removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa

from calotype.datasets.commits import Commit
from calotype.foundation.clock import now_us
from calotype.reliability import leftovers, repository
from calotype.reliability.model import Mend, Problem, Verified
from calotype.reliability.sources import Source
from calotype.store import Store
from calotype.store.files.durable import fsync_path
from calotype.store.media.bucket_objects import BucketMedia

_NEVER_CHANGED = ("data", "_deletions", "_indices")
"""Folders of a table whose files have names of their own: one of the wrong size is damaged, not another version."""


def plan(store: Store, found: Verified, source: Source | None) -> list[Mend]:
    """What to do about each problem; `can` is False where only the advice helps."""
    return [_planned(store, problem, source) for problem in (*found.problems, *found.untidy)]


def _planned(store: Store, problem: Problem, source: Source | None) -> Mend:
    facts = problem.facts
    if problem.kind in ("tag-missing", "stale-files", "release-tag-missing"):
        return Mend(problem, _WORDS[problem.kind], can=True)
    if problem.kind == "ref-points-at-nothing":
        with store.catalog.read() as conn:
            to = _last_good(conn, facts["dataset_id"], facts["ref"])
        if to is not None:
            return Mend(problem, f"put it back to commit {to.short}, from its log", can=True)
    elif problem.kind in ("media-missing", "media-damaged") and source is not None:
        if source.media(facts["sha256"], facts["n_bytes"]) is not None:
            return Mend(problem, "take the bytes from the source", can=True)
        return Mend(problem, "the source does not hold these bytes", can=False)
    elif problem.kind in ("table-damaged", "rows-missing") and source is not None:
        n_files = sum(1 for _ in _missing_files(store, source, facts["table"]))
        if n_files:
            return Mend(problem, f"copy {n_files} files of the table from the source", can=True)
        return Mend(problem, "the source does not hold what is missing", can=False)
    return Mend(problem, problem.fix, can=False)


_WORDS = {
    "tag-missing": "tag the version again",
    "stale-files": "remove them",
    "release-tag-missing": "make the tag again",
}


def mend_files(store: Store, mends: list[Mend], source: Source | None) -> int:
    """The part outside the catalog: bytes, table files, tags, leftovers. Returns how many problems were mended."""
    done = 0
    for mend in mends:
        does = _FILES.get(mend.problem.kind)
        if mend.can and does is not None:
            done += does(store, mend.problem, source)
    return done


def mend_catalog(conn: sa.Connection, mends: list[Mend]) -> int:
    """The part inside the catalog's transaction: refs. Returns how many problems were mended."""
    done = 0
    for mend in mends:
        facts = mend.problem.facts
        if mend.can and mend.problem.kind == "ref-points-at-nothing":
            to = _last_good(conn, facts["dataset_id"], facts["ref"])
            done += to is not None and repository.put_back(conn, facts["ref"], facts["kind"], to)
        elif mend.can and mend.problem.kind == "release-tag-missing":
            to = repository.commit(conn, facts["commit"])
            done += to is not None and repository.put_back(conn, facts["ref"], "tag", to)
    return done


def _last_good(conn: sa.Connection, dataset_id: str, ref: str) -> Commit | None:
    """The newest commit that the ref is known to have named and that is still there."""
    moves = [move for move in repository.logged_moves(conn) if move[:2] == (dataset_id, ref)]
    named = [commit for _, _, old, new, _ in moves for commit in (old, new) if commit is not None]
    for commit_id in reversed(named):
        found = repository.commit(conn, commit_id)
        if found is not None:
            return found
    return None


def _tag(store: Store, problem: Problem, _source: Source | None) -> bool:
    store.tables.tag(problem.facts["table"], problem.facts["version"], problem.facts["tag"])
    return True


def _remove_stale(store: Store, _problem: Problem, _source: Source | None) -> bool:
    for path in leftovers.stale_files(store, now_us=now_us()):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return True


def _bring_media(store: Store, problem: Problem, source: Source | None) -> bool:
    sha256 = str(problem.facts["sha256"])
    data = None if source is None else source.media(sha256, problem.facts["n_bytes"])
    if data is None:
        return False
    stored = store.media.stored
    if isinstance(stored, BucketMedia):
        stored.replace(sha256, data)
        return True
    target = stored.path(sha256)
    if target.exists():  # damaged: kept aside, because it is all that is left of what happened
        aside = store.folder / "media" / "damaged"
        aside.mkdir(exist_ok=True)
        target.rename(aside / f"{sha256}.{now_us()}")
        fsync_path(aside)
    store.media.put(data)
    return True


def _bring_table(store: Store, problem: Problem, source: Source | None) -> bool:
    if source is None:
        return False
    for file, name in list(_missing_files(store, source, problem.facts["table"])):
        store.tables.storage.tree.put(name, file)
    store.tables.forget(problem.facts["table"])
    return True


def _missing_files(store: Store, source: Source, table: str) -> Iterator[tuple[Path, str]]:
    """Files of a table that the source has and the workspace has not, or has in another size: (from, to)."""
    there = store.tables.storage.tree.sizes(f"{table}.lance")
    for inner, file in source.table_files(table):
        name = f"{table}.lance/{inner}"
        damaged = inner.parts[0] in _NEVER_CHANGED and there.get(name) != file.stat().st_size
        if name not in there or damaged:
            yield file, name


_FILES: dict[str, Callable[[Store, Problem, Source | None], bool]] = {
    "tag-missing": _tag,
    "stale-files": _remove_stale,
    "media-missing": _bring_media,
    "media-damaged": _bring_media,
    "table-damaged": _bring_table,
    "rows-missing": _bring_table,
}
