"""Small valid images of every type, and changes that know the parts of a JPEG, a PNG, a TIFF and an EXIF block."""

from __future__ import annotations

import functools
import io
import random
import struct
import zlib

from mutants import Files, broken_bytes, pick
from PIL import Image, ImageCms, PngImagePlugin

_SUFFIXES = (b".jpg", b".png", b".webp", b".tif", b".bmp", b".gif")
_TYPES = (0, 1, 2, 3, 4, 5, 7, 9, 10, 12, 13, 255)
_TAGS = (
    0x0112,
    0x0201,
    0x0202,
    0x8769,
    0x8825,
    0xA005,
    0x0100,
    0x0101,
    0x0102,
    0x0103,
    0x0111,
    0x0117,
    0x0115,
    0x011A,
)
_COUNTS = (0, 1, 2, 3, 1_000, 0x7FFFFFFF, 0xFFFFFFFF)


def _drawn(mode: str, seed: int, size_wh: tuple[int, int] = (40, 28)) -> Image.Image:
    rng = random.Random(seed)
    image = Image.new("RGB", (5, 4))
    image.putdata([(rng.randrange(256), rng.randrange(256), rng.randrange(256)) for _ in range(20)])
    return image.resize(size_wh, Image.Resampling.BICUBIC).convert(mode)


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.copy().save(out, format, **options)  # a saved image keeps settings of its encoder
    return out.getvalue()


@functools.cache
def samples() -> tuple[tuple[bytes, bytes], ...]:
    """Name and bytes of each."""
    rgb = _drawn("RGB", 1)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = exif_block(
        random.Random(0), orientation=6, thumbnail=_saved(rgb.resize((16, 12)), "JPEG"), broken=False
    )
    text = PngImagePlugin.PngInfo()
    text.add_text("k", "v")
    text.add_itxt("i", "é", zip=True)
    deep = Image.new("I;16", (20, 12), 3_000)
    items: list[tuple[bytes, bytes]] = [
        (b"plain.jpg", _saved(rgb, "JPEG")),
        (b"exif.jpg", _saved(rgb, "JPEG", exif=exif, icc_profile=profile, quality=70)),
        (b"large.jpg", _saved(_drawn("RGB", 3, (150, 90)), "JPEG", exif=exif)),
        (b"steps.jpg", _saved(rgb, "JPEG", progressive=True)),
        (b"cmyk.jpg", _saved(_drawn("CMYK", 1), "JPEG")),
        (b"grey.jpg", _saved(_drawn("L", 1), "JPEG")),
        (b"two.jpg", _saved(rgb, "MPO", save_all=True, append_images=[_drawn("RGB", 2)])),
        (b"plain.png", _saved(rgb, "PNG", pnginfo=text, icc_profile=profile, exif=exif)),
        (b"clear.png", _saved(_drawn("RGBA", 1), "PNG")),
        (b"deep.png", _saved(deep, "PNG")),
        (b"palette.png", _saved(_drawn("P", 1), "PNG", transparency=3)),
        (b"bits.png", _saved(_drawn("1", 1), "PNG")),
        (b"moving.png", _saved(rgb, "PNG", save_all=True, append_images=[_drawn("RGB", 2)])),
        (b"plain.webp", _saved(rgb, "WEBP", exif=exif)),
        (b"exact.webp", _saved(_drawn("RGBA", 1), "WEBP", lossless=True)),
        (b"moving.webp", _saved(rgb, "WEBP", save_all=True, append_images=[_drawn("RGB", 2)])),
        (b"plain.tif", _saved(rgb, "TIFF")),
        (b"packed.tif", _saved(rgb, "TIFF", compression="tiff_lzw")),
        (b"zip.tif", _saved(_drawn("L", 1), "TIFF", compression="tiff_adobe_deflate")),
        (b"jpeg.tif", _saved(rgb, "TIFF", compression="jpeg")),
        (b"float.tif", _saved(_drawn("F", 1), "TIFF")),
        (b"pages.tif", _saved(rgb, "TIFF", save_all=True, append_images=[_drawn("RGB", 2)])),
        (b"plain.bmp", _saved(rgb, "BMP")),
        (b"palette.bmp", _saved(_drawn("P", 1), "BMP")),
        (b"plain.gif", _saved(_drawn("P", 1), "GIF")),
        (b"moving.gif", _saved(rgb, "GIF", save_all=True, append_images=[_drawn("RGB", 2)])),
    ]
    return tuple(items)


def exif_block(
    rng: random.Random, *, orientation: int = 1, thumbnail: bytes = b"", broken: bool = True
) -> bytes:
    """An EXIF block with two directories; a broken one has wild types, counts and offsets."""
    entries = [(0x0112, 3, 1, orientation)]
    if broken:
        entries += [
            (
                rng.choice(_TAGS),
                rng.choice(_TYPES),
                rng.choice(_COUNTS),
                rng.choice((0, 8, 26, 60, rng.getrandbits(32))),
            )
            for _ in range(rng.randrange(5))
        ]
    first = 8 + 2 + 12 * len(entries) + 4
    second = [(0x0103, 3, 1, 6), (0x0201, 4, 1, first + 2 + 36 + 4), (0x0202, 4, 1, len(thumbnail))]
    body = (
        _directory(entries, first)
        + _directory(second, 0 if not broken else rng.choice((0, 8, first)))
        + thumbnail
    )
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + body


