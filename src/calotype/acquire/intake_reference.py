"""Registering images by reference: nothing is copied, sizes come from the label file or from the image header.

The pixels are not decoded and the bytes are not hashed on import; the checks decode them, and a hash is computed when
it is first needed. So a file that is damaged after its header is reported by the checks, and equal bytes under two
names are two samples until they are hashed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from calotype.acquire.intake import FileUnreadable
from calotype.acquire.job import ImportJob
from calotype.acquire.quarantine import QuarantinedItem
from calotype.acquire.sample_matcher import ImageFacts, IntakeResult
from calotype.datasets import rows
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.datasets.row_ids import new_ids
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.clock import now_us
from calotype.foundation.collector import collector_paused
from calotype.store.media.references import Reference, file_reference
from calotype.vision import images
from calotype.vision.jpeg_header import quick_size

CHUNK_FILES = 100_000
_HEAD_BYTES = 65_536
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)
_KEYS = ("sample_id", "name", "media_sha256", "import_id")
_NOTHING: Mapping[str, ImageFacts] = MappingProxyType({})


@dataclass
class ReferencedImages:
    """Images to register by reference, as columns of equal length; `source` is the same for all."""

    names: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    mimes: list[str] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    metadata: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    tags: list[Sequence[str]] = field(default_factory=list)
    source: str = ""

    def __len__(self) -> int:
        return len(self.names)

    def add(self, name: str, reference: Reference, facts: ImageFacts) -> None:
        """Append an image to the first columns; the others are filled by the caller."""
        width, height, mime = facts
        self.names.append(name)
        self.references.append(reference)
        self.widths.append(width)
        self.heights.append(height)
        self.mimes.append(mime)

    def describe(self, *, licence: str, tags: Sequence[str], source: str) -> None:
        """Give every image the same licence and tags, no split and no metadata."""
        n = len(self)
        self.licences, self.metadata, self.extra, self.splits = [licence] * n, [""] * n, [""] * n, [""] * n
        self.tags, self.source = [tags] * n, source

    def part(self, start: int, end: int) -> ReferencedImages:
        """The images at some positions."""
        columns = {name: getattr(self, name)[start:end] for name in _COLUMNS}
        return ReferencedImages(**columns, source=self.source)

    def parts(self, bad: list[QuarantinedItem]) -> Iterator[ReferencePart]:
        """All images, a part at a time; the bad files come with the first."""
        for start in range(0, max(len(self), 1), CHUNK_FILES):
            yield self.part(start, start + CHUNK_FILES), [] if start else bad


_COLUMNS = tuple(column.name for column in fields(ReferencedImages) if column.name != "source")

ReferencePart = tuple[ReferencedImages, list[QuarantinedItem]]
"""Images to register, and files beside them that are not valid images."""


@dataclass
class RegisteredImages:
    """What became of the files, and the sample of each image in the order of the parts."""

    counts: IntakeResult = field(default_factory=IntakeResult)
    samples: list[pa.Array] = field(default_factory=list)


def register_images(job: ImportJob, parts: Iterable[ReferencePart], n_images: int) -> RegisteredImages:
    """Create samples for images that stay where they are, part by part; an interrupted run resumes with what is left.

    A name that the dataset has with the same reference is unchanged; with another reference of the same import its
    image has changed; of another import it gets a name of its own.

    Args:
        n_images: Number of images in all parts at most, for progress.
    Raises: NotPermitted, DatasetNotFound, FileUnreadable (with `on_invalid="error"`; nothing is written then).
    """
    if job.on_invalid == "error":
        parts = list(parts)
        for _, bad in parts:
            if bad:
                raise FileUnreadable(file=bad[0].place, detail=bad[0].reason)
    result, done = RegisteredImages(), 0
    for part, bad in parts:
        result.counts.quarantined += bad
        _register_part(job, part, bad if job.on_invalid == "quarantine" else [], result)
        done += len(part)
        job.progress("registering images", done, n_images)
    return result


def inspect_files(
    files: Sequence[tuple[str, str]], *, known: Mapping[str, ImageFacts] = _NOTHING
) -> tuple[ReferencedImages, list[QuarantinedItem]]:
    """Names, references, sizes and types of files given by name and path, read from their headers; and the bad files.

    Args:
        known: Facts by reference key; such a file is not opened again.
    """
    images, bad = ReferencedImages(), []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool, collector_paused():
        inspected = _inspect_all([path for _, path in files], known, pool)
        for (name, _), result in zip(files, inspected, strict=True):
            if isinstance(result, str):
                bad.append(QuarantinedItem("image", name, "file-unreadable", result))
                continue
            images.add(name, result[1], result[0])
    return images, bad


def known_references(snapshot: Snapshot) -> dict[str, ImageFacts]:
    """Size and type of the images that a dataset has by reference, by reference key; for `inspect_files`."""
    table = snapshot.rows_of(rows.SAMPLES, columns=["media_sha256", "width_px", "height_px", "mime"])
    table = table.filter(pc.starts_with(table["media_sha256"], "r"))
    keys, *facts = (column.to_pylist() for column in table.columns)
    return dict(zip(keys, zip(*facts, strict=True), strict=True))


_Inspected = tuple[ImageFacts, Reference] | str


def _inspect_all(
    paths: list[str], known: Mapping[str, ImageFacts], pool: ThreadPoolExecutor
) -> Iterator[_Inspected]:
    chunks = [paths[start : start + 512] for start in range(0, len(paths), 512)]
    for inspected in pool.map(lambda chunk: [_inspect(path, known) for path in chunk], chunks):
        yield from inspected


def _inspect(path: str, known: Mapping[str, ImageFacts]) -> _Inspected:
    """Size and type, from the header where they are not known; or why it is not a valid image."""
    try:
        if known:
            reference = file_reference(path, os.stat(path))
            if reference.key in known:
                return known[reference.key], reference
        handle = os.open(path, os.O_RDONLY | _NEVER_WAIT)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                return "it is not a regular file"
            reference = file_reference(path, status)
            head = os.read(handle, _HEAD_BYTES)
        finally:
            os.close(handle)
        size = quick_size(head)
        if size is not None and size[0] * size[1] <= images.MAX_PIXELS and _is_jpeg(path):
            return (*size, "image/jpeg"), reference
        facts = images.probe(Path(path).read_bytes())
    except OSError as error:
        return f"it cannot be read: {error.strerror or type(error).__name__}"
    except images.ImageUnreadable as error:
        return error.message
    return extension_problem(os.path.basename(path), facts.mime) or (
        (facts.width_px, facts.height_px, facts.mime),
        reference,
    )


def extension_problem(name: str, mime: str) -> str:
    """The reason where content and extension differ; empty where they agree."""
    if images.matches_extension(name, mime):
        return ""
    return f"its content is {mime}, its extension says otherwise"


def _is_jpeg(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in (".jpg", ".jpeg", "")


def _register_part(
    job: ImportJob, part: ReferencedImages, bad: list[QuarantinedItem], result: RegisteredImages
) -> None:
    matcher: _ReferenceMatcher | None = None

    def plan(snapshot: Snapshot) -> Change:
        nonlocal matcher
        matcher = _ReferenceMatcher(snapshot, part, job.import_id)
        table = matcher.match()
        return Change(put_samples=table if table.num_rows else ())

    record_bad = job.recorder(bad) if bad else None

    def record(conn: sa.Connection) -> None:
        job.store.media.references.register(conn, matcher.new if matcher is not None else ())
        if record_bad is not None:
            record_bad(conn)

    apply(
        job.actor,
        job.name,
        plan,
        store=job.store,
        verb=job.verb,
        record=record,
        details={"import": job.import_id, "run": job.run_id, "files": len(part), "media": "reference"},
    )
    if matcher is not None:
        result.counts.added += matcher.added
        result.counts.unchanged += matcher.unchanged
        result.counts.changed += matcher.changed
        result.samples.append(pa.array(matcher.ids, pa.string()))


@dataclass(frozen=True, slots=True)
class _Known:
    """A sample that an image may belong to."""

    sample_id: str
    name: str
    key: str
    import_id: str


class _ReferenceMatcher:
    """Matches the images of one part to the samples of one state."""

    def __init__(self, snapshot: Snapshot, part: ReferencedImages, import_id: str) -> None:
        self._snapshot = snapshot
        self._part = part
        self._import_id = import_id
        similar = _similar_samples(snapshot, part)
        self._by_name = {sample.name: sample for sample in similar}
        self._by_key = {sample.key: sample for sample in similar if sample.import_id == import_id}
        self.ids: list[str] = new_ids(len(part)).to_pylist()
        self.new: list[Reference] = []
        """References of the rows to put."""
        self.added = self.unchanged = self.changed = 0

    def match(self) -> pa.Table:
        """The rows to put; also fills `ids`, `new` and the counts."""
        part = self._part
        if not self._by_name and len(set(part.names)) == len(part):
            self.added = len(part)
            return self._rows(list(range(len(part))), part.names)
        chosen, names = [], []
        for at, (name, reference) in enumerate(zip(part.names, part.references, strict=True)):
            known, is_same = self._find(name, reference.key)
            if known is not None:
                self.ids[at] = known.sample_id
            if is_same:
                self.unchanged += 1
                continue
            if known is not None:
                self.changed += 1
                name = known.name
            else:
                self.added += 1
                name = _free(name, reference.key) if name in self._by_name else name
            self._by_name[name] = _Known(self.ids[at], name, reference.key, self._import_id)
            chosen.append(at)
            names.append(name)
        return self._rows(chosen, names)

    def _find(self, name: str, key: str) -> tuple[_Known | None, bool]:
        """The sample of an image, if there is one, and whether its file is unchanged."""
        known = self._by_name.get(name)
        if known is not None and known.key == key:
            return known, True
        if key in self._by_key:
            return self._by_key[key], True
        if known is None or known.import_id == self._import_id:
            return known, False
        return self._aliases.get(name), False

    @cached_property
    def _aliases(self) -> dict[str, _Known]:
        """Samples of this import whose own name was taken when they came, by that name."""
        table = self._snapshot.rows_of(rows.SAMPLES, columns=[*_KEYS, "names"])
        table = table.filter(pc.equal(table["import_id"], self._import_id))
        renamed = (row for row in table.to_pylist() if len(row["names"] or ()) > 1)
        return {row["names"][-1]: _Known(*(row[name] for name in _KEYS)) for row in renamed}

    def _rows(self, chosen: list[int], names: list[str]) -> pa.Table:
        part, n = self._part, len(chosen)

        def pick(values: list[Any]) -> list[Any]:
            return values if n == len(values) else [values[at] for at in chosen]

        references = self.new = pick(part.references)
        tags = pa.array(pick(part.tags), pa.list_(pa.string()))
        given = pick(part.names)
        aliases = [[name] if name == own else [name, own] for name, own in zip(names, given, strict=True)]
        columns: dict[str, Any] = {
            "sample_id": pick(self.ids),
            "name": names,
            "names": aliases,
            "tags": tags,
            "media_sha256": [reference.key for reference in references],
            "n_bytes": [reference.n_bytes for reference in references],
            "width_px": pick(part.widths),
            "height_px": pick(part.heights),
            "mime": pick(part.mimes),
            "licence": pick(part.licences),
            "metadata": pick(part.metadata),
            "extra": pick(part.extra),
            "source": pa.repeat(part.source, n),
            "split": pick(part.splits),
            "import_id": pa.repeat(self._import_id, n),
            "created_at_us": pa.repeat(now_us(), n),
        }
        for missing in ("group", "parent_id", "recipe"):
            columns[missing] = pa.repeat("", n)
        return pa.table({name: columns[name] for name in rows.SAMPLE_SCHEMA.names}, schema=rows.SAMPLE_SCHEMA)


def _similar_samples(snapshot: Snapshot, part: ReferencedImages) -> list[_Known]:
    """The samples that have a name or a reference of the part."""
    index = snapshot.rows_of(rows.SAMPLES, columns=["name", "media_sha256"])
    names = pa.array(part.names, pa.string())
    keys = pa.array([reference.key for reference in part.references], pa.string())
    like = pc.or_(pc.is_in(index["name"], value_set=names), pc.is_in(index["media_sha256"], value_set=keys))
    if not pc.any(like).as_py():
        return []
    table = snapshot.rows_of(rows.SAMPLES, columns=list(_KEYS))
    like = pc.or_(pc.is_in(table["name"], value_set=names), pc.is_in(table["media_sha256"], value_set=keys))
    columns = table.filter(like).select(list(_KEYS)).to_pydict().values()
    return [_Known(*row) for row in zip(*columns, strict=True)]


def _free(name: str, key: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{stem or name}~{key[1:9]}{dot}{suffix if stem else ''}"
