"""Inspecting the images of a bucket, to register them by reference: sizes come from headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import PurePosixPath

from calotype.acquire.intake_reference import ReferencedImages, extension_problem
from calotype.acquire.quarantine import QuarantinedItem
from calotype.acquire.sample_matcher import ImageFacts
from calotype.store.files.bucket import Entry
from calotype.store.media.references import Reference, reference
from calotype.store.media.remote_objects import RemoteObjects
from calotype.vision import images
from calotype.vision.jpeg_header import quick_size

_AT_ONCE = 16
_WAITING = 1_024
_HEAD_BYTES = 65_536
_WHOLE_BYTES = 256_000_000


def inspect_bucket(
    far: RemoteObjects, url: str, *, known: Mapping[str, ImageFacts]
) -> tuple[ReferencedImages, list[QuarantinedItem], int]:
    """The images below a folder of a bucket, the bad ones, and the number of other objects.

    An object counts as an image by its name. One with the same address, size and etag as before is not read again.

    Raises: BucketUrlInvalid, BucketFailed.
    """
    referenced, bad, others = ReferencedImages(), [], 0
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
    wanted.sort(key=lambda listed: listed[1].name)
    for (uri, entry), result in zip(wanted, _inspect_all(far, wanted, known), strict=True):
        if isinstance(result, str):
            bad.append(QuarantinedItem("image", entry.name, "file-unreadable", result))
        else:
            referenced.add(entry.name, _reference(uri, entry), result)
    return referenced, bad, others


def _reference(uri: str, entry: Entry) -> Reference:
    return reference(uri, entry.n_bytes, entry.etag)


def _inspect_all(
    far: RemoteObjects, wanted: list[tuple[str, Entry]], known: Mapping[str, ImageFacts]
) -> Iterator[ImageFacts | str]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        rest = iter(wanted)
        while batch := list(islice(rest, _WAITING)):
            yield from pool.map(lambda listed: _inspect(far, listed[0], listed[1], known), batch)


def _inspect(far: RemoteObjects, uri: str, entry: Entry, known: Mapping[str, ImageFacts]) -> ImageFacts | str:
    before = known.get(_reference(uri, entry).key)
    if before is not None:
        return before
    head = far.read_head(uri, min(_HEAD_BYTES, entry.n_bytes)) if entry.n_bytes else b""
    if head is None:
        return "it was removed while it was read"
    size = quick_size(head)
    name = PurePosixPath(entry.name)
    if (
        size is not None
        and size[0] * size[1] <= images.MAX_PIXELS
        and name.suffix.lower() in (".jpg", ".jpeg")
    ):
        return *size, "image/jpeg"
    if entry.n_bytes > _WHOLE_BYTES:
        return f"it is larger than {_WHOLE_BYTES // 1_000_000} MB"
    whole = head if entry.n_bytes <= len(head) else far.read_head(uri, entry.n_bytes)
    if whole is None:
        return "it was removed while it was read"
    try:
        facts = images.probe(whole)
    except images.ImageUnreadable as error:
        return error.message
    return extension_problem(name.name, facts.mime) or (facts.width_px, facts.height_px, facts.mime)
