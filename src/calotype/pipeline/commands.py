"""Pipeline commands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.foundation.terminal import table, terminal
from calotype.pipeline import service
from calotype.pipeline.runs import RunReport, StageRun


def run(
    ctx: typer.Context,
    pipeline: Annotated[Path, typer.Argument(help="Pipeline file (YAML).", show_default=False)],
) -> None:
    """Run a pipeline. Stages whose inputs did not change are skipped."""
    t = terminal(ctx)
    spec = service.load(pipeline)
    with t.progress() as progress:
        report = service.run(t.actor, spec, store=t.store(), ports=t.ports, progress=progress)
    outcome = "done" if report.changed else "nothing to do"
    t.emit(
        report.to_dict(),
        [_stage_table(report), f"{report.pipeline}: {outcome} in {report.duration_s or 0:.1f} s"],
        next=f"calotype log {report.dataset}",
    )


def runs(
    ctx: typer.Context,
    run_id: Annotated[str | None, typer.Argument(help="Run to show; lists all runs by default.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only runs on this dataset.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of runs.")] = 50,
) -> None:
    """List pipeline runs, or show one."""
    t = terminal(ctx)
    if run_id is not None:
        report = service.get(t.actor, run_id, store=t.store())
        lines: list[Any] = [f"{report.pipeline} on {report.dataset}: {report.state}", _stage_table(report)]
        if report.error is not None:
            lines.append(str(report.error.get("what", "")))
        t.emit(report.to_dict(), lines)
        return
    reports = service.runs(t.actor, store=t.store(), dataset=dataset, limit=limit)
    summaries = [report.summary() for report in reports]
    columns = ("id", "dataset", "pipeline", "state", "at", "duration_s", "actor")
    rows = [["" if summary[name] is None else summary[name] for name in columns] for summary in summaries]
    t.emit({"items": summaries}, table(columns, rows) if rows else "no runs yet")


def _stage_table(report: RunReport) -> Any:
    rows = [
        (stage.name, str(stage.state), _join(stage.inputs), _join(stage.outputs), _seconds(stage))
        for stage in report.stages
    ]
    return table(["stage", "state", "in", "out", "took"], rows)


def _seconds(stage: StageRun) -> str:
    return f"{stage.duration_s or 0:.2f} s"


def _join(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in counts.items() if value not in (None, "", 0))
