"""Taking images in: read, hash, check whole, store the bytes, make the samples. One chunk is one atomic edit.

A killed intake keeps the chunks it finished; running it again finds them unchanged and goes on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Literal

from calotype.acquire import quarantine as setting_aside
from calotype.acquire.quarantine import SetAside
from calotype.acquire.sample_matcher import Duplicates, IncomingImage, Intake, Loaded, Seen, Settling
from calotype.datasets.change import Change
from calotype.datasets.edit import apply, current
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.foundation.errors import Invalid
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.store.files.durable import read_file
from calotype.store.media.objects import Batch
from calotype.vision import images

MAX_FILE_BYTES = 1_000_000_000
CHUNK_FILES = 1_024
CHUNK_BYTES = 256_000_000

MediaMode = Literal["copy", "link", "reference"]
"""How images come in: copied into the store, hard-linked into it, or left where they lie and referred to."""

MEDIA_MODES: tuple[MediaMode, ...] = ("copy", "link", "reference")


class FileUnreadable(Invalid):
    """A file that cannot be taken in, where the caller asked to stop at the first."""

    code = "file-unreadable"
    what = "{file} cannot be taken in: {detail}"
    fix = "repair or remove the file, or pass `--on-invalid quarantine` to set such files aside"


class MediaModeUnknown(Invalid):
    """No such way of taking images in."""

    code = "media-mode-unknown"
    what = "images are taken in by {known}, not by {got!r}"
    fix = "say one of these, or nothing for a copy"


def check_media_mode(got: str) -> None:
    """Raises: MediaModeUnknown."""
    if got not in MEDIA_MODES:
        raise MediaModeUnknown(got=got[:40], known=", ".join(MEDIA_MODES))


def take_in(
    actor: Actor,
    name: str,
    incoming: Sequence[IncomingImage],
    *,
    import_id: str,
    store: Store,
    verb: str,
    duplicates: Duplicates = "alias",
    on_invalid: str = "quarantine",
    link: bool = False,
    progress: Progress = silent,
) -> Intake:
    """Take images into a branch.

    Args:
        import_id: The import they belong to; a file of the same import and name but with other bytes replaces the
            image of its sample, one of another import gets a sample of its own.
        duplicates: Bytes that the dataset has under another name: "alias" adds the name to that sample, "keep"
            makes a sample of its own (the label file lists two images, so there are two).
        on_invalid: "quarantine" sets bad files aside with a reason, "skip" counts them, "error" stops at the first.
        link: Give the files a second name in the store in place of a copy, where the disk allows it.
    Raises: NotPermitted, DatasetNotFound, FileUnreadable (with "error").
    """
    result = Intake()
    settling = Settling(import_id, duplicates)
    settling.look(current(actor, name, store=store, verb=verb))
    load = _Loader(store, settling, link=link)
    done = 0
    for n_files, (loaded, bad) in _ahead(_chunks(incoming), load):
        if bad and on_invalid == "error":
            raise FileUnreadable(file=bad[0].place, detail=bad[0].reason)
        result.quarantined.extend(bad)
        if loaded or bad:
            keep = bad if on_invalid == "quarantine" else []
            _settle(actor, name, loaded, keep, settling, store, verb)
            settling.tell(result)
        done += n_files
        progress("taking in images", done, len(incoming))
    return result


def _ahead(
    chunks: Iterator[list[IncomingImage]], load: _Loader
) -> Iterator[tuple[int, tuple[list[Loaded], list[SetAside]]]]:
    """Each chunk's size and files; the next chunk is loaded while the caller works on one."""
    workers = os.cpu_count() or 2
    with ThreadPoolExecutor(workers) as pool, ThreadPoolExecutor(1) as loader:
        under_way: tuple[int, Future[tuple[list[Loaded], list[SetAside]]]] | None = None
        for chunk in chunks:
            following = (len(chunk), loader.submit(load.chunk, chunk, pool))
            if under_way is not None:
                yield under_way[0], under_way[1].result()
            under_way = following
        if under_way is not None:
            yield under_way[0], under_way[1].result()


def _chunks(incoming: Iterable[IncomingImage]) -> Iterator[list[IncomingImage]]:
    chunk: list[IncomingImage] = []
    n_bytes = 0
    for image in incoming:
        chunk.append(image)
        with suppress(OSError):  # told apart when it is read
            n_bytes += image.path.stat().st_size
        if len(chunk) >= CHUNK_FILES or n_bytes >= CHUNK_BYTES:
            yield chunk
            chunk, n_bytes = [], 0
    if chunk:
        yield chunk


class _Loader:
    """Reads files and stores their bytes. Bytes that the dataset has were checked before and are not decoded again."""

    def __init__(self, store: Store, settling: Settling, *, link: bool) -> None:
        self._store = store
        self._settling = settling
        self._link = link

    def chunk(
        self, chunk: list[IncomingImage], pool: ThreadPoolExecutor
    ) -> tuple[list[Loaded], list[SetAside]]:
        """Several files; the bytes of the good ones are safe when this returns."""
        with self._store.media.batch() as batch:
            outcomes = list(pool.map(lambda image: self._one(image, batch), chunk))
        loaded = [outcome for outcome in outcomes if isinstance(outcome, Loaded)]
        return loaded, [outcome for outcome in outcomes if isinstance(outcome, SetAside)]

    def _one(self, image: IncomingImage, batch: Batch) -> Loaded | SetAside:
        try:
            data = read_file(image.path, max_bytes=MAX_FILE_BYTES)
            if data is None:
                return _bad(image, f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB")
            sha256 = hashlib.sha256(data).hexdigest()
            known = self._settling.seen(sha256)
            seen = known or _checked(data)
        except OSError as error:
            return _bad(image, f"it cannot be read: {error.strerror or type(error).__name__}")
        except images.ImageUnreadable as error:
            return _bad(image, error.message, code=error.code)
        if not images.matches_extension(image.path.name, seen[2]):
            return _bad(image, f"its content is {seen[2]}, its extension says otherwise")
        if known is None or not self._store.media.has(sha256):
            batch.put(data, sha256=sha256, link=image.path if self._link else None)
        return Loaded(image, sha256, len(data), seen)


def _checked(data: bytes) -> Seen:
    facts = images.verify(data)
    return facts.width_px, facts.height_px, facts.mime


def _bad(image: IncomingImage, reason: str, *, code: str = "file-unreadable") -> SetAside:
    return SetAside(what="image", place=image.name, code=code, reason=reason)


def _settle(
    actor: Actor,
    name: str,
    loaded: list[Loaded],
    keep: list[SetAside],
    settling: Settling,
    store: Store,
    verb: str,
) -> None:
    def plan(snapshot: Snapshot) -> Change:
        return Change(put_samples=settling.settle(snapshot, loaded))

    settling.done(
        apply(
            actor,
            name,
            plan,
            store=store,
            verb=verb,
            details={"import": settling.import_id, "files": len(loaded)},
            record=setting_aside.recorder(store, name, settling.import_id, keep) if keep else None,
        )
    )
