"""Images to look at: thumbnails and display copies, made once and kept beside the workspace.

Both are upright and carry no metadata of the original (no place, no camera). The cache may be deleted at any time.
An image is served only through a dataset that the actor may read and that holds it: knowing a hash opens nothing.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock

import pyarrow.compute as pc
import sqlalchemy as sa

from calotype.datasets import refs, repository, rows
from calotype.datasets.commits import Commit, DatasetInfo, Ref
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.errors import NotFound
from calotype.store import Store
from calotype.vision import images

SIZES_PX = (64, 128, 256, 512, 1024)
"""Longest sides of thumbnails; a request in between gets the next larger one."""
DISPLAY_PX = 4096
_SMALL_PX = 256 * 256
_KEY = re.compile(r"[0-9a-f]{64}|r[0-9a-f]{63}")
_REMEMBERED = 100_000


class ImageNotFound(NotFound):
    """The dataset holds no such media."""

    code = "picture-not-found"
    what = "dataset {dataset} has no image {got!r}"
    fix = "use the `media` of a sample, as `GET /datasets/NAME/samples` lists it"


class Gallery:
    """Serves the images of datasets, and remembers which dataset holds which media.

    Media that a version of a dataset held once stay readable through it: commits never change.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = Lock()

    def thumbnail(
        self, actor: Actor, dataset: str, media: str, *, store: Store, ref: str = "", size_px: int = 256
    ) -> tuple[bytes, str]:
        """A small image and its MIME type; its longer side has the next of `SIZES_PX` from `size_px` up, or less.

        Args:
            media: Key of the media, as samples name it.
            ref: Where to look first; empty is the working state of main.
        Raises: NotPermitted, DatasetNotFound, RefNotFound, ImageNotFound, ImageUnreadable.
        """
        self._require(actor, dataset, media, store, ref)
        side_px = next((size for size in SIZES_PX if size >= size_px), SIZES_PX[-1])
        return _rendered(store, media, f"{side_px}", side_px)

    def display(
        self, actor: Actor, dataset: str, media: str, *, store: Store, ref: str = ""
    ) -> tuple[bytes, str]:
        """An image for the screen and its MIME type, at most `DISPLAY_PX` on the longer side.

        Raises: NotPermitted, DatasetNotFound, RefNotFound, ImageNotFound, ImageUnreadable.
        """
        self._require(actor, dataset, media, store, ref)
        return _rendered(store, media, "full", DISPLAY_PX)

    def _require(self, actor: Actor, dataset: str, media: str, store: Store, ref: str) -> None:
        """Refuse media that the actor may not see through this dataset."""
        store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
        if not _KEY.fullmatch(media):
            raise ImageNotFound(dataset=dataset, got=media[:80])
        with store.catalog.read() as conn:
            info = refs.dataset(conn, dataset)
            if self._is_remembered(info, media):
                return
            held = any(_holds(store, info, pin, media) for pin in _sample_pins(conn, info, ref))
        if not held or not store.media.has(media):
            raise ImageNotFound(dataset=dataset, got=media[:80])
        with self._lock:
            self._held[info.id, media] = None
            while len(self._held) > _REMEMBERED:
                self._held.popitem(last=False)

    def _is_remembered(self, info: DatasetInfo, media: str) -> bool:
        with self._lock:
            return (info.id, media) in self._held


def _sample_pins(conn: sa.Connection, info: DatasetInfo, ref: str) -> Iterator[int]:
    """Versions of the table of samples, each once: of the ref, of branches and tags, then of commits, newest first."""
    seen: set[int] = set()
    for state in _states(conn, info, ref):
        pin = state.pins.get(rows.SAMPLES)
        if pin is not None and pin not in seen:
            seen.add(pin)
            yield pin


def _states(conn: sa.Connection, info: DatasetInfo, ref: str) -> Iterator[Ref | Commit]:
    yield refs.resolve(conn, info, ref)
    yield from repository.refs(conn, info.id)
    commits = repository.commits_of(conn, info.id).values()
    yield from sorted(commits, key=lambda commit: -commit.created_at_us)


def _holds(store: Store, info: DatasetInfo, pin: int, media: str) -> bool:
    table = f"{info.id}/{rows.SAMPLES}"
    keys = store.tables.cached(
        ("media", table, pin), lambda: store.tables.read(table, pin, columns=["media_sha256"])
    )
    return bool(pc.any(pc.equal(keys["media_sha256"], media)).as_py())


def _rendered(store: Store, media: str, name: str, side_px: int) -> tuple[bytes, str]:
    """The cached rendering, made when it is missing."""
    folder = store.folder / "cache" / "pictures" / media[:2]
    for extension, mime in ((".jpg", "image/jpeg"), (".png", "image/png")):
        file = folder / f"{media}-{name}{extension}"
        if file.is_file():
            return file.read_bytes(), mime
    rgb = images.decode_rgb(store.media.read(media), max_side_px=side_px)
    small = rgb.shape[0] * rgb.shape[1] <= _SMALL_PX and name == "full"  # JPEG would smear 8 x 8 pixels
    data = images.encode_png(rgb) if small or max(rgb.shape) <= 64 else images.encode_jpeg(rgb, quality=88)
    is_png = data.startswith(b"\x89PNG")
    _write(folder / f"{media}-{name}{'.png' if is_png else '.jpg'}", data)
    return data, "image/png" if is_png else "image/jpeg"


def _write(file: Path, data: bytes) -> None:
    """Write the whole file or nothing; a full disk costs only the cache."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            temporary.write(data)
        os.replace(temporary.name, file)
    except OSError:
        return
