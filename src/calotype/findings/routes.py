"""HTTP routes of findings: lists, history, decisions, fixes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from calotype.findings import answers, service
from calotype.findings.lifecycle import Decision, State
from calotype.findings.model import SEVERITIES
from calotype.findings.repository import FindingFilter
from calotype.foundation.actor import Permission
from calotype.foundation.clock import to_us
from calotype.foundation.http import Ask, Named, Offset, action, one_of, room_routes

routes = room_routes("findings")

READ = action(Permission.DATASET_READ)
TRIAGE = action(Permission.FINDING_TRIAGE)
Keys = Annotated[
    list[Annotated[str, Field(min_length=4, max_length=32)]], Field(min_length=1, max_length=10_000)
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DecisionBody(_Body):
    """A decision on findings. `rejected` and `accepted` also need the permission `finding.judge`."""

    keys: Keys
    state: Literal["open", "assigned", "fixed", "rejected", "accepted"]
    note: Annotated[str, Field(max_length=4_000)] = ""
    assignee: Annotated[str, Field(max_length=200)] = ""
    until: date | None = None


class KeysBody(_Body):
    """Keys of findings, or unique prefixes of keys."""

    keys: Keys


class UndoBody(_Body):
    """The fix to undo; empty for the newest."""

    fix: Annotated[str, Field(max_length=64)] = ""


@routes.get("/datasets/{dataset}/finding-lives", **READ)
def list_tracked_findings(
    dataset: Named,
    ask: Ask,
    state: Annotated[
        list[answers.FindingState] | None,
        Query(max_length=20, description="States of findings; by default open, assigned and fixed."),
    ] = None,
    check: Annotated[str, Query(max_length=200, description="Only findings of this check.")] = "",
    severity: Annotated[str, one_of(("", *SEVERITIES), "Only findings of this severity.")] = "",
    assignee: Annotated[
        str, Query(max_length=200, description="Only findings assigned to this person.")
    ] = "",
    sample: Annotated[
        str, Query(max_length=200, description="Only findings on the sample with this id.")
    ] = "",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Maximum number of findings.")] = 100,
) -> answers.TrackedFindingPage:
    """List findings with their state, worst first, with counts by state and the precision of each check."""
    states = tuple(State(state_) for state_ in state or ("open", "assigned", "fixed"))
    filter_ = FindingFilter((), states, check, severity, assignee, sample)
    page = service.tracked(ask.actor, dataset, filter_, store=ask.store, offset=offset, limit=limit)
    precision = service.precision(ask.actor, dataset, store=ask.store)
    return answers.TrackedFindingPage.of(
        {
            "total": page.total,
            "offset": offset,
            "items": [tracked.to_dict() for tracked in page.items],
            "counts": service.state_counts(ask.actor, dataset, store=ask.store),
            "precision": {name: value.to_dict() for name, value in precision.items()},
        }
    )


@routes.get("/datasets/{dataset}/finding-lives/{key}", **READ)
def show_tracked_finding(dataset: Named, key: Named, ask: Ask) -> answers.FindingHistory:
    """Show one finding with its history."""
    tracked, events = service.history(ask.actor, dataset, key, store=ask.store)
    return answers.FindingHistory.of({**tracked.to_dict(), "events": [event.to_dict() for event in events]})


@routes.post("/datasets/{dataset}/finding-decisions", **TRIAGE)
def decide_findings(dataset: Named, body: DecisionBody, ask: Ask) -> answers.DecidedFindings:
    """Decide on findings; either all decisions are applied or none."""
    end = None if body.until is None else to_us(datetime.combine(body.until, time.max, UTC))
    decision = Decision(State(body.state), body.assignee, body.note, end)
    keys = service.keys_of(ask.actor, dataset, FindingFilter(keys=tuple(body.keys)), store=ask.store)
    decided = service.triage(ask.actor, dataset, keys, decision, store=ask.store)
    return answers.DecidedFindings.of({"items": [tracked.to_dict() for tracked in decided]})


@routes.post("/datasets/{dataset}/finding-fixes", **TRIAGE)
def stage_finding_fix(dataset: Named, body: KeysBody, ask: Ask) -> answers.StagedFix:
    """Stage the repairs suggested by findings as one edit of the working state."""
    keys = service.keys_of(ask.actor, dataset, FindingFilter(keys=tuple(body.keys)), store=ask.store)
    return answers.StagedFix.of(service.fix(ask.actor, dataset, keys, store=ask.store).to_dict())


@routes.post("/datasets/{dataset}/finding-fixes/undo", **TRIAGE)
def undo_finding_fix(dataset: Named, body: UndoBody, ask: Ask) -> answers.StagedFix:
    """Undo a staged fix."""
    return answers.StagedFix.of(service.undo_fix(ask.actor, dataset, body.fix, store=ask.store).to_dict())
