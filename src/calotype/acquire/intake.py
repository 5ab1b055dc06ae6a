"""Importing image files into the store: read, hash, verify, store the bytes, create the samples.

One chunk is one atomic edit. An interrupted import keeps the chunks it finished; running it again resumes after them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Literal

from calotype.acquire.job import ImportJob
from calotype.acquire.quarantine import QuarantinedItem
from calotype.acquire.sample_matcher import (
    Duplicates,
    ImageFacts,
    IncomingImage,
    IntakeResult,
    SampleMatcher,
    StoredFile,
)
from calotype.datasets.change import Change
from calotype.datasets.edit import apply, current
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.errors import Invalid
from calotype.store import Store
from calotype.store.files.durable import read_file
from calotype.store.media.objects import Batch
from calotype.vision import images

MAX_FILE_BYTES = 1_000_000_000
CHUNK_FILES = 1_024
CHUNK_BYTES = 256_000_000

MediaMode = Literal["copy", "link", "reference"]
"""How images are imported: copied into the store, hard-linked into it, or registered by reference where they are."""

MEDIA_MODES: tuple[MediaMode, ...] = ("copy", "link", "reference")


class FileUnreadable(Invalid):
    """An image file that cannot be imported, where the caller asked to stop at the first."""

    code = "file-unreadable"
    what = "{file} cannot be imported: {detail}"
    fix = "repair or remove the file, or pass `--on-invalid quarantine` to quarantine such files"


class MediaModeUnknown(Invalid):
    """No such way of importing images."""

    code = "media-mode-unknown"
    what = "{got!r} is not a media mode"
    fix = "use one of: {known}"


def check_media_mode(got: str) -> None:
    """Raises: MediaModeUnknown."""
    if got not in MEDIA_MODES:
        raise MediaModeUnknown(got=got[:40], known=", ".join(MEDIA_MODES))


def copy_images(
    job: ImportJob,
    incoming: Iterable[IncomingImage],
    n_images: int,
    *,
    duplicates: Duplicates = "alias",
    link: bool = False,
    unreadable: Sequence[QuarantinedItem] = (),
) -> IntakeResult:
    """Copy images into the store and make them samples of a branch, a chunk at a time.

    Args:
        n_images: Number of images, for progress.
        duplicates: Bytes that the dataset has under another name: "alias" adds the name to that sample, "keep"
            creates a sample of its own (the label file lists two images, so there are two).
        link: Hard-link the files into the store instead of copying them, where the file system allows it.
        unreadable: What was found beside them and cannot be read; quarantined with them.
    Raises: NotPermitted, DatasetNotFound, FileUnreadable (with `on_invalid="error"`).
    """
    result = IntakeResult()
    matcher = SampleMatcher(job.import_id, duplicates)
    matcher.refresh(current(job.actor, job.name, store=job.store, verb=job.verb))
    done = 0
    if unreadable:
        _quarantine(job, list(unreadable), matcher, result)
    for n_files, loaded, bad in stored_chunks(job, incoming, matcher, link=link):
        result.quarantined.extend(bad)
        if loaded or bad:
            write_chunk(job, loaded, bad, matcher)
            matcher.add_to(result)
        done += n_files
        job.progress("importing images", done, n_images)
    return result


def stored_chunks(
    job: ImportJob,
    incoming: Iterable[IncomingImage],
    matcher: SampleMatcher,
    *,
    link: bool = False,
    keep_bytes: bool = True,
) -> Iterator[tuple[int, list[StoredFile], list[QuarantinedItem]]]:
    """Chunk by chunk: the number of files, those whose bytes are in the store now, and those that are not valid images.

    Args:
        matcher: Knows the bytes that the dataset has; they are not decoded again.
        keep_bytes: False to store nothing.
    Raises: FileUnreadable (with `on_invalid="error"`).
    """
    loader = _Loader(job.store, matcher, link=link, keep_bytes=keep_bytes)
    for n_files, (loaded, bad) in _ahead(_chunks(incoming), loader):
        if bad and job.on_invalid == "error":
            raise FileUnreadable(file=bad[0].place, detail=bad[0].reason)
        yield n_files, loaded, bad


def _quarantine(
    job: ImportJob, bad: list[QuarantinedItem], matcher: SampleMatcher, result: IntakeResult
) -> None:
    """Quarantine what was found to be unreadable before any file was opened. Raises: FileUnreadable."""
    if job.on_invalid == "error":
        raise FileUnreadable(file=bad[0].place, detail=bad[0].reason)
    result.quarantined.extend(bad)
    if job.on_invalid == "quarantine":
        write_chunk(job, [], bad, matcher)


def _ahead(
    chunks: Iterator[list[IncomingImage]], loader: _Loader
) -> Iterator[tuple[int, tuple[list[StoredFile], list[QuarantinedItem]]]]:
    """Each chunk's size and files; the next chunk is loaded while the caller works on one."""
    workers = os.cpu_count() or 2
    with ThreadPoolExecutor(workers) as pool, ThreadPoolExecutor(1) as background:
        pending: tuple[int, Future[tuple[list[StoredFile], list[QuarantinedItem]]]] | None = None
        for chunk in chunks:
            following = (len(chunk), background.submit(loader.chunk, chunk, pool))
            if pending is not None:
                yield pending[0], pending[1].result()
            pending = following
        if pending is not None:
            yield pending[0], pending[1].result()


