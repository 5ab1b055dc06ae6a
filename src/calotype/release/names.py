"""Names for exported files: safe on every file system, unique also where case does not count, and the same
each time.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from calotype.datasets.model import Sample
from calotype.vision.images import EXTENSIONS

MAX_PART_BYTES = 120
MAX_PARTS = 12
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)
_IMAGE_EXTENSIONS = {extension for known in EXTENSIONS.values() for extension in known}


def file_names(samples: Iterable[Sample]) -> dict[str, str]:
    """A relative posix path for each sample id, with the extension of what the bytes are.

    Rules: no way out of the folder; no character, ending or device name that a file system refuses; parts of
    at most 120 bytes in UTF-8 and normal form NFC; no two files whose paths differ only by case or extension
    (label files are named after images); no file where another one needs a folder. Who comes second by name
    gets 8 digits of a hash.
    """
    ordered = sorted(samples, key=lambda sample: (sample.name, sample.sample_id))
    paths = {sample.sample_id: _safe(sample) for sample in ordered}
    folders = {_key("/".join(path[:depth])) for path, _ in paths.values() for depth in range(1, len(path))}
    taken: set[str] = set()
    named: dict[str, str] = {}
    for sample in ordered:
        parts, extension = paths[sample.sample_id]
        stem = "/".join(parts)
        tries = 0
        while _key(stem) in taken or {_key(stem), _key(stem + extension)} & folders:
            stem = "/".join(
                [*parts[:-1], f"{_cut(parts[-1], MAX_PART_BYTES - 9)}-{_digits(sample.name, tries)}"]
            )
            tries += 1
        taken.add(_key(stem))
        named[sample.sample_id] = stem + extension
    return named


def _safe(sample: Sample) -> tuple[list[str], str]:
    """Folders and stem, and the extension with its dot."""
    parts = [_part(part) for part in re.split(r"[/\\]", unicodedata.normalize("NFC", sample.name))]
    parts = [part for part in parts if part] or ["image"]
    stem, dot, extension = parts[-1].rpartition(".")
    known = EXTENSIONS.get(sample.mime, ())
    wanted = known[0] if known else ".bin"
    if dot and stem and f".{extension.lower()}" in _IMAGE_EXTENSIONS:
        wanted = f".{extension.lower()}" if f".{extension.lower()}" in known else wanted
        parts[-1] = _part(stem) or "image"
    if len(parts) > MAX_PARTS:
        parts = [*parts[: MAX_PARTS - 2], _digits("/".join(parts[:-1]), 0), parts[-1]]
    return parts, wanted


def _part(text: str) -> str:
    """One folder or stem that every file system takes; empty where nothing is left (`.`, `..`)."""
    cleaned = _UNSAFE.sub("_", text).strip().rstrip(". ")
    cleaned = cleaned if cleaned.strip(".") else ""
    if len(cleaned.encode()) > MAX_PART_BYTES - 8:
        cleaned = f"{_cut(cleaned, MAX_PART_BYTES - 17)}-{_digits(text, 0)}"
    if _RESERVED.fullmatch(cleaned):
        return f"_{cleaned}"
    return f"_{cleaned[1:]}" if cleaned[:1] in ("-", "~") else cleaned


def _cut(text: str, n_bytes: int) -> str:
    """The first characters that fit."""
    return text.encode()[:n_bytes].decode("utf-8", "ignore").rstrip(". ")


def _digits(text: str, tries: int) -> str:
    salted = text if tries == 0 else f"{text}\x1f{tries}"
    return hashlib.sha256(salted.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _key(path: str) -> str:
    """What two paths share on a file system that ignores case and normal form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", path).casefold())
