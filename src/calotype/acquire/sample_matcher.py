"""Which sample is each file that comes in? Known by its bytes, by its name, or new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from calotype.acquire.quarantine import SetAside
from calotype.datasets import rows
from calotype.datasets.model import MetadataValue, Sample
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7

Duplicates = Literal["alias", "keep"]

Seen = tuple[int, int, str]
"""Width and height of the upright image in pixels, and its media type."""


@dataclass(frozen=True, slots=True)
class IncomingImage:
    """One file that knocks at the door, and what its source says about it."""

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
class Intake:
    """What became of the files. `sample_ids` tells for each incoming name which sample it is now."""

    added: int = 0
    duplicates: int = 0
    unchanged: int = 0
    changed: int = 0
    quarantined: list[SetAside] = field(default_factory=list)
    sample_ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file whose bytes are stored."""

    incoming: IncomingImage
    sha256: str
    n_bytes: int
    seen: Seen


@dataclass(slots=True)
class _Row:
    """What is known of a sample without reading it."""

    sample_id: str
    name: str
    sha256: str
    import_id: str


@dataclass
class _Outcome:
    """What one chunk comes to."""

    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("added", "duplicates", "unchanged", "changed"), 0)
    )
    sample_ids: dict[str, str] = field(default_factory=dict)
    put: dict[str, Sample] = field(default_factory=dict)


class Settling:
    """Decides for chunk after chunk; what it knows of the dataset is kept while nobody else writes to it."""

    def __init__(self, import_id: str, duplicates: Duplicates) -> None:
        self.import_id = import_id
        self._duplicates = duplicates
        self._state: tuple[str, int | None] | None = None
        self._table: pa.Table | None = None
        self._seen: dict[str, Seen] = {}
        self._outcome = _Outcome()

    def seen(self, sha256: str) -> Seen | None:
        """What the dataset knows of these bytes, which were checked when they came in."""
        return self._seen.get(sha256)

    def look(self, snapshot: Snapshot) -> None:
        """Learn what the dataset has, unless it is known."""
        state = (snapshot.dataset.id, snapshot.pins.get(rows.SAMPLES))
        if state == self._state:
            return
        names = ["sample_id", "name", "names", "media_sha256", "import_id"]
        facts = ["width_px", "height_px", "mime"]
        table = snapshot.rows_of(rows.SAMPLES, columns=[*names, *facts])
        self._by_name: dict[str, _Row] = {}
        self._by_alias: dict[tuple[str, str], _Row] = {}
        self._by_sha: dict[str, list[_Row]] = {}
        seen: dict[str, Seen] = {}
        for batch in table.to_batches():
            columns = [batch[name].to_pylist() for name in (*names, *facts)]
            for sample_id, name, also, sha256, import_id, width, height, mime in zip(*columns, strict=True):
                self._remember(_Row(sample_id, name, sha256, import_id), also or ())
                seen[sha256] = (width, height, mime)
        self._seen, self._table, self._state = seen, None, state

    def settle(self, snapshot: Snapshot, loaded: Iterable[Loaded]) -> list[Sample]:
        """The samples to put for a chunk. It may be asked again, about a newer state."""
        self.look(snapshot)
        self._state = None  # what is noted now holds when the edit is done, and not before
        self._outcome = _Outcome()
        loaded = list(loaded)
        known = self._known_samples(snapshot, loaded)
        for item in loaded:
            self._settle_one(item, known)
        return list(self._outcome.put.values())

    def done(self, snapshot: Snapshot) -> None:
        """The edit landed and made this state."""
        self._state = (snapshot.dataset.id, snapshot.pins.get(rows.SAMPLES))

    def tell(self, result: Intake) -> None:
        """Add what the last chunk came to."""
        for word, n in self._outcome.counts.items():
            setattr(result, word, getattr(result, word) + n)
        result.sample_ids.update(self._outcome.sample_ids)

    def _remember(self, row: _Row, names: Iterable[str]) -> None:
        self._by_name[row.name] = row
        self._by_sha.setdefault(row.sha256, []).append(row)
        for alias in names:
            self._by_alias[alias, row.sha256] = row

    def _known_samples(self, snapshot: Snapshot, loaded: list[Loaded]) -> dict[str, Sample]:
        wanted = set()
        for item in loaded:
            for row in (self._by_name.get(item.incoming.name), *self._by_sha.get(item.sha256, ())):
                if row is not None:
                    wanted.add(row.sample_id)
        if not wanted:
            return {}
        if self._table is None:
            self._table = snapshot.rows_of(rows.SAMPLES)
        ids = pa.array(sorted(wanted), pa.string())
        found = self._table.filter(pc.is_in(self._table["sample_id"], value_set=ids))
        samples = {sample.sample_id: sample for sample in rows.samples_from_arrow(found)}
        later = sorted(wanted - samples.keys())  # those that this intake added itself
        return samples | {sample.sample_id: sample for sample in snapshot.iter_samples(ids=later)}

    def _settle_one(self, item: Loaded, known: dict[str, Sample]) -> None:
        row = self._same(item)
        if row is not None:
            self._note(item, row.sample_id, "unchanged", _enriched(self._current(row, known), item.incoming))
            return
        named = self._by_name.get(item.incoming.name)
        if named is not None and named.import_id == self.import_id:
            old = self._current(named, known)
            self._by_sha[named.sha256].remove(named)
            changed = self._sample(item, old)
            self._remember(replace(named, sha256=item.sha256), changed.names)
            self._note(item, old.sample_id, "changed", changed)
            return
        twins = self._by_sha.get(item.sha256)
        if twins and self._duplicates == "alias":
            old = self._current(twins[0], known)
            self._by_alias[item.incoming.name, item.sha256] = twins[0]
            self._note(
                item, old.sample_id, "duplicates", replace(old, names=(*old.names, item.incoming.name))
            )
            return
        made = self._sample(item, None)
        self._remember(_Row(made.sample_id, made.name, item.sha256, self.import_id), made.names)
        self._note(item, made.sample_id, "added", made)

    def _same(self, item: Loaded) -> _Row | None:
        """The sample that is this very file already."""
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

    def _current(self, row: _Row, known: dict[str, Sample]) -> Sample:
        return self._outcome.put.get(row.sample_id) or known[row.sample_id]

    def _note(self, item: Loaded, sample_id: str, outcome: str, sample: Sample | None) -> None:
        self._outcome.counts[outcome] += 1
        self._outcome.sample_ids[item.incoming.name] = sample_id
        if sample is not None:
            self._outcome.put[sample_id] = sample

    def _sample(self, item: Loaded, old: Sample | None) -> Sample:
        incoming, (width, height, mime) = item.incoming, item.seen
        name = old.name if old else self._free_name(item)
        made = Sample(
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
        return made if old is None else (_enriched(made, _as_incoming(old, incoming.path)) or made)

    def _free_name(self, item: Loaded) -> str:
        name = item.incoming.name
        if name not in self._by_name:
            return name
        path = PurePosixPath(name)
        return str(path.with_name(f"{path.stem}~{item.sha256[:8]}{path.suffix}"))


def _enriched(old: Sample, incoming: IncomingImage) -> Sample | None:
    """The sample with what it lacked and the incoming file says; None when nothing is new."""
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
