"""Exports: any state in one format, and the record of who exported what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import LabelSetNotFound, Snapshot
from calotype.exchange import registry
from calotype.exchange.output_folder import check_images_mode, move_export_into_place, staging_folder
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.progress import Progress, silent
from calotype.foundation.verbs import verb
from calotype.release.build import ExportSource, write_export
from calotype.release.model import Exported, ExportSpec
from calotype.store import Store

EXPORT_FACTS = ("ref", "commit", "label_set", "format", "samples", "annotations")
"""What the audit trail records of an export."""


def export(
    actor: Actor, name: str, spec: ExportSpec, out: Path, *, store: Store, progress: Progress = silent
) -> Exported:
    """Write the matching samples of any state (`dataset@ref`) in one format, into a folder that is new or empty.

    Raises: NotPermitted, FormatUnknown, QueryInvalid, LabelSetNotFound, TargetNotEmpty, TargetNotWritable,
        ImagesModeUnknown.
    """
    check_images_mode(str(spec.images))
    known_formats([spec.format])
    may_export(actor, name, store=store)
    snapshot = datasets.read(actor, name, store=store)
    check_label_set(snapshot, spec.label_set)
    ids = snapshot.ids(spec.where, label_set=spec.label_set)
    with staging_folder(out) as (staging, target):
        source = ExportSource.of(
            snapshot, ids, spec.label_set, media=snapshot.media, images=spec.images, rehearsal=spec.dry_run
        )
        elsewhere = snapshot.media.elsewhere
        if elsewhere is not None and spec.images != "none" and not spec.dry_run:
            elsewhere.prepare((sample.media_sha256 for sample in source.samples), progress)
        exported = write_export(staging, source, spec.format, progress=progress)
        if spec.dry_run:
            return replace(exported, out=target)
        state = {"ref": snapshot.ref, "commit": snapshot.commit_id, "label_set": spec.label_set}
        counts = {"samples": exported.samples, "annotations": exported.annotations}
        details = {**state, "format": spec.format, **counts}
        record_export(actor, name, details, store=store)
        move_export_into_place(staging, target)
    return replace(exported, out=target)


@verb
def may_export(actor: Actor, name: str, *, store: Store) -> None:
    """Whether the actor may export a dataset. Raises: NotPermitted."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.EXPORT, dataset=dataset)


@verb
def record_export(actor: Actor, name: str, details: Mapping[str, Any], *, store: Store) -> None:
    """Record in the audit trail what an export wrote, before it is put into place. Raises: NotPermitted."""
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.EXPORT, dataset=dataset)
    known = {key: value for key, value in details.items() if key in EXPORT_FACTS}
    store.catalog.record_reading(actor, "release.export", subject=dataset, details=known)


def known_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """The formats without repeats. Raises: FormatUnknown."""
    return tuple(dict.fromkeys(registry.writer(name).name for name in formats))


def check_label_set(snapshot: Snapshot, label_set: str) -> None:
    if label_set not in snapshot.label_sets and label_set != DEFAULT_LABEL_SET:
        known = ", ".join(snapshot.label_sets) or DEFAULT_LABEL_SET
        raise LabelSetNotFound(dataset=snapshot.dataset.name, got=label_set[:80], known=known)
