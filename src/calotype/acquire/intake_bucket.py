"""Looking at the images of a bucket, to refer to them where they lie: sizes from their headers, no object whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import PurePosixPath

from calotype.acquire.intake_reference import InPlace, Looked, not_as_named
from calotype.acquire.quarantine import SetAside
from calotype.store.files.bucket import Entry
from calotype.store.media.references import Reference, reference
from calotype.store.media.remote_objects import RemoteObjects
from calotype.vision import images
from calotype.vision.jpeg_header import quick_size

_AT_ONCE = 16
_WAITING = 1_024
_HEAD_BYTES = 65_536
_WHOLE_BYTES = 256_000_000


def look_into(
    far: RemoteObjects, url: str, *, licence: str, known: Mapping[str, Looked]
) -> tuple[InPlace, list[SetAside], int]:
    """The images below a folder of a bucket, those that are none, and how many other objects lay beside them.

    An object is taken for an image by its name. One with the same address, size and etag as before is not read again.

    Raises: BucketUrlInvalid, BucketFailed.
    """
    found, bad, others = InPlace(), [], 0
    wanted: list[tuple[str, Entry]] = []
    for uri, entry in far.list_objects(url):
        path = PurePosixPath(entry.name)
        if (
            any(part.startswith(".") for part in path.parts)
            or path.suffix.lower() not in images.IMAGE_EXTENSIONS
        ):
            others += 1
        else:
            wanted.append((uri, entry))
    wanted.sort(key=lambda one: one[1].name)
    for (uri, entry), seen in zip(wanted, _looks(far, wanted, known), strict=True):
        if isinstance(seen, str):
            bad.append(SetAside("image", entry.name, "file-unreadable", seen))
            continue
        width, height, mime = seen
        found.names.append(entry.name)
        found.references.append(_reference(uri, entry))
        found.widths.append(width)
        found.heights.append(height)
        found.mimes.append(mime)
    n = len(found)
    found.licences, found.metadata, found.extra = [licence] * n, [""] * n, [""] * n
    return found, bad, others


def _reference(uri: str, entry: Entry) -> Reference:
    return reference(uri, entry.n_bytes, entry.etag)


def _looks(
    far: RemoteObjects, wanted: list[tuple[str, Entry]], known: Mapping[str, Looked]
) -> Iterator[Looked | str]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        rest = iter(wanted)
        while some := list(islice(rest, _WAITING)):
            yield from pool.map(lambda one: _look(far, one[0], one[1], known), some)


def _look(far: RemoteObjects, uri: str, entry: Entry, known: Mapping[str, Looked]) -> Looked | str:
    before = known.get(_reference(uri, entry).key)
    if before is not None:
        return before
    head = far.read_head(uri, min(_HEAD_BYTES, entry.n_bytes)) if entry.n_bytes else b""
    if head is None:
        return "it vanished while it was looked at"
    size = quick_size(head)
    name = PurePosixPath(entry.name)
    if (
        size is not None
        and size[0] * size[1] <= images.MAX_PIXELS
        and name.suffix.lower() in (".jpg", ".jpeg")
    ):
        return *size, "image/jpeg"
    if entry.n_bytes > _WHOLE_BYTES:
        return f"it has more than {_WHOLE_BYTES // 1_000_000} MB"
    whole = head if entry.n_bytes <= len(head) else far.read_head(uri, entry.n_bytes)
    if whole is None:
        return "it vanished while it was looked at"
    try:
        facts = images.probe(whole)
    except images.ImageUnreadable as error:
        return error.message
    return not_as_named(name.name, facts.mime) or (facts.width_px, facts.height_px, facts.mime)
