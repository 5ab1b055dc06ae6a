"""HTTP routes of labelling: one's own work, batches, questions."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Query, Response

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, Session, action, file_answer, room_routes
from calotype.labelling import answers, service
from calotype.labelling.bodies import (
    AnswerBody,
    AskBody,
    BatchBody,
    ExtendBody,
    OperationsBody,
    ReasonBody,
    SubmitBody,
    WantedBody,
)
from calotype.labelling.model import MAX_BYTES

routes = room_routes("labelling")

OWN = action(Permission.ACCOUNT_OWN)
WORK = action(Permission.WORK_DO)
MANAGE = action(Permission.BATCH_MANAGE)
RULE = action(Permission.GUIDELINE_EDIT)
Size = Annotated[int, Query(ge=0, le=1_024, description="Longer side of a thumbnail; 0 for the whole image.")]
Coming = Annotated[str, Query(min_length=1, max_length=64, description="Id of the sample in `ahead`.")]
_IMAGES = file_answer("image/jpeg", "image/png")


@routes.get("/assignments", **OWN)
def show_my_work(ask: Ask) -> answers.MyWork:
    """Show one's own work: what is open, the batches with work for one, one's own figures."""
    return answers.MyWork.of(service.my_work(ask.actor, store=ask.store))


@routes.post("/assignments/next", **OWN)
def take_next_work(body: WantedBody, ask: Ask) -> answers.NextWork:
    """Take the next assignment, under a lease; what one holds already comes first."""
    wanted = service.Wanted(body.dataset, body.batch, body.kind)
    taken = service.next_work(ask.actor, store=ask.store, wanted=wanted)
    return answers.NextWork.of({"work": service.work(ask.actor, taken, store=ask.store) if taken else None})


@routes.get("/assignments/{assignment}", **WORK)
def show_work(assignment: Named, ask: Ask) -> answers.Work:
    """Show an assignment with all that its page needs."""
    return answers.Work.of(service.work(ask.actor, assignment, store=ask.store))


@routes.get("/assignments/{assignment}/events", **WORK)
def list_work_events(assignment: Named, ask: Ask) -> answers.WorkEvents:
    """List the record of an assignment in order: who did what, and when."""
    return answers.WorkEvents.of({"items": service.work_events(ask.actor, assignment, store=ask.store)})


@routes.get("/assignments/{assignment}/image", **WORK, **_IMAGES, response_class=Response)
async def show_work_image(assignment: Named, ask: Ask, size: Size = 0) -> Response:
    """Show the image of an assignment; needs no right to read the dataset."""
    return await _image(ask, assignment, size)


@routes.get("/assignments/{assignment}/next-image", **WORK, **_IMAGES, response_class=Response)
async def show_next_work_image(assignment: Named, ask: Ask, sample: Coming, size: Size = 0) -> Response:
    """Show the image that comes after an own assignment, to have it at hand."""
    return await _image(ask, assignment, size, ahead=sample)


async def _image(ask: Session, assignment: str, size: int, *, ahead: str = "") -> Response:
    look = asyncio.to_thread(service.work_image, ask.actor, assignment, store=ask.store, ahead=ahead)
    dataset, media = await look
    data, mime = await asyncio.wrap_future(ask.ports.rendered(dataset, media, store=ask.store, size_px=size))
    return Response(data, media_type=mime, headers={"cache-control": "private, max-age=3600"})


@routes.post("/assignments/{assignment}/operations", **action(Permission.WORK_DO, max_body_bytes=MAX_BYTES))
def record_operations(assignment: Named, body: OperationsBody, ask: Ask) -> answers.Recorded:
    """Record operations on an own assignment."""
    recorded = service.record(ask.actor, assignment, body.plain(), store=ask.store)
    return answers.Recorded.of(recorded.to_dict())


@routes.post("/assignments/{assignment}/submit", **WORK)
def submit_work(assignment: Named, body: SubmitBody, ask: Ask) -> answers.WorkOutcome:
    """Submit an own assignment."""
    outcome = service.submit(
        ask.actor, assignment, store=ask.store, id=body.id or "", active_ms=body.active_ms, note=body.note
    )
    return answers.WorkOutcome.of(outcome.to_dict())


@routes.post("/assignments/{assignment}/skip", **WORK)
def skip_work(assignment: Named, body: ReasonBody, ask: Ask) -> answers.WorkOutcome:
    """Say that a sample cannot be labelled, and why."""
    return answers.WorkOutcome.of(service.skip(ask.actor, assignment, body.reason, store=ask.store).to_dict())


@routes.post("/assignments/{assignment}/release", **WORK)
def release_work(assignment: Named, body: ReasonBody, ask: Ask) -> answers.WorkOutcome:
    """Give a sample back to the queue."""
    outcome = service.release_work(ask.actor, assignment, body.reason, store=ask.store)
    return answers.WorkOutcome.of(outcome.to_dict())


@routes.post("/assignments/{assignment}/ask", **WORK)
def ask_question(assignment: Named, body: AskBody, ask: Ask) -> answers.Thread:
    """Ask how something should be labelled."""
    place = None if body.place is None else (float(body.place[0]), float(body.place[1]))
    asked = service.ask(
        ask.actor,
        assignment,
        body.text,
        store=ask.store,
        annotation=body.annotation,
        place=place,
        class_name=body.class_,
    )
    return answers.Thread.of(asked)


@routes.post("/threads/{thread}/answers", **WORK)
def answer_thread(thread: Named, body: AnswerBody, ask: Ask) -> answers.Thread:
    """Answer a question (who writes the guideline) or a remark (its annotator)."""
    return answers.Thread.of(
        service.answer(ask.actor, thread, body.text, store=ask.store, resolve=body.resolve)
    )


@routes.get("/datasets/{dataset}/questions", **RULE)
def list_questions(dataset: Named, ask: Ask) -> answers.Threads:
    """List the questions of annotators, the open ones first."""
    return answers.Threads.of({"items": service.questions(ask.actor, dataset, store=ask.store)})


@routes.get("/datasets/{dataset}/batches", **MANAGE)
def list_batches(dataset: Named, ask: Ask) -> answers.BatchList:
    """List the batches of a dataset with their progress."""
    listed = service.batches(ask.actor, dataset, store=ask.store)
    return answers.BatchList.of({"items": [status.to_dict() for status in listed]})


@routes.post("/datasets/{dataset}/batches", status_code=201, **MANAGE)
def open_batch(dataset: Named, body: BatchBody, ask: Ask) -> answers.BatchAnswer:
    """Open a batch."""
    status = service.open_batch(ask.actor, dataset, body.name, store=ask.store, options=body.options())
    return answers.BatchAnswer.of(status.to_dict())


@routes.get("/datasets/{dataset}/batches/{batch}", **MANAGE)
def show_batch(dataset: Named, batch: Named, ask: Ask) -> answers.BatchAnswer:
    """Show a batch with its progress."""
    return answers.BatchAnswer.of(service.batch(ask.actor, dataset, batch, store=ask.store).to_dict())


@routes.post("/datasets/{dataset}/batches/{batch}/pause", **MANAGE)
def pause_batch(dataset: Named, batch: Named, ask: Ask) -> answers.BatchAnswer:
    """Hand out no more work of a batch."""
    return answers.BatchAnswer.of(service.pause_batch(ask.actor, dataset, batch, store=ask.store).to_dict())


@routes.post("/datasets/{dataset}/batches/{batch}/resume", **MANAGE)
def resume_batch(dataset: Named, batch: Named, ask: Ask) -> answers.BatchAnswer:
    """Hand out the work of a paused batch again."""
    return answers.BatchAnswer.of(service.resume_batch(ask.actor, dataset, batch, store=ask.store).to_dict())


@routes.post("/datasets/{dataset}/batches/{batch}/extend", **MANAGE)
def extend_batch(dataset: Named, batch: Named, body: ExtendBody, ask: Ask) -> answers.BatchAnswer:
    """Change the due day, the priority or the people of a batch."""
    status = service.extend_batch(
        ask.actor,
        dataset,
        batch,
        store=ask.store,
        due=body.due,
        priority=body.priority,
        to=body.to,
        reviewers=body.reviewers,
    )
    return answers.BatchAnswer.of(status.to_dict())


@routes.post("/datasets/{dataset}/batches/{batch}/land", **MANAGE)
def land_batch(dataset: Named, batch: Named, ask: Ask) -> answers.LandedBatch:
    """Commit the accepted work of a batch to its branch."""
    return answers.LandedBatch.of(service.land_batch(ask.actor, dataset, batch, store=ask.store).to_dict())


@routes.post("/datasets/{dataset}/batches/{batch}/close", **MANAGE)
def close_batch(dataset: Named, batch: Named, ask: Ask) -> answers.ClosedBatch:
    """Land what is accepted, and end the batch."""
    status, landed = service.close_batch(ask.actor, dataset, batch, store=ask.store)
    return answers.ClosedBatch.of({"batch": status.to_dict(), "landed": landed.to_dict()})
