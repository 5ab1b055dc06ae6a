"""Masks as the tools write them: row by row, as bits of a stream, as small images, as NumPy arrays.

All sizes are checked before memory is allocated. Nothing is unpickled.
"""

from __future__ import annotations

import base64
import binascii
import io
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.formats.fields import BadItem
from calotype.vision.images import DECODER_ERRORS
from calotype.vision.masks import MAX_PIXELS

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_MAX_ENCODED = 200_000_000
_ARRAY_HEADER = 16_384


def rows_to_mask(runs: Sequence[int], size_wh: tuple[int, int]) -> Mask:
    """The (H, W) mask of run lengths, row by row, beginning with background. Raises: BadItem."""
    width, height = _checked(size_wh)
    if sum(runs) != width * height:
        raise BadItem(f"its mask has {sum(runs)} pixels, its box {width * height}")
    values = np.zeros(len(runs), bool)
    values[1::2] = True
    return np.repeat(values, np.asarray(runs, np.int64)).reshape(height, width)


def mask_to_rows(mask: npt.ArrayLike) -> list[int]:
    """Run lengths of a (H, W) mask, row by row, beginning with background."""
    flat = np.asarray(mask, bool).ravel()
    edges = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [flat.size]])
    lengths: list[int] = np.diff(edges).tolist()
    return [0, *lengths] if flat.size and flat[0] else lengths


def values_to_rows(values: npt.NDArray[np.int64]) -> list[int]:
    """Pairs value, length of a (H, W) array, row by row."""
    flat = values.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(np.concatenate([starts, [flat.size]]))
    listed: list[int] = np.stack([flat[starts], lengths], axis=1).ravel().tolist()
    return listed


def rows_to_values(runs: Sequence[int], size_wh: tuple[int, int]) -> npt.NDArray[np.int64]:
    """The (H, W) values of pairs value, length. Raises: BadItem."""
    width, height = _checked(size_wh)
    lengths = runs[1::2]
    if len(runs) % 2 or sum(lengths) != width * height:
        raise BadItem(f"its runs have {sum(lengths)} pixels, the image {width * height}")
    return np.repeat(np.asarray(runs[0::2], np.int64), np.asarray(lengths, np.int64)).reshape(height, width)


def bits_to_mask(data: bytes, size_wh: tuple[int, int]) -> Mask:
    """The (H, W) mask of a brush stroke of Label Studio, a bit stream of an RGBA image.

    32 bits give the number of values, 5 bits their size less 1, four times 4 bits the sizes of a run length less 1.
    Then come blocks: 1 bit says whether one value is repeated, 2 bits which size of length is used, then the length
    less 1 and one value, or as many values. The fourth value of a pixel is its opacity. Raises: BadItem.
    """
    width, height = _checked(size_wh)
    n_values = width * height * 4
    bits = _Bits(data)
    if bits.take(32) != n_values:
        raise BadItem(f"its mask is not that of an image of {width}x{height}")
    word = bits.take(5) + 1
    sizes = [bits.take(4) + 1 for _ in range(4)]
    values = np.zeros(n_values, np.uint8)
    at = 0
    while at < n_values:
        repeated = bits.take(1)
        length = bits.take(sizes[bits.take(2)]) + 1
        if at + length > n_values:
            raise BadItem("its mask has more values than its image")
        if repeated:
            values[at : at + length] = min(bits.take(word), 255)
        else:
            values[at : at + length] = [min(bits.take(word), 255) for _ in range(length)]
        at += length
    alpha: Mask = values[3::4].reshape(height, width) > 0
    return alpha


def mask_to_bits(mask: npt.ArrayLike) -> bytes:
    """A (H, W) mask as a brush stroke of Label Studio; the four values of each pixel are equal."""
    flat = np.asarray(mask, bool).ravel()
    edges = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [flat.size]])
    sizes = (3, 4, 8, 16)
    stream = _BitWriter()
    stream.put(flat.size * 4, 32)
    stream.put(7, 5)
    for size in sizes:
        stream.put(size - 1, 4)
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        value, left = 255 if flat[start] else 0, (stop - start) * 4
        while left:
            length = min(left, 1 << 16)
            number = next(at for at, size in enumerate(sizes) if length <= 1 << size)
            stream.put(1, 1)
            stream.put(number, 2)
            stream.put(length - 1, sizes[number])
            stream.put(value, 8)
            left -= length
    return stream.data()


def image_to_grey(text: str) -> Grey:
    """The (H, W) values of an image in base 64; a colour counts as its brightest part. Raises: BadItem."""
    data = from_base64(text.rpartition(",")[2] if text.startswith("data:") else text)
    return image_values(data)


