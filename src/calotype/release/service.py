"""The verbs of releasing: freeze a tested version, list, build its files again, export, read it for
training.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from calotype.datasets import refs
from calotype.datasets import repository as dataset_rows
from calotype.datasets import service as datasets
from calotype.datasets.commits import MAIN, Commit
from calotype.datasets.edit import WorkingStateMoved
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import LabelSetNotFound, Snapshot, Where
from calotype.findings.gatekeeping import Gatekeeper, Verdict
from calotype.formats import registry
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress, silent
from calotype.release import build as building
from calotype.release import card, pixels, repository
from calotype.release.loader import SampleReader
from calotype.release.model import (
    Built,
    Exported,
    ImagesMode,
    ImagesModeUnknown,
    Release,
    ReleaseBlocked,
    ReleaseEmpty,
    ReleaseExists,
    ReleaseNotFound,
    Spec,
    Splitter,
    check_version,
)
from calotype.release.pixels import Pixels, ResizedReader, Size
from calotype.release.terms import check_purpose, clean_purpose
from calotype.store import Store

_TRIES = 3
_FOLDER = "releases"


def release(
    actor: Actor,
    name: str,
    version: str,
    *,
    store: Store,
    gatekeeper: Gatekeeper,
    splitter: Splitter,
    split: Mapping[str, float] | None = None,
    by: str | None = None,
    where: str | None = None,
    pool: Collection[str] | None = None,
    seed: int = 0,
    formats: Sequence[str] = ("coco",),
    label_set: str = DEFAULT_LABEL_SET,
    purpose: str = "",
    progress: Progress = silent,
) -> Release:
    """Freeze the working state of a branch as a version, if all its gates are green, and write its files.

    Order: splits (kept where there are any), the check of the whole state, a commit of pending edits, the
    files, then in one transaction the release, the tag `release/<version>` and the audit event. A blocked
    release leaves the splits it assigned and nothing else. Files go to
    `<workspace>/releases/<dataset>/<version>/`.

    Args:
        name: Dataset, or `dataset@branch`.
        where, pool: Release only these samples (a query, sample ids); gates judge the whole dataset all the
            same.
        purpose: What the release is for; one of the contract's `purposes` where it lists any.
    Raises: NotPermitted, VersionInvalid, ReleaseExists, PurposeInvalid, PurposeMissing, PurposeNotAllowed,
        ReleaseBlocked, ReleaseEmpty, FormatUnknown, QueryInvalid, FractionsInvalid, LabelSetNotFound,
        TargetNotEmpty, TargetNotWritable, WorkingStateMoved.
    """
    dataset, branch = refs.split_name(name)
    store.guard.require(actor, Permission.RELEASE_CREATE, dataset=dataset)
    check_version(version)
    spec = _spec(formats, label_set, where, pool, split, by, seed, purpose)
    _check_free(store, dataset, version)
    working = f"{dataset}@{branch.removesuffix('+') or MAIN}"
    check_purpose(datasets.read(actor, f"{working}+", store=store), version, spec.purpose)
    if split is not None:
        splitter(actor, name, split, store=store, by=by, seed=seed, where=where, pool=pool)
    frozen, commit, verdict = _freeze(actor, working, version, spec.purpose, store, gatekeeper)
    ids, at_us = _ids(frozen, spec), now_us()
    told = card.facts(frozen, commit, version, spec, ids, verdict, at_us)
    out = location(store, dataset, version)
    with building.aside(out) as (temporary, target):
        material = building.Material.of(frozen, ids, spec.label_set, media=store.media)
        made = building.release_into(temporary, material, told, spec.formats, progress=progress)
        done = Release(dataset, version, commit.id, spec, made.card, made.listed, at_us, actor.name)
        _record(actor, store, commit, done)
        building.into_place(temporary, target)
    return done


def releases(actor: Actor, name: str, *, store: Store) -> list[Release]:
    """The releases of a dataset, newest first. Raises: NotPermitted, DatasetNotFound."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        return repository.all_of(conn, refs.dataset(conn, dataset))