def _directory(entries: list[tuple[int, int, int, int]], following: int) -> bytes:
    rows = [struct.pack("<HHII", tag, kind, count, value & 0xFFFFFFFF) for tag, kind, count, value in entries]
    return struct.pack("<H", len(entries)) + b"".join(rows) + struct.pack("<I", following)


def change_image(rng: random.Random, files: Files) -> None:
    """One change to an image, of its parts if they are known."""
    name = pick(rng, files, *_SUFFIXES)
    if name is None:
        return
    data, what = files[name], rng.random()
    if what < 0.3:
        data = broken_bytes(rng, data)
    elif data[:2] == b"\xff\xd8":
        data = _jpeg(rng, data)
    elif data[:4] == b"\x89PNG":
        data = _png(rng, data)
    elif data[:4] in (b"II*\0", b"MM\0*"):
        data = _tiff(rng, data)
    else:
        data = _wild_numbers(rng, data)
    files[name] = data


def _jpeg(rng: random.Random, data: bytes) -> bytes:
    parts, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        end = at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
        parts.append(data[at:end])
        at = end
    rest = data[at:]
    what = rng.randrange(8)
    if what < 3:
        block = exif_block(rng, orientation=rng.choice((0, 1, 3, 6, 8, 9, 65_535)))
        block = block[: rng.choice((4, 6, 8, 10, 14, 20, len(block)))] if rng.random() < 0.5 else block
        parts.insert(0, b"\xff\xe1" + (len(block) + 2).to_bytes(2) + block)
    elif what == 3 and parts:
        part = rng.choice(parts)
        parts[parts.index(part)] = part[:2] + rng.choice((0, 1, 2, 3, 65_535)).to_bytes(2) + part[4:]
    elif what == 4 and parts:
        at = rng.randrange(len(parts))
        parts[at] = parts[at][:4] + broken_bytes(rng, parts[at][4:])
    elif what == 5 and len(parts) > 1:
        rng.shuffle(parts)
    elif what == 6 and parts:
        del parts[rng.randrange(len(parts))]
    else:
        wild = bytes(rng.randrange(256) for _ in range(rng.randrange(30)))
        kind = rng.choice((0xE0, 0xE2, 0xED, 0xFE, 0xC0, 0xDB, 0xC4, 0xDD))
        parts.insert(rng.randrange(len(parts) + 1), bytes((0xFF, kind)) + (len(wild) + 2).to_bytes(2) + wild)
    return b"\xff\xd8" + b"".join(parts) + rest


def _png(rng: random.Random, data: bytes) -> bytes:
    chunks, at = [], 8
    while at + 8 <= len(data):
        n = int.from_bytes(data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + n]))
        at += 12 + n
    if not chunks:
        return broken_bytes(rng, data)
    what, here = rng.randrange(7), rng.randrange(len(chunks))
    kind, body = chunks[here]
    if what < 2:
        chunks[here] = (kind, broken_bytes(rng, body))
    elif what == 2:
        del chunks[here]
    elif what == 3:
        chunks.insert(here, chunks[here])
    elif what == 4:
        other = rng.randrange(len(chunks))
        chunks[here], chunks[other] = chunks[other], chunks[here]
    elif what == 5:
        names = (
            b"eXIf",
            b"iCCP",
            b"zTXt",
            b"iTXt",
            b"tRNS",
            b"PLTE",
            b"acTL",
            b"fcTL",
            b"pHYs",
            b"gAMA",
            b"cHRM",
            b"sBIT",
        )
        wild = (
            exif_block(rng)[6:]
            if rng.random() < 0.4
            else bytes(rng.randrange(256) for _ in range(rng.randrange(40)))
        )
        chunks.insert(rng.randrange(1, len(chunks) + 1), (rng.choice(names), wild))
    else:
        head = bytearray(chunks[0][1])
        if len(head) >= 13:
            head[rng.randrange(13)] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        chunks[0] = (chunks[0][0], bytes(head))
    return data[:8] + b"".join(
        len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4) for kind, body in chunks
    )


def _tiff(rng: random.Random, data: bytes) -> bytes:
    order = "little" if data[:2] == b"II" else "big"
    start = int.from_bytes(data[4:8], order)  # type: ignore[arg-type]
    n = int.from_bytes(data[start : start + 2], order)  # type: ignore[arg-type]
    if not 0 < n < 60:
        return broken_bytes(rng, data)
    at = start + 2 + 12 * rng.randrange(n)
    changed = bytearray(data)
    part, size, values = rng.choice(
        ((0, 2, _TAGS), (2, 2, _TYPES), (4, 4, _COUNTS), (8, 4, (*_COUNTS, 8, start)))
    )
    changed[at + part : at + part + size] = rng.choice(values).to_bytes(size, order)  # type: ignore[arg-type]
    if rng.random() < 0.1:
        changed[start + 2 + 12 * n : start + 6 + 12 * n] = rng.choice((start, 8, 4, 0xFFFF)).to_bytes(
            4, order
        )  # type: ignore[arg-type]
    return bytes(changed)


def _wild_numbers(rng: random.Random, data: bytes) -> bytes:
    """A number in the head replaced by an extreme one."""
    at, size = rng.randrange(min(60, len(data))) if data else 0, rng.choice((1, 2, 4))
    value = (
        rng.choice((0, 1, 255, 0x7F, 0x80))
        if size == 1
        else rng.choice((0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1)))
    )
    return data[:at] + value.to_bytes(size, "little") + data[at + size :]
