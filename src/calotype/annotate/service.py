"""The verbs of annotate: edit, list the edits of a working state, undo and redo them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from calotype.annotate import carrying, model, repository
from calotype.annotate.carrying import Copies
from calotype.annotate.draft import Draft, Outcome, in_words
from calotype.annotate.model import Edit, Edited, EditedRow, EditIdTaken
from calotype.annotate.undoing import (
    EditNotLast,
    NoEditToRedo,
    NoEditToUndo,
    Undone,
    described,
    edits,
    redo_edit,
    undo_edit,
)
from calotype.datasets import refs
from calotype.datasets import repository as dataset_repository
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.commits import DatasetInfo
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import LabelSetNotFound, Snapshot
from calotype.foundation import json_limits
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.ids import sha256_json
from calotype.foundation.verbs import verb
from calotype.guidelines import facts as guideline
from calotype.store import Store

__all__ = [
    "EditNotLast",
    "EditOptions",
    "NoEditToRedo",
    "NoEditToUndo",
    "Undone",
    "described",
    "edit",
    "edits",
    "redo_edit",
    "undo_edit",
]

VERB = "annotate.edit"


@dataclass(frozen=True, slots=True)
class EditOptions:
    """How to edit.

    `label_set` holds the annotations. `carry_over` changes the copies of originals with them: classes, attributes,
    deletions, and what is set on samples. `request_id` makes a repetition harmless: it gets the first answer.
    """

    label_set: str = DEFAULT_LABEL_SET
    carry_over: bool = False
    request_id: str = ""


class _AnsweredAlready(Exception):
    """The same request was answered while this one was planned; nothing of this one is kept."""


@verb
def edit(
    actor: Actor,
    name: str,
    edits: Sequence[Any],
    *,
    store: Store,
    options: EditOptions = EditOptions(),
) -> Edited:
    """Stage a list of small edits as one change of a working state: all of them, or none.

    Args:
        name: `dataset` or `dataset@branch`.
        edits: Mappings with `do`: set-class, set-attributes, set-shape, add, delete (of an `annotation`), set-split,
            set-tags, add-tags, remove-tags, set-metadata (of a `sample`). `seen` has the token of the row, or some
            values of it as the caller read them: the edit is refused if somebody else changed them since.
    Raises: NotPermitted, DatasetNotFound, RefNotFound, LabelSetNotFound, EditsInvalid, EditTargetNotFound,
        EditOutdated, EditIdTaken, WorkingStateMoved.
    """
    dataset_name, branch = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    json_limits.check(list(edits) if isinstance(edits, tuple) else edits)
    if not 1 <= len(options.label_set) <= 200 or not options.label_set.isprintable():
        raise model.EditsInvalid(where="label_set", detail="its name does not have 1 to 200 characters")
    parsed = model.parse(edits)
    request = _Request(
        actor, dataset_name, branch, options, sha256_json([actor.id, branch, _plain(options), edits])
    )
    if (answer := request.earlier_answer(store)) is not None:
        return answer
    planned: list[_Planned] = []
    details: dict[str, Any] = {"label_set": options.label_set, "request": options.request_id}

    def plan(snapshot: Snapshot) -> Change:
        planned[:] = [_plan(snapshot, parsed, actor, options, store)]
        details.update(planned[0].counts())
        return planned[0].change(options.label_set)

    def record(conn: sa.Connection) -> None:
        planned[0].answer = request.keep(conn, planned[0])

    try:
        datasets.apply(actor, name, plan, store=store, verb=VERB, details=details, record=record)
    except _AnsweredAlready:
        answer = request.earlier_answer(store)
        assert answer is not None
        return answer
    assert planned[0].answer is not None
    return planned[0].answer


@dataclass
class _Planned:
    """A planned list of edits: its draft, the rows to write, and in the end its answer."""

    words: str
    outcome: Outcome
    copies: Copies
    rows: tuple[EditedRow, ...]
    answer: Edited | None = None

    def counts(self) -> dict[str, Any]:
        """The facts for the audit log and the journal."""
        put, outcome = len(self.outcome.put), self.outcome
        return {
            "what": self.words,
            "added": outcome.n_added,
            "changed": put - outcome.n_added,
            "deleted": len(outcome.removed),
            "samples": len(outcome.samples),
            "copies": self.copies.carried,
        }

    def change(self, label_set: str) -> Change:
        """The rows as one change of the working state."""
        put = {label_set: self.outcome.put} if self.outcome.put else {}
        removed = {label_set: self.outcome.removed} if self.outcome.removed else {}
        return Change(put_samples=self.outcome.samples, put_annotations=put, remove_annotations=removed)

    def answered(self, edit_id: str) -> Edited:
        """The answer, with the id of the edit in the journal."""
        numbers = {key: value for key, value in self.counts().items() if key not in ("what", "copies")}
        return Edited(
            edit=edit_id,
            what=self.words,
            **numbers,
            copies=self.copies.total,
            carried=self.copies.carried,
            not_carried=dict(self.copies.not_carried),
            rows=self.rows,
        )


@dataclass(frozen=True, slots=True)
class _Request:
    """A request with the id that its client gave it, if any."""

    actor: Actor
    dataset: str
    branch: str
    options: EditOptions
    sha256: str

    def earlier_answer(self, store: Store) -> Edited | None:
        """The answer that the request got before. Raises: DatasetNotFound, EditsInvalid, EditIdTaken."""
        if not self.options.request_id:
            return None
        if not 8 <= len(self.options.request_id) <= 64 or not self.options.request_id.isprintable():
            raise model.EditsInvalid(where="id", detail="the id of a request has 8 to 64 characters")
        with store.catalog.read() as conn:
            answer = self._answer(conn, refs.dataset(conn, self.dataset))
        return None if answer is None else replace(Edited.from_dict(answer), repeated=True)

    def keep(self, conn: sa.Connection, planned: _Planned) -> Edited:
        """The answer, kept for a repetition; the change was just published in this transaction."""
        info = refs.dataset(conn, self.dataset)
        changed = not planned.change(self.options.label_set).is_empty
        last = dataset_repository.last_edit(conn, refs.branch(conn, info, self.branch)) if changed else None
        edited = planned.answered(last.id if last else "")
        changed_ids = [annotation.ann_id for annotation in planned.outcome.put]
        guideline.record_edits(conn, info.id, self.options.label_set, changed_ids, self.actor.name)
        if self.options.request_id:
            if self._answer(conn, info) is not None:
                raise _AnsweredAlready
            repository.keep_answer(conn, info.id, self.options.request_id, self.sha256, edited.to_dict())
        return edited

    def _answer(self, conn: sa.Connection, info: DatasetInfo) -> dict[str, Any] | None:
        known = repository.answered(conn, info.id, self.options.request_id)
        if known is None:
            return None
        if known[0] != self.sha256:
            raise EditIdTaken(dataset=info.name, got=self.options.request_id)
        return known[1]


def _plan(
    snapshot: Snapshot, edits: list[Edit], actor: Actor, options: EditOptions, store: Store
) -> _Planned:
    label_set = options.label_set
    draft = _draft(snapshot, edits, actor, label_set, store)
    places = [draft.apply(edit_, f"edits[{at}]") for at, edit_ in enumerate(edits)]
    listed = list(zip(edits, places, strict=True))
    copies = carrying.follow(store, snapshot, draft, listed, carry_over=options.carry_over)
    edited = tuple(
        EditedRow(ann_id, sample_id, draft.token(ann_id, sample_id), n_copies)
        for (ann_id, sample_id), n_copies in zip(places, copies.of_edit, strict=True)
    )
    return _Planned(in_words(edits), draft.outcome(), copies, edited)


def _draft(snapshot: Snapshot, edits: list[Edit], actor: Actor, label_set: str, store: Store) -> Draft:
    """The rows that the edits name, as they are now. Raises: LabelSetNotFound."""
    ann_ids, sample_ids = set[str](), set[str]()
    for at, one in enumerate(edits):
        if isinstance(one, model.OfAnnotation):
            ann_ids.add(one.annotation)
        else:
            sample_ids.add(one.sample)
        if isinstance(one, model.Add) and one.annotation:
            ann_ids.add(model.checked_id(one.annotation, f"edits[{at}].annotation"))
    adds = any(isinstance(one, model.Add) for one in edits)
    if ann_ids and not adds and label_set not in snapshot.label_sets:
        known = ", ".join(snapshot.label_sets) or "none"
        raise LabelSetNotFound(dataset=snapshot.dataset.name, got=label_set[:80], known=known)
    annotations = {
        a.ann_id: a for a in repository.annotations_by_id(store, snapshot, label_set, sorted(ann_ids))
    }
    sample_ids |= {annotation.sample_id for annotation in annotations.values()}
    samples = {
        sample.sample_id: sample for sample in repository.samples_by_id(store, snapshot, sorted(sample_ids))
    }
    types = dict(snapshot.fields)
    return Draft(
        snapshot.dataset.name, label_set, snapshot.ontology, actor.name, types, dict(annotations), samples
    )


def _plain(options: EditOptions) -> Mapping[str, Any]:
    return {"label_set": options.label_set, "carry_over": options.carry_over}
