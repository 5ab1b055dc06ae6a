"""Serves thumbnails and display copies of images, which are rendered once and cached in the workspace.

Both are upright and have no metadata of the original, such as location or camera. The cache may be deleted at any time.
An image is served only through a dataset that contains it and that the actor may read; knowing its hash is not enough.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import sqlalchemy as sa

from calotype.browse.caches import ByteCache
from calotype.browse.column_cache import columns_of
from calotype.browse.media_keys import MediaKeys
from calotype.datasets import refs, repository, rows
from calotype.datasets.commits import Commit, DatasetInfo, Ref
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.cache_files import evict, mark_used, write_atomically
from calotype.foundation.errors import NotFound
from calotype.store import Store
from calotype.store.tables.row_lookup import scan_rows
from calotype.vision import images

SIZES_PX = (64, 128, 256, 512, 1024)
"""Longer sides of thumbnails; other sizes are rounded up to the next one."""
DISPLAY_PX = 4096
_SMALL_PX = 256 * 256
_KEY = re.compile(r"[0-9a-f]{64}|r[0-9a-f]{63}")
_MAX_REMEMBERED = 100_000
_N_THREADS = 4
_MEMORY_BYTES = 32_000_000
MAX_DISK_BYTES = 4_000_000_000
"""Size of all renderings of a workspace on disk."""
Image = tuple[bytes, str]
"""The bytes of a rendering and its MIME type."""


@dataclass(frozen=True, slots=True)
class _Rendering:
    """An encoded image and its MIME type."""

    data: bytes
    mime: str

    @property
    def nbytes(self) -> int:
        return len(self.data)


class ImageNotFound(NotFound):
    """The dataset does not contain this media."""

    code = "picture-not-found"
    what = "dataset {dataset} has no image {got!r}"
    fix = "use the `media` of a sample, as listed by `GET /datasets/NAME/samples`"


class Gallery:
    """Serves the images of datasets, and remembers which datasets contain which media.

    Media of any commit of a dataset can be read through the dataset, because commits never change. Images are read and
    rendered by a few threads of their own, so that many requests for images leave other requests alone; requests for
    the same rendering wait for one of them.

    Args:
        max_bytes: Size of the renderings that are kept on disk; those used least recently are removed.
    """

    def __init__(self, *, max_bytes: int = MAX_DISK_BYTES) -> None:
        self._known_media: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = Lock()
        self._max_bytes = max_bytes
        self._written_bytes = max_bytes  # so that the first rendering looks at what is there
        self._requests = ThreadPoolExecutor(_N_THREADS, thread_name_prefix="images")
        self._renders: ByteCache[tuple[Path, str], _Rendering] = ByteCache(_MEMORY_BYTES)

    def submit(self, call: Callable[[], Image]) -> Future[Image]:
        """Run a call of `thumbnail` or `display` in one of the threads for images."""
        return self._requests.submit(call)

    def remember(self, state: Snapshot, media: Iterable[str]) -> None:
        """Note that a dataset contains these media, because somebody read its samples."""
        with self._lock:
            for key in media:
                self._known_media[state.dataset.id, key] = None
                self._known_media.move_to_end((state.dataset.id, key))
            while len(self._known_media) > _MAX_REMEMBERED:
                self._known_media.popitem(last=False)

    def thumbnail(
        self, actor: Actor, dataset: str, media: str, *, store: Store, ref: str = "", size_px: int = 256
    ) -> Image:
        """A thumbnail and its MIME type. Its longer side is `size_px` rounded up to one of `SIZES_PX`, or less.

        Args:
            media: Key of the media, as given by samples.
            ref: The state to search first; empty is the working state of main.
        Raises: NotPermitted, DatasetNotFound, RefNotFound, ImageNotFound, ImageUnreadable.
        """
        self._require(actor, dataset, media, store, ref)
        side_px = next((size for size in SIZES_PX if size >= size_px), SIZES_PX[-1])
        return self._image(store, dataset, media, f"{side_px}", side_px)

    def display(self, actor: Actor, dataset: str, media: str, *, store: Store, ref: str = "") -> Image:
        """An image for the screen and its MIME type, at most `DISPLAY_PX` on the longer side.

        Raises: NotPermitted, DatasetNotFound, RefNotFound, ImageNotFound, ImageUnreadable.
        """
        self._require(actor, dataset, media, store, ref)
        return self._image(store, dataset, media, "full", DISPLAY_PX)

    def rendered(self, dataset: str, media: str, *, store: Store, size_px: int = 0) -> Future[Image]:
        """A rendering for a caller that has checked the right to see it; its longer side, or 0 for the screen.

        Raises (in the future): ImageNotFound, ImageUnreadable.
        """
        side_px = next((size for size in SIZES_PX if size >= size_px), SIZES_PX[-1])
        name, side_px = (f"{side_px}", side_px) if size_px else ("full", DISPLAY_PX)
        return self.submit(lambda: self._image(store, dataset, media, name, side_px))

    def _require(self, actor: Actor, dataset: str, media: str, store: Store, ref: str) -> None:
        """Check that the actor may read this media through the dataset."""
        store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
        if not _KEY.fullmatch(media):
            raise ImageNotFound(dataset=dataset, got=media[:80])
        with store.catalog.read() as conn:
            info = refs.dataset(conn, dataset)
            if self._is_remembered(info, media):
                return
            pins = enumerate(_sample_pins(conn, info, ref))
            is_in_dataset = any(_has_media(store, info, pin, media, keep=place < 2) for place, pin in pins)
        if not is_in_dataset or not store.media.has(media):
            raise ImageNotFound(dataset=dataset, got=media[:80])
        with self._lock:
            self._known_media[info.id, media] = None

    def _is_remembered(self, info: DatasetInfo, media: str) -> bool:
        with self._lock:
            return (info.id, media) in self._known_media

    def _image(self, store: Store, dataset: str, media: str, name: str, side_px: int) -> Image:
        """The rendering of this name, from memory or disk, or rendered now."""
        folder = store.folder / "cache" / "pictures"

        def create() -> _Rendering:
            kept = _kept(folder / media[:2], f"{media}-{name}", touch=not store.catalog.read_only)
            if kept is not None:
                return kept
            if not store.media.has(media):
                raise ImageNotFound(dataset=dataset, got=media[:80])
            rendering = _render(store.media.read(media), name, side_px)
            if store.catalog.read_only:
                return rendering
            extension = "png" if rendering.mime == "image/png" else "jpg"
            write_atomically(folder / media[:2] / f"{media}-{name}.{extension}", rendering.data)
            self._count_written(folder, len(rendering.data))
            return rendering

        rendering = self._renders.get((folder, f"{media}-{name}"), create)
        return rendering.data, rendering.mime

    def _count_written(self, folder: Path, n_bytes: int) -> None:
        """Evict renderings whenever a sixteenth of the limit was written since the last time."""
        with self._lock:
            self._written_bytes += n_bytes
            if self._written_bytes < self._max_bytes // 16:
                return
            self._written_bytes = 0
        evict(folder, self._max_bytes)


shared = Gallery()
"""The gallery of this process."""


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


def _has_media(store: Store, info: DatasetInfo, pin: int, media: str, *, keep: bool) -> bool:
    """Whether a version of the samples contains a medium. `keep` its keys in memory for the next question."""
    table = f"{info.id}/{rows.SAMPLES}"
    dataset = store.tables.at(table, pin)

    def read() -> MediaKeys:
        return MediaKeys.of(batch["media_sha256"] for batch in scan_rows(dataset, ["media_sha256"]))

    key = ("media", info.id, table, pin)
    return (columns_of(store).columns.get(key, read) if keep else read()).has(media)


def _kept(folder: Path, name: str, *, touch: bool) -> _Rendering | None:
    """The rendering on disk; `touch` marks it as used."""
    for extension, mime in (("jpg", "image/jpeg"), ("png", "image/png")):
        file = folder / f"{name}.{extension}"
        with suppress(OSError):
            data = file.read_bytes()
            if touch:
                mark_used(file)
            return _Rendering(data, mime)
    return None


def _render(data: bytes, name: str, side_px: int) -> _Rendering:
    rgb = images.decode_rgb(data, max_side_px=side_px)
    is_small = rgb.shape[0] * rgb.shape[1] <= _SMALL_PX and name == "full"  # JPEG would smear 8 x 8 pixels
    if is_small or max(rgb.shape) <= 64:
        return _Rendering(images.encode_png(rgb), "image/png")
    return _Rendering(images.encode_jpeg(rgb, quality=88), "image/jpeg")
