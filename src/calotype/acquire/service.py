"""The verb of this room: add images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from calotype.acquire import quarantine
from calotype.acquire.folders import FoundFiles, find_images
from calotype.acquire.intake import check_media_mode, copy_images
from calotype.acquire.intake_bucket import inspect_bucket
from calotype.acquire.intake_reference import inspect_files, known_references, register_images
from calotype.acquire.job import ImportJob
from calotype.acquire.model import Added, BucketByReferenceOnly, ImageOptions
from calotype.acquire.quarantine import QuarantinedItem
from calotype.acquire.sample_matcher import IntakeResult
from calotype.datasets import refs
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.foundation.progress import Progress, silent
from calotype.foundation.verbs import verb
from calotype.store import Store
from calotype.store.catalog.text_limits import escape_unstorable
from calotype.store.media.remote_objects import is_remote

_DEFAULTS = ImageOptions()


@verb
def add(
    actor: Actor,
    name: str,
    paths: Sequence[Path | str],
    options: ImageOptions = _DEFAULTS,
    *,
    store: Store,
    progress: Progress = silent,
) -> Added:
    """Add image files and folders, or folders of buckets, to a dataset (`name` or `name@branch`).

    Bytes that the dataset has already under another name add the name to their sample. Running it again changes
    nothing; a file of the same folder whose bytes changed replaces the image of its sample.

    Args:
        paths: Paths, or addresses `s3://bucket/folder` of buckets, whose images can only be registered by reference.
    Raises: NotPermitted, DatasetNotFound, PathNotFound, FileUnreadable, MediaModeUnknown, BucketByReferenceOnly,
        BucketUrlInvalid, BucketFailed.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    check_media_mode(options.media)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
    places = _places(paths, options)
    files_of = [None if isinstance(place, str) else find_images(place) for place in places]
    total, ignored, run_id = IntakeResult(), 0, uuid7()
    for place, files in zip(places, files_of, strict=True):
        started_us = now_us()
        root = place if isinstance(place, str) else os.path.realpath(place)
        import_id = quarantine.import_id(info.id, "images", root)
        job = ImportJob(actor, name, store, import_id, "images.add", options.on_invalid, progress, run_id)
        result, n_others = _add_place(job, str(place), files, options)
        _register(job, info.id, options.source or PurePosixPath(root).name, result, started_us)
        ignored += n_others
        total.added += result.added
        total.duplicates += result.duplicates
        total.unchanged += result.unchanged
        total.changed += result.changed
        total.quarantined.extend(result.quarantined)
    return Added.of(total, ignored)


@verb
def quarantined(actor: Actor, name: str, *, store: Store, limit: int = 1_000) -> list[QuarantinedItem]:
    """The quarantine of a dataset, newest first. Raises: NotPermitted, DatasetNotFound."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
    return quarantine.quarantined_items(store, info.id, limit=limit)


def _places(paths: Sequence[Path | str], options: ImageOptions) -> list[Path | str]:
    """Addresses of buckets as texts, everything else as paths."""
    places = [path.rstrip("/") if isinstance(path, str) and is_remote(path) else Path(path) for path in paths]
    for place in places:
        if isinstance(place, str) and options.media != "reference":
            raise BucketByReferenceOnly(url=place)
    return places


def _add_place(
    job: ImportJob, place: str, files: FoundFiles | None, options: ImageOptions
) -> tuple[IntakeResult, int]:
    """Import the images of one place (a bucket where `files` is None); also the number of other files."""
    if files is not None and options.media != "reference":
        images = files.incoming(source=options.source, licence=options.licence, tags=options.tags)
        link = options.media == "link"
        result = copy_images(job, images, len(images), link=link, unreadable=files.unreadable)
        return result, files.ignored
    known = known_references(job.working_state())
    if files is None:
        referenced, bad, ignored = inspect_bucket(job.store.media.references.remote, place, known=known)
    else:
        referenced, bad = inspect_files(files.files, known=known)
        ignored = files.ignored
        bad += files.unreadable
    referenced.describe(licence=options.licence, tags=tuple(options.tags), source=options.source)
    return register_images(job, referenced.parts(bad), len(referenced)).counts, ignored


def _register(job: ImportJob, dataset_id: str, title: str, result: IntakeResult, started_us: int) -> None:
    counts = {"added": result.added, "duplicates": result.duplicates, "unchanged": result.unchanged}
    counts |= {"changed": result.changed, "quarantined": len(result.quarantined)}
    title, actor = escape_unstorable(title), job.actor.name
    record = quarantine.ImportRecord(
        job.import_id, "images", title, "images", "", counts, [], actor, started_us, now_us()
    )
    with job.store.catalog.bookkeeping() as conn:
        quarantine.register(conn, dataset_id, record)
