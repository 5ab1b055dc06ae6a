"""Pixels made ready for training: each image decoded and resized once, in one file that is mapped into memory.

They lie below the workspace's `cache/`, which may be deleted; what is missing is made again. A folder is named by what
is in it (media keys, size, how they were resized), is written under another name and renamed when it is whole.
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
from calotype.foundation.ids import uuid7
from calotype.foundation.progress import Progress, silent
from calotype.release.loader import SampleReader, samples_of
from calotype.release.model import SizeInvalid, TargetNotWritable
from calotype.store.files.durable import fsync_many
from calotype.store.media.objects import MediaMissing
from calotype.vision.images import decode_rgb

Size = tuple[int, int]
"""Width and height in pixels."""

_FORMAT = 1
LARGEST_PX = 8_192
_AT_ONCE = 64
_STALE_S = 86_400.0
_LEFT_FREE = 100_000_000
_KEY = np.dtype("S64")


class Pixels:
    """Images of one size by media key, (3, H, W) uint8 upright RGB. May go to other processes."""

    def __init__(self, place: Path) -> None:
        self.place = place
        about = json.loads((place / "manifest.json").read_text())
        self.size_wh: Size = (about["width_px"], about["height_px"])
        self._about: dict[str, Any] = about
        self._keys = np.fromfile(place / "keys", _KEY)
        self._map: npt.NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, row: int) -> npt.NDArray[np.uint8]:
        """A copy, which the caller may change."""
        if self._map is None:
            width, height = self.size_wh
            shape = (len(self), 3, height, width)
            self._map = np.memmap(self.place / "pixels", np.uint8, "r", shape=shape)
        return np.array(self._map[row])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_map": None}  # each process maps the file itself

    def rows(self, media: pa.ChunkedArray) -> npt.NDArray[np.int64]:
        """The row of each media key, all of which are here."""
        return np.searchsorted(self._keys, np.array(media.to_pylist(), _KEY))

    def is_whole(self, *, deep: bool = False) -> bool:
        """Whether the files have their lengths, and with `deep` their hashes."""
        width, height = self.size_wh
        lengths = {"keys": len(self) * _KEY.itemsize, "pixels": len(self) * 3 * width * height}
        with suppress(OSError):
            whole = all((self.place / name).stat().st_size == size for name, size in lengths.items())
            return whole and (not deep or _hashes(self.place) == self._about["sha256"])
        return False


class ResizedReader(SampleReader):
    """A `SampleReader` whose images are those of `pixels`, and whose boxes are in pixels of these."""

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

    def _image(self, place: int) -> npt.NDArray[np.uint8]:
        return self._pixels[int(self._rows[place])]


def materialise(
    snapshot: Snapshot,
    size_wh: Size,
    folder: Path,
    *,
    ids: Sequence[str] | None = None,
    deep: bool = False,
    progress: Progress = silent,
) -> Pixels:
    """The pixels of the samples of a state; made where they are not there whole.

    An image is resized to exactly `size_wh`, bilinear and antialiased, whatever its shape.

    Args:
        ids: Only of these samples.
        deep: Hash what is there before it is trusted; damaged pixels are made again.
    Raises: SizeInvalid, TargetNotWritable, MediaMissing, ImageUnreadable.
    """
    width, height = size_wh
    if not (1 <= width <= LARGEST_PX and 1 <= height <= LARGEST_PX):
        raise SizeInvalid(got=f"{width}x{height}", most=LARGEST_PX)
    keys = sorted(samples_of(snapshot, ids)["media_sha256"].unique().to_pylist())
    named = hashlib.sha256(f"{_FORMAT} bilinear {width}x{height}\n".encode())
    named.update("\n".join(keys).encode())
    place = folder / named.hexdigest()[:32]
    if (place / "manifest.json").is_file():
        found = Pixels(place)
        if found.is_whole(deep=deep):
            return found
        place.rename(folder / f".{uuid7()}.tmp")
    with _written(place, len(keys) * (3 * width * height + _KEY.itemsize)) as temporary:
        np.array(keys, _KEY).tofile(temporary / "keys")
        with (temporary / "pixels").open("wb") as file:
            for at, made in enumerate(_resized(snapshot, keys, size_wh), start=1):
                file.write(made.tobytes())
                progress("making pixels", at, len(keys))
        about = {"format": _FORMAT, "width_px": width, "height_px": height, "sha256": _hashes(temporary)}
        (temporary / "manifest.json").write_text(json.dumps(about))
    return Pixels(place)


def _resized(snapshot: Snapshot, keys: list[str], size_wh: Size) -> Iterator[npt.NDArray[np.uint8]]:
    def one(key: str) -> npt.NDArray[np.uint8]:
        try:
            data = snapshot.image_path(key).read_bytes()
        except FileNotFoundError:
            raise MediaMissing(sha256=key) from None
        whole = Image.fromarray(decode_rgb(data))
        made = whole if whole.size == size_wh else whole.resize(size_wh, Image.Resampling.BILINEAR)
        return np.ascontiguousarray(np.asarray(made).transpose(2, 0, 1))

    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for start in range(0, len(keys), _AT_ONCE):
            yield from pool.map(one, keys[start : start + _AT_ONCE])


@contextmanager
def _written(place: Path, n_bytes: int) -> Iterator[Path]:
    """A folder to write to, which gets its name when all is on the disk. Raises: TargetNotWritable."""
    folder = place.parent
    temporary = folder / f".{uuid7()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        free = shutil.disk_usage(folder).free - _LEFT_FREE
        if n_bytes > free:
            detail = f"{n_bytes / 1e9:.2f} GB are needed and {max(free, 0) / 1e9:.2f} GB are free"
            raise TargetNotWritable(folder=str(folder), detail=detail)
        temporary.mkdir()
        yield temporary
        fsync_many([*temporary.iterdir(), temporary])
        temporary.rename(place)
        fsync_many([folder])
    except OSError as error:
        if not place.is_dir():  # else somebody made the same meanwhile
            detail = error.strerror or type(error).__name__
            raise TargetNotWritable(folder=str(folder), detail=detail) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what killed runs left."""
    for old in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _STALE_S:
                shutil.rmtree(old, ignore_errors=True)


def _hashes(place: Path) -> dict[str, str]:
    found = {}
    for name in ("keys", "pixels"):
        with (place / name).open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
