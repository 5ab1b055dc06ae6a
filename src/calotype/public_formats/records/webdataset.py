"""WebDataset: tar files in which the files of one image lie behind each other. Source: the format description of the
webdataset library.

Files with one key belong together: the key is the path up to the first dot of the file name, the rest names the part,
such as `jpg`, `json`, `cls`, `txt`. The JSON part is a row as in `records`; `cls` is a class by number or name, `txt` a
caption. Numbers are named in `classnames.txt` beside the shards. Nothing is unpacked to a path of the
archive: images are read from their place in the tar file while they are imported. Links and devices are left out.
A shard compressed with gzip (`.tar.gz`, `.tgz`) is unpacked to a temporary file first.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from calotype.datasets.model import Kind
from calotype.folder_reading.folder import BACKGROUND, SPLITS, Reading, split_of, suffix_of
from calotype.formats.archives.gunzip import MAGIC, Unpacked, unpacked_head
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.image_files import MAX_IMAGE_BYTES
from calotype.formats.passthrough import escaped
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.foundation.progress import Progress, silent
from calotype.public_formats.records.extracted import ArchivedSource, ReadBytes
from calotype.public_formats.records.image_folder import classes_of
from calotype.public_formats.records.row_writing import LOSES
from calotype.public_formats.records.rows import Names, json_value, read_record
from calotype.public_formats.records.webdataset_writing import write_shards
from calotype.vision.images import IMAGE_EXTENSIONS

CLASS_FILES = ("classnames.txt", "classes.txt")
_MAX_MEMBERS = 20_000_000
_MAX_LABEL_BYTES = 20_000_000
_LABEL_PARTS = frozenset({"json", "cls", "txt", "caption", "text"})
_COMPRESSED = (b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_ENDINGS = (".tar", ".tar.gz", ".tgz")
_TAR_ERRORS = (tarfile.TarError, OSError, EOFError, ValueError, OverflowError)


class WebDataset:
    """Tar files of images with their labels."""

    name = "webdataset"
    title = "WebDataset"
    suffixes = _ENDINGS
    abilities = Abilities(
        reads=frozenset({Kind.BOX, Kind.CLASSIFICATION, Kind.CAPTION}),
        writes=frozenset({Kind.BOX, Kind.CLASSIFICATION, Kind.CAPTION}),
        one_file=True,
        loses=(*LOSES, "a missing split (train is written)", "dots in names of images (`_` is written)"),
        source="format description of the webdataset library",
        coordinates="bbox is x, y, width, height in pixels, as it is",
        ids="images by key; classes by name, or numbers named in classnames.txt; ids of objects are kept",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """Tar files in which an image comes early."""
        named = survey.with_suffix(".tar", ".tgz", ".gz")
        for name in [name for name in named if name.lower().endswith(_ENDINGS)][:20]:
            head = survey.head(name, 64_000)
            head = unpacked_head(head, 64_000) if head.startswith(MAGIC) else head
            if any(suffix_of(member) in IMAGE_EXTENSIONS for member in _first_members(head)):
                return Sighting("tar files with the images inside", (name,), Certainty.DESCRIBED)
        return None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ArchivedSource]:
        """Raises: LabelFileUnreadable when there is no tar file."""
        reading = Reading(path, images, self.title)
        files = reading.files.names if reading.single is None else [reading.single]
        shards = [name for name in files if name.lower().endswith(_ENDINGS)]
        if not shards:
            raise reading.refused("there is no .tar file", "give the folder that holds the shards")
        names = _class_names(reading)
        shards_read = _Shards(reading, names)
        for at, shard in enumerate(shards, 1):
            shards_read.read(shard)
            progress("reading labels", at, len(shards))
        return [ArchivedSource(path.name, reading.labels(classes_of(reading, names)), shards_read.members)]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `<split>-000000.tar` of 1,000 images and `classnames.txt`; the same input gives the same bytes."""
        return write_shards(samples, out, progress)


@dataclass
class _Entry:
    """The parts of one key so far."""

    key: str
    image: tarfile.TarInfo | None = None
    suffix: str = ""
    labels: dict[str, bytes] = field(default_factory=dict)


def key_and_part(name: str) -> tuple[str, str]:
    """Key and part of a member: the file name is cut at its first dot. A leading `./` does not count."""
    folder, _, last = name.removeprefix("./").rpartition("/")
    stem, _, part = last.partition(".")
    return (f"{folder}/{stem}" if folder else stem), part.lower()


def _first_members(head: bytes) -> list[str]:
    """Names of the members at the head of a tar file, which may be cut off."""
    names: list[str] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(head), mode="r:") as tar:
            while len(names) < 20 and (member := tar.next()) is not None:
                names.append(member.name)
    except _TAR_ERRORS:
        pass
    return names


def _class_names(reading: Reading) -> Names:
    """The names of numbered classes, a name a line, from the list beside the shards."""
    found = [n for n in reading.files.names if n.lower() in CLASS_FILES] if reading.single is None else []
    text = reading.text(found[0]) if found else None
    names = [line.strip() for line in (text or "").rstrip("\n").split("\n")] if text else []
    return Names({"*": names} if names else {})


def _split(shard: str) -> str:
    """The split that the name of a shard states, as in `imagenet-val-000000.tar`."""
    stem = escaped(shard).rpartition("/")[2].lower().removesuffix(".gz").rpartition(".")[0]
    words = stem.replace("_", "-").split("-")
    named = next((SPLITS[word] for word in words if word in SPLITS), "") or split_of(shard)
    is_plain = len(words) == 2 and words[1].isdigit()
    return named or (words[0] if is_plain and words[0] not in ("shard", "data", "part", "images") else "")


