"""Undoing and redoing the edits of a working state, one by one and in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from calotype.annotate import repository
from calotype.annotate.words import in_words
from calotype.datasets import refs
from calotype.datasets import repository as dataset_repository
from calotype.datasets.commits import DatasetInfo, EditEntry, Ref
from calotype.datasets.committing import is_clean
from calotype.findings import fixes
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import iso
from calotype.foundation.errors import Conflict
from calotype.foundation.verbs import verb
from calotype.store import Store


class NoEditToUndo(Conflict):
    """There is no edit that can be undone."""

    code = "no-edit-to-undo"
    what = "{branch} of {dataset} has no edit to undo{why}"
    fix = "{hint}"


class NoEditToRedo(Conflict):
    """There is no undone edit, or another edit came after it was undone."""

    code = "no-edit-to-redo"
    what = "{branch} of {dataset} has no undone edit to redo"
    fix = "list the edits with `calotype edits {dataset}`; an edit made after an undo removes what could be redone"


class EditNotLast(Conflict):
    """The edit that the caller meant is not the one that comes next."""

    code = "edit-not-last"
    what = "edit {got} of {dataset} does not come next: {last} does"
    fix = "read the edits again (`calotype edits {dataset}`), then undo or redo them in order"


@dataclass(frozen=True, slots=True)
class Undone:
    """An edit that was undone or redone; how many can be undone and redone now; whether edits are left to commit."""

    entry: EditEntry
    to_undo: int
    to_redo: int
    dirty: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        numbers = {"to_undo": self.to_undo, "to_redo": self.to_redo, "dirty": self.dirty}
        return {"edit": described(self.entry), **numbers}


def described(entry: EditEntry) -> dict[str, Any]:
    """An edit as JSON-ready values, with what it did in words."""
    return {
        "id": entry.id,
        "verb": entry.verb,
        "what": in_words(entry.verb, entry.details),
        "actor": entry.actor,
        "at": iso(entry.at_us),
        "undone": entry.undone,
        "counts": {table: dict(counts) for table, counts in entry.counts.items()},
    }


@verb
def edits(actor: Actor, name: str, *, store: Store) -> list[EditEntry]:
    """The edits of a branch since its last commit, newest first; undone ones come before all others.

    Raises: NotPermitted, DatasetNotFound, RefNotFound.
    """
    dataset_name, branch_name = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_READ, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        return repository.edits(conn, refs.branch(conn, info, branch_name))


@verb
def undo_edit(actor: Actor, name: str, *, store: Store, expect: str = "") -> Undone:
    """Undo the last edit of a working state, whatever verb made it. Repeated, it goes back in order.

    Findings of a fix are open again. What is committed is undone by `versions.undo`, as a new commit.

    Args:
        name: `dataset` or `dataset@branch`.
        expect: Id of the edit that the caller means; empty for the last one.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, BranchProtected, NoEditToUndo, EditNotLast, TableDamaged.
    """
    return _step(actor, name, store=store, redo=False, expect=expect)


@verb
def redo_edit(actor: Actor, name: str, *, store: Store, expect: str = "") -> Undone:
    """Bring back the edit that was undone last; possible until a new edit or a commit comes.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, BranchProtected, NoEditToRedo, EditNotLast, TableDamaged.
    """
    return _step(actor, name, store=store, redo=True, expect=expect)


def _step(actor: Actor, name: str, *, store: Store, redo: bool, expect: str) -> Undone:
    dataset_name, branch_name = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    verb = "dataset.redo-edit" if redo else "dataset.undo-edit"
    with refs.turn(store, name), store.catalog.write(actor, verb, subject=dataset_name) as tx:
        info = refs.dataset(tx.conn, dataset_name)
        base = refs.branch(tx.conn, info, branch_name)
        refs.require_open(dataset_name, base, verb)
        entry = repository.next_edit(tx.conn, base) if redo else dataset_repository.last_edit(tx.conn, base)
        if entry is None or not entry.applies_to(base):
            raise _nothing(tx.conn, info, base, redo=redo)
        if expect and entry.id != expect:
            raise EditNotLast(dataset=dataset_name, got=expect[:64], last=entry.id)
        if permission := _permission(entry.verb):
            store.guard.require(actor, permission, dataset=dataset_name)
        moved = _moved(store, info, base, entry.next_state)
        dataset_repository.move_ref(tx.conn, base, moved)
        repository.mark_edit(tx.conn, entry, undone=not redo)
        fixes.follow_edit(tx.conn, info.id, actor, entry.verb, entry.details, undone=not redo)
        tx.details({"branch": base.name, "edit": entry.id, "verb": entry.verb})
        to_undo, to_redo = repository.n_edits(tx.conn, moved)
        head = None if moved.commit_id is None else dataset_repository.commit(tx.conn, moved.commit_id)
    return Undone(replace(entry, undone=not redo), to_undo, to_redo, not is_clean(moved, head))


def _moved(store: Store, info: DatasetInfo, base: Ref, state: Mapping[str, Any]) -> Ref:
    """The branch at a state of the journal, whose tables can be opened. Raises: TableDamaged."""
    for table, pin in state["pins"].items():
        if base.pins.get(table) != pin:
            store.tables.at(f"{info.id}/{table}", pin)
    return replace(base, pins=state["pins"], documents=state["documents"])


def _permission(verb: str) -> Permission | None:
    """What an edit of this verb needs beside the permission to edit."""
    if verb.startswith("finding."):
        return Permission.FINDING_TRIAGE
    if verb.startswith("ontology."):
        return Permission.GUIDELINE_EDIT
    return Permission.CONTRACT_EDIT if verb == "contract.set" else None


def _nothing(conn: sa.Connection, info: DatasetInfo, base: Ref, *, redo: bool) -> Conflict:
    if redo:
        return NoEditToRedo(dataset=info.name, branch=base.name)
    head = None if base.commit_id is None else dataset_repository.commit(conn, base.commit_id)
    if head is None:
        why, hint = "", f"list the edits with `calotype edits {info.name}`"
    elif is_clean(base, head):
        why = " since its newest commit"
        hint = f"undo that commit as a new one: `calotype undo {info.name}@{base.name} {head.short}`"
    else:
        why = " that is still listed"
        command = f"calotype rollback {info.name}@{base.name} {base.name} --discard"
        hint = f"discard all edits since the newest commit: `{command}`"
    return NoEditToUndo(dataset=info.name, branch=base.name, why=why, hint=hint)
