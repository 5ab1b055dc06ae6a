"""Images as bytes: their type and size, whether they are complete, and their upright pixels.

Limits hold before anything is decoded.
Calotype decodes with Pillow only. EXIF orientation is always applied; sizes are of the upright image.
Allowed: JPEG, PNG, WebP, TIFF, BMP, GIF. Several frames are counted, the first one is the image.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, PngImagePlugin, UnidentifiedImageError

from calotype.foundation.errors import Invalid
from calotype.vision.frames import count_frames

MAX_PIXELS = 100_000_000
MAX_FRAMES = 1_000
MAX_FRAME_PIXELS = 1_000_000_000
"""Pixels of all frames together."""

MIMES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "GIF": "image/gif",
}
EXTENSIONS = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png", ".apng"),
    "image/webp": (".webp",),
    "image/tiff": (".tif", ".tiff"),
    "image/bmp": (".bmp", ".dib"),
    "image/gif": (".gif",),
}
IMAGE_EXTENSIONS = frozenset(extension for group in EXTENSIONS.values() for extension in group)

_FORMATS = [name for name in MIMES if name != "MPO"]  # Pillow finds MPO inside JPEG by itself
_ORIENTATION = 0x0112
_RIM = 0.08
"""Margin around a box that is cut out with it, as a share of its side."""
_TURNED = frozenset({5, 6, 7, 8})
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's orientation -> how the stored pixels are turned. Source: CIPA DC-008, tag 274."""

DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    MemoryError,
    RuntimeError,  # with it RecursionError and NotImplementedError
    struct.error,
    zlib.error,
)
"""What Pillow raises for broken bytes: every one of them says that the file is broken, none that the program is."""

Image.MAX_IMAGE_PIXELS = None  # our own limit is checked from the header, before any pixel is touched
ImageFile.LOAD_TRUNCATED_IMAGES = False
PngImagePlugin.MAX_TEXT_CHUNK = 1_000_000
PngImagePlugin.MAX_TEXT_MEMORY = 4_000_000

Rgb = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]


class ImageUnreadable(Invalid):
    """The bytes are not a complete image of an allowed type within the limits."""

    code = "image-unreadable"
    what = "not a usable image: {detail}"
    fix = "give a complete JPEG, PNG, WebP, TIFF, BMP or GIF of at most 100 megapixels"


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the header says. `width_px`, `height_px` are of the upright image; `orientation` is EXIF's 1 to 8."""

    width_px: int
    height_px: int
    mime: str
    n_frames: int
    mode: str
    orientation: int = 1
    note: str = ""


def probe(data: bytes) -> ImageFacts:
    """The facts of an image from its header; no pixel is decoded.

    Raises: ImageUnreadable.
    """
    with _opened(data) as image:
        return _facts(image)