def get(actor: Actor, name: str, version: str, *, store: Store) -> Release:
    """One release. Raises: NotPermitted, DatasetNotFound, ReleaseNotFound."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        found = repository.one(conn, info, version)
        if found is None:
            known = ", ".join(one.version for one in repository.all_of(conn, info)[:20]) or "none"
            raise ReleaseNotFound(dataset=dataset, version=version[:80], known=known)
    return found


def location(store: Store, dataset: str, version: str) -> Path:
    """Where the files of a release lie unless another folder is named."""
    return store.root / _FOLDER / dataset / version


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
    """Write the files of a release again, byte for byte the same, into a folder that is not there or empty.

    `same` in the answer compares with the hashes of the day of the release (None when other formats are asked
    for).

    Raises: NotPermitted, ReleaseNotFound, FormatUnknown, TargetNotEmpty, TargetNotWritable, MediaMissing.
    """
    found = get(actor, name, version, store=store)
    store.guard.require(actor, Permission.EXPORT, dataset=found.dataset)
    wanted = found.spec.formats if formats is None else _known_formats(formats)
    snapshot = datasets.read(actor, f"{found.dataset}@{found.commit_id}", store=store)
    with building.aside(out or location(store, found.dataset, version)) as (temporary, target):
        material = building.Material.of(
            snapshot, _ids(snapshot, found.spec), found.spec.label_set, media=store.media
        )
        made = building.release_into(temporary, material, found.card, wanted, progress=progress)
        with store.catalog.write(actor, "release.build", subject=found.dataset) as tx:
            tx.details({"version": version, "formats": list(wanted), "files": len(made.every)})
        building.into_place(temporary, target)
    same = made.listed == found.files if wanted == found.spec.formats else None
    exports = tuple(building.placed(one, target / one.format) for one in made.exports)
    return Built(target, made.every, exports, same)


def export(
    actor: Actor,
    name: str,
    format: str,
    out: Path,
    *,
    store: Store,
    where: Where = None,
    label_set: str = DEFAULT_LABEL_SET,
    images: ImagesMode = "copy",
    progress: Progress = silent,
) -> Exported:
    """Write the samples of any state (`dataset@ref`) that match, in one format, into a folder not there or
    empty.

    Args:
        images: "copy" the images beside the labels, "link" them (second names for the same bytes; who writes into
            such a file damages the workspace), or write labels only with "none".
    Raises: NotPermitted, FormatUnknown, QueryInvalid, LabelSetNotFound, TargetNotEmpty, TargetNotWritable,
        ImagesModeUnknown.
    """
    if images not in ("copy", "link", "none"):
        raise ImagesModeUnknown(got=str(images)[:40])
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.EXPORT, dataset=dataset)
    _known_formats([format])
    snapshot = datasets.read(actor, name, store=store)
    _check_label_set(snapshot, label_set)
    ids = snapshot.ids(where, label_set=label_set)
    with building.aside(out) as (temporary, target):
        material = building.Material.of(snapshot, ids, label_set, media=store.media, images=images)
        made = building.export_into(temporary, material, format, progress=progress)
        with store.catalog.write(actor, "release.export", subject=dataset) as tx:
            state = {"ref": snapshot.ref, "commit": snapshot.commit_id, "label_set": label_set}
            tx.details({**state, "format": format, "samples": made.samples, "annotations": made.annotations})
        building.into_place(temporary, target)
    return building.placed(made, target)


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
    """Images and annotations of one split of a release (all of it without a split) as NumPy arrays.

    Args:
        size_wh: Images of this size (width, height in pixels) and boxes to match, from pixels that were made before by
            `materialise` or are made now.
    Raises: NotPermitted, ReleaseNotFound, SplitNotFound, and with a size what `materialise` raises.
    """
    found, snapshot, ids = _frozen(actor, name, version, store)
    labels = label_set or found.spec.label_set
    if size_wh is None:
        return SampleReader(snapshot, split, labels, ids=ids)
    made = pixels.materialise(snapshot, size_wh, _pixels_folder(store), ids=ids, progress=progress)
    return ResizedReader(snapshot, made, split, labels, ids=ids)


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

    They lie below the workspace's `cache/`, 3 bytes a pixel, and may be deleted. What is there whole is not made again.

    Args:
        deep: Hash what is there before it is trusted.
    Raises: NotPermitted, ReleaseNotFound, SizeInvalid, TargetNotWritable, MediaMissing, ImageUnreadable.
    """
    _, snapshot, ids = _frozen(actor, name, version, store)
    return pixels.materialise(snapshot, size_wh, _pixels_folder(store), ids=ids, deep=deep, progress=progress)


def _frozen(
    actor: Actor, name: str, version: str, store: Store
) -> tuple[Release, Snapshot, Sequence[str] | None]:
    found = get(actor, name, version, store=store)
    snapshot = datasets.read(actor, f"{found.dataset}@{found.commit_id}", store=store)
    return found, snapshot, _ids(snapshot, found.spec)


def _pixels_folder(store: Store) -> Path:
    return store.folder / "cache" / "training"


