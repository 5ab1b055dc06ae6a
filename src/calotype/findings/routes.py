"""The HTTP door of findings that live: lists, decisions, fixes, comparing, reports."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from calotype.findings import answers, service
from calotype.findings.lifecycle import Decision, State
from calotype.findings.model import SEVERITIES
from calotype.findings.repository import Wanted
from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Offset, action, one_of

routes = APIRouter(tags=["findings"])

READ = action(Permission.DATASET_READ)
TRIAGE = action(Permission.FINDING_TRIAGE)
Keys = Annotated[
    list[Annotated[str, Field(min_length=4, max_length=32)]], Field(min_length=1, max_length=10_000)
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DecisionBody(_Body):
    """A decision on findings; judging (rejected, accepted) needs the permission `finding.judge` besides."""

    keys: Keys
    state: Literal["open", "assigned", "fixed", "rejected", "accepted"]
    note: Annotated[str, Field(max_length=4_000)] = ""
    assignee: Annotated[str, Field(max_length=200)] = ""
    until: date | None = None


class KeysBody(_Body):
    """Some findings."""

    keys: Keys


class UndoBody(_Body):
    """Which fix to take back; empty: the newest."""

    fix: Annotated[str, Field(max_length=64)] = ""


@routes.get("/datasets/{dataset}/finding-lives", **READ)
def list_tracked_findings(
    dataset: str,
    ask: Ask,
    state: Annotated[
        list[answers.FindingState] | None, Query(description="States; without any: open, assigned, fixed.")
    ] = None,
    check: Annotated[str, Query(description="Only findings of this check.")] = "",
    severity: Annotated[str, one_of(("", *SEVERITIES), "Only findings of this severity.")] = "",
    assignee: Annotated[str, Query(description="Only findings assigned to this person.")] = "",
    sample: Annotated[str, Query(description="Only findings on the sample with this id.")] = "",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Maximum number of findings.")] = 100,
) -> answers.TrackedFindingPage:
    """Findings with what became of them, worst first; how many in each state, and how far each check can be trusted."""
    states = tuple(State(one) for one in state or ("open", "assigned", "fixed"))
    wanted = Wanted((), states, check, severity, assignee, sample)
    found = service.tracked(ask.actor, dataset, wanted, store=ask.store, offset=offset, limit=limit)
    trust = service.trust(ask.actor, dataset, store=ask.store)
    return answers.TrackedFindingPage.of(
        {
            "total": found.total,
            "offset": offset,
            "items": [life.to_dict() for life in found.items],
            "counts": service.state_counts(ask.actor, dataset, store=ask.store),
            "precision": {check: one.to_dict() for check, one in trust.items()},
        }
    )


@routes.get("/datasets/{dataset}/finding-lives/{key}", **READ)
def show_tracked_finding(dataset: str, key: str, ask: Ask) -> answers.FindingHistory:
    """One finding with its history."""
    life, events = service.history(ask.actor, dataset, key, store=ask.store)
    return answers.FindingHistory.of({**life.to_dict(), "events": [event.to_dict() for event in events]})


@routes.post("/datasets/{dataset}/finding-decisions", **TRIAGE)
def decide_findings(dataset: str, body: DecisionBody, ask: Ask) -> answers.DecidedFindings:
    """Decide on findings: all of them or none."""
    end = None if body.until is None else int(datetime.combine(body.until, time.max, UTC).timestamp() * 1e6)
    decision = Decision(State(body.state), body.assignee, body.note, end)
    keys = service.keys_of(ask.actor, dataset, Wanted(keys=tuple(body.keys)), store=ask.store)
    done = service.triage(ask.actor, dataset, keys, decision, store=ask.store)
    return answers.DecidedFindings.of({"items": [life.to_dict() for life in done]})


@routes.post("/datasets/{dataset}/finding-fixes", **TRIAGE)
def stage_finding_fix(dataset: str, body: KeysBody, ask: Ask) -> answers.StagedFix:
    """Stage what findings suggest as one edit of the working state."""
    keys = service.keys_of(ask.actor, dataset, Wanted(keys=tuple(body.keys)), store=ask.store)
    return answers.StagedFix.of(service.fix(ask.actor, dataset, keys, store=ask.store).to_dict())


@routes.post("/datasets/{dataset}/finding-fixes/undo", **TRIAGE)
def undo_finding_fix(dataset: str, body: UndoBody, ask: Ask) -> answers.StagedFix:
    """Take a staged fix back."""
    return answers.StagedFix.of(service.undo_fix(ask.actor, dataset, body.fix, store=ask.store).to_dict())
