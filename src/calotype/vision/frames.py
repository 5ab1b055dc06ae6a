"""How many frames an image holds."""

from __future__ import annotations

import io

from PIL import ImageFile


def count_frames(image: ImageFile.ImageFile, most: int) -> int:
    """The number of frames, counted without drawing one; counting stops above `most`."""
    if image.format == "GIF":
        return _count_gif_frames(image, most)
    if image.format == "TIFF":
        return _count_tiff_pages(image, most)
    return int(getattr(image, "n_frames", 1))


def _count_gif_frames(image: ImageFile.ImageFile, most: int) -> int:
    """Image descriptors in the block structure: counted without drawing one frame. Source: GIF89a, section 20."""
    data = image.fp.getvalue() if isinstance(image.fp, io.BytesIO) else b""
    if len(data) < 13:
        return 1
    offset = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    frames = 0
    while offset < len(data) and frames <= most:
        marker = data[offset]
        if marker == 0x2C and offset + 10 <= len(data):
            frames += 1
            offset += 10 + (3 << ((data[offset + 9] & 7) + 1) if data[offset + 9] & 0x80 else 0) + 1
        elif marker == 0x21:
            offset += 2
        else:
            break
        while offset < len(data) and data[offset]:
            offset += 1 + data[offset]
        offset += 1
    return max(1, frames)


def _count_tiff_pages(image: ImageFile.ImageFile, most: int) -> int:
    """Pages until the chain ends or comes back to itself; the reader goes back to the first page."""
    pages = 1
    try:
        while pages <= most:
            image.seek(pages)
            pages += 1
    except EOFError:
        pass
    image.seek(0)
    return pages
