"""Release verbs: release a tested version, list releases, rebuild their files, export, read for training."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from calotype.datasets import refs
from calotype.datasets import repository as dataset_rows
from calotype.datasets import service as datasets
from calotype.datasets.commits import MAIN, Commit
from calotype.datasets.edit import WorkingStateMoved
from calotype.datasets.snapshot import Snapshot
from calotype.exchange.output_folder import (
    check_target,
    move_into_place,
    put_into_place,
    staging_folder,
)
from calotype.findings.gatekeeping import Gatekeeper, Verdict
from calotype.foundation.actor import Actor, Circumstances, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.durable import fsync_everything
from calotype.foundation.progress import Progress, silent
from calotype.foundation.verbs import Elsewhere, verb
from calotype.release import pixels, repository
from calotype.release.build import (
    ExportSource,
    is_unrecorded,
    write_release,
)
from calotype.release.card import create_card
from calotype.release.exporting import check_label_set, export, known_formats, may_export, record_export
from calotype.release.loader import SampleReader
from calotype.release.model import (
    Built,
    Plan,
    Release,
    ReleaseBlocked,
    ReleaseEmpty,
    ReleaseExists,
    ReleaseNotFound,
    ReleaseSpec,
    ReleaseUncommitted,
    Splitter,
    check_version,
)
from calotype.release.pixels import Pixels, ResizedReader, Size
from calotype.release.plan import plan as plan_of
from calotype.release.plan import since_previous
from calotype.release.terms import check_purpose, clean_purpose
from calotype.store import Store

__all__ = [
    "build",
    "export",
    "get",
    "location",
    "materialise",
    "may_export",
    "place_of",
    "plan",
    "reader",
    "record_export",
    "release",
    "releases",
]

MAX_ATTEMPTS = 3
_FOLDER = "releases"


@verb
def release(
    actor: Actor,
    name: str,
    version: str,
    spec: ReleaseSpec,
    *,
    store: Store,
    gatekeeper: Gatekeeper,
    splitter: Splitter,
    progress: Progress = silent,
) -> Release:
    """Release the working state of a branch as a version if all its gates are green, and write its files.

    In this order: assign splits (existing ones stay), check the whole state, commit pending edits, write the
    files, then record the release with its files in place, the tag `release/<version>` and the audit event in one
    transaction. A blocked release leaves the splits that it assigned and nothing else. The files go to
    `<workspace>/releases/<dataset>/<version>/`.

    Args:
        name: Dataset, or `dataset@branch`.
        spec: What to release; gates always judge the whole dataset.
    Raises: NotPermitted, VersionInvalid, ReleaseExists, ReleaseUncommitted, PurposeInvalid, PurposeMissing,
        PurposeNotAllowed, ReleaseBlocked, ReleaseEmpty, ExportNotReadable, FormatUnknown, QueryInvalid,
        FractionsInvalid, LabelSetNotFound, TargetNotEmpty, TargetNotWritable, WorkingStateMoved.
    """
    dataset, branch = refs.split_name(name)
    store.guard.require(actor, Permission.RELEASE_CREATE, dataset=dataset)
    check_version(version)
    spec = _normalised(spec)
    _check_version_free(store, dataset, version)
    stated = Circumstances(part="release", purpose=spec.purpose)
    store.guard.require(actor, Permission.RELEASE_CREATE, dataset=dataset, circumstances=stated)
    branch_ref = f"{dataset}@{branch.removesuffix('+') or MAIN}"
    check_purpose(datasets.read(actor, f"{branch_ref}+", store=store), version, spec.purpose)
    if not spec.uncommitted:
        _check_committed(actor, branch_ref, version, store)
    if spec.split is not None:
        splitter(actor, name, spec, store=store)
    snapshot, commit, verdict = _commit_checked_state(
        actor, branch_ref, version, spec.purpose, store, gatekeeper
    )
    ids, released_us = _sample_ids(snapshot, spec), now_us()
    since = since_previous(actor, dataset, commit.id, store=store)
    card = create_card(snapshot, commit, version, spec, ids, verdict, released_us, since)
    with staging_folder(location(store, dataset, version)) as (staging, target):
        source = ExportSource.of(snapshot, ids, spec.label_set, media=store.media)
        files = write_release(staging, source, card, spec.formats, progress=progress)
        created = Release(
            dataset, version, commit.id, spec, files.card, files.listed, released_us, actor.name
        )
        fsync_everything(staging)
        _record(actor, store, commit, created, staging, target)
    return created


@verb
def plan(actor: Actor, name: str, *, store: Store) -> Plan:
    """What a release of the working state of a branch would hold: uncommitted changes, and the difference from the
    release before.

    Raises: NotPermitted, DatasetNotFound, RefNotFound.
    """
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    return plan_of(actor, name, store=store)


@verb
def releases(actor: Actor, name: str, *, store: Store) -> list[Release]:
    """The releases of a dataset, newest first. Raises: NotPermitted, DatasetNotFound."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        return repository.list_all(conn, refs.dataset(conn, dataset))


