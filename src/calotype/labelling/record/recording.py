"""Recording operations: each is applied to the present state, checked as every edit is, and added to the log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from calotype.annotate import model as edits
from calotype.annotate.draft import Draft
from calotype.datasets import refs
from calotype.datasets import repository as dataset_repository
from calotype.datasets.commits import DatasetInfo
from calotype.datasets.model import Sample
from calotype.foundation.actor import Actor
from calotype.foundation.errors import CalotypeError
from calotype.labelling.errors import NoOperationToUndo, OperationInvalid
from calotype.labelling.model import MAX_ACTIVE_MS, Assignment, Batch, Refusal
from calotype.labelling.record import log, rows
from calotype.labelling.record.log import PART, REDO, UNDO, Event, History
from calotype.labelling.record.rows import ADJUSTED, DRAWN, ORIGIN, Plain
from calotype.vision.ontology import Ontology

RESTORE = "restore"
_OF_ANNOTATION = (edits.Add, edits.SetClass, edits.SetAttributes, edits.SetShape, edits.Delete)


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """An operation that is not an edit of one annotation."""


class Undo(Step, frozen=True, kw_only=True, tag="undo"):
    """Undo the last operation; `operation` is the one that is meant, if it is named."""

    operation: str = ""


class Redo(Step, frozen=True, kw_only=True, tag="redo"):
    """Bring back the operation that was undone last."""

    operation: str = ""


class Restore(Step, frozen=True, kw_only=True, tag="restore"):
    """An annotation, or all of them, as they were after the event of this number."""

    position: int
    annotation: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a client: its id, what it does, the active time since the one before."""

    id: str
    do: edits.Edit | Undo | Redo | Restore
    active_ms: int


@dataclass
class Recording:
    """Operations on their way into the log of one assignment."""

    conn: sa.Connection
    actor: Actor
    batch: Batch
    assignment: Assignment
    sample: Sample
    ontology: Ontology
    events: list[Event] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    state: dict[str, Plain | None] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _history: History | None = None

    def take(self, given: Sequence[Mapping[str, Any]]) -> None:
        """Apply operations in order; one that cannot be applied is refused, and the others go on."""
        known = log.known(
            self.conn, self.assignment.id, [_id_in(value, at) for at, value in enumerate(given)]
        )
        for at, value in enumerate(given):
            name = _id_in(value, at)
            if name in known:
                self.repeated.append(name)
                continue
            try:
                self._one(_parsed(value, name, self.sample.sample_id, at))
            except CalotypeError as error:
                self.refused.append(Refusal(name, error.code, error.message))
                continue
            self.recorded.append(name)
            known.add(name)
        log.append(self.conn, self.assignment, self.events)

    def _one(self, operation: Operation) -> None:
        do = operation.do
        if isinstance(do, Undo):
            self._undo(operation, do.operation)
        elif isinstance(do, Redo):
            self._redo(operation, do.operation)
        elif isinstance(do, Restore):
            self._restore(operation, do)
        else:
            self._edit(operation, do)

    def _edit(self, operation: Operation, edit: edits.Edit) -> None:
        ann_id = edit.annotation if isinstance(edit, edits.OfAnnotation | edits.Add) else ""
        before = self._now(ann_id) if ann_id else None
        draft = self._draft(ann_id, before)
        changed_id, _ = draft.apply(edit, operation.id)
        after = draft.annotations[changed_id]
        origin = DRAWN if before is None else str(before[ORIGIN])
        if before is not None and origin != DRAWN:
            origin = ADJUSTED
        plain = None if after is None else rows.to_plain(replace(after, score=None), origin)
        self._note(operation, str(edit.__struct_config__.tag), [(changed_id, before, plain)])

    def _draft(self, ann_id: str, before: Plain | None) -> Draft:
        annotation = None if before is None else rows.from_plain(before)
        annotations = {ann_id: annotation} if ann_id in self._seen else {}
        samples = {self.sample.sample_id: self.sample}
        batch = self.batch
        return Draft(
            batch.dataset, batch.label_set, self.ontology, self.actor.name, {}, dict(annotations), samples
        )

    def _now(self, ann_id: str) -> Plain | None:
        if ann_id not in self.state:
            kept = log.present(self.conn, self.assignment.id, [ann_id])
            if ann_id in kept:  # also if it was deleted: an id is not used again
                self._seen.add(ann_id)
            self.state[ann_id] = kept.get(ann_id)
        return self.state[ann_id]

    def _undo(self, operation: Operation, meant: str) -> None:
        history = self.history
        if not history.done:
            raise NoOperationToUndo(do="undo", got=self.assignment.id)
        target = history.done[-1]
        _check_meant(meant, target, operation.id)
        changes = [(e.ann_id, e.after, e.before) for e in reversed(self._events_of(target))]
        self._note(operation, UNDO, changes, reverts=target)

    def _redo(self, operation: Operation, meant: str) -> None:
        history = self.history
        if not history.undone:
            raise NoOperationToUndo(do="redo", got=self.assignment.id)
        target = history.undone[-1]
        _check_meant(meant, target, operation.id)
        changes = [(e.ann_id, e.before, e.after) for e in self._events_of(target)]
        self._note(operation, REDO, changes, reverts=target)

    def _restore(self, operation: Operation, do: Restore) -> None:
        if not 1 <= do.position <= self.position:
            detail = f"the record has events 1 to {self.position}, not {do.position}"
            raise OperationInvalid(where=operation.id, detail=detail)
        before = log.state_at(self.conn, self.assignment.id, do.position)
        before |= log.fold(e for e in self.events if e.position <= do.position)
        now = {**log.present(self.conn, self.assignment.id), **self.state}
        ids = [do.annotation] if do.annotation else sorted(before.keys() | now.keys())
        if do.annotation and do.annotation not in before and do.annotation not in now:
            raise OperationInvalid(
                where=operation.id, detail=f"it never had an annotation {do.annotation[:32]!r}"
            )
        changes = [(i, now.get(i), before.get(i)) for i in ids if now.get(i) != before.get(i)]
        self._note(operation, RESTORE, changes)

    def _note(
        self,
        operation: Operation,
        verb: str,
        changes: Sequence[tuple[str, Plain | None, Plain | None]],
        reverts: str = "",
    ) -> None:
        """Add the events of one operation; one that changes nothing is noted too, so that a repetition is known."""
        for n, (ann_id, before, after) in enumerate(changes or [("", None, None)]):
            name = f"{operation.id}{PART}{n}" if n else operation.id
            active_ms = 0 if n else operation.active_ms
            place = self.position + 1
            self.events.append(
                Event(place, name, self.actor.id, verb, ann_id, before, after, reverts, active_ms)
            )
            if ann_id:
                self.state[ann_id] = after
                self._seen.add(ann_id)
            if self._history is not None and not n:
                self._history.note(name, verb, reverts)

    @property
    def position(self) -> int:
        """Number of events, with those on their way."""
        return self.assignment.position + len(self.events)

    @property
    def history(self) -> History:
        """What can be undone and redone now."""
        if self._history is None:
            self._history = History(log.outline(self.conn, self.assignment.id))
            for event in self.events:
                self._history.note(event.operation, event.verb, event.reverts)
        return self._history

    def _events_of(self, operation: str) -> list[Event]:
        pending = [e for e in self.events if e.operation.partition(PART)[0] == operation]
        if pending:
            return pending
        first = log.events(self.conn, self.assignment.id, operations=[operation])
        if first and first[0].verb == RESTORE:
            every = log.events(self.conn, self.assignment.id)
            return [e for e in every if e.operation.partition(PART)[0] == operation]
        return first


