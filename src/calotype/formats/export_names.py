"""Names for exported files: safe on every file system, unique when case is ignored, and deterministic."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable

from calotype.datasets.model import Sample
from calotype.foundation.collector import collector_paused
from calotype.vision.images import EXTENSIONS

MAX_PART_BYTES = 120
MAX_PARTS = 12
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)
_LAYOUT_FOLDERS = frozenset({"", ".", "images", "jpegimages"})
_PLAIN_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{4,99}")
"""Parts that are safe as they are; names of devices are shorter or have other characters."""
_PLAIN_NAME = re.compile(
    rf"((?:(?:val|test|{_PLAIN_PART.pattern})/)*{_PLAIN_PART.pattern})(\.[a-z0-9]{{1,5}})"
)
"""Such parts, and an extension."""
_IMAGE_EXTENSIONS = {extension for known in EXTENSIONS.values() for extension in known}


def inner_name(sample: Sample) -> str:
    """The name of a sample without leading folders that only say that images are in it: every format has its own."""
    parts = re.split(r"[/\\]", sample.name)
    while len(parts) > 1 and parts[0].lower() in _LAYOUT_FOLDERS:
        parts = parts[1:]
    return "/".join(parts)


def file_names(samples: Iterable[Sample], wish: Callable[[Sample], str] = inner_name) -> dict[str, str]:
    """A relative POSIX path for each sample id, with the extension of its media type.

    Args:
        wish: The path that a format would like a sample to have.

    Rules: no path leaves the folder; no character, ending or device name that a file system rejects; parts of
    at most 120 bytes in UTF-8 and normal form NFC; no two paths that differ only by case or extension (label
    files are names after images); no file has the path of a folder. Where two names collide, the second one by
    name gets 8 digits of a hash.
    """
    with collector_paused():
        ordered = sorted(samples, key=lambda sample: (sample.name, sample.sample_id))
        stems = [_safe(wish(sample), sample.mime) for sample in ordered]
        folders = _folders({stem.rpartition("/")[0] for stem, _ in stems})
        with_dot = {folder for folder in folders if "." in folder}  # as a file with its extension has
        taken: set[str] = set()
        names: dict[str, str] = {}
        for sample, (wished, extension) in zip(ordered, stems, strict=True):
            stem, attempt = wished, 0
            while (
                (key := _key(stem)) in taken
                or key in folders
                or (with_dot and _key(stem + extension) in with_dot)
            ):
                stem = _other(wished, _digits(sample.name, attempt))
                attempt += 1
            taken.add(key)
            names[sample.sample_id] = stem + extension
    return names


def _folders(places: Iterable[str]) -> set[str]:
    """The keys of these folders and of those above them."""
    parts = [place.split("/") for place in places if place]
    return {_key("/".join(path[:depth])) for path in parts for depth in range(1, len(path) + 1)}


def _other(stem: str, digits: str) -> str:
    """The path with digits after its last part, which is cut where it would become too long."""
    folder, slash, last = stem.rpartition("/")
    return f"{folder}{slash}{_cut(last, MAX_PART_BYTES - 9)}-{digits}"


def _safe(name: str, mime: str) -> tuple[str, str]:
    """The path without its extension, and the extension with its dot."""
    plain = _PLAIN_NAME.fullmatch(name)
    if plain is not None and plain[2] in EXTENSIONS.get(mime, ()) and name.count("/") < MAX_PARTS:
        return plain[1], plain[2]
    parts = [_part(part) for part in re.split(r"[/\\]", unicodedata.normalize("NFC", name))]
    parts = [part for part in parts if part] or ["image"]
    stem, dot, extension = parts[-1].rpartition(".")
    known = EXTENSIONS.get(mime, ())
    suffix = known[0] if known else ".bin"
    if dot and stem and f".{extension.lower()}" in _IMAGE_EXTENSIONS:
        suffix = f".{extension.lower()}" if f".{extension.lower()}" in known else suffix
        parts[-1] = _part(stem) or "image"
    if len(parts) > MAX_PARTS:
        parts = [*parts[: MAX_PARTS - 2], _digits("/".join(parts[:-1]), 0), parts[-1]]
    return "/".join(parts), suffix


def _part(text: str) -> str:
    """One folder or stem that every file system accepts; empty if nothing remains (`.`, `..`)."""
    if _PLAIN_PART.fullmatch(text):
        return text
    cleaned = _UNSAFE.sub("_", text).strip().rstrip(". ")
    cleaned = cleaned if cleaned.strip(".") else ""
    if len(cleaned.encode()) > MAX_PART_BYTES - 8:
        cleaned = f"{_cut(cleaned, MAX_PART_BYTES - 17)}-{_digits(text, 0)}"
    if _RESERVED.fullmatch(cleaned):
        return f"_{cleaned}"
    return f"_{cleaned[1:]}" if cleaned[:1] in ("-", "~") else cleaned


def _cut(text: str, n_bytes: int) -> str:
    """Cut to at most `n_bytes` bytes of UTF-8."""
    return text.encode()[:n_bytes].decode("utf-8", "ignore").rstrip(". ")


def _digits(text: str, attempt: int) -> str:
    salted = text if attempt == 0 else f"{text}\x1f{attempt}"
    return hashlib.sha256(salted.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _key(path: str) -> str:
    """The key by which a file system that ignores case and normal form compares paths."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", path).casefold())
