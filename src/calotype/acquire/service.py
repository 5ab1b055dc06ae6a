"""The verb of this room: add images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from calotype.acquire import quarantine as setting_aside
from calotype.acquire.folders import Found, find
from calotype.acquire.intake import MediaMode, check_media_mode, take_in
from calotype.acquire.intake_bucket import look_into
from calotype.acquire.intake_reference import look_at, looked_before, refer_to
from calotype.acquire.model import Added, BucketByReferenceOnly
from calotype.acquire.sample_matcher import Intake
from calotype.datasets import refs
from calotype.datasets.reading import read
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.store.media.remote_objects import is_remote


def add(
    actor: Actor,
    name: str,
    paths: Sequence[Path | str],
    *,
    store: Store,
    source: str = "",
    licence: str = "",
    tags: Sequence[str] = (),
    on_invalid: str = "quarantine",
    media: MediaMode = "copy",
    progress: Progress = silent,
) -> Added:
    """Add image files and folders, or folders of buckets, to a dataset (`name` or `name@branch`).

    Bytes that the dataset has already under another name add that name to their sample. Running it again changes
    nothing; a file of the same folder whose bytes changed replaces the image of its sample.

    Args:
        paths: Paths, or addresses `s3://bucket/folder` of buckets, whose images can be taken by reference only.
        source: Where they come from, e.g. a camera; kept on each sample.
        licence: An SPDX identifier or a name; kept on each sample.
        on_invalid: What to do with files that are no whole images: "quarantine", "skip" or "error".
        media: "copy" the bytes into the workspace, "link" the files into it (a second name for the same bytes; who
            writes into such a file damages the workspace), or register them by "reference" where they lie.
    Raises: NotPermitted, DatasetNotFound, PathNotFound, FileUnreadable, MediaModeUnknown, BucketByReferenceOnly,
        BucketUrlInvalid, BucketFailed.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    check_media_mode(media)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
    places = _places(paths, media)
    found = [None if isinstance(place, str) else find(place) for place in places]
    total, ignored = Intake(), 0
    for place, files in zip(places, found, strict=True):
        started = now_us()
        root = place if isinstance(place, str) else str(place.resolve())
        import_id = setting_aside.import_id(info.id, "images", root)
        took, beside = _take(
            actor,
            name,
            place,
            files,
            import_id,
            store,
            source=source,
            licence=licence,
            tags=tuple(tags),
            on_invalid=on_invalid,
            media=media,
            progress=progress,
        )
        _register(actor, store, info.id, import_id, PurePosixPath(root).name, source, took, started)
        ignored += beside
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
        ignored,
        tuple(total.quarantined),
    )


def _places(paths: Sequence[Path | str], media: MediaMode) -> list[Path | str]:
    """Addresses of buckets as texts, all else as paths."""
    places = [path.rstrip("/") if isinstance(path, str) and is_remote(path) else Path(path) for path in paths]
    for place in places:
        if isinstance(place, str) and media != "reference":
            raise BucketByReferenceOnly(url=place)
    return places


def _take(
    actor: Actor,
    name: str,
    place: Path | str,
    files: Found | None,
    import_id: str,
    store: Store,
    *,
    source: str,
    licence: str,
    tags: tuple[str, ...],
    on_invalid: str,
    media: MediaMode,
    progress: Progress,
) -> tuple[Intake, int]:
    """The images of one place, and how many other files lay beside them."""
    if files is not None and media != "reference":
        images = files.incoming(source=source, licence=licence, tags=tags)
        took = take_in(
            actor,
            name,
            images,
            import_id=import_id,
            store=store,
            verb="images.add",
            on_invalid=on_invalid,
            link=media == "link",
            progress=progress,
        )
        return took, files.ignored
    known = looked_before(read(actor, name, store=store))
    if files is None:
        far = store.media.references.remote
        in_place, bad, ignored = look_into(far, str(place), licence=licence, known=known)
    else:
        in_place, bad = look_at(files.files, licence=licence, known=known)
        ignored = files.ignored
    in_place.source, in_place.tags = source, tags
    referred = refer_to(
        actor,
        name,
        in_place.parts(bad),
        len(in_place),
        import_id=import_id,
        store=store,
        verb="images.add",
        on_invalid=on_invalid,
        progress=progress,
    )
    return referred.intake, ignored


def _register(
    actor: Actor,
    store: Store,
    dataset_id: str,
    import_id: str,
    title: str,
    source: str,
    took: Intake,
    started: int,
) -> None:
    counts = {"added": took.added, "duplicates": took.duplicates, "unchanged": took.unchanged}
    counts |= {"changed": took.changed, "quarantined": len(took.quarantined)}
    record = setting_aside.ImportRecord(
        import_id, "images", source or title, "images", "", counts, [], actor.name, started, now_us()
    )
    with store.catalog.bookkeeping() as conn:
        setting_aside.register(conn, dataset_id, record)