class _Shards:
    """The images of all shards; `members` reads the bytes of each by its key."""

    def __init__(self, reading: Reading, names: Names) -> None:
        self.members: dict[str, ReadBytes] = {}
        self._reading, self._names = reading, names
        self._taken: set[str] = set()
        self._unpacked: Unpacked | None = None

    def read(self, shard: str) -> None:
        """Read the labels of one shard, and where its images are."""
        path = self._reading.files.path(shard)
        n_members = 0
        entry: _Entry | None = None
        try:
            with path.open("rb") as file:
                head = file.read(6)
            if head.startswith(_COMPRESSED):
                reason = "it is compressed, and not with gzip; unpack it to a plain .tar file first"
                self._reading.set_aside("image", shard, reason, kind="unreadable")
                return
            self._unpacked = Unpacked(path) if head.startswith(MAGIC) else None
            path = self._unpacked.path if self._unpacked else path
            n_bytes = path.stat().st_size
            with tarfile.open(path, "r:") as tar:
                for member in _members(tar):
                    n_members += 1
                    if n_members > _MAX_MEMBERS:
                        break
                    key, part = key_and_part(member.name)
                    if entry is None or entry.key != key:
                        self._finish(shard, entry)
                        entry = _Entry(key)
                    self._add(shard, tar, entry, member, part, n_bytes)
        except _TAR_ERRORS as error:
            reason = f"it cannot be read further than member {n_members}: {str(error)[:150] or type(error).__name__}"
            self._reading.set_aside("image", shard, reason, kind="unreadable")
        self._finish(shard, entry)

    def _add(
        self,
        shard: str,
        tar: tarfile.TarFile,
        entry: _Entry,
        member: tarfile.TarInfo,
        part: str,
        n_bytes: int,
    ) -> None:
        where = f"{shard} {member.name[:200]}"
        if not member.isreg() or member.issparse():
            if not member.isdir():
                what = "link or special file in a tar file: left out"
                self._reading.notices.add("file-not-labels", where, what=what)
        elif member.offset_data + member.size > n_bytes:
            self._reading.set_aside("image", where, "it is cut off", kind="unreadable")
        elif f".{part}" in IMAGE_EXTENSIONS:
            if entry.image is not None:
                self._reading.notices.add("file-not-labels", where, what="second image of a key: left out")
            elif member.size > MAX_IMAGE_BYTES:
                self._reading.set_aside("image", where, f"it has {member.size:,} bytes", kind="unreadable")
            else:
                entry.image, entry.suffix = member, f".{part}"
        elif part not in _LABEL_PARTS:
            what = "part of an image that holds no labels: left out"
            self._reading.notices.add("file-not-labels", where, what=what)
        elif member.size > _MAX_LABEL_BYTES:
            self._reading.set_aside("image", where, f"it has {member.size:,} bytes", kind="unreadable")
        else:
            opened = tar.extractfile(member)
            entry.labels[part] = opened.read(_MAX_LABEL_BYTES) if opened is not None else b""

    def _finish(self, shard: str, entry: _Entry | None) -> None:
        """List the image of a key, with its labels."""
        if entry is None or (entry.image is None and not entry.labels):
            return
        where = f"{shard} {entry.key[:200]}"
        if entry.image is None:
            self._reading.notices.add("label-without-image", where)
            return
        name = f"{entry.key}{entry.suffix}".lstrip("/")
        if name in self._taken:
            name = f"{shard.partition('.tar')[0].removesuffix('.tgz')}/{name}"
        if name in self._taken:
            self._reading.set_aside("image", where, "its shard has this key already")
            return
        self._taken.add(name)
        key = self._reading.add_image(None, name, where, split=_split(shard))
        archive = self._unpacked  # kept as long as one of its images may be asked for
        path = archive.path if archive else self._reading.files.path(shard)
        start, size = entry.image.offset_data, entry.image.size
        self.members[key] = lambda: _bytes(archive.path if archive else path, start, size)
        record = self._record(where, entry.labels)
        metadata, extra, is_empty = read_record(self._reading, key, where, record, self._names)
        if is_empty:
            self._reading.notices.add("image-empty", where)
        elif not any(a.image_key == key for a in self._reading.annotations[-1:]):
            self._reading.notices.add("image-without-labels", where)
        tags = (BACKGROUND,) if is_empty else ()
        listed = self._reading.images[key]
        self._reading.images[key] = replace(listed, metadata=metadata, extra=extra, tags=tags)

    def _record(self, where: str, labels: dict[str, bytes]) -> dict[str, Any]:
        """The parts of a key as one row; a part that is broken is a problem."""
        record: dict[str, Any] = {}
        for part, data in labels.items():
            try:
                text = data.decode("utf-8-sig")
            except UnicodeDecodeError:
                self._reading.set_aside("annotation", f"{where}.{part}", "it is not UTF-8 text")
                continue
            if part == "json":
                value = json_value(text)
                if not isinstance(value, dict):
                    self._reading.set_aside("annotation", f"{where}.json", "it is not a JSON object")
                    continue
                record = {**value, **record}
            elif part == "cls":
                stated = text.strip()
                record["cls"] = (
                    int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 10 else stated
                )
            else:
                record["txt" if part == "txt" else "text"] = text
        return record


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members one by one; the tar file forgets them, so that millions need no memory."""
    while (member := tar.next()) is not None:
        yield member
        tar.members.clear()  # type: ignore[attr-defined]


def _bytes(path: Path, start: int, size: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(size)
    except OSError:
        return None
    return data if len(data) == size else None
