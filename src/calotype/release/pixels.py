"""Pixels prepared for training: each image decoded and resized once, in one file that is mapped into memory.

They are kept in the workspace's `cache/`, which may be deleted; missing pixels are prepared again. A folder's name is a
hash over its contents (media keys, size, method). It is written under a temporary name and renamed when complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import Snapshot
from calotype.exchange.output_folder import TargetNotWritable
from calotype.foundation.durable import fsync_many
from calotype.foundation.ids import uuid7
from calotype.foundation.os_errors import reason_and_fix
from calotype.foundation.progress import Progress, silent
from calotype.release.loader import SampleReader, samples_of
from calotype.release.model import SizeInvalid
from calotype.store.media.objects import MediaMissing
from calotype.vision.images import decode_rgb

Size = tuple[int, int]
"""Width and height in pixels."""

_FORMAT = 1
MAX_SIDE_PX = 8_192
_BATCH_SIZE = 64
_STALE_S = 86_400.0
_RESERVED_BYTES = 100_000_000
_KEY = np.dtype("S64")


class Pixels:
    """Images of one size by media key, (3, H, W) uint8 upright RGB. Can be pickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        manifest = json.loads((folder / "manifest.json").read_text())
        self.size_wh: Size = (manifest["width_px"], manifest["height_px"])
        self._manifest: dict[str, Any] = manifest
        self._keys = np.fromfile(folder / "keys", _KEY)
        self._map: npt.NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, row: int) -> npt.NDArray[np.uint8]:
        """A copy of the image in a row."""
        if self._map is None:
            width, height = self.size_wh
            shape = (len(self), 3, height, width)
            self._map = np.memmap(self.folder / "pixels", np.uint8, "r", shape=shape)
        return np.array(self._map[row])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_map": None}  # each process maps the file itself

    def rows(self, media: pa.ChunkedArray) -> npt.NDArray[np.int64]:
        """The row of each media key; all keys must be present."""
        return np.searchsorted(self._keys, np.array(media.to_pylist(), _KEY))

    def is_complete(self, *, deep: bool = False) -> bool:
        """Whether the files have the right lengths and, with `deep`, the right hashes."""
        width, height = self.size_wh
        lengths = {"keys": len(self) * _KEY.itemsize, "pixels": len(self) * 3 * width * height}
        with suppress(OSError):
            complete = all((self.folder / name).stat().st_size == size for name, size in lengths.items())
            return complete and (not deep or _hashes(self.folder) == self._manifest["sha256"])
        return False


