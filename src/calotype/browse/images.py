"""Serves thumbnails and display copies of images, which are rendered once and cached in the workspace.

Both are upright and have no metadata of the original, such as location or camera. The cache may be deleted at any time.
An image is served only through a dataset that contains it and that the actor may read; knowing its hash is not enough.
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
"""Longer sides of thumbnails; other sizes are rounded up to the next one."""
DISPLAY_PX = 4096
_SMALL_PX = 256 * 256
_KEY = re.compile(r"[0-9a-f]{64}|r[0-9a-f]{63}")
_MAX_REMEMBERED = 100_000


class ImageNotFound(NotFound):
    """The dataset does not contain this media."""

    code = "picture-not-found"
    what = "dataset {dataset} has no image {got!r}"
    fix = "use the `media` of a sample, as listed by `GET /datasets/NAME/samples`"


class Gallery:
    """Serves the images of datasets, and remembers which datasets contain which media.

    Media of any commit of a dataset can be read through the dataset, because commits never change.
    """

    def __init__(self) -> None:
        self._known_media: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = Lock()

    def thumbnail(
        self, actor: Actor, dataset: str, media: str, *, store: Store, ref: str = "", size_px: int = 256
    ) -> tuple[bytes, str]:
        """A thumbnail and its MIME type. Its longer side is `size_px` rounded up to one of `SIZES_PX`, or less.

        Args:
            media: Key of the media, as given by samples.
            ref: The state to search first; empty is the working state of main.
        Raises: NotPermitted, DatasetNotFound, RefNotFound, ImageNotFound, ImageUnreadable.
        """
        self._require(actor, dataset, media, store, ref)
        side_px = next((size for size in SIZES_PX if size >= size_px), SIZES_PX[-1])
        return _render(store, media, f"{side_px}", side_px)

    def display(
        self, actor: Actor, dataset: str, media: str, *, store: Store, ref: str = ""
    ) -> tuple[bytes, str]:
        """An image for the screen and its MIME type, at most `DISPLAY_PX` on the longer side.

        Raises: NotPermitted, DatasetNotFound, RefNotFound, ImageNotFound, ImageUnreadable.
        """
        self._require(actor, dataset, media, store, ref)
        return _render(store, media, "full", DISPLAY_PX)

    def _require(self, actor: Actor, dataset: str, media: str, store: Store, ref: str) -> None:
        """Check that the actor may read this media through the dataset."""
        store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
        if not _KEY.fullmatch(media):
            raise ImageNotFound(dataset=dataset, got=media[:80])
        with store.catalog.read() as conn:
            info = refs.dataset(conn, dataset)
            if self._is_remembered(info, media):
                return
            is_in_dataset = any(_has_media(store, info, pin, media) for pin in _sample_pins(conn, info, ref))
        if not is_in_dataset or not store.media.has(media):
            raise ImageNotFound(dataset=dataset, got=media[:80])
        with self._lock:
            self._known_media[info.id, media] = None
            while len(self._known_media) > _MAX_REMEMBERED:
                self._known_media.popitem(last=False)

    def _is_remembered(self, info: DatasetInfo, media: str) -> bool:
        with self._lock:
            return (info.id, media) in self._known_media


def _sample_pins(conn: sa.Connection, info: DatasetInfo, ref: str) -> Iterator[int]:
    """Distinct versions of the table of samples: of the ref, of branches and tags, then of commits, newest first."""
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


def _has_media(store: Store, info: DatasetInfo, pin: int, media: str) -> bool:
    table = f"{info.id}/{rows.SAMPLES}"
    media_keys = store.tables.cached(
        ("media", table, pin), lambda: store.tables.read(table, pin, columns=["media_sha256"])
    )
    return bool(pc.any(pc.equal(media_keys["media_sha256"], media)).as_py())


def _render(store: Store, media: str, name: str, side_px: int) -> tuple[bytes, str]:
    """The cached rendering, which is created if missing."""
    folder = store.folder / "cache" / "pictures" / media[:2]
    for extension, mime in ((".jpg", "image/jpeg"), (".png", "image/png")):
        file = folder / f"{media}-{name}{extension}"
        if file.is_file():
            return file.read_bytes(), mime
    rgb = images.decode_rgb(store.media.read(media), max_side_px=side_px)
    is_small = rgb.shape[0] * rgb.shape[1] <= _SMALL_PX and name == "full"  # JPEG would smear 8 x 8 pixels
    data = images.encode_png(rgb) if is_small or max(rgb.shape) <= 64 else images.encode_jpeg(rgb, quality=88)
    is_png = data.startswith(b"\x89PNG")
    _write(folder / f"{media}-{name}{'.png' if is_png else '.jpg'}", data)
    return data, "image/png" if is_png else "image/jpeg"


def _write(file: Path, data: bytes) -> None:
    """Write the file atomically. Errors such as a full disk are ignored, because this is only a cache."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            temporary.write(data)
        os.replace(temporary.name, file)
    except OSError:
        return
