"""The verb of this room: import annotations from label files."""

from __future__ import annotations

import os
from pathlib import Path

from calotype.acquire import quarantine
from calotype.acquire.intake import check_media_mode
from calotype.acquire.job import ImportJob
from calotype.acquire.labels.importer import LabelImport
from calotype.acquire.labels.model import POLICIES, Imported, ImportOptions, PolicyUnknown
from calotype.datasets import refs
from calotype.exchange import registry
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.store.catalog.text_limits import escape_unstorable

_DEFAULTS = ImportOptions()
_COUNTS = ("samples", "annotations", "added", "updated", "unchanged", "skipped")


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

    Importing the same file again changes nothing; a newer edition of it updates the annotations it recognises by their
    ids in the file. The images are imported first, in resumable chunks; all annotations follow as one atomic edit.

    Raises: NotPermitted, DatasetNotFound, FormatUnknown, LabelFileUnreadable, UnknownClasses, ItemsInvalid,
        FileUnreadable, NothingToImport, PolicyUnknown, MediaModeUnknown.
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
    job = ImportJob(actor, name, store, import_id, "images.import", options.on_invalid, progress)
    sources = detected.format.open(path, images=options.images, progress=progress)
    label_import = LabelImport(job, sources, options, detected)
    label_import.check_items()
    label_import.check_classes(job.working_state().ontology)
    label_import.import_images()
    label_import.import_annotations(file)
    imported = label_import.report()
    _register(job, info.id, file, imported, started_us)
    return imported


def _register(job: ImportJob, dataset_id: str, file: str, imported: Imported, started_us: int) -> None:
    record = quarantine.ImportRecord(
        job.import_id,
        "labels",
        file,
        imported.format,
        imported.label_set,
        {name: getattr(imported, name) for name in _COUNTS},
        [loss.what for loss in imported.losses],
        job.actor.name,
        started_us,
        now_us(),
    )
    with job.store.catalog.bookkeeping() as conn:
        quarantine.register(conn, dataset_id, record)