def verify(data: bytes) -> ImageFacts:
    """The facts of an image after decoding its first frame completely: required before a file is imported.

    Raises: ImageUnreadable.
    """
    with _opened(data) as image:
        facts = _facts(image)
        if facts.mime == "image/jpeg" and max(image.size) > 64:
            image.draft(
                "RGB", (image.size[0] // 8, image.size[1] // 8)
            )  # every scan is read, few pixels are made
        image.load()
        if facts.mime != "image/jpeg" and image.size != (facts.width_px, facts.height_px):
            upright = image.size[::-1] if facts.orientation in _TURNED else image.size
            if upright != (facts.width_px, facts.height_px):
                raise ImageUnreadable(detail=f"it declares another size than its {image.size} pixels")
    if facts.mime == "image/png":
        _check_png(data)
    return facts


@dataclass(frozen=True)
class Upright:
    """A decoded image: its upright pixels in mode RGB, and what its header says."""

    image: Image.Image
    facts: ImageFacts
    _reduced: dict[int, Image.Image] = field(default_factory=dict, compare=False, repr=False)

    def reduced(self, scale: int) -> Image.Image:
        """The image reduced by a whole number, each factor computed once."""
        if scale > 1 and scale not in self._reduced:
            self._reduced[scale] = self.image.reduce(scale)
        return self._reduced[scale] if scale > 1 else self.image

    @cached_property
    def rgb(self) -> Rgb:
        """(H, W, 3) uint8."""
        return np.asarray(self.image, dtype=np.uint8)

    @cached_property
    def grey(self) -> Image.Image:
        """The luma, mode L."""
        return self.image.convert("L")


def decode_upright(data: bytes) -> Upright:
    """The first frame of an image, as `decode_rgb` decodes it. Raises: ImageUnreadable."""
    with _opened(data) as image:
        facts = _facts(image)
        image.load()
        return Upright(_to_rgb(_upright(image, facts.orientation)), facts)


def decode_rgb(data: bytes, *, max_side_px: int | None = None) -> Rgb:
    """The upright pixels of the first frame.

    Transparency lies on white, 16-bit and float images are scaled to 8 bits by their own range, CMYK and palettes
    are converted.

    Args:
        data: The bytes of the file.
        max_side_px: Shrink so that the longer side has at most this many pixels (JPEG decodes small at once).
    Returns:
        Array (H, W, 3) uint8.
    Raises:
        ImageUnreadable.
    """
    with _opened(data) as image:
        facts = _facts(image)
        if max_side_px is not None and image.format in ("JPEG", "MPO"):
            scale = max(image.size) / max_side_px
            if scale > 1:
                wanted = (max(1, round(image.size[0] / scale)), max(1, round(image.size[1] / scale)))
                image.draft("RGB", wanted)
        image.load()
        rgb = _to_rgb(_upright(image, facts.orientation))
        if max_side_px is not None and max(rgb.size) > max_side_px:
            rgb = rgb.resize(_fitted(rgb.size, max_side_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
        return np.asarray(rgb, dtype=np.uint8)


def decode_working(data: bytes, scale_of: Callable[[tuple[int, int]], int]) -> tuple[Image.Image, ImageFacts]:
    """The first frame in mode RGB, *as stored* (not turned upright), reduced by a whole number; quick for JPEG.

    Args:
        data: The bytes of the file.
        scale_of: From (width, height) as stored to 1, 2, 4, 8... by which the image is reduced.
    Raises:
        ImageUnreadable.
    """
    with _opened(data) as image:
        facts = _facts(image)
        stored_px = image.size
        scale = scale_of(stored_px)
        if scale > 1 and image.format in ("JPEG", "MPO"):
            image.draft("RGB", (max(1, stored_px[0] // scale), max(1, stored_px[1] // scale)))
        image.load()
        rgb = _to_rgb(image)
        further = scale // max(1, round(max(stored_px) / max(rgb.size)))
        return (rgb.reduce(further) if further > 1 else rgb), facts


def decode_grey(data: bytes, scale: int = 1) -> npt.NDArray[np.uint8]:
    """(H, W) uint8 luma of the first frame as stored, reduced by 1, 2, 4...; a JPEG's colours are not decoded.

    Raises: ImageUnreadable.
    """
    with _opened(data) as image:
        _facts(image)
        width, height = image.size
        image.draft("L", (max(1, width // scale), max(1, height // scale)))
        image.load()
        grey = image if image.mode == "L" else _to_rgb(image).convert("L")
        further = scale // max(1, round(max(width, height) / max(grey.size)))
        return np.asarray(grey.reduce(further) if further > 1 else grey, dtype=np.uint8)


def decode_reduced(data: bytes, *, min_side_px: int) -> Rgb:
    """Upright pixels (H, W, 3) uint8; of a JPEG at a half, quarter or eighth that keeps the longer side this large.

    Raises: ImageUnreadable.
    """
    with _opened(data) as image:
        return np.asarray(_reduced(image, _facts(image), min_side_px), dtype=np.uint8)


def _reduced(image: ImageFile.ImageFile, facts: ImageFacts, min_side_px: int) -> Image.Image:
    if image.format in ("JPEG", "MPO"):
        scale = next((n for n in (8, 4, 2) if max(image.size) // n >= min_side_px), 1)
        if scale > 1:
            image.draft("RGB", (image.size[0] // scale, image.size[1] // scale))
    image.load()
    return _to_rgb(_upright(image, facts.orientation))


def decode_cuts(data: bytes, boxes_xywh_px: Sequence[Box | None], *, min_side_px: int) -> list[Rgb]:
    """The upright pixels of boxes with a margin around them, (H, W, 3) uint8 each; all pixels for None.

    An image without boxes is decoded as `decode_reduced` does.
    Raises: ImageUnreadable.
    """
    if all(box is None for box in boxes_xywh_px):
        return [decode_reduced(data, min_side_px=min_side_px)] * len(boxes_xywh_px)
    image = decode_upright(data).image
    return [_cut_out(image, box) for box in boxes_xywh_px]


def _cut_out(image: Image.Image, box_xywh_px: Box | None) -> Rgb:
    if box_xywh_px is None:
        return np.asarray(image, dtype=np.uint8)
    x, y, w, h = box_xywh_px
    left, top = max(0, int(x - _RIM * w)), max(0, int(y - _RIM * h))
    right = max(left + 1, min(image.width, int(np.ceil(x + w + _RIM * w))))
    bottom = max(top + 1, min(image.height, int(np.ceil(y + h + _RIM * h))))
    if left >= image.width or top >= image.height:
        return np.zeros((1, 1, 3), np.uint8)
    return np.asarray(image.crop((left, top, right, bottom)), dtype=np.uint8)


def thumbnail(data: bytes, *, max_side_px: int) -> bytes:
    """A small upright JPEG without metadata; never 0 pixels wide or high.

    Raises: ImageUnreadable.
    """
    return encode_jpeg(decode_rgb(data, max_side_px=max_side_px), quality=85)


def encode_jpeg(rgb: Rgb, *, quality: int = 95) -> bytes:
    """JPEG bytes of (H, W, 3) uint8 pixels, 4:4:4 from quality 90 up, without metadata; the same each time."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)
    return out.getvalue()


def encode_png(rgb: npt.NDArray[np.uint8]) -> bytes:
    """PNG bytes of (H, W, 3) or (H, W) uint8 pixels, without metadata."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "PNG", compress_level=6)
    return out.getvalue()


def matches_extension(name: str, mime: str) -> bool:
    """Whether a file name's extension fits the content (no extension fits anything)."""
    extension = re.search(r"(\.[^./\\]+)$", name)
    return extension is None or extension.group(1).lower() in EXTENSIONS[mime]


@contextmanager
def _opened(data: bytes) -> Iterator[ImageFile.ImageFile]:
    """An opened image; every error of Pillow becomes `ImageUnreadable`."""
    if not data:
        raise ImageUnreadable(detail="the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd EXIF; pixels decide
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                yield image
    except UnidentifiedImageError:
        raise ImageUnreadable(detail="no JPEG, PNG, WebP, TIFF, BMP or GIF starts like this") from None
    except ImageUnreadable:
        raise
    except DECODER_ERRORS as error:
        raise ImageUnreadable(detail=_short(error)) from error


def _facts(image: ImageFile.ImageFile) -> ImageFacts:
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageUnreadable(detail=f"it declares {width}x{height} px")
    if width * height > MAX_PIXELS:
        raise ImageUnreadable(
            detail=f"it declares {width}x{height} px, more than {MAX_PIXELS // 1_000_000} megapixels"
        )
    # Pillow turns a TIFF by itself: its size and its pixels are upright
    orientation, note = (1, "") if image.format == "TIFF" else _orientation(image)
    n_frames = count_frames(image, MAX_FRAMES)
    if n_frames > MAX_FRAMES or n_frames * width * height > MAX_FRAME_PIXELS:
        raise ImageUnreadable(detail=f"it declares {n_frames} frames of {width}x{height} px")
    if orientation in _TURNED:
        width, height = height, width
    return ImageFacts(width, height, MIMES[str(image.format)], n_frames, image.mode, orientation, note)


def _orientation(image: ImageFile.ImageFile) -> tuple[int, str]:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except DECODER_ERRORS:
        return 1, "its EXIF block cannot be read"
    return (value, "") if isinstance(value, int) and 1 <= value <= 8 else (1, "")


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    """The loaded image turned as `_facts` counted its size; the EXIF block is not read a second time."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return _scaled_to_8_bits(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, rgba).convert("RGB")
    return image.convert("RGB")


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    """16-bit integers by their full range, anything else by the range it holds."""
    values = np.asarray(image, dtype=np.float64)
    values = np.where(np.isfinite(values), values, 0.0)
    if image.mode.startswith("I;16") or (image.mode == "I" and values.min() >= 0 and values.max() < 65_536):
        low, high = 0.0, 65_535.0
    else:
        low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
    return Image.fromarray(np.round(scaled).astype(np.uint8)).convert("RGB")


def _check_png(data: bytes) -> None:
    """Checksums of all chunks; Pillow's decoder skips some."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as again:
        try:
            again.verify()
        except DECODER_ERRORS as error:
            raise ImageUnreadable(detail=_short(error)) from error


def _fitted(size_wh: tuple[int, int], max_side_px: int) -> tuple[int, int]:
    scale = max_side_px / max(size_wh)
    return max(1, round(size_wh[0] * scale)), max(1, round(size_wh[1] * scale))


def _short(error: BaseException) -> str:
    text = re.sub(r"<[^>]*>", "the data", str(error)) or type(error).__name__
    return re.sub(r"\s+", " ", text)[:200]