def ontology_of(conn: sa.Connection, batch: Batch) -> Ontology:
    """The classes of a batch: those of its branch."""
    info = DatasetInfo(batch.dataset_id, batch.dataset, "", 0, "")
    sha256 = refs.branch(conn, info, batch.branch).documents.get("ontology", "")
    if sha256 not in _ONTOLOGIES:
        text = dataset_repository.document(conn, sha256) if sha256 else None
        if len(_ONTOLOGIES) >= _KEPT:
            _ONTOLOGIES.clear()
        _ONTOLOGIES[sha256] = Ontology.from_json(json.loads(text or "{}"))
    return _ONTOLOGIES[sha256]


_KEPT = 64
_ONTOLOGIES: dict[str, Ontology] = {}
"""By the hash of their document, which never changes."""


def _id_in(value: Mapping[str, Any], at: int) -> str:
    """Raises: OperationInvalid."""
    given: Any = value.get("id") if isinstance(value, dict) else None
    try:
        return edits.checked_id(given if isinstance(given, str) else "", f"operations[{at}].id")
    except edits.EditsInvalid as error:
        raise OperationInvalid(where=f"operations[{at}].id", detail=error.fields["detail"]) from None


def _parsed(value: Mapping[str, Any], name: str, sample_id: str, at: int) -> Operation:
    """An operation from plain values. Raises: OperationInvalid."""
    where = f"operations[{at}]"
    plain = {key: item for key, item in value.items() if key not in ("id", "active_ms")}
    active_ms = value.get("active_ms", 0)
    if not isinstance(active_ms, int) or isinstance(active_ms, bool) or active_ms < 0:
        raise OperationInvalid(where=f"{where}.active_ms", detail="it is not a whole number of milliseconds")
    if plain.get("do") == "add":
        plain["sample"] = sample_id
    try:
        do: Any = msgspec.convert(plain, edits.Edit | Undo | Redo | Restore)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise OperationInvalid(where=f"{where}{path.rstrip('`')}", detail=reason) from None
    if not isinstance(do, (*_OF_ANNOTATION, Undo, Redo, Restore)):
        raise OperationInvalid(where=f"{where}.do", detail="work changes annotations only, not the sample")
    if isinstance(do, edits.Add) and not do.annotation:
        detail = "an added annotation needs the id that the client gives it: `annotation`"
        raise OperationInvalid(where=where, detail=detail)
    return Operation(name, _with_checked_id(do, where), min(active_ms, MAX_ACTIVE_MS))


def _with_checked_id(do: Any, where: str) -> Any:
    if not isinstance(do, edits.Add):
        return do
    ann_id = edits.checked_id(do.annotation, f"{where}.annotation")
    return msgspec.structs.replace(do, annotation=ann_id)


def _check_meant(meant: str, target: str, where: str) -> None:
    if meant and meant.replace("-", "").lower() != target:
        raise OperationInvalid(
            where=where, detail=f"operation {meant[:40]} does not come next: {target} does"
        )
