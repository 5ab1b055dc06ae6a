"""`calotype demo`: two datasets through the whole pipeline, offline; or the user's own pictures."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.acquire import quarantine
from calotype.app import serving, wiring
from calotype.app.demo import digits, pipelines
from calotype.app.demo.faults import FaultPlan, Planted
from calotype.app.demo.scorecard import Line, reckon
from calotype.app.demo.streets import scenes
from calotype.checks import service as checks
from calotype.datasets import refs
from calotype.findings.model import CheckReport
from calotype.foundation.terminal import Terminal, table, terminal
from calotype.pipeline import service as pipeline
from calotype.pipeline.model import Acquire, Annotate, Check, Commit, Curate, Pipeline, Stage
from calotype.pipeline.model import Release as ReleaseStage
from calotype.pipeline.runs import RunReport
from calotype.release import service as releasing
from calotype.store import Store, WorkspaceNotFound

N_STREETS = 240


@dataclass(frozen=True, slots=True)
class Told:
    """What the demo tells of one dataset."""

    run: RunReport
    report: CheckReport | None
    lines: tuple[Line, ...] = ()


def demo(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Option("--dir", help="Where the workspace goes; made when missing.")
    ] = Path("calotype-demo"),
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Do not serve the app afterwards.")] = False,
    images: Annotated[Path | None, typer.Option(help="A folder of your own pictures.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Label files for them.")] = None,
    format: Annotated[str, typer.Option("--format", "-f", help="The format of the labels.")] = "auto",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Where to serve; 0 takes a free port.")
    ] = 8_080,
) -> None:
    """Run the whole pipeline on two datasets, or on your own pictures, and show them."""
    t = terminal(ctx)
    began = time.perf_counter()
    t.opened = _workspace(t, folder)
    store: Store = t.store()
    told = [_own(t, store, images, labels, format)] if images else [_digits(t, store), _streets(t, store)]
    _answer(t, store, told, time.perf_counter() - began)
    if not no_serve:
        serving.serve_store(t, store, port=port)


def _workspace(t: Terminal, folder: Path) -> Store:
    try:
        return wiring.open_at(folder)
    except WorkspaceNotFound:
        return wiring.create(t.actor, folder)


def _digits(t: Terminal, store: Store) -> Told:
    folder = store.root / "raw" / "digits"
    folder.mkdir(parents=True, exist_ok=True)
    with t.progress() as progress:
        truth = digits.write(folder, progress=lambda done, total: progress("writing digits", done, total))
    file = pipelines.write(folder, pipelines.DIGITS, pipelines.DIGITS_CONTRACT)
    return _run(t, store, pipeline.load(file), truth.planted)


def _streets(t: Terminal, store: Store) -> Told:
    folder = store.root / "raw" / "streets"
    folder.mkdir(parents=True, exist_ok=True)
    workers = min(4, os.cpu_count() or 1)
    with t.progress() as progress:
        truth = scenes.write(
            folder, n=N_STREETS, seed=7, faults=FaultPlan.for_images(N_STREETS), workers=workers,
            progress=lambda done, total: progress("drawing streets", done, total),
        )  # fmt: skip
    file = pipelines.write(folder, pipelines.STREETS, pipelines.STREETS_CONTRACT)
    return _run(t, store, pipeline.load(file), truth.planted)


def _own(t: Terminal, store: Store, images: Path, labels: Path | None, format: str) -> Told:
    """The user's pictures through the stages that need no knowledge of them."""
    stages: list[Stage] = []
    if labels is None:
        stages.append(Acquire(path=str(images.resolve()), source=images.name))
    else:
        stages.append(
            Annotate(
                path=str(labels.resolve()), format=format, images=str(images.resolve()), source=images.name
            )
        )
    stages += [
        Curate(split={"train": 0.8, "val": 0.1, "test": 0.1}, seed=7),
        Check(gate="stop"),
        Commit(message=f"{images.name} with splits"),
        ReleaseStage(version="1.0.0"),
    ]
    return _run(t, store, Pipeline(name="own", dataset="own", stages=tuple(stages)), ())


def _run(t: Terminal, store: Store, asked: Pipeline, planted: tuple[Planted, ...]) -> Told:
    t.say(f"running the pipeline of {asked.dataset}")
    with t.progress() as progress:
        run = pipeline.run(t.actor, asked, store=store, ports=wiring, progress=progress)
    report = checks.latest(t.actor, asked.dataset, store=store, any_state=True)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, asked.dataset)
    refused = [item.place for item in quarantine.quarantined_items(store, info.id)]
    return Told(run, report, tuple(reckon(planted, report.findings if report else (), refused)))


def _answer(t: Terminal, store: Store, told: list[Told], took_s: float) -> None:
    shown: list[Any] = []
    value: dict[str, Any] = {"workspace": str(store.root), "took_s": round(took_s, 1), "datasets": []}
    for one in told:
        name = one.run.dataset
        releases = [made.to_dict() for made in releasing.releases(t.actor, name, store=store)]
        counts = one.report.counts if one.report else {}
        value["datasets"].append(
            {
                "name": name,
                "run": one.run.to_dict(),
                "releases": releases,
                "findings": counts,
                "planted": [line.to_dict() for line in one.lines],
            }
        )
        shown += ["", *_stages(one.run)]
        for made in releases[:1]:
            splits = ", ".join(f"{split or 'no split'} {n:,}" for split, n in made["splits"].items())
            shown.append(f"released {name} {made['version']}: {made['samples']:,} samples ({splits})")
        if one.lines:
            rows = [[o.kind.replace("_", " "), o.planted, o.found, o.by, o.told or ""] for o in one.lines]
            head = ["planted in " + name, "planted", "found", "by", "all that these checks tell"]
            shown += ["", table(head, rows)]
    shown += ["", f"{store.root}: {took_s:.0f} s, drawing included"]
    t.emit(value, shown)


def _stages(run: RunReport) -> list[Any]:
    rows = [
        [stage.name, str(stage.state), _short(stage.outputs), f"{stage.duration_s or 0:.1f} s"]
        for stage in run.stages
    ]
    return [table([run.dataset, "state", "what came out", "took"], rows)]


def _short(facts: Any) -> str:
    return ", ".join(f"{key} {value}" for key, value in facts.items() if value not in (None, "", 0))
