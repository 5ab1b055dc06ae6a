"""Taking images in where they lie: nothing is copied, sizes come from the label file or from the header.

The pixels are not decoded and the bytes not hashed; `checks` does the one and the first need of a hash the other.
So a file that is broken behind its header is found by the checks and not at the door, and equal bytes under two names
are two samples until they are hashed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from calotype.acquire import quarantine as setting_aside
from calotype.acquire.intake import FileUnreadable
from calotype.acquire.quarantine import SetAside
from calotype.acquire.sample_matcher import Intake
from calotype.datasets import rows
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.datasets.row_ids import new_ids
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.collector import collector_paused
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.store.media.references import Reference, file_reference
from calotype.vision import images
from calotype.vision.jpeg_header import quick_size

CHUNK_FILES = 100_000
_HEAD_BYTES = 65_536
_TOLD = ("sample_id", "name", "media_sha256", "import_id")


Looked = tuple[int, int, str]
"""Width and height in pixels, and the media type."""
_NOTHING: Mapping[str, Looked] = MappingProxyType({})


@dataclass
class InPlace:
    """Images that are to be referred to, as columns of equal length; `tags`, `source` are the same for all."""

    names: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    mimes: list[str] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    metadata: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    split: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def part(self, start: int, end: int) -> InPlace:
        """Some of them."""
        names = ("names", "references", "widths", "heights", "mimes", "licences", "metadata", "extra")
        chosen = {name: getattr(self, name)[start:end] for name in names}
        return InPlace(**chosen, split=self.split, source=self.source, tags=self.tags)

    def parts(self, bad: list[SetAside]) -> Iterator[Part]:
        """All of them, some at a time; what is bad goes with the first."""
        for start in range(0, max(len(self), 1), CHUNK_FILES):
            yield self.part(start, start + CHUNK_FILES), [] if start else bad


Part = tuple[InPlace, list[SetAside]]
"""Images to refer to, and files beside them that are no images."""


@dataclass
class Referred:
    """What became of the files, and the sample of each image in the order of the parts."""

    intake: Intake = field(default_factory=Intake)
    samples: list[pa.Array] = field(default_factory=list)


def refer_to(
    actor: Actor,
    name: str,
    parts: Iterable[Part],
    total: int,
    *,
    import_id: str,
    store: Store,
    verb: str,
    on_invalid: str = "quarantine",
    progress: Progress = silent,
) -> Referred:
    """Make samples of images that stay where they are, part by part; a killed run goes on with what is left.

    A name that the dataset has with the same reference is unchanged; with another reference of the same import its
    image was changed; of another import it gets a name of its own.

    Args:
        total: How many images the parts hold in all, at most; for `progress` alone.
    Raises: NotPermitted, DatasetNotFound, FileUnreadable (with `on_invalid="error"`; nothing is written then).
    """
    if on_invalid == "error":
        parts = list(parts)
        for _, bad in parts:
            if bad:
                raise FileUnreadable(file=bad[0].place, detail=bad[0].reason)
    result, done = Referred(), 0
    for part, bad in parts:
        result.intake.quarantined += bad
        aside = bad if on_invalid == "quarantine" else []
        _settle(actor, name, part, aside, result, import_id=import_id, store=store, verb=verb)
        done += len(part)
        progress("registering images", done, total)
    return result


def look_at(
    files: Sequence[tuple[str, str]], *, licence: str, known: Mapping[str, Looked] = _NOTHING
) -> tuple[InPlace, list[SetAside]]:
    """Files by name and path, seen by their headers; and those that are no images.

    Args:
        known: What was seen before, by reference: such a file is not opened again.
    """
    found, bad = InPlace(), []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool, collector_paused():
        for (name, _), seen in zip(files, _looks([path for _, path in files], known, pool), strict=True):
            if isinstance(seen, str):
                bad.append(SetAside("image", name, "file-unreadable", seen))
                continue
            (width, height, mime), reference = seen
            found.names.append(name)
            found.references.append(reference)
            found.widths.append(width)
            found.heights.append(height)
            found.mimes.append(mime)
    n = len(found)
    found.licences, found.metadata, found.extra = [licence] * n, [""] * n, [""] * n
    return found, bad


def looked_before(snapshot: Snapshot) -> dict[str, Looked]:
    """What a dataset knows of its images by reference, for `look_at`."""
    table = snapshot.rows_of(rows.SAMPLES, columns=["media_sha256", "width_px", "height_px", "mime"])
    table = table.filter(pc.starts_with(table["media_sha256"], "r"))
    keys, *facts = (column.to_pylist() for column in table.columns)
    return dict(zip(keys, zip(*facts, strict=True), strict=True))


_Seen = tuple[Looked, Reference] | str


def _looks(paths: list[str], known: Mapping[str, Looked], pool: ThreadPoolExecutor) -> Iterator[_Seen]:
    chunks = [paths[start : start + 512] for start in range(0, len(paths), 512)]
    for seen in pool.map(lambda chunk: [_look(path, known) for path in chunk], chunks):
        yield from seen


def _look(path: str, known: Mapping[str, Looked]) -> _Seen:
    """Size and type, from the header where they are not known; or why it is no image."""
    try:
        if known:
            reference = file_reference(path, os.stat(path))
            if reference.key in known:
                return known[reference.key], reference
        handle = os.open(path, os.O_RDONLY)
        try:
            reference = file_reference(path, os.fstat(handle))
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
    return not_as_named(os.path.basename(path), facts.mime) or (
        (facts.width_px, facts.height_px, facts.mime),
        reference,
    )


def not_as_named(name: str, mime: str) -> str:
    """What is wrong where content and extension differ; empty where they do not."""
    if images.matches_extension(name, mime):
        return ""
    return f"its content is {mime}, its extension says otherwise"


def _is_jpeg(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in (".jpg", ".jpeg", "")


def _settle(
    actor: Actor,
    name: str,
    part: InPlace,
    bad: list[SetAside],
    result: Referred,
    *,
    import_id: str,
    store: Store,
    verb: str,
) -> None:
    settling: _Settling | None = None

    def plan(snapshot: Snapshot) -> Change:
        nonlocal settling
        settling = _Settling(snapshot, part, import_id)
        table = settling.table()
        return Change(put_samples=table if table.num_rows else ())

    keep = setting_aside.recorder(store, name, import_id, bad) if bad else None

    def record(conn: sa.Connection) -> None:
        store.media.references.register(conn, settling.new if settling is not None else ())
        if keep is not None:
            keep(conn)

    apply(
        actor,
        name,
        plan,
        store=store,
        verb=verb,
        record=record,
        details={"import": import_id, "files": len(part), "media": "reference"},
    )
    if settling is not None:
        result.intake.added += settling.added
        result.intake.unchanged += settling.unchanged
        result.intake.changed += settling.changed
        result.samples.append(pa.array(settling.ids, pa.string()))


@dataclass(frozen=True, slots=True)
class _Known:
    """A sample that may be the one that an image is."""

    sample_id: str
    name: str
    key: str
    import_id: str


class _Settling:
    """Decides for one part, against one state, which sample each image is."""

    def __init__(self, snapshot: Snapshot, part: InPlace, import_id: str) -> None:
        self._snapshot = snapshot
        self._part = part
        self._import_id = import_id
        found = _samples_like(snapshot, part)
        self._by_name = {one.name: one for one in found}
        self._by_key = {one.key: one for one in found if one.import_id == import_id}
        self.ids: list[str] = new_ids(len(part)).to_pylist()
        self.new: list[Reference] = []
        """References of the rows to put."""
        self.added = self.unchanged = self.changed = 0

    def table(self) -> pa.Table:
        """The rows to put; decides on the way."""
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
        """The sample that an image is, if there is one, and whether it is as it was."""
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
        table = self._snapshot.rows_of(rows.SAMPLES, columns=[*_TOLD, "names"])
        table = table.filter(pc.equal(table["import_id"], self._import_id))
        renamed = (row for row in table.to_pylist() if len(row["names"] or ()) > 1)
        return {row["names"][-1]: _Known(*(row[name] for name in _TOLD)) for row in renamed}

    def _rows(self, chosen: list[int], names: list[str]) -> pa.Table:
        part, n = self._part, len(chosen)

        def pick(values: list[Any]) -> list[Any]:
            return values if n == len(values) else [values[at] for at in chosen]

        references = self.new = pick(part.references)
        tags = pa.array([list(part.tags)] * n, pa.list_(pa.string()))
        given = pick(part.names)
        aliases = [[name] if name == own else [name, own] for name, own in zip(names, given, strict=True)]
        columns: dict[str, Any] = {
            "sample_id": pick(self.ids),
            "name": names,
            "names": aliases,
            "tags": tags,
            "media_sha256": [one.key for one in references],
            "n_bytes": [one.n_bytes for one in references],
            "width_px": pick(part.widths),
            "height_px": pick(part.heights),
            "mime": pick(part.mimes),
            "licence": pick(part.licences),
            "metadata": pick(part.metadata),
            "extra": pick(part.extra),
            "source": pa.repeat(part.source, n),
            "split": pa.repeat(part.split, n),
            "import_id": pa.repeat(self._import_id, n),
            "created_at_us": pa.repeat(now_us(), n),
        }
        for missing in ("group", "parent_id", "recipe"):
            columns[missing] = pa.repeat("", n)
        return pa.table({name: columns[name] for name in rows.SAMPLE_SCHEMA.names}, schema=rows.SAMPLE_SCHEMA)


def _samples_like(snapshot: Snapshot, part: InPlace) -> list[_Known]:
    """The samples that have a name or a reference of the part."""
    index = snapshot.rows_of(rows.SAMPLES, columns=["name", "media_sha256"])
    names = pa.array(part.names, pa.string())
    keys = pa.array([one.key for one in part.references], pa.string())
    like = pc.or_(pc.is_in(index["name"], value_set=names), pc.is_in(index["media_sha256"], value_set=keys))
    if not pc.any(like).as_py():
        return []
    table = snapshot.rows_of(rows.SAMPLES, columns=list(_TOLD))
    like = pc.or_(pc.is_in(table["name"], value_set=names), pc.is_in(table["media_sha256"], value_set=keys))
    columns = table.filter(like).select(list(_TOLD)).to_pydict().values()
    return [_Known(*row) for row in zip(*columns, strict=True)]


def _free(name: str, key: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{stem or name}~{key[1:9]}{dot}{suffix if stem else ''}"