def image_values(data: bytes) -> Grey:
    """The (H, W) values of an image file, an opaque colour by its brightest part. Raises: BadItem."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "BMP", "TIFF", "JPEG", "WEBP")) as image:
            _checked(image.size)
            if image.mode in ("1", "L", "P", "I;16", "I"):
                return np.asarray(np.asarray(image).astype(np.int64) > 0, np.uint8) * 255
            rgba = np.asarray(image.convert("RGBA"))
    except BadItem:
        raise
    except DECODER_ERRORS:
        raise BadItem("its mask is not a readable image") from None
    opaque: Grey = np.where(rgba[..., 3] > 0, rgba[..., :3].max(axis=2), 0).astype(np.uint8)
    return opaque


def mask_to_image(mask: npt.ArrayLike) -> str:
    """A (H, W) mask as a black and white PNG in base 64."""
    out = io.BytesIO()
    Image.fromarray(np.asarray(mask, bool).astype(np.uint8) * 255).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def image_numbers(data: bytes) -> npt.NDArray[np.int64]:
    """The (H, W) numbers of an image of classes, a colour as the number that `#rrggbb` writes. Raises: BadItem."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "BMP", "TIFF")) as image:
            _checked(image.size)
            if image.mode in ("1", "L", "P", "I;16", "I"):
                return np.asarray(image).astype(np.int64)
            red, green, blue = np.moveaxis(np.asarray(image.convert("RGB")).astype(np.int64), 2, 0)
    except BadItem:
        raise
    except DECODER_ERRORS:
        raise BadItem("its mask is not a readable image") from None
    numbers: npt.NDArray[np.int64] = red << 16 | green << 8 | blue
    return numbers


def array_values(text: str) -> npt.NDArray[Any]:
    """The (H, W) values of a NumPy array file, compressed by zlib, in base 64; arrays of objects are refused.

    Raises: BadItem.
    """
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(from_base64(text), MAX_PIXELS * 8 + _ARRAY_HEADER)
    except zlib.error:
        raise BadItem("its mask is not compressed by zlib") from None
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, by_columns, dtype = read(stream, max_header_size=_ARRAY_HEADER)
    except (ValueError, EOFError, SyntaxError, RecursionError, MemoryError):
        raise BadItem("its mask is not a NumPy array") from None
    if dtype.hasobject or dtype.kind not in "buif" or len(shape) != 2:
        raise BadItem("its mask is not a NumPy array of numbers with two axes")
    height, width = int(shape[0]), int(shape[1])
    _checked((width, height))
    rest = data[stream.tell() :]
    if len(rest) < width * height * dtype.itemsize:
        raise BadItem("its mask is cut off")
    flat = np.frombuffer(rest, dtype, width * height)
    return flat.reshape((height, width), order="F" if by_columns else "C")


def mask_to_array(mask: npt.ArrayLike) -> str:
    """A (H, W) mask as a NumPy array file, compressed by zlib, in base 64."""
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(mask, bool), version=(1, 0), allow_pickle=False)
    return base64.b64encode(zlib.compress(out.getvalue())).decode()


def from_base64(text: str) -> bytes:
    """The bytes of a text in base 64. Raises: BadItem."""
    if len(text) > _MAX_ENCODED:
        raise BadItem("its mask is too large")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadItem("its mask is not written in base 64") from None


def _checked(size_wh: tuple[int, int]) -> tuple[int, int]:
    width, height = size_wh
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise BadItem("its mask is empty or too large")
    return width, height


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, n: int) -> int:
        """The next `n` bits as a number. Raises: BadItem."""
        start, stop = self._at, self._at + n
        if stop > len(self._data) * 8:
            raise BadItem("its mask is cut off")
        first, last = start // 8, (stop + 7) // 8
        number = int.from_bytes(self._data[first:last], "big") >> (last * 8 - stop)
        self._at = stop
        return number & ((1 << n) - 1)


class _BitWriter:
    def __init__(self) -> None:
        self._whole = bytearray()
        self._number = 0
        self._n = 0

    def put(self, number: int, n: int) -> None:
        """Append `n` bits."""
        self._number = (self._number << n) | number
        self._n += n
        while self._n >= 8:
            self._n -= 8
            self._whole.append(self._number >> self._n)
            self._number &= (1 << self._n) - 1

    def data(self) -> bytes:
        """What was appended, filled up with zeros to whole bytes."""
        rest = self._number << (8 - self._n) if self._n else None
        return bytes(self._whole) if rest is None else bytes([*self._whole, rest])
