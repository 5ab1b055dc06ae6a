"""The command line of checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.checks import service
from calotype.findings.model import SEVERITIES, CheckReport, CheckSummary, Finding
from calotype.findings.reports import ReportFormatUnknown, report_as
from calotype.foundation.codes import FINDINGS
from calotype.foundation.terminal import table, terminal

_EACH, _SHOWN = 3, 40
"""Findings of one check, and of all, that a terminal shows."""
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
    told = [one for one in report.checks if one.n_findings]
    checks = [
        [one.name, one.n_findings, ", ".join(f"{n:,} {s}" for s, n in one.counts.items() if n), one.means]
        for one in sorted(told, key=lambda one: (_worst_of(one), -one.n_findings))
    ]
    worst = _worst(report.findings)
    found = [[f.key[:8], f.check, f.severity, f"{f.sample or 'dataset'}: {f.reason}"] for f in worst]
    shown: list[Any] = [table(["gate", "state", "measured", "threshold", ""], gates)]
    promises = [[o.name, str(o.state), _figure(o.measured), o.target_text, o.detail] for o in report.objectives]
    if promises:
        shown += ["", table(["objective", "state", "measured", "asked", ""], promises)]
    if told:
        shown += ["", table(["check", "findings", "of severity", "what it tells"], checks), ""]
        shown.append(table(["key", "check", "severity", "the worst of each"], found))
    return [*shown, str(report).splitlines()[0]]


def _worst_of(summary: CheckSummary) -> int:
    return min(SEVERITIES.index(severity) for severity, n in summary.counts.items() if n)


def _worst(findings: Sequence[Finding]) -> list[Finding]:
    """The first few of each check: a fault of every sample must not hide the others."""
    seen: Counter[str] = Counter()
    kept = []
    for one in findings:
        seen[one.check] += 1
        if seen[one.check] <= _EACH:
            kept.append(one)
    return kept[:_SHOWN]


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
