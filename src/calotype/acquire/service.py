"""The verb of this room: add images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calotype.acquire.folders import Found, find
from calotype.acquire.model import Added
from calotype.datasets import refs, setting_aside
from calotype.datasets.intake import MediaMode, check_media_mode, take_in
from calotype.datasets.intake_reference import look_at, looked_before, refer_to
from calotype.datasets.reading import read
from calotype.datasets.settling import Intake
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress, silent
from calotype.store import Store


def add(
    actor: Actor, name: str, paths: Sequence[Path], *, store: Store, source: str = "", licence: str = "",
    tags: Sequence[str] = (), on_invalid: str = "quarantine", media: MediaMode = "copy", progress: Progress = silent,
) -> Added:  # fmt: skip
    """Add image files and folders to a dataset (`name` or `name@branch`).

    Bytes that the dataset has already under another name add that name to their sample. Running it again changes
    nothing; a file of the same folder whose bytes changed replaces the image of its sample.

    Args:
        source: Where they come from, e.g. a camera; kept on each sample.
        licence: An SPDX identifier or a name; kept on each sample.
        on_invalid: What to do with files that are no whole images: "quarantine", "skip" or "error".
        media: "copy" the bytes into the workspace, "link" the files into it (a second name for the same bytes; who
            writes into such a file damages the workspace), or register them by "reference" where they lie.
    Raises: NotPermitted, DatasetNotFound, PathNotFound, FileUnreadable, MediaModeUnknown.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    check_media_mode(media)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
    found = [find(path, source=source, licence=licence, tags=tuple(tags)) for path in paths]
    total = Intake()
    for path, files in zip(paths, found, strict=True):
        started = now_us()
        root = str(path.resolve())
        import_id = setting_aside.import_id(info.id, "images", root)
        took = _take(
            actor, name, files, import_id, store, source=source, licence=licence, tags=tuple(tags),
            on_invalid=on_invalid, media=media, progress=progress,
        )  # fmt: skip
        _register(actor, store, info.id, import_id, path, source, took, started)
        total.added += took.added
        total.duplicates += took.duplicates
        total.unchanged += took.unchanged
        total.changed += took.changed
        total.quarantined.extend(took.quarantined)
    return Added(
        total.added,
        total.duplicates,
        total.unchanged,
        total.changed,
        len(total.quarantined),
        sum(files.ignored for files in found),
        tuple(total.quarantined),
    )


def _take(
    actor: Actor, name: str, files: Found, import_id: str, store: Store, *, source: str, licence: str,
    tags: tuple[str, ...], on_invalid: str, media: MediaMode, progress: Progress,
) -> Intake:  # fmt: skip
    """The images of one path."""
    if media != "reference":
        return take_in(
            actor, name, files.images, import_id=import_id, store=store, verb="images.add", on_invalid=on_invalid,
            link=media == "link", progress=progress,
        )  # fmt: skip
    known = looked_before(read(actor, name, store=store))
    in_place, bad = look_at([(one.name, one.path) for one in files.images], licence=licence, known=known)
    in_place.source, in_place.tags = source, tags
    return refer_to(
        actor, name, in_place.parts(bad), len(in_place), import_id=import_id, store=store, verb="images.add",
        on_invalid=on_invalid, progress=progress,
    ).intake  # fmt: skip


def _register(
    actor: Actor, store: Store, dataset_id: str, import_id: str, path: Path, source: str, took: Intake, started: int
) -> None:  # fmt: skip
    counts = {"added": took.added, "duplicates": took.duplicates, "unchanged": took.unchanged}
    counts |= {"changed": took.changed, "quarantined": len(took.quarantined)}
    record = setting_aside.ImportRecord(
        import_id, "images", source or path.name, "images", "", counts, [], actor.name, started, now_us()
    )
    with store.catalog.bookkeeping() as conn:
        setting_aside.register(conn, dataset_id, record)
