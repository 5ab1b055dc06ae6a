"""The HTTP door of checks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import PlainTextResponse

from calotype.checks import answers, service
from calotype.datasets import service as datasets
from calotype.findings import answers as finding_answers
from calotype.findings import service as tracking
from calotype.findings.lifecycle import TrackedFinding
from calotype.findings.model import SEVERITIES, CheckReport, Finding
from calotype.findings.reports import FORMS, report_as
from calotype.findings.repository import FindingFilter
from calotype.foundation.actor import Permission
from calotype.foundation.clock import iso
from calotype.foundation.http import Ask, Named, Offset, Ref, Session, action, one_of, room_routes

routes = room_routes("checks")

READ = action(Permission.DATASET_READ)


@routes.get("/datasets/{dataset}/checks", **READ)
def show_checks(dataset: Named, ask: Ask, ref: Ref = "") -> answers.CheckResults:
    """The newest run of the checks on this state; where there is none, the newest of all, marked stale."""
    name = _named(dataset, ref)
    report = service.latest(ask.actor, name, store=ask.store)
    stale = report is None
    if report is None:
        report = service.latest(ask.actor, name, store=ask.store, any_state=True)
    return _shown(report, stale=stale and report is not None)


@routes.post("/datasets/{dataset}/checks", **action(Permission.CHECK_RUN))
def run_checks(dataset: Named, ask: Ask, ref: Ref = "") -> answers.CheckResults:
    """Test the dataset against its contract now."""
    return _shown(service.check(ask.actor, _named(dataset, ref), store=ask.store), stale=False)


@routes.get("/datasets/{dataset}/findings", **READ)
def list_findings(
    dataset: Named,
    ask: Ask,
    run: Annotated[str, Query(max_length=200, description="Id of the run.")],
    check: Annotated[str, Query(max_length=200, description="Only findings of this check.")] = "",
    severity: Annotated[str, one_of(("", *SEVERITIES), "Only findings of this severity.")] = "",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Maximum number of findings.")] = 100,
) -> answers.FindingPage:
    """A page of the findings of a run, worst first."""
    total, findings = service.findings(
        ask.actor, run, store=ask.store, check=check, severity=severity, offset=offset, limit=limit
    )
    samples = _samples(ask, dataset, findings)
    wanted = FindingFilter(keys=tuple(finding.key for finding in findings))
    lives = (
        tracking.tracked(ask.actor, dataset, wanted, store=ask.store, limit=limit).items if findings else ()
    )
    life_of = {life.key: life for life in lives}
    items = [_item(offset + n, f, samples, life_of.get(f.key)) for n, f in enumerate(findings)]
    return answers.FindingPage.of({"total": total, "offset": offset, "items": items})


@routes.get("/datasets/{dataset}/findings-compared", **action(Permission.CHECK_RUN))
def compare_findings(
    dataset: Named,
    ask: Ask,
    before: Annotated[str, Query(max_length=200, description="The earlier ref.")],
    after: Annotated[
        str, Query(max_length=200, description="The later ref; empty is the working state of main.")
    ] = "",
) -> finding_answers.FindingComparison:
    """Which findings are new, fixed and remaining between two refs; both are tested if they were not."""
    comparison = service.compare(ask.actor, dataset, before, after, store=ask.store)
    return finding_answers.FindingComparison.of(comparison.to_dict())


@routes.get("/datasets/{dataset}/checks/report", response_class=PlainTextResponse, **READ)
def download_report(
    dataset: Named,
    ask: Ask,
    form: Annotated[str, one_of(FORMS, "Format of the report.")] = "html",
    ref: Ref = "",
) -> PlainTextResponse:
    """The newest run as junit, sarif, github, markdown or html."""
    name = _named(dataset, ref)
    report = service.latest(ask.actor, name, store=ask.store, any_state=True)
    if report is None:
        raise service.CheckRunNotFound(got=name)
    return PlainTextResponse(report_as(form, report), headers={"Content-Disposition": "attachment"})


def _named(dataset: str, ref: str) -> str:
    return f"{dataset}@{ref}" if ref else dataset


def _shown(report: CheckReport | None, *, stale: bool) -> answers.CheckResults:
    if report is None:
        return answers.CheckResults(run=None, stale=False, gates=[], objectives=[], checks=[])
    run = {
        "id": report.run_id,
        "at": iso(report.finished_at_us),
        "actor": report.actor,
        "duration_s": (report.finished_at_us - report.started_at_us) / 1e6,
        "commit": report.commit_id,
        "contract": report.contract_sha256,
        "red": report.red,
        "counts": report.counts,
    }
    gates = [gate.to_dict() for gate in report.gates]
    shown = [c.to_dict() for c in report.checks]
    measured = [objective.to_dict() for objective in report.objectives]
    return answers.CheckResults.of(
        {"run": run, "stale": stale, "gates": gates, "objectives": measured, "checks": shown}
    )


def _samples(ask: Session, dataset: str, findings: tuple[Finding, ...]) -> dict[str, dict[str, Any]]:
    """What a list shows of the samples that still exist."""
    state = datasets.read(ask.actor, dataset, store=ask.store)
    ids = sorted({finding.sample_id for finding in findings if finding.sample_id})
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


def _item(
    position: int, finding: Finding, samples: dict[str, dict[str, Any]], life: TrackedFinding | None
) -> dict[str, Any]:
    return {
        "position": position,
        "key": finding.key,
        "state": str(life.state) if life is not None else None,
        "assignee": life.assignee or None if life is not None else None,
        "note": life.note or None if life is not None else None,
        "repair": isinstance(finding.facts.get("repair"), dict),
        "check": finding.check,
        "severity": finding.severity,
        "sample": samples.get(finding.sample_id),
        "sample_name": finding.sample or None,
        "annotation": finding.annotation_id or None,
        "label_set": finding.label_set or None,
        "reason": finding.reason,
        "facts": dict(finding.facts),
    }
