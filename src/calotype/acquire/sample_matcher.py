"""Matching incoming files to samples: known by bytes, known by name, or new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from calotype.acquire.quarantine import QuarantinedItem
from calotype.datasets import rows
from calotype.datasets.change import Change
from calotype.datasets.model import MetadataValue, Sample
from calotype.datasets.snapshot import Snapshot
from calotype.datasets.streaming import rows_with
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.store import Store
from calotype.store.tables.row_lookup import ColumnValues

Duplicates = Literal["alias", "keep"]

_INDEXED = ["sample_id", "name", "names", "media_sha256", "import_id", "width_px", "height_px", "mime"]

ImageFacts = tuple[int, int, str]
"""Width and height of the upright image in pixels, and its media type."""


@dataclass(frozen=True, slots=True)
class IncomingImage:
    """One file to import, and what its source says about it."""

    path: Path
    name: str
    split: str = ""
    licence: str = ""
    source: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class IntakeResult:
    """What became of the files. `sample_ids` has the sample of each incoming name."""

    added: int = 0
    duplicates: int = 0
    unchanged: int = 0
    changed: int = 0
    quarantined: list[QuarantinedItem] = field(default_factory=list)
    sample_ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose bytes are in the store."""

    incoming: IncomingImage
    sha256: str
    n_bytes: int
    facts: ImageFacts


@dataclass(slots=True)
class _KnownSample:
    """The columns of a sample that matching needs."""

    sample_id: str
    name: str
    sha256: str
    import_id: str


@dataclass
class _Outcome:
    """The result of one chunk."""

    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("added", "duplicates", "unchanged", "changed"), 0)
    )
    sample_ids: dict[str, str] = field(default_factory=dict)
    ids_in_order: list[str] = field(default_factory=list)
    in_order: list[str] = field(default_factory=list)
    put: dict[str, Sample] = field(default_factory=dict)
    aliases: dict[str, list[str]] = field(default_factory=dict)
    """Further names of samples: collected, because one sample may get thousands."""
    new: set[str] = field(default_factory=set)


