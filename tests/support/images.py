"""Images drawn by code, so that no test downloads or ships any."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

EXIF_ORIENTATION = 0x0112


def draw(seed: int = 0, *, size_wh: tuple[int, int] = (96, 64), n_boxes: int = 3) -> Image.Image:
    """A picture that differs for each seed: a noisy ground with some filled boxes on it."""
    rng = np.random.default_rng(seed)
    width, height = size_wh
    ground = rng.integers(0, 256, size=(max(1, height // 8), max(1, width // 8), 3), dtype=np.uint8)
    picture = Image.fromarray(ground).resize(size_wh, Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(picture)
    for _ in range(n_boxes):
        x, y = int(rng.integers(0, max(1, width - 8))), int(rng.integers(0, max(1, height - 8)))
        colour = tuple(int(value) for value in rng.integers(0, 256, size=3))
        pen.rectangle((x, y, x + width // 4, y + height // 4), fill=colour)
    return picture


def encode(picture: Image.Image, mime: str = "image/jpeg", *, orientation: int = 1) -> bytes:
    """The bytes of a picture; `orientation` is written as EXIF, the pixels stay as they are."""
    exif = Image.Exif()
    if orientation != 1:
        exif[EXIF_ORIENTATION] = orientation
    out = io.BytesIO()
    picture.save(out, format=mime.rpartition("/")[2].upper(), exif=exif.tobytes() if len(exif) else b"")
    return out.getvalue()


def folder_of_images(root: Path, n: int = 4, *, seed: int = 0, suffix: str = ".jpg") -> list[Path]:
    """`n` different images as `image-000.jpg`, ... below a folder."""
    root.mkdir(parents=True, exist_ok=True)
    paths = [root / f"image-{index:03d}{suffix}" for index in range(n)]
    for index, path in enumerate(paths):
        draw(seed + index).save(path)
    return paths
