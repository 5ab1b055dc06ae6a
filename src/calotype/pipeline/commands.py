"""The command line of pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.foundation.terminal import table, terminal
from calotype.pipeline import service
from calotype.pipeline.runs import RunReport


def run(
    ctx: typer.Context,
    pipeline: Annotated[Path, typer.Argument(help="The YAML file of the pipeline.", show_default=False)],
) -> None:
    """Run a pipeline; what is done already is not done again."""
    t = terminal(ctx)
    asked = service.load(pipeline)
    with t.progress() as progress:
        report = service.run(t.actor, asked, store=t.store(), ports=t.ports, progress=progress)
    said = "done" if report.changed else "nothing to do"
    t.emit(
        report.to_dict(),
        [_stages(report), f"{report.pipeline}: {said} in {report.duration_s or 0:.1f} s"],
        next=f"calotype log {report.dataset}",
    )


def runs(
    ctx: typer.Context,
    run_id: Annotated[str | None, typer.Argument(help="A run to show; without it, all are listed.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only runs on this dataset.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """List the runs of pipelines, or show one."""
    t = terminal(ctx)
    if run_id is not None:
        report = service.get(t.actor, run_id, store=t.store())
        shown: list[Any] = [f"{report.pipeline} on {report.dataset}: {report.state}", _stages(report)]
        if report.error is not None:
            shown.append(str(report.error.get("what", "")))
        t.emit(report.to_dict(), shown)
        return
    found = service.runs(t.actor, store=t.store(), dataset=dataset, limit=limit)
    lines = [one.summary() for one in found]
    columns = ("id", "dataset", "pipeline", "state", "at", "duration_s", "actor")
    rows = [["" if line[name] is None else line[name] for name in columns] for line in lines]
    t.emit({"items": lines}, table(columns, rows) if rows else "no run yet")


def _stages(report: RunReport) -> Any:
    rows = [
        [s.name, str(s.state), _told(s.inputs), _told(s.outputs), f"{s.duration_s or 0:.2f} s"]
        for s in report.stages
    ]
    return table(["stage", "state", "in", "out", "took"], rows)


def _told(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items() if value not in (None, "", 0))
