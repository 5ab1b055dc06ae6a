"""Finds the commits that created a sample or an annotation and last changed it, and their origin.

Walks back commit by commit. A commit with the same pin of the table as its parent cannot have changed the row, so
nothing is read for it. Of several parents, the first that has the row with equal content is followed, else the first
that has the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from calotype.datasets import refs, rows
from calotype.datasets import repository as dataset_repository
from calotype.datasets.commits import Commit, DatasetInfo, Documents, Pins
from calotype.datasets.reading import open_ref
from calotype.datasets.snapshot import SampleNotFound, Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import iso
from calotype.foundation.errors import NotFound
from calotype.foundation.verbs import verb
from calotype.store import Store
from calotype.store.tables.tables import AddressedRow
from calotype.versions.merge_rows import same
from calotype.versions.model import Row


class BlameTargetNotFound(NotFound):
    """The id belongs neither to a sample nor to an annotation."""

    code = "blame-target-not-found"
    what = "{name} has no sample and no annotation {got!r}"
    fix = "list samples with `calotype samples {name}`; for a removed row name an older ref: {name}@REF"


@dataclass(frozen=True, slots=True)
class Origin:
    """A change of a row. `commit` is None for an uncommitted edit."""

    commit: Commit | None
    row_author: str
    row_at_us: int
    imported: dict[str, Any] | None
    documents: Documents

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        commit, ontology = self.commit, self.documents.get("ontology")
        return {
            "commit": commit.id if commit else None,
            "by": commit.author if commit else None,
            "at": iso(commit.created_at_us if commit else self.row_at_us),
            "message": commit.message if commit else None,
            "author": self.row_author or None,
            "import": self.imported,
            "ontology": {"sha256": ontology, "short": ontology[:12]} if ontology else None,
            "guideline": self.documents.get("guideline"),
        }


@dataclass(frozen=True, slots=True)
class Blame:
    """Who created a row, and who last changed it. `label_set` is empty for the sample itself."""

    id: str
    sample_id: str
    label_set: str
    created: Origin
    changed: Origin

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "id": self.id,
            "sample_id": self.sample_id,
            "label_set": self.label_set or None,
            "created": self.created.to_dict(),
            "changed": self.changed.to_dict(),
        }


@verb
def blame(actor: Actor, name: str, which: str, *, store: Store) -> list[Blame]:
    """Find who created and who last changed an annotation, or a sample and all its annotations.

    Args:
        name: `dataset` or `dataset@ref`, the state to look at.
        which: An annotation id, or the id or name of a sample.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, BlameTargetNotFound.
    """
    dataset_name, ref_text = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        ref = refs.resolve(conn, info, ref_text)
        head = ref.commit_id or refs.branch(conn, info, ref_text).commit_id
        state = open_ref(conn, store, info, ref, name=ref_text)
        commits = dataset_repository.commits_of(conn, info.id)
    start = _State(commits.get(ref.commit_id or ""), ref.pins, ref.documents, (head,) if head else ())
    if start.commit is not None:
        start = _state(start.commit)
    blames: list[Blame] = []
    with store.catalog.read() as conn:
        for label_set, ids in _requested_rows(store, state, which):
            history = _History(store, info, commits, label_set, ids)
            blames += [history.blame(conn, start, row_id) for row_id in ids]
    if not blames:
        raise BlameTargetNotFound(name=dataset_name, got=which[:120])
    return blames


@dataclass(frozen=True, slots=True)
class _State:
    """A commit, or the working state on top of one."""

    commit: Commit | None
    pins: Pins
    documents: Documents
    parents: tuple[str, ...]


def _state(commit: Commit) -> _State:
    return _State(commit, commit.pins, commit.documents, commit.parents)


def _requested_rows(store: Store, state: Snapshot, which: str) -> list[tuple[str, list[str]]]:
    """Label sets (empty: the table of samples) with the ids of the requested rows."""
    for label_set in state.label_sets:
        table = rows.annotation_table(label_set)
        pin = state.pins.get(table)
        if pin is not None and store.tables.existing_values(
            f"{state.dataset.id}/{table}", pin, "ann_id", [which]
        ):
            return [(label_set, [which])]
    try:
        sample_id = state.sample(which).sample_id
    except SampleNotFound:
        return []
    requested = [("", [sample_id])]
    for label_set in state.label_sets:
        ids = state.annotations(label_set, sample_ids=[sample_id], columns=["ann_id"])["ann_id"].to_pylist()
        requested.append((label_set, sorted(ids)))
    return requested


@dataclass
class _History:
    """Reads some rows of one table at several pins, each pin once."""

    store: Store
    info: DatasetInfo
    commits: dict[str, Commit]
    label_set: str
    ids: Sequence[str]

    def __post_init__(self) -> None:
        self.table = rows.annotation_table(self.label_set) if self.label_set else rows.SAMPLES
        self._rows_by_pin: dict[int, dict[str, AddressedRow]] = {}
        self._latest: dict[str, AddressedRow] = {}

    def blame(self, conn: sa.Connection, start: _State, row_id: str) -> Blame:
        """Walk back to the last change, and from there to the creation."""
        changed, row = self._walk_back(start, row_id, while_same=True)
        created, first = self._walk_back(changed, row_id, while_same=False)
        return Blame(
            row_id,
            row["sample_id"],
            self.label_set,
            self._origin(conn, created, first),
            self._origin(conn, changed, row),
        )

    def _walk_back(self, state: _State, row_id: str, *, while_same: bool) -> tuple[_State, Row]:
        row = self._row_at(state, row_id)
        assert row is not None
        while True:
            parents = [_state(self.commits[key]) for key in state.parents if key in self.commits]
            unchanged = next(
                (p for p in parents if p.pins.get(self.table) == state.pins.get(self.table)), None
            )
            candidates = [] if unchanged else [p for p in parents if self._row_at(p, row_id) is not None]
            unchanged = unchanged or next(
                (p for p in candidates if same(self.table, self._row_at(p, row_id), row)), None
            )
            previous = unchanged or (None if while_same or not candidates else candidates[0])
            if previous is None:
                return state, row
            state = previous
            row = self._row_at(state, row_id) or row

    def _row_at(self, state: _State, row_id: str) -> Row | None:
        pin = state.pins.get(self.table)
        if pin is None:
            return None
        if pin not in self._rows_by_pin:
            self._rows_by_pin[pin] = self._read(pin)
        placed = self._rows_by_pin[pin].get(row_id)
        return None if placed is None else placed[0]

    def _read(self, pin: int) -> dict[str, AddressedRow]:
        """The rows at a pin. Rows that are unmoved since the pin read before are not read again."""
        table, tables = f"{self.info.id}/{self.table}", self.store.tables
        ids = list(self._latest)
        unmoved = tables.contains_rows(table, pin, [self._latest[row_id][1] for row_id in ids])
        placed = {
            row_id: self._latest[row_id]
            for row_id, is_unmoved in zip(ids, unmoved, strict=True)
            if is_unmoved
        }
        if to_read := [row_id for row_id in self.ids if row_id not in placed]:
            placed |= tables.rows_with_addresses(table, pin, rows.key_of(self.table), to_read)
        self._latest |= placed
        return placed

    def _origin(self, conn: sa.Connection, state: _State, row: Row) -> Origin:
        imported = dataset_repository.import_of(conn, row["import_id"]) if row["import_id"] else None
        columns = ("id", "kind", "source", "format", "label_set", "actor")
        return Origin(
            commit=state.commit,
            row_author=row.get("author") or "",
            row_at_us=row["created_at_us"] or 0,
            imported=None if imported is None else {name: imported[name] for name in columns},
            documents=state.documents,
        )