class ResizedReader(SampleReader):
    """A `SampleReader` with the images of `pixels`; boxes and corners are in pixels of the resized images.

    Corners are moved with the pixels: where the aspect ratio changes, those of a turned rectangle are a parallelogram.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        pixels: Pixels,
        split: str | None = None,
        label_set: str = DEFAULT_LABEL_SET,
        *,
        ids: Sequence[str] | None = None,
    ) -> None:
        self._pixels = pixels
        super().__init__(snapshot, split, label_set, ids=ids)

    def _locate(self, snapshot: Snapshot, samples: pa.Table) -> None:
        self._rows = self._pixels.rows(samples["media_sha256"])
        width, height = self._pixels.size_wh
        scale = np.stack(
            [width / samples["width_px"].to_numpy(), height / samples["height_px"].to_numpy()], 1
        )
        self._scale = np.tile(scale, 2)

    def _load(self, snapshot: Snapshot, label_set: str) -> None:
        super()._load(snapshot, label_set)
        of_each = np.repeat(np.arange(len(self)), np.diff(self._starts))
        self._boxes = (self._boxes * self._scale[of_each]).astype(np.float32)
        scale = self._scale[of_each[self._turned]].reshape(-1, 2, 2)[:, :1]
        self._turned_corners = (self._turned_corners * scale).astype(np.float32)

    def _image(self, folder: int) -> npt.NDArray[np.uint8]:
        return self._pixels[int(self._rows[folder])]


def materialise(
    snapshot: Snapshot,
    size_wh: Size,
    folder: Path,
    *,
    ids: Sequence[str] | None = None,
    deep: bool = False,
    progress: Progress = silent,
) -> Pixels:
    """The resized pixels of the samples of a state; prepared unless they exist.

    Images are resized to exactly `size_wh`, bilinear and antialiased; the aspect ratio is not kept.

    Args:
        ids: Only these samples.
        deep: Verify the hashes of existing pixels; damaged ones are prepared again.
    Raises: SizeInvalid, TargetNotWritable, MediaMissing, ImageUnreadable.
    """
    width, height = size_wh
    if not (1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX):
        raise SizeInvalid(got=f"{width}x{height}", most=MAX_SIDE_PX)
    keys = sorted(samples_of(snapshot, ids)["media_sha256"].unique().to_pylist())
    digest = hashlib.sha256(f"{_FORMAT} bilinear {width}x{height}\n".encode())
    digest.update("\n".join(keys).encode())
    target = folder / digest.hexdigest()[:32]
    if (target / "manifest.json").is_file():
        existing = Pixels(target)
        if existing.is_complete(deep=deep):
            return existing
        target.rename(folder / f".{uuid7()}.tmp")
    with _staging_folder(target, len(keys) * (3 * width * height + _KEY.itemsize)) as staging:
        np.array(keys, _KEY).tofile(staging / "keys")
        with (staging / "pixels").open("wb") as file:
            for done, image in enumerate(_resized(snapshot, keys, size_wh), start=1):
                file.write(image.tobytes())
                progress("preparing pixels", done, len(keys))
        manifest = {"format": _FORMAT, "width_px": width, "height_px": height, "sha256": _hashes(staging)}
        (staging / "manifest.json").write_text(json.dumps(manifest))
    return Pixels(target)


def _resized(snapshot: Snapshot, keys: list[str], size_wh: Size) -> Iterator[npt.NDArray[np.uint8]]:
    def resize(key: str) -> npt.NDArray[np.uint8]:
        try:
            data = snapshot.image_path(key).read_bytes()
        except FileNotFoundError:
            raise MediaMissing(sha256=key) from None
        image = Image.fromarray(decode_rgb(data))
        if image.size != size_wh:
            image = image.resize(size_wh, Image.Resampling.BILINEAR)
        return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))

    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for start in range(0, len(keys), _BATCH_SIZE):
            yield from pool.map(resize, keys[start : start + _BATCH_SIZE])


@contextmanager
def _staging_folder(target: Path, n_bytes: int) -> Iterator[Path]:
    """A folder to write to, renamed to `target` once all is on the disk. Raises: TargetNotWritable."""
    parent = target.parent
    staging = parent / f".{uuid7()}.tmp"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(parent)
        free = shutil.disk_usage(parent).free - _RESERVED_BYTES
        if n_bytes > free:
            detail = f"{n_bytes / 1e9:.2f} GB are needed and {max(free, 0) / 1e9:.2f} GB are free"
            raise TargetNotWritable(folder=str(parent), detail=detail, remedy_text="free disk space")
        staging.mkdir()
        yield staging
        fsync_many([*staging.iterdir(), staging])
        staging.rename(target)
        fsync_many([parent])
    except OSError as error:
        if not target.is_dir():  # otherwise another process prepared the same pixels meanwhile
            detail, remedy = reason_and_fix(error)
            raise TargetNotWritable(folder=str(parent), detail=detail, remedy_text=remedy) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _remove_stale(folder: Path) -> None:
    """Remove the leftovers of killed processes."""
    for old in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _STALE_S:
                shutil.rmtree(old, ignore_errors=True)


def _hashes(folder: Path) -> dict[str, str]:
    hashes = {}
    for name in ("keys", "pixels"):
        with (folder / name).open("rb") as file:
            hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes
