"""Pictures to look at: thumbnails and display copies, made once and kept beside the workspace.

Both are upright and carry no metadata of the original (no place, no camera). The cache may be deleted at any time.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from tempfile import NamedTemporaryFile

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.errors import NotFound
from calotype.store import Store
from calotype.vision import images

SIZES_PX = (64, 128, 256, 512, 1024)
"""Longest sides that thumbnails come in; a wish in between gets the next larger one."""
DISPLAY_PX = 4096
_SMALL_PX = 256 * 256
_SHA256 = re.compile(r"[0-9a-f]{64}")


class PictureNotFound(NotFound):
    """No such media here."""

    code = "picture-not-found"
    what = "no picture {got!r} in this workspace"
    fix = "use the `media` of a sample, as `GET /datasets/NAME/samples` lists it"


def thumbnail(actor: Actor, sha256: str, *, store: Store, size_px: int = 256) -> tuple[bytes, str]:
    """A small picture and its MIME type; the longer side has at most the next of `SIZES_PX` from `size_px` up.

    Raises: NotPermitted, PictureNotFound, ImageUnreadable.
    """
    store.guard.require(actor, Permission.DATASET_READ)
    side = next((size for size in SIZES_PX if size >= size_px), SIZES_PX[-1])
    return _kept(store, sha256, f"{side}", side)


def display(actor: Actor, sha256: str, *, store: Store) -> tuple[bytes, str]:
    """A picture for the screen and its MIME type, at most `DISPLAY_PX` on the longer side.

    Raises: NotPermitted, PictureNotFound, ImageUnreadable.
    """
    store.guard.require(actor, Permission.DATASET_READ)
    return _kept(store, sha256, "full", DISPLAY_PX)


def _kept(store: Store, sha256: str, what: str, side_px: int) -> tuple[bytes, str]:
    if not _SHA256.fullmatch(sha256) or not store.media.has(sha256):
        raise PictureNotFound(got=sha256[:80])
    folder = store.folder / "cache" / "pictures" / sha256[:2]
    for extension, mime in ((".jpg", "image/jpeg"), (".png", "image/png")):
        file = folder / f"{sha256}-{what}{extension}"
        if file.is_file():
            return file.read_bytes(), mime
    rgb = images.decode_rgb(store.media.read(sha256), max_side_px=side_px)
    small = rgb.shape[0] * rgb.shape[1] <= _SMALL_PX and what == "full"  # JPEG would smear 8 x 8 pixels
    data = images.encode_png(rgb) if small or max(rgb.shape) <= 64 else images.encode_jpeg(rgb, quality=88)
    is_png = data.startswith(b"\x89PNG")
    _put(folder / f"{sha256}-{what}{'.png' if is_png else '.jpg'}", data)
    return data, "image/png" if is_png else "image/jpeg"


def _put(file: Path, data: bytes) -> None:
    """Write whole or not at all; a full disk costs only the cache."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
            temporary.write(data)
        os.replace(temporary.name, file)
    except OSError:
        return