@verb
def get(actor: Actor, name: str, version: str, *, store: Store) -> Release:
    """One release. Raises: NotPermitted, DatasetNotFound, ReleaseNotFound."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        existing = repository.get(conn, info, version)
        if existing is None:
            known = ", ".join(item.version for item in repository.list_all(conn, info)[:20]) or "none"
            raise ReleaseNotFound(dataset=dataset, version=version[:80], known=known)
    return existing


def place_of(store: Store, dataset: str, version: str) -> str:
    """Where a release's files are, in words: their folder, or the server that has them."""
    return str(store) if isinstance(store, Elsewhere) else str(location(store, dataset, version))


def location(store: Store, dataset: str, version: str) -> Path:
    """The default folder of a release's files."""
    return store.root / _FOLDER / dataset / version


@verb(here="it writes into folders of that machine")
def build(
    actor: Actor,
    name: str,
    version: str,
    *,
    store: Store,
    out: Path | None = None,
    formats: Sequence[str] | None = None,
    progress: Progress = silent,
) -> Built:
    """Rebuild the files of a release, byte for byte, into a folder that is new or empty.

    `Built.same` compares the files with the hashes recorded at the release; it is None if `formats` differ.

    Raises: NotPermitted, ReleaseNotFound, FormatUnknown, TargetNotEmpty, TargetNotWritable, MediaMissing.
    """
    existing = get(actor, name, version, store=store)
    store.guard.require(actor, Permission.EXPORT, dataset=existing.dataset)
    spec = existing.spec
    wanted = spec.formats if formats is None else known_formats(formats)
    snapshot = datasets.read(actor, f"{existing.dataset}@{existing.commit_id}", store=store)
    with staging_folder(out or location(store, existing.dataset, version)) as (staging, target):
        ids = _sample_ids(snapshot, spec)
        source = ExportSource.of(snapshot, ids, spec.label_set, media=store.media)
        files = write_release(staging, source, existing.card, wanted, progress=progress)
        with store.catalog.write(actor, "release.build", subject=existing.dataset) as tx:
            tx.details({"version": version, "formats": list(wanted), "files": len(files.all)})
        move_into_place(staging, target)
    same = files.listed == existing.files if wanted == spec.formats else None
    exports = tuple(replace(export, out=target / export.format) for export in files.exports)
    return Built(target, files.all, exports, same)


def reader(
    actor: Actor,
    name: str,
    version: str,
    split: str | None = None,
    *,
    store: Store,
    label_set: str | None = None,
    size_wh: Size | None = None,
    progress: Progress = silent,
) -> SampleReader:
    """Read the images and annotations of a split (None: all samples) of a release as NumPy arrays.

    Args:
        size_wh: Resize images to this size (width, height in pixels) and scale boxes to match. Uses the pixels that
            `materialise` has prepared, or prepares them now.
    Raises: NotPermitted, ReleaseNotFound, SplitNotFound; with a size also what `materialise` raises.
    """
    existing, snapshot, ids = _released_state(actor, name, version, store)
    labels = label_set or existing.spec.label_set
    if size_wh is None:
        return SampleReader(snapshot, split, labels, ids=ids)
    resized = pixels.materialise(snapshot, size_wh, _pixels_folder(store), ids=ids, progress=progress)
    return ResizedReader(snapshot, resized, split, labels, ids=ids)


def materialise(
    actor: Actor,
    name: str,
    version: str,
    size_wh: Size,
    *,
    store: Store,
    deep: bool = False,
    progress: Progress = silent,
) -> Pixels:
    """Decode and resize all images of a release once, for readers of that size.

    The pixels are kept in the workspace's `cache/` folder, 3 bytes a pixel, and may be deleted. Complete ones are
    reused.

    Args:
        deep: Verify the hashes of existing pixels before reusing them.
    Raises: NotPermitted, ReleaseNotFound, SizeInvalid, TargetNotWritable, MediaMissing, ImageUnreadable.
    """
    _, snapshot, ids = _released_state(actor, name, version, store)
    return pixels.materialise(snapshot, size_wh, _pixels_folder(store), ids=ids, deep=deep, progress=progress)


def _released_state(
    actor: Actor, name: str, version: str, store: Store
) -> tuple[Release, Snapshot, Sequence[str] | None]:
    existing = get(actor, name, version, store=store)
    snapshot = datasets.read(actor, f"{existing.dataset}@{existing.commit_id}", store=store)
    return existing, snapshot, _sample_ids(snapshot, existing.spec)


def _pixels_folder(store: Store) -> Path:
    return store.folder / "cache" / "training"


