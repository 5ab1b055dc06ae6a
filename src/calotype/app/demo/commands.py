"""`calotype demo`: run the whole pipeline on two datasets, offline, or on the user's own images."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.acquire import quarantine
from calotype.app import serving, wiring
from calotype.app.demo import pipelines
from calotype.app.demo.batch import open_batch
from calotype.app.demo.people import PEOPLE, DemoAccounts, add_people
from calotype.app.demo.scorecard import Score, score
from calotype.checks import service as checks
from calotype.datasets import refs
from calotype.demo import digits
from calotype.demo.faults import FaultPlan, Planted
from calotype.demo.streets import scenes
from calotype.findings.model import CheckReport
from calotype.foundation.terminal import Terminal, table, terminal
from calotype.pipeline import service as pipeline
from calotype.pipeline.model import Acquire, Annotate, Check, Commit, Curate, Pipeline, Stage
from calotype.pipeline.model import Release as ReleaseStage
from calotype.pipeline.runs import RunReport
from calotype.release import service as release
from calotype.store import Store, WorkspaceNotFound

N_STREETS = 240


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The results of one dataset: the run, the latest check report, and the scores of the planted faults."""

    run: RunReport
    report: CheckReport | None
    scores: tuple[Score, ...] = ()


def demo(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Option("--dir", help="Folder of the workspace; created if it does not exist.")
    ] = Path("calotype-demo"),
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Do not serve the app at the end.")] = False,
    images: Annotated[Path | None, typer.Option(help="Folder of your own images.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Label file or folder for your images.")] = None,
    format: Annotated[str, typer.Option("--format", "-f", help="Format of the labels.")] = "auto",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of the app; 0 picks a free one.")
    ] = 8_080,
    accounts: Annotated[
        bool, typer.Option("--accounts", help="Serve it to a team, with an account for each role.")
    ] = False,
) -> None:
    """Run the whole pipeline on two datasets, or on your own images, and serve the app."""
    t = terminal(ctx)
    started = time.perf_counter()
    t.opened = _workspace(t, folder)
    store: Store = t.store()
    own = [_own_images(t, store, images, labels, format)] if images else []
    results = own or [_digits(t, store), _streets(t, store)]
    batch = None if own else open_batch(t.actor, store, results[-1].run.dataset)
    team = add_people(t.actor, store, results[-1].run.dataset) if accounts else None
    _print_results(t, store, results, time.perf_counter() - started, team)
    if batch is not None:
        t.say(
            f"{batch.progress.waiting} images of batch {batch.batch.name} wait to be labelled: `calotype work next`"
        )
    if not no_serve:
        serve = serving.serve_team if accounts else serving.serve_store
        serve(t, store, port=port)


def _workspace(t: Terminal, folder: Path) -> Store:
    try:
        return wiring.open_at(folder)
    except WorkspaceNotFound:
        return wiring.create(t.actor, folder)


def _digits(t: Terminal, store: Store) -> DemoResult:
    folder = store.root / "raw" / "digits"
    folder.mkdir(parents=True, exist_ok=True)
    with t.progress() as progress:
        truth = digits.write(folder, progress=lambda done, total: progress("writing digits", done, total))
    file = pipelines.write(folder, pipelines.DIGITS, pipelines.DIGITS_CONTRACT)
    return _run(t, store, pipeline.load(file), truth.planted)


def _streets(t: Terminal, store: Store) -> DemoResult:
    folder = store.root / "raw" / "streets"
    folder.mkdir(parents=True, exist_ok=True)
    workers = min(4, os.cpu_count() or 1)
    with t.progress() as progress:
        truth = scenes.write(
            folder,
            n=N_STREETS,
            seed=7,
            faults=FaultPlan.for_images(N_STREETS),
            workers=workers,
            progress=lambda done, total: progress("drawing streets", done, total),
        )
    file = pipelines.write(folder, pipelines.STREETS, pipelines.STREETS_CONTRACT)
    return _run(t, store, pipeline.load(file), truth.planted)


def _own_images(t: Terminal, store: Store, images: Path, labels: Path | None, format: str) -> DemoResult:
    """Run the stages that make no assumptions about the images."""
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


def _run(t: Terminal, store: Store, spec: Pipeline, planted: tuple[Planted, ...]) -> DemoResult:
    t.say(f"running the pipeline of {spec.dataset}")
    with t.progress() as progress:
        run = pipeline.run(t.actor, spec, store=store, ports=wiring, progress=progress)
    report = checks.latest(t.actor, spec.dataset, store=store, any_state=True)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, spec.dataset)
    quarantined = [item.place for item in quarantine.quarantined_items(store, info.id)]
    findings = report.findings if report else ()
    return DemoResult(run, report, tuple(score(planted, findings, quarantined)))


def _print_results(
    t: Terminal, store: Store, results: list[DemoResult], took_s: float, team: DemoAccounts | None
) -> None:
    shown: list[Any] = []
    items: list[dict[str, Any]] = []
    for result in results:
        name = result.run.dataset
        releases = [item.to_dict() for item in release.releases(t.actor, name, store=store)]
        items.append(
            {
                "name": name,
                "run": result.run.to_dict(),
                "releases": releases,
                "findings": result.report.counts if result.report else {},
                "planted": [line.to_dict() for line in result.scores],
            }
        )
        shown += ["", _stage_table(result.run), *(_release_line(name, item) for item in releases[:1])]
        if result.scores:
            shown += ["", _score_table(name, result.scores)]
    shown += ["", f"{store.root}: {took_s:.0f} s, including drawing"]
    value = {"workspace": str(store.root), "took_s": round(took_s, 1), "datasets": items}
    if team is not None:
        value |= team.to_dict()
        shown += ["", _people_table(team), f"Everyone signs in with the password {team.password}", ""]
    t.emit(value, shown)


def _people_table(team: DemoAccounts) -> Any:
    rows = [[person.email, person.name, person.role, team.place(person)] for person in PEOPLE]
    return table(["sign in as", "name", "role", "on"], rows)


def _stage_table(run: RunReport) -> Any:
    rows = [
        [stage.name, str(stage.state), _join(stage.outputs), f"{stage.duration_s or 0:.1f} s"]
        for stage in run.stages
    ]
    return table([run.dataset, "state", "outputs", "took"], rows)


def _release_line(name: str, item: dict[str, Any]) -> str:
    splits = ", ".join(f"{split or 'no split'} {n:,}" for split, n in item["splits"].items())
    return f"released {name} {item['version']}: {item['samples']:,} samples ({splits})"


def _score_table(name: str, scores: Sequence[Score]) -> Any:
    rows = [[s.kind.replace("_", " "), s.planted, s.found, s.by, s.n_findings or ""] for s in scores]
    return table([f"planted in {name}", "planted", "found", "by", "all findings of these checks"], rows)


def _join(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in counts.items() if value not in (None, "", 0))