def _spec(
    formats: Sequence[str],
    label_set: str,
    where: str | None,
    pool: Collection[str] | None,
    split: Mapping[str, float] | None,
    by: str | None,
    seed: int,
    purpose: str,
) -> Spec:
    chosen = None if pool is None else tuple(sorted(set(pool)))
    shares = None if split is None else dict(split)
    wanted = _known_formats(formats)
    return Spec(wanted, label_set, where or "", chosen, shares, by, seed, clean_purpose(purpose))


def _known_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """Without repeats, each one known. Raises: FormatUnknown."""
    return tuple(dict.fromkeys(registry.writer(name).name for name in formats))


def _check_free(store: Store, dataset: str, version: str) -> None:
    with store.catalog.read() as conn:
        if repository.taken(conn, refs.dataset(conn, dataset), version):
            raise ReleaseExists(dataset=dataset, version=version)
    building.check_target(location(store, dataset, version))


def _freeze(
    actor: Actor, branch: str, version: str, purpose: str, store: Store, gatekeeper: Gatekeeper
) -> tuple[Snapshot, Commit, Verdict]:
    """The commit that holds exactly what the gates were green for."""
    dataset, _ = refs.split_name(branch)
    for _ in range(_TRIES):
        working = datasets.read(actor, f"{branch}+", store=store)
        check_purpose(working, version, purpose)  # the contract may have changed since
        verdict = gatekeeper(actor, f"{branch}+")
        _check_gates(dataset, version, verdict)
        try:
            datasets.commit(actor, branch, f"release {version}: freeze", store=store)
        except datasets.NothingToCommit:
            if not working.pins:
                raise ReleaseEmpty(dataset=dataset) from None
        frozen = datasets.read(actor, branch, store=store)
        if frozen.state_sha256 == working.state_sha256 and frozen.commit_id is not None:
            with store.catalog.read() as conn:
                commit = dataset_rows.commit(conn, frozen.commit_id)
            if commit is not None:
                return datasets.read(actor, f"{dataset}@{commit.id}", store=store), commit, verdict
    raise WorkingStateMoved(dataset=dataset, tries=_TRIES)


def _check_gates(dataset: str, version: str, verdict: Verdict) -> None:
    shut = [gate for gate in verdict.gates if gate.blocks]
    if not shut:
        return
    said = []
    for gate in shut:
        seen = f" (first samples: {', '.join(gate.samples[:5])})" if gate.samples else ""
        said.append(f"gate {gate.name} is {gate.state}" + (f": {gate.detail}" if gate.detail else "") + seen)
    remedies = list(dict.fromkeys(gate.fix for gate in shut if gate.fix))
    remedies = remedies or [f"see `calotype check {dataset}`, correct what it lists, and release again"]
    raise ReleaseBlocked(
        where=f"dataset {dataset}",
        dataset=dataset,
        version=version,
        gates="; ".join(said),
        remedies="; ".join(remedies),
        blocked=[gate.to_card() | {"samples": list(gate.samples)} for gate in shut],
    )


def _ids(snapshot: Snapshot, spec: Spec) -> list[str]:
    """The samples of a release, by name. Raises: ReleaseEmpty, LabelSetNotFound, QueryInvalid."""
    _check_label_set(snapshot, spec.label_set)
    ids = snapshot.ids(spec.where or None, label_set=spec.label_set)
    if spec.pool is not None:
        chosen = set(spec.pool)
        ids = [sample_id for sample_id in ids if sample_id in chosen]
    if not ids:
        raise ReleaseEmpty(dataset=snapshot.dataset.name)
    return ids


def _check_label_set(snapshot: Snapshot, label_set: str) -> None:
    if label_set not in snapshot.label_sets and label_set != DEFAULT_LABEL_SET:
        known = ", ".join(snapshot.label_sets) or DEFAULT_LABEL_SET
        raise LabelSetNotFound(dataset=snapshot.dataset.name, got=label_set[:80], known=known)


def _record(actor: Actor, store: Store, commit: Commit, done: Release) -> None:
    with store.catalog.write(actor, "release.create", subject=done.dataset) as tx:
        info = refs.dataset(tx.conn, done.dataset)
        if repository.taken(tx.conn, info, done.version):
            raise ReleaseExists(dataset=done.dataset, version=done.version)
        repository.add(tx.conn, info, commit, done)
        told = {"version": done.version, "commit": commit.id, "samples": done.card["samples"]}
        tx.details({**told, "purpose": done.spec.purpose} if done.spec.purpose else told)
