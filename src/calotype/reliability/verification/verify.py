"""One pass over a whole workspace: catalog, tables, tags, media, release files, temporary files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress
from calotype.reliability.model import Problem, Severity, VerifyResult
from calotype.reliability.repository import ReleaseRow
from calotype.reliability.verification import catalog_check, temporary_files
from calotype.reliability.verification.catalog_check import CatalogState
from calotype.reliability.verification.table_check import TableCheck
from calotype.store import Store
from calotype.store.files.bucket import BucketFailed
from calotype.store.maintenance import table_files
from calotype.store.media.objects import MediaDamaged
from calotype.store.media.references import PRESENT, MediaChanged, ReferenceGone, is_reference

_THREADS = 4
_CHUNK = 1 << 20


def verify_workspace(store: Store, *, deep: bool, progress: Progress) -> VerifyResult:
    """Check everything, as of the time the catalog is read."""
    with store.catalog.read() as conn:
        catalog = catalog_check.read_state(conn)
    problems = catalog_check.find_problems(catalog)
    tables = TableCheck(store, deep)
    problems += _check_tables(catalog, tables, progress)
    problems += _check_media(store, tables.media, deep=deep, progress=progress)
    released = [
        problem
        for release in catalog.releases
        for problem in _check_release(store, catalog, release, deep=deep)
    ]
    untidy = _find_missing_tags(store, catalog) + catalog_check.missing_release_tags(catalog)
    untidy += temporary_files.problems(store, now_us=now_us())
    checked = {
        "datasets": len(catalog.names),
        "commits": len(catalog.commits),
        "refs": len(catalog.refs),
        "documents": len(catalog.documents),
        "table_versions": tables.versions,
        "media": len(tables.media),
        "releases": len(catalog.releases),
        "imports": len(catalog.imports),
        "audit_events": catalog.chain.n_events,
    }
    everything = [*problems, *released, *untidy]
    return VerifyResult(
        checked,
        tuple(release for release in everything if release.severity is Severity.LOST),
        tuple(release for release in everything if release.severity is Severity.UNTIDY),
        catalog.chain.head,
        deep,
    )


def _check_tables(catalog: CatalogState, check: TableCheck, progress: Progress) -> list[Problem]:
    """Check refs first, so that working states are checked fully; then every commit."""
    problems: list[Problem] = []
    total = len(catalog.refs) + len(catalog.commits)
    n_done = 0
    for ref in catalog.refs:
        place = f"{catalog.name(ref.dataset_id)}@{ref.name}"
        problems += check.check_state(place, ref.dataset_id, ref.pins, {}, check_ids=True)
        progress("reading tables", n_done := n_done + 1, total)
    for commit in catalog.commits.values():
        place = f"{catalog.name(commit.dataset_id)}@{commit.short}"
        problems += check.check_state(place, commit.dataset_id, commit.pins, commit.stats, check_ids=False)
        progress("reading tables", n_done := n_done + 1, total)
    return problems


def _check_media(
    store: Store, media: Mapping[str, int | None], *, deep: bool, progress: Progress
) -> list[Problem]:
    stored = sorted((key, size) for key, size in media.items() if not is_reference(key))
    problems = _check_references(store, sorted(key for key in media if is_reference(key)), deep=deep)
    with ThreadPoolExecutor(_THREADS) as pool:
        results = pool.map(lambda item: _check_media_object(store, *item, deep=deep), stored)
        for n_done, problem in enumerate(results, start=1):
            if problem is not None:
                problems.append(problem)
            if n_done % 200 == 0 or n_done == len(stored):
                progress("hashing media" if deep else "checking media", n_done, len(stored))
    return problems


def _check_references(store: Store, keys: list[str], *, deep: bool) -> list[Problem]:
    """Check referenced media, which only their owner can restore."""
    problems: list[Problem] = []
    try:
        states = store.media.references.states(keys) if keys else {}
    except BucketFailed as error:
        detail = f"{len(keys)} references could not be checked: {error.message}"
        return [Problem("media-unreachable", "media", detail, error.fix, facts={"references": len(keys)})]
    for key, state in states.items():
        detail = "" if state == PRESENT else state
        try:
            if deep and not detail:
                store.media.read(key, verify=True)
        except (MediaDamaged, MediaChanged, ReferenceGone, BucketFailed) as error:
            detail = error.message
        if detail:
            fix = "restore the registered file, mount its folder, or remove the samples"
            facts = {"key": key, "state": state}
            problems.append(
                Problem("media-elsewhere", "media", f"reference {key[:16]}: {detail}", fix, facts=facts)
            )
    return problems


def _check_media_object(store: Store, sha256: str, n_bytes: int | None, *, deep: bool) -> Problem | None:
    facts = {"sha256": sha256, "n_bytes": n_bytes}
    fix = "`calotype repair --from FOLDER --yes` restores it from a backup or from the original images"
    stored = store.media.stored
    size = stored.n_bytes(sha256)
    if size is None:
        return Problem("media-missing", "media", f"media {sha256[:16]} is missing", fix, facts=facts)
    if n_bytes is not None and size != n_bytes:
        detail = f"media {sha256[:16]} has {size} bytes instead of {n_bytes}"
        return Problem("media-damaged", "media", detail, fix, facts=facts)
    if deep and hashlib.sha256(stored.read(sha256)).hexdigest() != sha256:
        detail = f"the stored bytes of media {sha256[:16]} do not match their hash"
        return Problem("media-damaged", "media", detail, fix, facts=facts)
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def release_folder(store: Store, dataset: str, version: str) -> Path:
    """The folder of a release's files."""
    return store.root / "releases" / dataset / version