def _normalised(spec: ReleaseSpec) -> ReleaseSpec:
    """The spec as it is recorded: known formats, sorted ids, a clean purpose."""
    return replace(
        spec,
        formats=known_formats(spec.formats),
        pool=None if spec.pool is None else tuple(sorted(set(spec.pool))),
        split=None if spec.split is None else dict(spec.split),
        purpose=clean_purpose(spec.purpose),
    )


def _check_version_free(store: Store, dataset: str, version: str) -> None:
    with store.catalog.read() as conn:
        if repository.exists(conn, refs.dataset(conn, dataset), version):
            raise ReleaseExists(dataset=dataset, version=version)
    target = location(store, dataset, version)
    if is_unrecorded(target, dataset, version):
        with store.catalog.bookkeeping() as conn:  # a release that is being recorded holds this lock
            if not repository.exists(conn, refs.dataset(conn, dataset), version):
                shutil.rmtree(target)
    check_target(target)


def _check_committed(actor: Actor, branch: str, version: str, store: Store) -> None:
    changes = datasets.uncommitted(actor, branch, store=store)
    if changes is not None:
        dataset, _ = refs.split_name(branch)
        raise ReleaseUncommitted(dataset=dataset, version=version, changes=str(changes))


def _commit_checked_state(
    actor: Actor, branch: str, version: str, purpose: str, store: Store, gatekeeper: Gatekeeper
) -> tuple[Snapshot, Commit, Verdict]:
    """Check the working state and commit exactly the state that passed its gates."""
    dataset, _ = refs.split_name(branch)
    for _ in range(MAX_ATTEMPTS):
        working = datasets.read(actor, f"{branch}+", store=store)
        check_purpose(working, version, purpose)  # the contract may have changed meanwhile
        verdict = gatekeeper(actor, f"{branch}+")
        _check_gates(dataset, version, verdict)
        try:
            datasets.commit(actor, branch, f"release {version}: freeze", store=store)
        except datasets.NothingToCommit:
            if not working.pins:
                raise ReleaseEmpty(dataset=dataset) from None
        committed = datasets.read(actor, branch, store=store)
        if committed.state_sha256 == working.state_sha256 and committed.commit_id is not None:
            with store.catalog.read() as conn:
                commit = dataset_rows.commit(conn, committed.commit_id)
            if commit is not None:
                return datasets.read(actor, f"{dataset}@{commit.id}", store=store), commit, verdict
    raise WorkingStateMoved(dataset=dataset, tries=MAX_ATTEMPTS)


def _check_gates(dataset: str, version: str, verdict: Verdict) -> None:
    blocking = [gate for gate in verdict.gates if gate.blocks]
    if not blocking:
        return
    reasons = []
    for gate in blocking:
        detail = f": {gate.detail}" if gate.detail else ""
        samples = f" (first samples: {', '.join(gate.samples[:5])})" if gate.samples else ""
        reasons.append(f"gate {gate.name} is {gate.state}{detail}{samples}")
    remedies = list(dict.fromkeys(gate.fix for gate in blocking if gate.fix))
    remedies = remedies or [f"run `calotype check {dataset}`, correct what it lists, and release again"]
    raise ReleaseBlocked(
        where=f"dataset {dataset}",
        dataset=dataset,
        version=version,
        gates="; ".join(reasons),
        remedies="; ".join(remedies),
        blocked=[gate.to_card() | {"samples": list(gate.samples)} for gate in blocking],
    )


def _sample_ids(snapshot: Snapshot, spec: ReleaseSpec) -> list[str]:
    """Ids of the samples to release, by name. Raises: ReleaseEmpty, LabelSetNotFound, QueryInvalid."""
    check_label_set(snapshot, spec.label_set)
    ids = snapshot.ids(spec.where or None, label_set=spec.label_set)
    if spec.pool is not None:
        chosen = set(spec.pool)
        ids = [sample_id for sample_id in ids if sample_id in chosen]
    if not ids:
        raise ReleaseEmpty(dataset=snapshot.dataset.name)
    return ids


def _record(
    actor: Actor, store: Store, commit: Commit, created: Release, staging: Path, target: Path
) -> None:
    """Put the files in place and record the release, under the write lock.

    If recording fails the files stay: whether a failed commit was stored shows only when the catalog is opened again.
    The next release of the version removes files that are not recorded.
    """
    with store.catalog.write(actor, "release.create", subject=created.dataset) as tx:
        info = refs.dataset(tx.conn, created.dataset)
        if repository.exists(tx.conn, info, created.version):
            raise ReleaseExists(dataset=created.dataset, version=created.version)
        repository.add(tx.conn, info, commit, created)
        details = {"version": created.version, "commit": commit.id, "samples": created.card["samples"]}
        tx.details({**details, "purpose": created.spec.purpose} if created.spec.purpose else details)
        put_into_place(staging, target)
