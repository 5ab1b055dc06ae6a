"""The HTTP door of checks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import PlainTextResponse

from calotype.checks import answers, service
from calotype.findings import answers as finding_answers
from calotype.findings import service as tracking
from calotype.findings.model import CheckReport
from calotype.findings.reports import FORMS, report_as
from calotype.foundation.actor import Permission
from calotype.foundation.clock import iso
from calotype.foundation.http import Ask, Named, Ref, Session, action, one_of, room_routes

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
    return _shown(ask, report, stale=stale and report is not None)


@routes.post("/datasets/{dataset}/checks", **action(Permission.CHECK_RUN))
def run_checks(dataset: Named, ask: Ask, ref: Ref = "") -> answers.CheckResults:
    """Test the dataset against its contract now."""
    return _shown(ask, service.check(ask.actor, _named(dataset, ref), store=ask.store), stale=False)


@routes.get("/datasets/{dataset}/findings-compared", **READ)
def compare_findings(
    dataset: Named,
    ask: Ask,
    before: Annotated[str, Query(max_length=200, description="The earlier ref.")],
    after: Annotated[
        str, Query(max_length=200, description="The later ref; empty is the working state of main.")
    ] = "",
) -> finding_answers.FindingComparison:
    """Which findings are new, fixed and remaining between two refs; testing a ref first needs check.run."""
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
        raise tracking.CheckRunNotFound(got=name)
    return PlainTextResponse(report_as(form, report), headers={"Content-Disposition": "attachment"})


def _named(dataset: str, ref: str) -> str:
    return f"{dataset}@{ref}" if ref else dataset


def _shown(ask: Session, report: CheckReport | None, *, stale: bool) -> answers.CheckResults:
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
        "open": tracking.open_by_severity(
            ask.actor, report.dataset, report.run_id, report.counts, store=ask.store
        ),
    }
    gates = [gate.to_dict() for gate in report.gates]
    shown = [c.to_dict() for c in report.checks]
    measured = [objective.to_dict() for objective in report.objectives]
    return answers.CheckResults.of(
        {"run": run, "stale": stale, "gates": gates, "objectives": measured, "checks": shown}
    )