class SampleMatcher:
    """Matches chunk after chunk; the index of the dataset is kept while nobody else writes to it."""

    def __init__(self, import_id: str, duplicates: Duplicates, *, few_in: Store | None = None) -> None:
        """
        Args:
            few_in: The store, if only a few files are matched: each chunk then looks up the samples that it needs,
                instead of reading all names and hashes of the dataset.
        """
        self.import_id = import_id
        self._duplicates = duplicates
        self._few_in = few_in
        self._state: tuple[str, int | None] | None = None
        self._table: pa.Table | None = None
        self._facts: dict[str, ImageFacts] = {}
        self._outcome = _Outcome()

    @property
    def outcomes(self) -> list[str]:
        """What became of each file of the last chunk, in order: the names of the counts in `IntakeResult`."""
        return self._outcome.in_order

    @property
    def ids(self) -> list[str]:
        """The sample of each file of the last chunk, in order."""
        return self._outcome.ids_in_order

    def known_facts(self, sha256: str) -> ImageFacts | None:
        """Size and type of these bytes where the dataset has them; they were verified when they were imported."""
        return self._facts.get(sha256)

    def refresh(self, snapshot: Snapshot) -> None:
        """Read the samples of the dataset, unless the index is up to date."""
        state = (snapshot.dataset.id, snapshot.pins.get(rows.SAMPLES))
        if state == self._state:
            return
        self._index(snapshot.rows_of(rows.SAMPLES, columns=_INDEXED))
        self._table, self._state = None, state

    def _look_up(self, snapshot: Snapshot, loaded: list[StoredFile], store: Store) -> None:
        """Read the samples that have a name or the bytes of one of the files."""
        by = {
            "name": sorted({item.incoming.name for item in loaded}),
            "media_sha256": sorted({item.sha256 for item in loaded}),
        }
        self._index(
            pa.concat_tables(
                rows_with(store, snapshot, rows.SAMPLES, ColumnValues(column, values), _INDEXED)
                for column, values in by.items()
            )
        )

    def _index(self, table: pa.Table) -> None:
        self._by_name: dict[str, _KnownSample] = {}
        self._by_alias: dict[tuple[str, str], _KnownSample] = {}
        self._by_sha: dict[str, list[_KnownSample]] = {}
        facts: dict[str, ImageFacts] = {}
        seen: set[str] = set()
        for batch in table.to_batches():
            columns = [batch[name].to_pylist() for name in _INDEXED]
            for sample_id, name, aliases, sha256, import_id, width, height, mime in zip(
                *columns, strict=True
            ):
                if sample_id not in seen:
                    seen.add(sample_id)
                    self._remember(_KnownSample(sample_id, name, sha256, import_id), aliases or ())
                    facts[sha256] = (width, height, mime)
        self._facts = facts

    def change(self, snapshot: Snapshot, loaded: Iterable[StoredFile]) -> Change:
        """The samples to put for a chunk. It may be called again with a newer state."""
        loaded = list(loaded)
        if self._few_in is None:
            self.refresh(snapshot)
        else:
            self._look_up(snapshot, loaded, self._few_in)
        self._state = None  # the index is ahead of the dataset until the edit is committed
        self._outcome = _Outcome()
        known = self._known_samples(snapshot, loaded)
        for item in loaded:
            self._match_one(item, known)
        put = self._outcome.put
        for sample_id, names in self._outcome.aliases.items():
            old = put.get(sample_id) or known[sample_id]
            put[sample_id] = replace(old, names=(*old.names, *names))
        return Change(put_samples=list(put.values()), new_samples=self._outcome.new)

    def committed(self, snapshot: Snapshot) -> None:
        """The edit was published as this state."""
        self._state = (snapshot.dataset.id, snapshot.pins.get(rows.SAMPLES))

    def add_to(self, result: IntakeResult) -> None:
        """Add the counts and samples of the last chunk to a result."""
        for name, n in self._outcome.counts.items():
            setattr(result, name, getattr(result, name) + n)
        result.sample_ids.update(self._outcome.sample_ids)

    def _remember(self, row: _KnownSample, names: Iterable[str]) -> None:
        self._by_name[row.name] = row
        self._by_sha.setdefault(row.sha256, []).append(row)
        for alias in names:
            self._by_alias[alias, row.sha256] = row

    def _known_samples(self, snapshot: Snapshot, loaded: list[StoredFile]) -> dict[str, Sample]:
        wanted = set()
        for item in loaded:
            for row in (self._by_name.get(item.incoming.name), *self._by_sha.get(item.sha256, ())):
                if row is not None:
                    wanted.add(row.sample_id)
        if not wanted:
            return {}
        if self._few_in is not None:
            return {sample.sample_id: sample for sample in snapshot.iter_samples(ids=sorted(wanted))}
        if self._table is None:
            self._table = snapshot.rows_of(rows.SAMPLES)
        ids = pa.array(sorted(wanted), pa.string())
        table = self._table.filter(pc.is_in(self._table["sample_id"], value_set=ids))
        samples = {sample.sample_id: sample for sample in rows.samples_from_arrow(table)}
        later = sorted(wanted - samples.keys())  # samples that this import added itself
        return samples | {sample.sample_id: sample for sample in snapshot.iter_samples(ids=later)}

    def _match_one(self, item: StoredFile, known: dict[str, Sample]) -> None:
        row = self._same_file(item)
        if row is not None:
            self._record(
                item, row.sample_id, "unchanged", _enriched(self._current(row, known), item.incoming)
            )
            return
        named = self._by_name.get(item.incoming.name)
        if named is not None and named.import_id == self.import_id:
            old = self._current(named, known)
            self._by_sha[named.sha256].remove(named)
            self._outcome.aliases.pop(old.sample_id, None)  # they named the bytes that are replaced
            changed = self._sample(item, old)
            self._remember(replace(named, sha256=item.sha256), changed.names)
            self._record(item, old.sample_id, "changed", changed)
            return
        twins = self._by_sha.get(item.sha256)
        if twins and self._duplicates == "alias":
            twin = twins[0]
            self._by_alias[item.incoming.name, item.sha256] = twin
            self._outcome.aliases.setdefault(twin.sample_id, []).append(item.incoming.name)
            self._record(item, twin.sample_id, "duplicates", None)
            return
        new = self._sample(item, None)
        self._outcome.new.add(new.sample_id)
        self._remember(_KnownSample(new.sample_id, new.name, item.sha256, self.import_id), new.names)
        self._record(item, new.sample_id, "added", new)

    def _same_file(self, item: StoredFile) -> _KnownSample | None:
        """The sample that has this file already."""
        for row in (
            self._by_name.get(item.incoming.name),
            self._by_alias.get((item.incoming.name, item.sha256)),
        ):
            if row is not None and row.sha256 == item.sha256:
                return row
        last = PurePosixPath(item.incoming.name).name
        for row in self._by_sha.get(item.sha256, ()):
            came_before = row.import_id != self.import_id
            if came_before and self._duplicates == "keep" and PurePosixPath(row.name).name == last:
                return row  # added from a folder first, now listed by a label file
        return None

    def _current(self, row: _KnownSample, known: dict[str, Sample]) -> Sample:
        return self._outcome.put.get(row.sample_id) or known[row.sample_id]

    def _record(self, item: StoredFile, sample_id: str, outcome: str, sample: Sample | None) -> None:
        self._outcome.counts[outcome] += 1
        self._outcome.in_order.append(outcome)
        self._outcome.ids_in_order.append(sample_id)
        self._outcome.sample_ids[item.incoming.name] = sample_id
        if sample is not None:
            self._outcome.put[sample_id] = sample

    def _sample(self, item: StoredFile, old: Sample | None) -> Sample:
        incoming, (width, height, mime) = item.incoming, item.facts
        name = old.name if old else self._free_name(item)
        sample = Sample(
            sample_id=old.sample_id if old else uuid7(),
            media_sha256=item.sha256,
            name=name,
            names=(name,) if name == incoming.name else (name, incoming.name),
            width_px=width,
            height_px=height,
            mime=mime,
            n_bytes=item.n_bytes,
            source=incoming.source,
            licence=incoming.licence,
            group=incoming.group,
            split=incoming.split,
            tags=incoming.tags,
            metadata=dict(incoming.metadata),
            extra=dict(incoming.extra),
            import_id=self.import_id,
            created_at_us=old.created_at_us if old else now_us(),
        )
        return sample if old is None else (_enriched(sample, _as_incoming(old, incoming.path)) or sample)

    def _free_name(self, item: StoredFile) -> str:
        name = item.incoming.name
        if name not in self._by_name:
            return name
        path = PurePosixPath(name)
        return str(path.with_name(f"{path.stem}~{item.sha256[:8]}{path.suffix}"))


def _enriched(old: Sample, incoming: IncomingImage) -> Sample | None:
    """The sample with its gaps filled from the incoming file; None when nothing is new."""
    metadata = {**incoming.metadata, **old.metadata}
    new = replace(
        old,
        split=old.split or incoming.split,
        licence=old.licence or incoming.licence,
        source=old.source or incoming.source,
        group=old.group or incoming.group,
        tags=(*old.tags, *(tag for tag in incoming.tags if tag not in old.tags)),
        metadata=metadata,
        extra={**incoming.extra, **old.extra},
    )
    return None if new == old else new


def _as_incoming(old: Sample, path: Path) -> IncomingImage:
    return IncomingImage(
        path=path,
        name=old.name,
        split=old.split,
        licence=old.licence,
        source=old.source,
        group=old.group,
        tags=old.tags,
        metadata=old.metadata,
        extra=old.extra,
    )
