"""Sending files to a remote workspace: which files a verb would read, and the upload that carries them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from calotype.acquire import incoming
from calotype.acquire.folders import FoundFiles, find_images
from calotype.acquire.incoming import Upload
from calotype.acquire.labels.model import ImportOptions
from calotype.acquire.model import Added, ImageOptions, UploadOutOfStep
from calotype.api.remote.connection import ConnectionLost, ServerUnreachable
from calotype.exchange import registry
from calotype.exchange.inspection import check_images_folder
from calotype.formats import files_below
from calotype.foundation.actor import Actor
from calotype.foundation.errors import Conflict
from calotype.foundation.ids import sha256_json
from calotype.foundation.progress import Progress
from calotype.foundation.verbs import OnlyWhereTheDataIs

PIECE_BYTES = 8_000_000
TRIES = 20
_PAUSE_S, _MAX_PAUSE_S = 0.2, 10.0
_LOCATED_TOGETHER = 10_000


class FileChangedWhileSent(Conflict):
    """A file has another size than when the upload began."""

    code = "file-changed-while-sent"
    what = "{path} changed while it was sent"
    fix = "run it again when nobody writes into the folder"


@dataclass
class Shipment:
    """Files to send, and how the paths of a call are named on the other side.

    Args:
        origin: The place that they come from; the same place is the same upload, and the same source when it is read.
        files: Names on the other side, and paths here.
        names: Paths of the call -> their names on the other side.
        finish: Adds to the result what only this side knows.
    """

    origin: str
    files: list[tuple[str, str]] = field(default_factory=list)
    names: dict[Path, str] = field(default_factory=dict)
    finish: Callable[[Any], Any] = lambda result: result

    def add_tree(self, root: Path, under: str, paths: Iterable[str]) -> None:
        """Files below a folder, which keep their relative names."""
        start = len(str(root)) + (not str(root).endswith(os.sep))
        self.files += [(f"{under}/{path[start:].replace(os.sep, '/')}", path) for path in paths]
        self.names[root] = under


def machine_and_place(paths: Sequence[Path]) -> str:
    """Names this machine and places on it to a server, without saying what they are."""
    places = [os.path.realpath(path) for path in paths]
    return sha256_json({"machine": os.uname().nodename, "user": os.getuid(), "places": places})


def images_of(arguments: dict[str, Any]) -> Shipment:
    """The images that `acquire.add` reads. Raises: PathNotFound, OnlyWhereTheDataIs."""
    options: ImageOptions = arguments.get("options", ImageOptions())
    if options.media != "copy":
        raise OnlyWhereTheDataIs(
            verb="calotype add", why=f"media={options.media!r} needs the files to stay there"
        )
    places = [Path(path) for path in _without_buckets(arguments["paths"])]
    shipment = Shipment(machine_and_place(places))
    passed: list[FoundFiles] = []
    for number, place in enumerate(places):
        found = find_images(place)
        under = f"{number}/{Path(os.path.realpath(place)).name or 'images'}"
        if files_below.is_file(place):
            shipment.files.append((f"{number}/{place.name}", str(place)))
            shipment.names[place] = f"{number}/{place.name}"
        else:
            shipment.add_tree(Path(os.path.realpath(place)), under, (path for _, path in found.files))
            shipment.names[place] = under
        passed.append(found)
    arguments["paths"] = [place for place, found in zip(places, passed, strict=True) if found.files]

    def finish(added: Added) -> Added:
        unreadable = tuple(item for found in passed for item in found.unreadable)
        return replace(
            added,
            ignored=added.ignored + sum(found.ignored for found in passed),
            quarantined=added.quarantined + len(unreadable),
            set_aside=(*added.set_aside, *unreadable),
        )

    shipment.finish = finish
    return shipment


def labels_of(arguments: dict[str, Any]) -> Shipment:
    """The label files and images that `acquire.import_annotations` reads.

    A label file that stands alone goes with the images that it lists; of anything else the whole folder is sent.

    Raises: PathNotFound, FormatUnknown, LabelFileUnreadable, OnlyWhereTheDataIs.
    """
    path, options = Path(arguments["path"]), arguments.get("options", ImportOptions())
    if options.media != "copy":
        raise OnlyWhereTheDataIs(
            verb="calotype import", why=f"media={options.media!r} needs the files to stay there"
        )
    check_images_folder(options.images)
    auto = options.format == "auto"
    detected = registry.detect(path) if auto else registry.given(path, options.format)
    images = _listed_images(detected.format, path, options.images)
    apart = None if options.images is None else Path(os.path.realpath(options.images))
    beside = [image for image in images if apart is not None and image.is_relative_to(apart)]
    shipment = Shipment(machine_and_place([path]))
    _add_labels(shipment, path, sorted(set(images) - set(beside)), detected.format.abilities.one_file)
    if apart is not None and beside:
        under = f"1/{apart.name or 'images'}"
        shipment.add_tree(apart, under, map(str, beside))
        shipment.names[options.images] = under
    origin = options.origin or f"elsewhere:{shipment.origin}"
    # a folder without files does not travel, and nothing would be looked up in it
    arguments["options"] = replace(options, origin=origin, images=options.images if beside else None)
    return shipment


def _add_labels(shipment: Shipment, path: Path, images: Sequence[Path], one_file: bool) -> None:
    """Add the label file with its images, or the folder that they share."""
    here = path.absolute()
    is_folder = path.is_dir()
    parents = [here.parent, *(image.parent for image in images)]
    folder = path if is_folder else Path(os.path.commonpath(parents))
    if one_file and not is_folder:
        paths = sorted({str(here), *map(str, images)})
    else:
        paths = [entry.path for entry in files_below.walk(str(folder), []) if not entry.is_symlink()]
    under = f"0/{Path(os.path.realpath(folder)).name or 'labels'}"
    shipment.add_tree(folder, under, paths)
    if not is_folder:
        shipment.names[path] = f"{under}/{here.relative_to(folder.absolute()).as_posix()}"


def _listed_images(format: Any, path: Path, images: Path | None) -> list[Path]:
    """The image files that a label file lists, where they are on this machine."""
    found: list[Path] = []
    for source in format.open(path, images=images):
        for start in range(0, len(source.images), _LOCATED_TOGETHER):
            stop = min(start + _LOCATED_TOGETHER, len(source.images))
            files = [
                file for file in source.locate(start, stop) if file is not None and not file.is_temporary
            ]
            found += [Path(os.path.abspath(file.path)) for file in files]
    return found


def _without_buckets(paths: Sequence[Path | str]) -> Sequence[Path | str]:
    for path in paths:
        if isinstance(path, str) and "://" in path:
            raise OnlyWhereTheDataIs(verb="calotype add", why="the server does not open addresses for others")
    return paths


def send(shipment: Shipment, dataset: str, store: Any, progress: Progress) -> Upload:
    """Send the files of a shipment; goes on where a connection broke.

    Raises: UploadInvalid, UploadsFull, FileChangedWhileSent, ServerUnreachable, ConnectionLost.
    """
    sizes = [os.path.getsize(path) for _, path in shipment.files]
    listed = [(name, size) for (name, _), size in zip(shipment.files, sizes, strict=True)]
    nobody, failures = Actor.nobody(), 0
    upload = incoming.open_upload(nobody, dataset, shipment.origin, listed, store=store)
    while upload.received_bytes < upload.total_bytes:
        before = upload.received_bytes
        try:
            for offset, piece in _pieces(shipment.files, sizes, before):
                upload = incoming.append_upload(nobody, dataset, upload.id, offset, piece, store=store)
                progress("sending", upload.received_bytes, upload.total_bytes)
        except UploadOutOfStep as error:
            upload = replace(upload, received_bytes=int(error.fields["received"]))
        except (ConnectionLost, ServerUnreachable):
            failures = 0 if upload.received_bytes > before else failures + 1
            if failures >= TRIES:
                raise
            time.sleep(min(_PAUSE_S * 2**failures, _MAX_PAUSE_S))
            upload = incoming.open_upload(nobody, dataset, shipment.origin, listed, store=store)
    return upload


def _pieces(
    files: Sequence[tuple[str, str]], sizes: Sequence[int], offset: int
) -> Iterable[tuple[int, bytes]]:
    """The stream of all files from an offset on, in pieces. Raises: FileChangedWhileSent."""
    waiting, at, start = bytearray(), offset, 0
    for (_, path), size in zip(files, sizes, strict=True):
        if start + size > offset:
            with open(path, "rb") as file:
                file.seek(max(offset - start, 0))
                left = size - max(offset - start, 0)
                while left:
                    data = file.read(min(left, PIECE_BYTES - len(waiting)))
                    if not data:
                        raise FileChangedWhileSent(path=path)
                    waiting += data
                    left -= len(data)
                    if len(waiting) == PIECE_BYTES:
                        yield at, bytes(waiting)
                        at += len(waiting)
                        waiting.clear()
        start += size
    if waiting:
        yield at, bytes(waiting)
