"""Who made a sample or an annotation what it is: the commits that created it and last changed it, and their origin.

Walks back commit by commit. A commit whose pin of the table equals its parent's cannot have changed the row and costs
nothing. Of several parents the first that has the row with the same content explains it, else the first that has it.
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
from calotype.store import Store
from calotype.store.tables.tables import AddressedRow
from calotype.versions.merge_rows import same
from calotype.versions.model import Row


class BlameTargetNotFound(NotFound):
    """Neither a sample nor an annotation."""

    code = "blame-target-not-found"
    what = "{name} has no sample and no annotation {got!r}"
    fix = "list samples with `calotype samples {name}`; for what was removed, name an older ref: {name}@REF"


@dataclass(frozen=True, slots=True)
class Origin:
    """One moment in the life of a row. `commit` is None for an edit that is not committed yet."""

    commit: Commit | None
    row_author: str
    row_at_us: int
    imported: dict[str, Any] | None
    documents: Documents

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
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
    """Where a row comes from. `label_set` is empty for the sample itself."""

    id: str
    sample_id: str
    label_set: str
    created: Origin
    changed: Origin

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "id": self.id,
            "sample_id": self.sample_id,
            "label_set": self.label_set or None,
            "created": self.created.to_dict(),
            "changed": self.changed.to_dict(),
        }


def blame(actor: Actor, name: str, which: str, *, store: Store) -> list[Blame]:
    """Who created a row and who last changed it, of one annotation, or of a sample and all its annotations.

    Args:
        name: `dataset` or `dataset@ref`; the row as it is there.
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
    tip = _Node(commits.get(ref.commit_id or ""), ref.pins, ref.documents, (head,) if head else ())
    if tip.commit is not None:
        tip = _node(tip.commit)
    found: list[Blame] = []
    with store.catalog.read() as conn:
        for label_set, ids in _wanted(store, state, which):
            walk = _Walk(store, info, commits, label_set, ids)
            found += [walk.blame(conn, tip, row_id) for row_id in ids]
    if not found:
        raise BlameTargetNotFound(name=dataset_name, got=which[:120])
    return found


@dataclass(frozen=True, slots=True)
class _Node:
    """A commit, or the working state on top of one."""

    commit: Commit | None
    pins: Pins
    documents: Documents
    parents: tuple[str, ...]


def _node(commit: Commit) -> _Node:
    return _Node(commit, commit.pins, commit.documents, commit.parents)


def _wanted(store: Store, state: Snapshot, which: str) -> list[tuple[str, list[str]]]:
    """Label set (empty: the samples) and the ids of its rows that are asked for."""
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
    wanted = [("", [sample_id])]
    for label_set in state.label_sets:
        ids = state.annotations(label_set, sample_ids=[sample_id], columns=["ann_id"])["ann_id"].to_pylist()
        wanted.append((label_set, sorted(ids)))
    return wanted


@dataclass
class _Walk:
    """Reads some rows of one table at every pin that comes up, each once."""

    store: Store
    info: DatasetInfo
    commits: dict[str, Commit]
    label_set: str
    ids: Sequence[str]

    def __post_init__(self) -> None:
        self.table = rows.annotation_table(self.label_set) if self.label_set else rows.SAMPLES
        self._known: dict[int, dict[str, AddressedRow]] = {}
        self._newest: dict[str, AddressedRow] = {}

    def blame(self, conn: sa.Connection, tip: _Node, row_id: str) -> Blame:
        """Walk to the last change, and on to the creation."""
        changed, row = self._back(tip, row_id, while_same=True)
        created, first = self._back(changed, row_id, while_same=False)
        return Blame(
            row_id,
            row["sample_id"],
            self.label_set,
            self._origin(conn, created, first),
            self._origin(conn, changed, row),
        )

    def _back(self, node: _Node, row_id: str, *, while_same: bool) -> tuple[_Node, Row]:
        row = self._at(node, row_id)
        assert row is not None
        while True:
            parents = [_node(self.commits[key]) for key in node.parents if key in self.commits]
            twin = next((p for p in parents if p.pins.get(self.table) == node.pins.get(self.table)), None)
            having = [] if twin else [p for p in parents if self._at(p, row_id) is not None]
            twin = twin or next((p for p in having if same(self.table, self._at(p, row_id), row)), None)
            following = twin or (None if while_same or not having else having[0])
            if following is None:
                return node, row
            node = following
            row = self._at(node, row_id) or row

    def _at(self, node: _Node, row_id: str) -> Row | None:
        pin = node.pins.get(self.table)
        if pin is None:
            return None
        if pin not in self._known:
            self._known[pin] = self._read(pin)
        found = self._known[pin].get(row_id)
        return None if found is None else found[0]

    def _read(self, pin: int) -> dict[str, AddressedRow]:
        """The rows at a pin. Those that lie where they lay at the pin before are not read again."""
        table, tables = f"{self.info.id}/{self.table}", self.store.tables
        ids = list(self._newest)
        stand = tables.contains_rows(table, pin, [self._newest[row_id][1] for row_id in ids])
        found = {row_id: self._newest[row_id] for row_id, stands in zip(ids, stand, strict=True) if stands}
        if others := [row_id for row_id in self.ids if row_id not in found]:
            found |= tables.rows_with_addresses(table, pin, rows.key_of(self.table), others)
        self._newest |= found
        return found

    def _origin(self, conn: sa.Connection, node: _Node, row: Row) -> Origin:
        imported = dataset_repository.import_of(conn, row["import_id"]) if row["import_id"] else None
        shown = ("id", "kind", "source", "format", "label_set", "actor")
        return Origin(
            commit=node.commit,
            row_author=row.get("author") or "",
            row_at_us=row["created_at_us"] or 0,
            imported=None if imported is None else {name: imported[name] for name in shown},
            documents=node.documents,
        )
