"""The figures of a batch for its manager: how the work of each person fared in review, what became of prelabels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

import sqlalchemy as sa

from calotype.analysis.intervals import wilson
from calotype.datasets import refs
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.verbs import verb
from calotype.labelling import repository
from calotype.labelling.model import ANNOTATE, REVIEW, Assignment, Batch, SampleState, State
from calotype.labelling.record import log
from calotype.labelling.record.recording import ontology_of
from calotype.labelling.record.rows import ORIGIN, PRELABEL, Plain, same_label
from calotype.labelling.threads import QUESTION
from calotype.staffing.forecast import Forecast, forecast
from calotype.store import Store

_HOUR_US = 3_600_000_000
_DONE = (State.SUBMITTED, State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class PersonFigures:
    """One annotator in a batch.

    Args:
        reviewed: Samples that somebody reviewed and accepted.
        unchanged: Those that the reviewer took as they were, the first time.
        interval: 95 % interval of their share (Wilson).
        median_s: Median of the active seconds of a submitted sample; None where none was measured.
    """

    person: str
    submitted: int
    accepted: int
    sent_back: int
    skipped: int
    reviewed: int
    unchanged: int
    interval: tuple[float, float]
    median_s: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        share = self.unchanged / self.reviewed if self.reviewed else None
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        interval = [round(value, 4) for value in self.interval]
        return {**values, "interval": interval, "first_pass": None if share is None else round(share, 4)}


@dataclass(frozen=True, slots=True)
class PrelabelFigures:
    """What became of the prelabels of one class, in samples that were accepted."""

    model: str
    class_name: str
    kept: int
    adjusted: int
    rejected: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        numbers = {name: getattr(self, name) for name in ("kept", "adjusted", "rejected")}
        return {"model": self.model, "class": self.class_name, **numbers}


@dataclass(frozen=True, slots=True)
class QuestionFigures:
    """Questions of annotators in a batch.

    Args:
        median_h: Median of the hours until a question was answered; None where none was.
    """

    open: int
    answered: int
    median_h: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {"open": self.open, "answered": self.answered, "median_h": self.median_h}


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """The figures of a batch."""

    people: tuple[PersonFigures, ...]
    prelabels: tuple[PrelabelFigures, ...]
    forecast: Forecast
    questions: QuestionFigures

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "people": [one.to_dict() for one in self.people],
            "prelabels": [one.to_dict() for one in self.prelabels],
            "forecast": self.forecast.to_dict(),
            "questions": self.questions.to_dict(),
        }


@verb
def batch_figures(actor: Actor, name: str, batch: str, *, store: Store) -> BatchFigures:
    """How the work of each person fared in review, what became of prelabels, and when the batch will be finished.

    Raises: NotPermitted, DatasetNotFound, BatchNotFound.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.BATCH_MANAGE, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        current = repository.batch_by_name(conn, info.id, dataset_name, batch)
        people, prelabels = _people(conn, current), _prelabels(conn, current)
        return BatchFigures(people, prelabels, _forecast(conn, current), _questions(conn, current))


def _people(conn: sa.Connection, batch: Batch) -> tuple[PersonFigures, ...]:
    passed = _first_pass(conn, batch.id)
    by_person: dict[str, list[Assignment]] = {}
    for one in repository.assignments(conn, batch_id=batch.id, kind=ANNOTATE):
        by_person.setdefault(one.actor, []).append(one)
    return tuple(_person(name, mine, *passed.get(name, (0, 0))) for name, mine in sorted(by_person.items()))


def _person(name: str, mine: list[Assignment], unchanged: int, reviewed: int) -> PersonFigures:
    done = [one for one in mine if one.state in _DONE]
    times = [one.active_ms / 1_000 for one in done if one.active_ms]
    return PersonFigures(
        person=name,
        submitted=len(done),
        accepted=sum(one.state == State.ACCEPTED for one in done),
        sent_back=sum(one.round > 1 or one.state == State.SENT_BACK for one in mine),
        skipped=sum(one.state == State.SKIPPED for one in mine),
        reviewed=reviewed,
        unchanged=unchanged,
        interval=wilson(unchanged, reviewed),
        median_s=round(median(times), 1) if times else None,
    )


def _forecast(conn: sa.Connection, batch: Batch) -> Forecast:
    work = repository.TABLES.assignments
    query = sa.select(work.c.submitted_at_us).where(
        work.c.batch_id == batch.id, work.c.kind == ANNOTATE, work.c.submitted_at_us.is_not(None)
    )
    waiting = repository.samples_in(conn, batch.id, SampleState.WAITING)
    remaining = sum(max(0, batch.overlap - row.n_submitted) for row in waiting)
    return forecast([int(at) for at in conn.scalars(query)], remaining, now_us=now_us())


def _questions(conn: sa.Connection, batch: Batch) -> QuestionFigures:
    threads = repository.TABLES.threads
    query = sa.select(threads.c.created_at_us, threads.c.resolved_at_us).where(
        threads.c.batch_id == batch.id, threads.c.kind == QUESTION
    )
    rows = list(conn.execute(query))
    hours = [
        (row.resolved_at_us - row.created_at_us) / _HOUR_US for row in rows if row.resolved_at_us is not None
    ]
    return QuestionFigures(len(rows) - len(hours), len(hours), round(median(hours), 2) if hours else None)


def _first_pass(conn: sa.Connection, batch_id: str) -> dict[str, tuple[int, int]]:
    """Person -> accepted samples whose review left every annotation as it was the first time, and all reviewed ones."""
    counts: dict[str, tuple[int, int]] = {}
    for row in repository.samples_in(conn, batch_id, SampleState.ACCEPTED):
        accepted = repository.assignment(conn, row.accepted_assignment)
        if accepted.kind != REVIEW:
            continue
        final = _alive(log.present(conn, accepted.id))
        for one in repository.assignments(
            conn, batch_id=batch_id, sample_id=row.sample_id, kind=ANNOTATE, states=(State.ACCEPTED,)
        ):
            same = one.round == 1 and _alive(log.present(conn, one.id)) == final
            unchanged, reviewed = counts.get(one.actor, (0, 0))
            counts[one.actor] = (unchanged + same, reviewed + 1)
    return counts


def _prelabels(conn: sa.Connection, batch: Batch) -> tuple[PrelabelFigures, ...]:
    """Held against what the work began with: gone, the same, or changed."""
    counts: Counter[tuple[str, int, str]] = Counter()
    for row in repository.samples_in(conn, batch.id, SampleState.ACCEPTED):
        guesses = [one for one in row.seed if one[ORIGIN] == PRELABEL]
        if not guesses:
            continue
        final = log.present(conn, row.accepted_assignment)
        for guess in guesses:
            now = final.get(guess["ann_id"])
            fate = "rejected" if now is None else "kept" if same_label(now, guess) else "adjusted"
            counts[guess.get("author", ""), guess["class_id"], fate] += 1
    ontology = ontology_of(conn, batch)
    found = []
    for model, class_id in sorted({key[:2] for key in counts}):
        class_ = ontology.by_id(class_id)
        fates = [counts[model, class_id, fate] for fate in ("kept", "adjusted", "rejected")]
        found.append(PrelabelFigures(model, class_.name if class_ else f"#{class_id}", *fates))
    return tuple(found)


def _alive(state: dict[str, Plain | None]) -> dict[str, Plain]:
    return {key: row for key, row in state.items() if row is not None}