def _chunks(incoming: Iterable[IncomingImage]) -> Iterator[list[IncomingImage]]:
    chunk: list[IncomingImage] = []
    n_bytes = 0
    for image in incoming:
        chunk.append(image)
        with suppress(OSError):  # reported when it is read
            n_bytes += image.path.stat().st_size
        if len(chunk) >= CHUNK_FILES or n_bytes >= CHUNK_BYTES:
            yield chunk
            chunk, n_bytes = [], 0
    if chunk:
        yield chunk


def load_image(store: Store, image: IncomingImage) -> StoredFile | QuarantinedItem:
    """Read and check one file and store its bytes, which are durable when this returns."""
    loader = _Loader(store, SampleMatcher("", "alias"), link=False)
    with store.media.batch() as batch:
        return loader.one(image, batch)


class _Loader:
    """Reads files and stores their bytes. Bytes that the dataset has were verified before and are not decoded again."""

    def __init__(self, store: Store, matcher: SampleMatcher, *, link: bool, keep_bytes: bool = True) -> None:
        self._store = store
        self._matcher = matcher
        self._link = link
        self._keep_bytes = keep_bytes

    def chunk(
        self, chunk: list[IncomingImage], pool: ThreadPoolExecutor
    ) -> tuple[list[StoredFile], list[QuarantinedItem]]:
        """Several files; the bytes of the valid ones are durable when this returns."""
        with self._store.media.batch() as batch:
            outcomes = list(pool.map(lambda image: self.one(image, batch), chunk))
        loaded = [outcome for outcome in outcomes if isinstance(outcome, StoredFile)]
        return loaded, [outcome for outcome in outcomes if isinstance(outcome, QuarantinedItem)]

    def one(self, image: IncomingImage, batch: Batch) -> StoredFile | QuarantinedItem:
        """One file; its bytes are durable when the batch ends."""
        try:
            data = read_file(image.path, max_bytes=MAX_FILE_BYTES)
            if data is None:
                return _bad(image, f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB")
            sha256 = hashlib.sha256(data).hexdigest()
            known = self._matcher.known_facts(sha256)
            facts = known or _verified(data)
        except OSError as error:
            return _bad(image, f"it cannot be read: {error.strerror or type(error).__name__}")
        except images.ImageUnreadable as error:
            return _bad(image, error.message, code=error.code)
        if not images.matches_extension(image.path.name, facts[2]):
            return _bad(image, f"its content is {facts[2]}, its extension says otherwise")
        if self._keep_bytes and (known is None or not self._store.media.has(sha256)):
            batch.put(data, sha256=sha256, link=image.path if self._link else None)
        return StoredFile(image, sha256, len(data), facts)


def _verified(data: bytes) -> ImageFacts:
    facts = images.verify(data)
    return facts.width_px, facts.height_px, facts.mime


def _bad(image: IncomingImage, reason: str, *, code: str = "file-unreadable") -> QuarantinedItem:
    return QuarantinedItem(what="image", place=image.name, code=code, reason=reason)


def write_chunk(
    job: ImportJob, loaded: Sequence[StoredFile], bad: Sequence[QuarantinedItem], matcher: SampleMatcher
) -> None:
    """Make stored files samples of the branch, as one edit."""

    def plan(snapshot: Snapshot) -> Change:
        return matcher.change(snapshot, loaded)

    kept = bad if job.on_invalid == "quarantine" else []
    state = apply(
        job.actor,
        job.name,
        plan,
        store=job.store,
        verb=job.verb,
        details={"import": job.import_id, "run": job.run_id, "files": len(loaded)},
        record=job.recorder(kept) if kept else None,
    )
    matcher.committed(state)