def _check_release(
    store: Store, catalog: CatalogState, release: ReleaseRow, *, deep: bool
) -> Iterator[Problem]:
    """Check the files of a release. A missing folder is untidy only: it may have been moved on purpose."""
    dataset = catalog.name(release.dataset_id)
    place = f"{dataset} release {release.version}"
    rebuild = f"`calotype releases {dataset} {release.version} --build` recreates the files"
    if release.commit_id not in catalog.commits:
        detail = f"its commit {release.commit_id[:12]} is missing"
        yield Problem("release-commit-missing", place, detail, "restore the catalog from a backup")
    folder = release_folder(store, dataset, release.version)
    if not folder.is_dir():
        yield Problem("release-not-built", place, "its folder is missing", rebuild, Severity.UNTIDY)
        return
    fix = f"remove {os.path.relpath(folder, store.root)}; then {rebuild}"
    for listed in release.files:
        path = folder / str(listed["path"])
        if not path.is_file():
            yield Problem("release-file-missing", place, f"{listed['path']} is missing", fix)
        elif path.stat().st_size != listed["bytes"] or (deep and _sha256(path) != listed["sha256"]):
            yield Problem("release-file-changed", place, f"{listed['path']} was changed", fix)


def _find_missing_tags(store: Store, catalog: CatalogState) -> list[Problem]:
    """Versions of commits without a tag: nothing is lost, but another program's clean-up could remove them."""
    problems = []
    tags: dict[str, dict[str, int]] = {}
    for commit in catalog.commits.values():
        for table, pin in commit.pins.items():
            full_name = f"{commit.dataset_id}/{table}"
            if full_name not in tags:
                tags[full_name] = table_files.tags(store.tables, full_name)
            if f"c-{commit.id[:32]}" not in tags[full_name]:
                place = f"{catalog.name(commit.dataset_id)}@{commit.short}"
                facts = {"table": full_name, "version": pin, "tag": f"c-{commit.id[:32]}"}
                fix = "`calotype repair --yes` recreates the tag"
                detail = f"no tag protects version {pin} of {table}"
                problems.append(Problem("tag-missing", place, detail, fix, Severity.UNTIDY, facts))
    return problems
