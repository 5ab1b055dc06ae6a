"""HTTP routes of reviews: judge, list, accept, merge, send back."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, action, room_routes
from calotype.labelling.answers import WorkOutcome
from calotype.reviews import answers, service
from calotype.reviews.bodies import JudgementBody, SelectedBody, SendBackBody

routes = room_routes("reviews")

REVIEW = action(Permission.WORK_REVIEW)


@routes.post("/assignments/{assignment}/review", **REVIEW)
def review_work(assignment: Named, body: JudgementBody, ask: Ask) -> WorkOutcome:
    """Judge a sample whose review one has: accept it as it is now, or send it back."""
    verdict = service.Judgement(body.verdict, tuple(remark.remark() for remark in body.remarks))
    outcome = service.review(
        ask.actor, assignment, verdict, store=ask.store, id=body.id or "", active_ms=body.active_ms
    )
    return WorkOutcome.of(outcome.to_dict())


@routes.get("/datasets/{dataset}/reviews", **REVIEW)
def list_reviews(
    dataset: Named,
    ask: Ask,
    batch: Annotated[str, Query(max_length=200, description="Only this batch.")] = "",
) -> answers.WaitingReviews:
    """List the samples that wait for a review, the longest first."""
    return answers.WaitingReviews.of(
        {"items": service.to_review(ask.actor, dataset, store=ask.store, batch=batch)}
    )


@routes.post("/datasets/{dataset}/reviews/accept", **REVIEW)
def accept_reviews(dataset: Named, body: SelectedBody, ask: Ask) -> answers.Outcomes:
    """Accept many samples at once as they were submitted."""
    done = service.accept_reviews(ask.actor, dataset, store=ask.store, selected=_selected(body))
    return answers.Outcomes.of({"items": [outcome.to_dict() for outcome in done]})


@routes.post("/datasets/{dataset}/reviews/merge", **REVIEW)
def merge_reviews(dataset: Named, body: SelectedBody, ask: Ask) -> answers.Outcomes:
    """Merge the copies of samples by several people, and accept the result."""
    done = service.merge_reviews(ask.actor, dataset, store=ask.store, selected=_selected(body))
    return answers.Outcomes.of({"items": [outcome.to_dict() for outcome in done]})


@routes.post("/datasets/{dataset}/reviews/send-back", **REVIEW)
def send_back_reviews(dataset: Named, body: SendBackBody, ask: Ask) -> answers.Outcomes:
    """Send samples back to their authors with one remark."""
    done = service.send_back_reviews(
        ask.actor, dataset, body.remark.remark(), store=ask.store, selected=_selected(body)
    )
    return answers.Outcomes.of({"items": [outcome.to_dict() for outcome in done]})


def _selected(body: SelectedBody) -> service.Selected:
    return service.Selected(body.batch, tuple(body.samples), body.agreement)
