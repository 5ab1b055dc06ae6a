"""The figures of a batch are counts of what happened."""

from __future__ import annotations

from uuid import uuid4

from tests.rooms.labelling.conftest import SHOP, a_box, op

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind
from calotype.labelling import threads
from calotype.staffing import service as staffing


def test_the_figures_of_people_and_prelabels_are_counts_of_what_happened(shift):
    state = datasets.read(shift.owner, SHOP, store=shift.store)
    guesses = [
        Annotation(uuid4().hex, one, Kind.BOX, 1, bbox_xywh_px=(1.0, 1.0, 5.0, 5.0), area_px=25.0, score=0.9)
        for one in state.ids()
    ]
    datasets.apply(shift.owner, SHOP, Change(put_annotations={"model:a": guesses}), store=shift.store)
    datasets.commit(shift.owner, SHOP, "guesses", store=shift.store)
    shift.open(prelabels="model:a", where="class = dog", review=1.0)
    for n in range(4):
        assignment = shift.next("bo")
        guess = next(a for a in shift.work("bo", assignment)["annotations"] if a["origin"] == "prelabel")
        if n == 1:
            shift.record("bo", assignment, op("delete", annotation=guess["id"], active_ms=4_000))
        if n == 2:
            shift.record("bo", assignment, op("set-class", annotation=guess["id"], **{"class": "car"}))
        shift.submit("bo", assignment, active_ms=1_000)
    for n in range(4):
        review = shift.next("rae", kind="review")
        if n == 3:
            shift.record("rae", review, a_box())
        shift.judge("rae", review)
    figures = staffing.batch_figures(shift.owner, SHOP, "one", store=shift.store)
    (bo,) = figures.people
    assert (bo.submitted, bo.accepted, bo.reviewed, bo.unchanged, bo.median_s) == (4, 4, 4, 3, 1.0)
    assert bo.interval[0] < 0.75 < bo.interval[1]
    (dog,) = figures.prelabels
    assert (dog.model, dog.class_name, dog.kept, dog.adjusted, dog.rejected) == ("model:a", "dog", 2, 1, 1)


def test_the_forecast_counts_what_is_left_and_questions_have_a_median(shift):
    shift.open(overlap=2)
    figures = staffing.batch_figures(shift.owner, SHOP, "one", store=shift.store)
    total = figures.forecast.remaining
    assert total == 2 * len(datasets.read(shift.owner, SHOP, store=shift.store).ids())
    assert (figures.questions.answered, figures.questions.median_h) == (0, None)
    assignment = shift.next("bo")
    asked = threads.ask(shift.who("bo"), assignment, "car or van?", store=shift.store)
    shift.submit("bo", assignment)
    figures = staffing.batch_figures(shift.owner, SHOP, "one", store=shift.store)
    assert (figures.forecast.remaining, figures.questions.open) == (total - 1, 1)
    assert figures.forecast.p80 is None
    threads.answer(shift.owner, asked["id"], "a car", store=shift.store)
    figures = staffing.batch_figures(shift.owner, SHOP, "one", store=shift.store)
    assert (figures.questions.open, figures.questions.answered) == (0, 1)
    assert figures.questions.median_h is not None
