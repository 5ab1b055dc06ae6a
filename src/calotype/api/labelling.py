"""The handles of labelling: batches and reviews of a dataset, and one's own work in a workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from calotype.api.context import Context, DatasetHandle
from calotype.datasets import service as datasets
from calotype.datasets.snapshot import Snapshot, Where
from calotype.foundation.errors import NotFound
from calotype.guidelines.precedents import service as rulings
from calotype.guidelines.precedents.service import Precedent
from calotype.labelling import service
from calotype.labelling.model import (
    BatchOptions,
    BatchStatus,
    Landed,
    Outcome,
    Recorded,
    Remark,
)
from calotype.reviews import service as reviews
from calotype.staffing import service as staffing
from calotype.staffing.figures import BatchFigures


class NoWorkLeft(NotFound):
    """Nothing is left in the queue for this person."""

    code = "no-work-left"
    what = "nothing is left in the queue for {who}"
    fix = "open a batch, or ask who manages them"


class Batch(DatasetHandle):
    """A batch of a dataset; `batch` is its name."""

    def __init__(self, context: Context, name: str, batch: str) -> None:
        super().__init__(context, name)
        self.batch = batch

    def status(self) -> BatchStatus:
        """The batch with its progress. Raises: BatchNotFound."""
        return self._call(service.batch, self.batch)

    def figures(self) -> BatchFigures:
        """How the work of each person fared in review, and what became of prelabels by class and model."""
        return self._call(staffing.batch_figures, self.batch)

    def pause(self) -> BatchStatus:
        """Hand out no more of its work; what people hold can be finished. Raises: BatchClosed."""
        return self._call(service.pause_batch, self.batch)

    def resume(self) -> BatchStatus:
        """Hand out its work again. Raises: BatchClosed."""
        return self._call(service.resume_batch, self.batch)

    def extend(
        self,
        *,
        due: str | None = None,
        priority: int | None = None,
        to: Sequence[str] | None = None,
        reviewers: Sequence[str] | None = None,
    ) -> BatchStatus:
        """Change the due day, the priority or the people; None leaves each as it is.

        Raises: BatchClosed, BatchInvalid, WorkerUnknown.
        """
        return self._call(
            service.extend_batch, self.batch, due=due, priority=priority, to=to, reviewers=reviewers
        )

    def land(self) -> Landed:
        """Commit its accepted work to its branch. Raises: WorkingStateMoved."""
        return self._call(service.land_batch, self.batch)

    def close(self) -> Landed:
        """Land what is accepted, and end it. Raises: BatchClosed, WorkingStateMoved."""
        return self._call(service.close_batch, self.batch)[1]

    def to_review(self) -> list[dict[str, Any]]:
        """Its samples that wait for a review, the longest first."""
        return self._call(reviews.to_review, batch=self.batch)

    def accept(self, *samples: str, agreement: float = 0.0) -> list[Outcome]:
        """Accept samples that wait for a review, by id or name, or all; only those whose copies agree so far."""
        return self._call(reviews.accept_reviews, selected=self._selected(samples, agreement))

    def merge(self, *samples: str, agreement: float = 0.0) -> list[Outcome]:
        """Merge the copies of samples by several people, object by object, and accept the result."""
        return self._call(reviews.merge_reviews, selected=self._selected(samples, agreement))

    def send_back(self, *samples: str, note: str = "", category: str = "") -> list[Outcome]:
        """Send samples that wait for a review back to their authors, with a remark. Raises: OperationInvalid."""
        remark = Remark(note, category)
        return self._call(reviews.send_back_reviews, remark, selected=self._selected(samples, 0.0))

    def _selected(self, samples: Sequence[str], agreement: float) -> reviews.Selected:
        return reviews.Selected(self.batch, tuple(samples), agreement)


class Labelling(DatasetHandle):
    """Batches and questions of a dataset."""

    def batch(
        self,
        name: str,
        *,
        where: Where = None,
        to: Sequence[str] = (),
        reviewers: Sequence[str] = (),
        overlap: int = 1,
        review: float = 0.1,
        **options: Any,
    ) -> Batch:
        """Open a batch: fix its samples, who labels and reviews them, and make its branch.

        Args:
            where: Query for its samples; all of the newest commit by default.
            to: Who labels: addresses, `team:NAME` or `me`; everyone who may by default.
            overlap: How many people label each sample, blind to each other.
            review: Share of the samples that somebody reviews, 0 to 1.
            options: `ids`, `priority`, `due`, `prelabels`, `min_score`, `label_set`, `base`, `lease_s`, `stale`.
        Raises: BatchInvalid, BatchExists, WorkerUnknown, LabelSetNotFound, QueryInvalid.
        """
        given: dict[str, Any] = {
            key: tuple(value) if key == "ids" else value for key, value in options.items()
        }
        query = where if isinstance(where, str) else ""
        chosen = BatchOptions(query, to=tuple(to), reviewers=tuple(reviewers), overlap=overlap, review=review)
        chosen = replace(chosen, **given)
        if where is not None and not isinstance(where, str):
            state = self._read(chosen.base)
            chosen = replace(chosen, ids=tuple(state.ids(where, label_set=chosen.label_set)))
        self._call(service.open_batch, name, options=chosen)
        return Batch(self._context, self.name, name)

    def _read(self, ref: str) -> Snapshot:
        context = self._context
        return datasets.read(context.actor, f"{self.name}@{ref}", store=context.store)

    def open(self, name: str) -> Batch:
        """The batch of this name. Raises: BatchNotFound."""
        self._call(service.batch, name)
        return Batch(self._context, self.name, name)

    def batches(self) -> list[BatchStatus]:
        """All batches with their progress, the most urgent first."""
        return self._call(service.batches)

    def precedents(self, *, class_name: str = "") -> list[dict[str, Any]]:
        """Rulings on difficult cases, the newest first; of one class or of all."""
        return self._call(rulings.precedents, class_name=class_name)

    def add_precedent(self, precedent: Precedent) -> dict[str, Any]:
        """Keep a ruling. Raises: SampleNotFound, QuestionNotFound, PrecedentInvalid."""
        return self._call(rulings.add_precedent, precedent)

    def questions(self, *, state: str = "") -> list[dict[str, Any]]:
        """The questions of annotators, the open ones first; of one state, `open` or `resolved`."""
        return self._call(service.questions, state=state)

    def answer(self, question: str, text: str, *, resolve: bool = True) -> dict[str, Any]:
        """Answer a question; with `resolve`, it is settled. Raises: ThreadNotFound, OperationInvalid."""
        context = self._context
        return service.answer(context.actor, question, text, store=context.store, resolve=resolve)


class Assignment:
    """One sample for one annotator or reviewer; `id` is its id."""

    def __init__(self, context: Context, id: str) -> None:
        self.id = id
        self._context = context

    def show(self) -> dict[str, Any]:
        """The sample, its classes, annotations (pixels of the upright image) and remarks."""
        return service.work(self._context.actor, self.id, store=self._context.store)

    def record(self, operations: Sequence[Mapping[str, Any]]) -> Recorded:
        """Record operations, each with an id that you draw; a repetition changes nothing.

        Raises: AssignmentClosed, OperationInvalid.
        """
        listed = [dict(operation) for operation in operations]
        return service.record(self._context.actor, self.id, listed, store=self._context.store)

    def submit(self, *, id: str = "", active_ms: int = 0, note: str = "") -> Outcome:
        """Submit it. Raises: AssignmentClosed, LeaseLost, WorkIncomplete, GuidelineUnread."""
        store = self._context.store
        return service.submit(
            self._context.actor, self.id, store=store, id=id, active_ms=active_ms, note=note
        )

    def skip(self, reason: str) -> Outcome:
        """Say that the sample cannot be labelled, and why. Raises: AssignmentClosed, OperationInvalid."""
        return service.skip(self._context.actor, self.id, reason, store=self._context.store)

    def release(self, reason: str = "") -> Outcome:
        """Give the sample back to the queue. Raises: AssignmentClosed."""
        return service.release_work(self._context.actor, self.id, reason, store=self._context.store)

    def ask(self, text: str, *, annotation: str = "", class_name: str = "") -> dict[str, Any]:
        """Ask how something should be labelled. Raises: OperationInvalid."""
        return service.ask(
            self._context.actor,
            self.id,
            text,
            store=self._context.store,
            annotation=annotation,
            class_name=class_name,
        )

    def review(self, verdict: str, *remarks: Remark, id: str = "", active_ms: int = 0) -> Outcome:
        """Judge a review that one has: `accept`, or `send-back` with remarks. Raises: OperationInvalid."""
        given = reviews.Judgement(verdict, remarks)
        store = self._context.store
        return reviews.review(self._context.actor, self.id, given, store=store, id=id, active_ms=active_ms)

    def events(self) -> list[dict[str, Any]]:
        """Its record in order: who did what to which annotation, and when."""
        return service.work_events(self._context.actor, self.id, store=self._context.store)


class Work:
    """One's own labelling work in a workspace."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def list(self) -> dict[str, Any]:
        """What is open, the batches with work for one, one's own figures."""
        return service.my_work(self._context.actor, store=self._context.store)

    def next(self, *, dataset: str = "", batch: str = "", kind: str = "") -> Assignment:
        """Take the next assignment: what was sent back first, then what one holds. Raises: NoWorkLeft."""
        wanted = service.Wanted(dataset, batch, kind)
        taken = service.next_work(self._context.actor, store=self._context.store, wanted=wanted)
        if not taken:
            raise NoWorkLeft(who=self._context.actor.name)
        return Assignment(self._context, taken)

    def open(self, assignment: str) -> Assignment:
        """An assignment by its id."""
        return Assignment(self._context, assignment)
