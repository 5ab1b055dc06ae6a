"""The command line of checks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.checks import service
from calotype.checks.model import CheckReport
from calotype.checks.reports import ReportFormatUnknown, report_as
from calotype.foundation.codes import FINDINGS
from calotype.foundation.terminal import table, terminal

Name = Annotated[str, typer.Argument(help="A dataset: NAME or NAME@REF.", show_default=False)]


def check(
    ctx: typer.Context, name: Name,
    contract: Annotated[Path | None, typer.Option(help="Test against this contract file instead.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A check or a family of checks; repeatable.")] = None,
    whole: Annotated[bool, typer.Option(help="Look at every sample, not only at what changed.")] = False,
    report: Annotated[
        list[str] | None,
        typer.Option(metavar="FORM=FILE", help="Write junit, sarif, github, markdown, html or json; - is stdout."),
    ] = None,
    against: Annotated[str, typer.Option(metavar="REF", help="Say what is new and fixed since this ref.")] = "",
    tests: Annotated[
        Path | None, typer.Option(metavar="ROOT", help="Run the contract's data tests, which lie below this folder.")
    ] = None,
    on: Annotated[str, typer.Option(help="Fail only for gates that block a merge or a release.")] = "",
) -> None:  # fmt: skip
    """Test a dataset against its contract; exit code 1 when a gate is red."""
    t = terminal(ctx)
    text = contract.read_text(encoding="utf-8") if contract else None
    with t.progress() as progress:
        found = service.check(
            t.actor,
            name,
            store=t.store(),
            contract_text=text,
            only=only or (),
            whole=whole,
            tests=t.ports.data_tests(t.store(), tests.resolve()) if tests else None,
            progress=progress,
        )
    quiet = _written(report or [], found)
    value, shown = found.to_dict(), _shown(found)
    if against:
        compared = service.compare(
            t.actor, name.partition("@")[0], against, name.partition("@")[2], store=t.store()
        )
        value, shown = {**value, "compared": compared.to_dict()}, [*shown, str(compared)]
    if not quiet:
        t.emit(value, shown)
    if any(gate.blocks and (not on or on in gate.on) for gate in found.gates):
        raise typer.Exit(FINDINGS)


def _shown(report: CheckReport) -> list[Any]:
    gates = [[g.name, g.state, str(g.measured), str(g.threshold), g.detail] for g in report.gates]
    found = [
        [f.key[:8], f.check, f.severity, f"{f.sample or 'dataset'}: {f.reason}"] for f in report.findings[:30]
    ]
    promises = [[o.name, str(o.state), _figure(o.measured), o.asked, o.detail] for o in report.objectives]
    return [
        table(["gate", "state", "measured", "threshold", ""], gates),
        *([table(["objective", "state", "measured", "asked", ""], promises)] if promises else []),
        table(["key", "check", "severity", "what"], found),
        str(report).splitlines()[0],
    ]


def _figure(measured: float | None) -> str:
    return "" if measured is None else f"{measured:g}"


def _written(asked: list[str], report: CheckReport) -> bool:
    """Write the reports; whether one went to stdout, which then is its alone."""
    to_stdout = False
    for one in asked:
        form, separator, file = one.partition("=")
        if not separator or not file:
            raise ReportFormatUnknown(got=one[:40], known="junit, sarif, github, markdown, html, json")
        text = report_as(form, report)
        if file == "-":
            typer.echo(text, nl=False)
            to_stdout = True
        else:
            Path(file).write_text(text, encoding="utf-8")
    return to_stdout
