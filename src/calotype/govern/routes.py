"""The HTTP door of govern."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, action, file_answer, one_of, room_routes
from calotype.foundation.json_limits import EXACT_INT
from calotype.govern import answers, service
from calotype.govern.model import MAX_PURPOSES, MAX_TEXT, MODELS, AuditFilter, Changes

routes = room_routes("govern")

JSON_LINES = "application/jsonl"
_Time = Annotated[
    str,
    Query(
        max_length=40, description="A day (2027-01-31), a time (2027-01-31T08:00) or an age (12h, 7d, 4w)."
    ),
]


def _wanted(
    dataset: Annotated[
        str | None, Query(max_length=200, description="Only events about this dataset.")
    ] = None,
    who: Annotated[
        str, Query(max_length=200, description="Only events of this person: id, email address or name.")
    ] = "",
    verb: Annotated[
        str, Query(max_length=64, description="This verb, such as release.create, or all below it: release.")
    ] = "",
    since: _Time = "",
    until: _Time = "",
    before: Annotated[
        int | None, Query(ge=1, le=EXACT_INT, description="Only events with smaller numbers.")
    ] = None,
    seq: Annotated[
        int | None, Query(ge=1, le=EXACT_INT, description="Only the event with this number.")
    ] = None,
) -> AuditFilter:
    """Which events a request asks for."""
    return AuditFilter.of(
        subject=dataset, who=who, verb=verb, since=since, until=until, before_seq=before, seq=seq
    )


Wanted = Annotated[AuditFilter, Depends(_wanted)]


class NewModel(BaseModel):
    """Another model of the organisation."""

    model: Literal["central", "decentral", "hybrid"]


class NewClassification(BaseModel):
    """What kind of data a dataset holds; null leaves a part as it is."""

    data_class: Literal["public", "internal", "confidential", "personal"] | None = Field(None, alias="class")
    licence: str | None = Field(None, max_length=MAX_TEXT)
    purposes: list[Annotated[str, Field(max_length=MAX_TEXT)]] | None = Field(None, max_length=MAX_PURPOSES)
    hold: str | None = Field(None, max_length=MAX_TEXT, description="Why; empty releases the hold.")


@routes.get("/audit", **action(Permission.AUDIT_READ))
def show_audit(
    ask: Ask,
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=5_000, description="Maximum number of events.")] = 200,
) -> answers.AuditLog:
    """Who did what, newest first, and whether the chain of events is intact."""
    events = service.audit(ask.actor, store=ask.store, wanted=wanted, limit=limit)
    intact = not service.chain_problems(ask.actor, store=ask.store, dataset=wanted.subject)
    return answers.AuditLog.of({"items": [event.to_dict() for event in events], "intact": intact})


@routes.get(
    "/audit/export",
    response_class=StreamingResponse,
    **action(Permission.AUDIT_READ),
    **file_answer(JSON_LINES),
)
def export_audit(ask: Ask, wanted: Wanted) -> StreamingResponse:
    """The events as JSON lines, oldest first, with what their hashes are computed from. The export is recorded."""
    lines = service.export_audit(ask.actor, store=ask.store, wanted=wanted)
    named = {"Content-Disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(lines, media_type=JSON_LINES, headers=named)


@routes.post("/audit/checkpoints", **action(Permission.AUDIT_READ))
def sign_checkpoint(ask: Ask) -> answers.SignedCheckpoint:
    """Sign what the audit trail holds now. `file` is the text of a checkpoint file, to be kept elsewhere."""
    signed = service.sign_checkpoint(ask.actor, store=ask.store)
    return answers.SignedCheckpoint.of(
        {
            **signed.checkpoint.to_dict(),
            "file": signed.checkpoint.to_json(),
            "problems": list(signed.problems),
        }
    )


@routes.get("/audit/verification", **action(Permission.AUDIT_READ))
def verify_audit(ask: Ask) -> answers.AuditVerification:
    """Verify the chain of all events and the checkpoints that the trail holds.

    A server can answer what it likes: to prove something, verify an export against a checkpoint on another machine.
    """
    return answers.AuditVerification.of(service.verify_audit(ask.actor, store=ask.store).to_dict())


@routes.get("/organisation", **action(Permission.ACCOUNT_OWN))
def show_organisation(ask: Ask) -> answers.Organisation:
    """The model of the organisation."""
    return answers.Organisation.of(service.organisation(ask.actor, store=ask.store).to_dict())


@routes.put("/organisation", **action(Permission.GRANT_MANAGE))
def set_organisation(ask: Ask, body: NewModel) -> answers.Organisation:
    """Set the model of the organisation, which decides what roles allow."""
    return answers.Organisation.of(service.set_organisation(ask.actor, body.model, store=ask.store).to_dict())


@routes.get("/access/matrix", **action(Permission.ACCOUNT_OWN))
def show_access_matrix(
    ask: Ask,
    model: Annotated[str, one_of(["", *MODELS], "The model; empty for that of the organisation.")] = "",
    diff: Annotated[str, one_of(["", *MODELS], "Another model: only the decisions that differ.")] = "",
) -> answers.AccessMatrix:
    """What each role allows, by where it is held, action and kind of resource."""
    shown = service.access_matrix(ask.actor, store=ask.store, model=model, diff=diff)
    return answers.AccessMatrix.of(shown.to_dict())


@routes.get("/datasets/{dataset}/classification", **action(Permission.DATASET_READ))
def show_classification(dataset: Named, ask: Ask) -> answers.DatasetClassification:
    """What kind of data a dataset holds."""
    shown = service.classification(ask.actor, dataset, store=ask.store)
    return answers.DatasetClassification.of({"dataset": dataset, **shown.to_dict()})


@routes.put("/datasets/{dataset}/classification", **action(Permission.DATASET_CLASSIFY))
def classify_dataset(dataset: Named, body: NewClassification, ask: Ask) -> answers.DatasetClassification:
    """Say what kind of data a dataset holds; what is left out stays as it is."""
    purposes = None if body.purposes is None else tuple(body.purposes)
    changes = Changes(body.data_class, body.licence, purposes, body.hold)
    changed = service.classify(ask.actor, dataset, changes, store=ask.store)
    return answers.DatasetClassification.of({"dataset": dataset, **changed.to_dict()})
