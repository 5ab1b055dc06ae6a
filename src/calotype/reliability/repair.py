"""Plans and carries out repairs of the problems that a verification found. Never removes reachable data."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa

from calotype.datasets.commits import Commit
from calotype.foundation.clock import now_us
from calotype.foundation.durable import fsync_path
from calotype.reliability import repository
from calotype.reliability.model import Problem, RepairStep, VerifyResult
from calotype.reliability.repair_source import RepairSource
from calotype.reliability.verification import temporary_files
from calotype.store import Store
from calotype.store.media.bucket_objects import BucketMedia

_NEVER_CHANGED = ("data", "_deletions", "_indices")
"""Table folders with immutable, uniquely named files: a file of the wrong size there is damaged."""


def plan_repair(store: Store, verified: VerifyResult, source: RepairSource | None) -> list[RepairStep]:
    """One step per problem; `can` is False if a person has to act."""
    return [_plan_step(store, problem, source) for problem in (*verified.problems, *verified.untidy)]


def _plan_step(store: Store, problem: Problem, source: RepairSource | None) -> RepairStep:
    facts = problem.facts
    if problem.kind in ("tag-missing", "stale-files", "release-tag-missing"):
        return RepairStep(problem, _ACTIONS[problem.kind], can=True)
    if problem.kind == "ref-points-at-nothing":
        with store.catalog.read() as conn:
            commit = _last_valid_commit(conn, facts["dataset_id"], facts["ref"])
        if commit is not None:
            return RepairStep(problem, f"reset it to commit {commit.short}, from its log", can=True)
    elif problem.kind in ("media-missing", "media-damaged") and source is not None:
        if source.media(facts["sha256"], facts["n_bytes"]) is not None:
            return RepairStep(problem, "copy the bytes from the source", can=True)
        return RepairStep(problem, "the source does not contain these bytes", can=False)
    elif problem.kind in ("table-damaged", "rows-missing") and source is not None:
        n_files = sum(1 for _ in _missing_files(store, source, facts["table"]))
        if n_files:
            return RepairStep(problem, f"copy {n_files} table files from the source", can=True)
        return RepairStep(problem, "the source does not contain the missing files", can=False)
    return RepairStep(problem, problem.fix, can=False)


_ACTIONS = {
    "tag-missing": "recreate the tag",
    "stale-files": "delete them",
    "release-tag-missing": "recreate the tag",
}


def repair_files(store: Store, steps: list[RepairStep], source: RepairSource | None) -> int:
    """Repairs outside the catalog: media, table files, tags, temporary files. Returns how many were repaired."""
    n_repaired = 0
    for step in steps:
        file_repair = _FILE_REPAIRS.get(step.problem.kind)
        if step.can and file_repair is not None:
            n_repaired += file_repair(store, step.problem, source)
    return n_repaired


def repair_catalog(conn: sa.Connection, steps: list[RepairStep]) -> int:
    """Repairs inside the catalog's transaction: refs. Returns how many were repaired."""
    n_repaired = 0
    for step in steps:
        facts = step.problem.facts
        if step.can and step.problem.kind == "ref-points-at-nothing":
            commit = _last_valid_commit(conn, facts["dataset_id"], facts["ref"])
            n_repaired += commit is not None and repository.reset_ref(
                conn, facts["ref"], facts["kind"], commit
            )
        elif step.can and step.problem.kind == "release-tag-missing":
            commit = repository.commit(conn, facts["commit"])
            n_repaired += commit is not None and repository.reset_ref(conn, facts["ref"], "tag", commit)
    return n_repaired


def _last_valid_commit(conn: sa.Connection, dataset_id: str, ref: str) -> Commit | None:
    """The newest existing commit that the ref has pointed to."""
    moves = [move for move in repository.logged_moves(conn) if move[:2] == (dataset_id, ref)]
    commit_ids = [commit for _, _, old, new, _ in moves for commit in (old, new) if commit is not None]
    for commit_id in reversed(commit_ids):
        commit = repository.commit(conn, commit_id)
        if commit is not None:
            return commit
    return None


def _restore_tag(store: Store, problem: Problem, _source: RepairSource | None) -> bool:
    store.tables.tag(problem.facts["table"], problem.facts["version"], problem.facts["tag"])
    return True


def _remove_stale(store: Store, _problem: Problem, _source: RepairSource | None) -> bool:
    for path in temporary_files.stale_files(store, now_us=now_us()):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return True


def _restore_media(store: Store, problem: Problem, source: RepairSource | None) -> bool:
    sha256 = str(problem.facts["sha256"])
    data = None if source is None else source.media(sha256, problem.facts["n_bytes"])
    if data is None:
        return False
    stored = store.media.stored
    if isinstance(stored, BucketMedia):
        stored.replace(sha256, data)
        return True
    target = stored.path(sha256)
    if target.exists():  # keep the damaged file as evidence
        aside = store.folder / "media" / "damaged"
        aside.mkdir(exist_ok=True)
        target.rename(aside / f"{sha256}.{now_us()}")
        fsync_path(aside)
    store.media.put(data)
    return True


def _restore_table(store: Store, problem: Problem, source: RepairSource | None) -> bool:
    if source is None:
        return False
    for file, name in list(_missing_files(store, source, problem.facts["table"])):
        store.tables.storage.tree.put(name, file)
    store.tables.forget(problem.facts["table"])
    return True


def _missing_files(store: Store, source: RepairSource, table: str) -> Iterator[tuple[Path, str]]:
    """Table files that the workspace lacks or has in the wrong size: (source path, name)."""
    sizes = store.tables.storage.tree.sizes(f"{table}.lance")
    for inner, file in source.table_files(table):
        name = f"{table}.lance/{inner}"
        damaged = inner.parts[0] in _NEVER_CHANGED and sizes.get(name) != file.stat().st_size
        if name not in sizes or damaged:
            yield file, name


_FILE_REPAIRS: dict[str, Callable[[Store, Problem, RepairSource | None], bool]] = {
    "tag-missing": _restore_tag,
    "stale-files": _remove_stale,
    "media-missing": _restore_media,
    "media-damaged": _restore_media,
    "table-damaged": _restore_table,
    "rows-missing": _restore_table,
}
