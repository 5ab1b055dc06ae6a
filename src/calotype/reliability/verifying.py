"""One pass over a whole workspace: catalog, tables, tags, media, the files of releases, leftovers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress
from calotype.reliability import catalog_check, leftovers
from calotype.reliability.catalog_check import Known
from calotype.reliability.model import Problem, Severity, Verified
from calotype.reliability.repository import ReleaseRow
from calotype.reliability.table_check import TableCheck
from calotype.store import Store
from calotype.store.files.bucket import BucketFailed
from calotype.store.maintenance import table_files
from calotype.store.media.objects import MediaDamaged
from calotype.store.media.references import PRESENT, MediaChanged, ReferenceGone, is_reference

_THREADS = 4
_CHUNK = 1 << 20


def inspect(store: Store, *, deep: bool, progress: Progress) -> Verified:
    """Look at everything. What others write meanwhile is not looked at."""
    with store.catalog.read() as conn:
        known = catalog_check.read(conn)
    problems = catalog_check.problems(known)
    tables = TableCheck(store, deep)
    problems += _tables(known, tables, progress)
    problems += _media(store, tables.media, deep=deep, progress=progress)
    released = [found for one in known.releases for found in _release(store, known, one, deep=deep)]
    untidy = _missing_tags(store, known) + catalog_check.lost_release_tags(known)
    untidy += leftovers.found(store, now_us=now_us())
    checked = {
        "datasets": len(known.names),
        "commits": len(known.commits),
        "refs": len(known.refs),
        "documents": len(known.documents),
        "table_versions": tables.versions,
        "media": len(tables.media),
        "releases": len(known.releases),
        "imports": len(known.imports),
        "audit_events": known.chain.n_events,
    }
    everything = [*problems, *released, *untidy]
    return Verified(
        checked,
        tuple(one for one in everything if one.severity is Severity.LOST),
        tuple(one for one in everything if one.severity is Severity.UNTIDY),
        known.chain.head,
        deep,
    )


def _tables(known: Known, check: TableCheck, progress: Progress) -> list[Problem]:
    """Refs first, so that what people work with is checked whole; then every commit."""
    found: list[Problem] = []
    total = len(known.refs) + len(known.commits)
    done = 0
    for ref in known.refs:
        place = f"{known.name(ref.dataset_id)}@{ref.name}"
        found += check.state(place, ref.dataset_id, ref.pins, {}, whole=True)
        progress("reading tables", done := done + 1, total)
    for made in known.commits.values():
        place = f"{known.name(made.dataset_id)}@{made.short}"
        found += check.state(place, made.dataset_id, made.pins, made.stats, whole=False)
        progress("reading tables", done := done + 1, total)
    return found


def _media(store: Store, media: Mapping[str, int | None], *, deep: bool, progress: Progress) -> list[Problem]:
    stored = sorted((key, size) for key, size in media.items() if not is_reference(key))
    found = _references(store, sorted(key for key in media if is_reference(key)), deep=deep)
    with ThreadPoolExecutor(_THREADS) as pool:
        told = pool.map(lambda item: _one_media(store, *item, deep=deep), stored)
        for done, problem in enumerate(told, start=1):
            if problem is not None:
                found.append(problem)
            if done % 200 == 0 or done == len(stored):
                progress("hashing media" if deep else "looking for media", done, len(stored))
    return found


def _references(store: Store, keys: list[str], *, deep: bool) -> list[Problem]:
    """Media that lie elsewhere: nobody but their owner can bring them back."""
    found: list[Problem] = []
    try:
        states = store.media.references.states(keys) if keys else {}
    except BucketFailed as error:
        said = f"{len(keys)} references could not be looked at: {error.message}"
        return [Problem("media-unreachable", "media", said, error.fix, facts={"references": len(keys)})]
    for key, state in states.items():
        said = "" if state == PRESENT else state
        try:
            if deep and not said:
                store.media.read(key, verify=True)
        except (MediaDamaged, MediaChanged, ReferenceGone, BucketFailed) as error:
            said = error.message
        if said:
            fix = "put the registered file back, mount its folder, or remove the samples"
            facts = {"key": key, "state": state}
            found.append(
                Problem("media-elsewhere", "media", f"reference {key[:16]}: {said}", fix, facts=facts)
            )
    return found


def _one_media(store: Store, sha256: str, n_bytes: int | None, *, deep: bool) -> Problem | None:
    facts = {"sha256": sha256, "n_bytes": n_bytes}
    fix = "`calotype repair --from FOLDER --yes` takes it from a backup or from the original images"
    stored = store.media.stored
    size = stored.n_bytes(sha256)
    if size is None:
        return Problem("media-missing", "media", f"no media {sha256[:16]}", fix, facts=facts)
    if n_bytes is not None and size != n_bytes:
        said = f"the stored bytes of media {sha256[:16]} are {size}, not {n_bytes}"
        return Problem("media-damaged", "media", said, fix, facts=facts)
    if deep and hashlib.sha256(stored.read(sha256)).hexdigest() != sha256:
        said = f"the stored bytes of media {sha256[:16]} do not match their hash"
        return Problem("media-damaged", "media", said, fix, facts=facts)
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def release_folder(store: Store, dataset: str, version: str) -> Path:
    """Where the files of a release lie."""
    return store.root / "releases" / dataset / version


def _release(store: Store, known: Known, one: ReleaseRow, *, deep: bool) -> Iterator[Problem]:
    """A folder that is not there at all may have been moved on purpose, or its writer died: build it again."""
    dataset = known.name(one.dataset_id)
    place = f"{dataset} release {one.version}"
    fix = f"`calotype releases {dataset} {one.version} --build` writes the same files again"
    if one.commit_id not in known.commits:
        said = f"its commit {one.commit_id[:12]} is not there"
        yield Problem("release-commit-missing", place, said, "restore the catalog from a backup")
    folder = release_folder(store, dataset, one.version)
    if not folder.is_dir():
        yield Problem("release-not-built", place, "its folder is not there", fix, Severity.UNTIDY)
        return
    fix = f"remove {os.path.relpath(folder, store.root)} and run `calotype releases {dataset} {one.version} --build`"
    for listed in one.files:
        path = folder / str(listed["path"])
        if not path.is_file():
            yield Problem("release-file-missing", place, f"{listed['path']} is not there", fix)
        elif path.stat().st_size != listed["bytes"] or (deep and _sha256(path) != listed["sha256"]):
            yield Problem("release-file-changed", place, f"{listed['path']} was changed", fix)


def _missing_tags(store: Store, known: Known) -> list[Problem]:
    """Versions of commits that no tag keeps; nothing is lost yet, but a foreign clean-up could take them."""
    found = []
    names: dict[str, dict[str, int]] = {}
    for made in known.commits.values():
        for table, pin in made.pins.items():
            full = f"{made.dataset_id}/{table}"
            if full not in names:
                names[full] = table_files.tags(store.tables, full)
            if f"c-{made.id[:32]}" not in names[full]:
                place = f"{known.name(made.dataset_id)}@{made.short}"
                facts = {"table": full, "version": pin, "tag": f"c-{made.id[:32]}"}
                fix = "`calotype repair --yes` tags it again"
                said = f"no tag keeps version {pin} of {table}"
                found.append(Problem("tag-missing", place, said, fix, Severity.UNTIDY, facts))
    return found
