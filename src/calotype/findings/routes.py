"""HTTP routes of findings: lists, history, decisions, fixes, undo."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from calotype.datasets import service as datasets
from calotype.datasets.commits import MAIN
from calotype.datasets.refs import RefNotFound
from calotype.findings import answers, service
from calotype.findings.lifecycle import Decision, State
from calotype.findings.model import SEVERITIES
from calotype.findings.repository import FindingFilter
from calotype.findings.service import ListFilter, Page
from calotype.findings.triage import SelectionMissing
from calotype.findings.worklist.listing import Row
from calotype.foundation import json_limits
from calotype.foundation.actor import Permission
from calotype.foundation.clock import iso, to_us
from calotype.foundation.http import Ask, Branch, Named, Offset, Session, action, one_of, room_routes

routes = room_routes("findings")

READ = action(Permission.DATASET_READ)
TRIAGE = action(Permission.FINDING_TRIAGE)
Keys = Annotated[
    list[Annotated[str, Field(min_length=4, max_length=32)]], Field(min_length=1, max_length=10_000)
]
Short = Annotated[str, Field(max_length=200)]
AsOf = Annotated[int, Field(ge=0, le=json_limits.EXACT_INT)]
Run = Annotated[str, Query(max_length=200, description="Id of the run.")]
GroupBy = Annotated[
    str, Query(max_length=200, description="`check`, `class`, `fault` or `field:NAME`; empty for one list.")
]
_MAX_ITEMS = 1_000


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Match(_Body):
    """All findings of a run that match, as the list with these filters shows them."""

    run: Short
    state: Annotated[list[answers.FindingState], Field(max_length=20)] = []
    check: Short = ""
    severity: Literal["", "error", "warning", "info"] = ""
    class_: Annotated[Short, Field(alias="class")] = ""
    fault: Short = ""
    assignee: Short = ""
    where: Annotated[str, Field(max_length=10_000)] = ""
    as_of: AsOf | None = None

    def filter(self) -> ListFilter:
        """The filter of the list."""
        states = tuple(State(state) for state in self.state)
        return ListFilter(
            states,
            self.check,
            self.severity,
            self.class_,
            self.fault,
            self.assignee,
            "",
            self.where,
            self.as_of,
        )


class KeysBody(_Body):
    """Keys of findings or unique prefixes of keys, or instead everything that matches."""

    keys: Keys | None = None
    match: Match | None = None


class DecisionBody(KeysBody):
    """A decision on findings. `rejected` and `accepted` also need the permission `finding.judge`."""

    state: Literal["open", "assigned", "fixed", "rejected", "accepted"]
    note: Annotated[str, Field(max_length=4_000)] = ""
    assignee: Short = ""
    until: date | None = None
    skip: Annotated[bool, Field(description="Leave out findings on which nobody can decide.")] = False


class FixBody(KeysBody):
    """The findings to fix, as they suggest or with one class for all."""

    set_class: Annotated[
        str, Field(max_length=200, description="Give the annotations this class instead.")
    ] = ""


class UndoBody(_Body):
    """The fix to undo; empty for the newest."""

    fix: Annotated[str, Field(max_length=64)] = ""


class ActionBody(_Body):
    """The decision or fix to undo; empty for your newest."""

    action: Annotated[str, Field(max_length=64)] = ""


def list_filter(
    state: Annotated[
        list[answers.FindingState] | None,
        Query(max_length=20, description="Only findings in these states; by default in any."),
    ] = None,
    check: Annotated[str, Query(max_length=200, description="Only findings of this check.")] = "",
    severity: Annotated[
        Literal["", "error", "warning", "info"], Query(description="Only findings of this severity.")
    ] = "",
    class_: Annotated[
        str,
        Query(alias="class", max_length=200, description="Only findings on annotations that had this class."),
    ] = "",
    fault: Annotated[str, Query(max_length=200, description="Only findings of this kind of fault.")] = "",
    assignee: Annotated[str, Query(max_length=200, description="Only findings of this person.")] = "",
    sample: Annotated[str, Query(max_length=200, description="Only findings on this sample.")] = "",
    where: Annotated[
        str, Query(max_length=10_000, description="Only findings on the samples that match this query.")
    ] = "",
    as_of: Annotated[
        int | None,
        Query(
            ge=0,
            le=json_limits.EXACT_INT,
            description="Filter by the states at this event: `as_of` of the first page.",
        ),
    ] = None,
) -> ListFilter:
    """The filter of a list of findings, out of its address."""
    states = tuple(State(one) for one in state or ())
    return ListFilter(states, check, severity, class_, fault, assignee, sample, where, as_of)


Filtered = Annotated[ListFilter, Depends(list_filter)]


@routes.get("/datasets/{dataset}/findings", **READ)
def list_findings(
    dataset: Named,
    ask: Ask,
    run: Run,
    filter_: Filtered,
    group_by: GroupBy = "",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Maximum number of findings.")] = 100,
) -> answers.FindingPage:
    """A page of the findings of a run, worst first, by group if asked.

    A run does not change, so its list keeps its rows and their order; filters by state too, with `as_of`.
    """
    page = service.listed(
        ask.actor, dataset, run, filter_, store=ask.store, group_by=group_by, offset=offset, limit=limit
    )
    samples = _samples(ask, dataset, page)
    items = [_item(offset + number, row, samples) for number, row in enumerate(page.rows)]
    return answers.FindingPage.of(
        {"total": page.total, "offset": offset, "as_of": page.as_of, "items": items}
    )


@routes.get("/datasets/{dataset}/finding-groups", **READ)
def list_finding_groups(
    dataset: Named, ask: Ask, run: Run, filter_: Filtered, group_by: GroupBy = "check"
) -> answers.FindingGroups:
    """Count the findings of a run by check, class, kind of fault or a field of their samples."""
    groups = service.groups(ask.actor, dataset, run, filter_, group_by or "check", store=ask.store)
    return answers.FindingGroups.of(
        {"total": sum(group.n for group in groups), "groups": [group.to_dict() for group in groups]}
    )


@routes.get("/datasets/{dataset}/finding-changes", **READ)
def show_retest(dataset: Named, ask: Ask, run: Run) -> answers.RetestChanges:
    """What a run changed: which findings it closed, opened, or found still there."""
    changes = service.changes_of_run(ask.actor, dataset, run, store=ask.store)
    names = {"closed": "closed", "still_open": "still-there", "new": "opened"}
    names |= {"returned": "returned", "expired": "expired"}
    return answers.RetestChanges.of({name: changes[verb] for name, verb in names.items()})


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
    """Decide on findings; either all decisions are applied or none, unless `skip` is set."""
    end = None if body.until is None else to_us(datetime.combine(body.until, time.max, UTC))
    decision = Decision(State(body.state), body.assignee, body.note, end)
    keys = _keys(ask, dataset, body)
    decided = service.triage(ask.actor, dataset, keys, decision, store=ask.store, skip=body.skip)
    items = [tracked.to_dict() for tracked in decided.items[:_MAX_ITEMS]]
    counts = {"decision": decided.id, "decided": len(decided.items), "skipped": dict(decided.skipped)}
    return answers.DecidedFindings.of({"items": items, **counts})


@routes.post("/datasets/{dataset}/finding-fixes", **TRIAGE)
def stage_finding_fix(dataset: Named, body: FixBody, ask: Ask, branch: Branch = "") -> answers.StagedFix:
    """Stage the repairs suggested by findings, or another class, as one edit of the working state."""
    keys = _keys(ask, dataset, body)
    name = f"{dataset}@{branch}" if branch else dataset
    staged = service.fix(ask.actor, name, keys, store=ask.store, set_class=body.set_class)
    return answers.StagedFix.of(staged.to_dict())


@routes.post("/datasets/{dataset}/finding-fixes/undo", **TRIAGE)
def undo_finding_fix(dataset: Named, body: UndoBody, ask: Ask) -> answers.StagedFix:
    """Undo a staged fix."""
    return answers.StagedFix.of(service.undo_fix(ask.actor, dataset, body.fix, store=ask.store).to_dict())


@routes.post("/datasets/{dataset}/finding-undos", **TRIAGE)
def undo_finding_action(dataset: Named, body: ActionBody, ask: Ask) -> answers.UndoneAction:
    """Undo a decision or a fix; without an id, the newest of the caller."""
    undone = service.undo(ask.actor, dataset, body.action, store=ask.store)
    return answers.UndoneAction.of(undone.to_dict())


def _keys(ask: Session, dataset: str, body: KeysBody) -> tuple[str, ...]:
    """The findings that are meant, for somebody who may decide about them."""
    ask.store.guard.require(ask.actor, Permission.FINDING_TRIAGE, dataset=dataset)
    match = body.match
    if match is None:
        if body.keys is None:
            raise SelectionMissing(dataset=dataset)
        filter_ = FindingFilter(keys=tuple(body.keys))
        return service.keys_of(ask.actor, dataset, filter_, store=ask.store)
    return service.matching_keys(ask.actor, dataset, match.run, match.filter(), store=ask.store)


def _samples(ask: Session, dataset: str, page: Page) -> dict[str, dict[str, Any]]:
    """What a list shows of the samples that still exist, on the branch that was tested."""
    name = dataset if page.branch in ("", MAIN) else f"{dataset}@{page.branch}+"
    try:
        state = datasets.read(ask.actor, name, store=ask.store)
    except RefNotFound:  # the branch was deleted
        state = datasets.read(ask.actor, dataset, store=ask.store)
    ids = sorted({row.finding.sample_id for row in page.rows if row.finding.sample_id})
    return {
        sample.sample_id: {
            "id": sample.sample_id,
            "name": sample.name,
            "media": sample.media_sha256,
            "width": sample.width_px,
            "height": sample.height_px,
        }
        for sample in state.iter_samples(ids=ids)
    }


def _item(position: int, row: Row, samples: dict[str, dict[str, Any]]) -> dict[str, Any]:
    finding, tracked = row.finding, row.tracked
    until_us = tracked.until_us if tracked is not None else None
    return {
        "position": position,
        "key": finding.key,
        "state": str(tracked.state) if tracked is not None else None,
        "assignee": tracked.assignee or None if tracked is not None else None,
        "note": tracked.note or None if tracked is not None else None,
        "until": iso(until_us) if until_us is not None else None,
        "repair": isinstance(finding.facts.get("repair"), dict),
        "check": finding.check,
        "fault": finding.fault or None,
        "severity": finding.severity,
        "class": row.class_name,
        "box": row.box_xywh_px,
        "sample": samples.get(finding.sample_id),
        "sample_name": finding.sample or None,
        "annotation": finding.annotation_id or None,
        "label_set": finding.label_set or None,
        "reason": finding.reason,
        "facts": dict(finding.facts),
    }
