"""The verb of this room: import annotations from label files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from calotype.acquire import quarantine
from calotype.acquire.intake import check_media_mode
from calotype.acquire.job import ImportJob
from calotype.acquire.labels.importer import LabelImport
from calotype.acquire.labels.model import (
    COUNTS,
    POLICIES,
    Imported,
    ImportNotClean,
    ImportOptions,
    PolicyUnknown,
)
from calotype.datasets import refs
from calotype.exchange import registry
from calotype.exchange.inspection import check_images_folder
from calotype.exchange.registry import Detected
from calotype.formats.base import LabelSource
from calotype.formats.notices import INFORMATION
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress, silent
from calotype.foundation.verbs import verb
from calotype.store import Store
from calotype.store.catalog.text_limits import escape_unstorable

_DEFAULTS = ImportOptions()


@verb
def import_annotations(
    actor: Actor,
    name: str,
    path: Path,
    options: ImportOptions = _DEFAULTS,
    *,
    store: Store,
    progress: Progress = silent,
) -> Imported:
    """Import label files, and the images that they list, into a dataset (`name` or `name@branch`).

    Importing the same file again changes nothing. A newer edition of it replaces what the file gave before, by the ids
    of annotations or, where the format has none, by image and content; what people changed since is kept. Samples and
    annotations are one atomic edit; only the first of more than 1,024 images are written before, in resumable chunks.

    Raises: NotPermitted, DatasetNotFound, FormatUnknown, LabelFileUnreadable, UnknownClasses, ItemsInvalid,
        FileUnreadable, NothingToImport, ImportNotClean, PolicyUnknown, MediaModeUnknown.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    for option, policy in (("--on-unknown", options.on_unknown), ("--on-invalid", options.on_invalid)):
        if policy not in POLICIES:
            raise PolicyUnknown(option=option, got=policy)
    check_media_mode(options.media)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
    started_us = now_us()
    auto = options.format == "auto"
    detected = registry.detect(path) if auto else registry.given(path, options.format)
    file = escape_unstorable(path.name)
    origin = options.origin or os.path.realpath(path)
    import_id = quarantine.import_id(info.id, f"labels:{options.label_set}", origin)
    check_images_folder(options.images)
    job = ImportJob(actor, name, store, import_id, "images.import", options.on_invalid, progress)
    sources = detected.format.open(path, images=options.images, progress=progress)
    if options.strict and not options.dry_run:
        rehearsed = _run(job, sources, replace(options, dry_run=True), detected, file)
        check_clean(rehearsed, file)
        sources = detected.format.open(path, images=options.images, progress=progress)
    imported = _run(job, sources, options, detected, file)
    if not options.dry_run:
        _register(job, info.id, file, imported, started_us)
    elif options.strict:
        check_clean(imported, file)
    return imported


def _run(
    job: ImportJob, sources: Sequence[LabelSource], options: ImportOptions, detected: Detected, file: str
) -> Imported:
    label_import = LabelImport(job, sources, options, detected)
    label_import.check_items()
    label_import.check_classes(job.working_state().ontology)
    label_import.import_images()
    if options.dry_run:
        label_import.rehearse(file)
    else:
        label_import.import_annotations(file)
    return label_import.report()


def check_clean(imported: Imported, file: str) -> None:
    """Refuse files of which something would be left out or adjusted. Raises: ImportNotClean."""
    lines = [f"{count} x {code}" for code, count in imported.reasons.items()]
    places = [item.place for item in imported.set_aside]
    for notice in imported.warnings:
        if notice.code not in INFORMATION:
            lines.append(f"{notice.count} x {notice.code}")
            places += notice.examples
    for loss in imported.losses:
        lines.append(f"{loss.count} x {loss.what}")
        places += loss.examples
    if lines:
        raise ImportNotClean(where=places[0] if places else "", file=file, detail="; ".join(lines))


def _register(job: ImportJob, dataset_id: str, file: str, imported: Imported, started_us: int) -> None:
    record = quarantine.ImportRecord(
        job.import_id,
        "labels",
        file,
        imported.format,
        imported.label_set,
        {name: getattr(imported, name) for name in COUNTS},
        [loss.what for loss in imported.losses],
        job.actor.name,
        started_us,
        now_us(),
    )
    with job.store.catalog.bookkeeping() as conn:
        quarantine.register(conn, dataset_id, record)
