"""`calotype maturity`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from calotype.foundation.terminal import table, terminal
from calotype.maturity import service
from calotype.maturity.model import Maturity, MaturityOverview, Reading

_ADVICE = 5


def maturity(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Argument(help="A dataset; by default all of them.")] = "",
    at: Annotated[
        str,
        typer.Option(
            metavar="T", help="As of this time: 2027-01-31, 2027-01-31T08:00, or an age: 12h, 7d, 4w."
        ),
    ] = "",
) -> None:
    """Read how far datasets are: security, quality, reliability, usability, coverage, each from evidence."""
    t = terminal(ctx)
    if dataset:
        one = service.maturity(t.actor, dataset, store=t.store(), at=at)
        t.emit(one.to_dict(), _shown(one))
        return
    overview = service.maturity_overview(t.actor, store=t.store(), at=at)
    t.emit(overview.to_dict(), _all(overview))


def _all(overview: MaturityOverview) -> list[Any]:
    if overview.worst is None:
        return ["no dataset whose audit trail you may read"]
    rows = [
        [one.dataset, f"{one.level} of 5", *(str(pillar.state) for pillar in one.pillars)]
        for one in overview.datasets
    ]
    names = [pillar.pillar.value for pillar in overview.datasets[0].pillars]
    whole = f"the whole is at level {overview.worst.level}, that of {overview.worst.dataset}"
    return [table(["dataset", "level", *names], rows), "", whole]


def _shown(one: Maturity) -> list[Any]:
    lines: list[Any] = [f"{one.dataset}: level {one.level} of 5", ""]
    rows = [
        [
            str(pillar.pillar),
            reading.indicator.id,
            reading.indicator.title,
            str(reading.state),
            *_figures(reading),
        ]
        for pillar in one.pillars
        for reading in pillar.readings
    ]
    lines.append(table(["pillar", "id", "indicator", "state", "value", "target", "n"], rows))
    lines += ["", "next:"]
    lines += [f"  {step.indicator}: {step.step} ({step.why})" for step in one.advice()[:_ADVICE]]
    model, why = one.suggested_model()
    return [*lines, "", f"suggested organisation: {model}, since {why}"]


def _figures(reading: Reading) -> list[str]:
    indicator, measured = reading.indicator, reading.measured
    value = "–" if measured.value is None else f"{measured.value:.4g}"
    target = f"{'>=' if indicator.at_least else '<='} {indicator.target:g}"
    return [value, target, str(measured.n)]
