"""The command line of checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.checks import service
from calotype.findings import service as tracking
from calotype.findings.model import SEVERITIES, CheckReport, CheckSummary, Finding
from calotype.findings.reports import ReportFormatUnknown, report_as
from calotype.findings.summary import standing
from calotype.foundation.codes import FINDINGS
from calotype.foundation.printable import printable
from calotype.foundation.terminal import Terminal, table, terminal
from calotype.foundation.text_files import read_text

_EACH, _SHOWN = 3, 40
"""Maximum number of findings of one check, and of all, that a terminal shows."""
Name = Annotated[str, typer.Argument(help="A dataset: NAME or NAME@REF.", show_default=False)]


Only = Annotated[list[str] | None, typer.Option(help="Name of a check or of a family; repeatable.")]
ReadOnly = Annotated[
    bool, typer.Option("--read-only", help="Write nothing, neither the run nor its measures.")
]
Whole = Annotated[bool, typer.Option(help="Look at every sample, not only at what changed.")]
_REPORTS = "Write a report: junit, sarif, github, markdown, html or json; - is stdout."
_TESTS = "Run the contract's data tests, from this folder."
Reports = Annotated[list[str] | None, typer.Option("--report", metavar="FORM=FILE", help=_REPORTS)]
Tests = Annotated[Path | None, typer.Option(metavar="ROOT", help=_TESTS)]
Against = Annotated[
    str, typer.Option(metavar="REF", help="Show which findings are new and fixed since this ref.")
]


def check(
    ctx: typer.Context,
    name: Name,
    contract: Annotated[Path | None, typer.Option(help="Test against this contract file instead.")] = None,
    only: Only = None,
    whole: Whole = False,
    report: Reports = None,
    against: Against = "",
    tests: Tests = None,
    on: Annotated[str, typer.Option(help="Fail only for gates that block this: merge or release.")] = "",
    read_only: ReadOnly = False,
) -> None:
    """Test a dataset against its contract; exit code 1 when a gate is red."""
    t = terminal(ctx)
    if read_only:
        t.store().catalog.read_only = "--read-only was given"
    with t.progress() as progress:
        result = service.check(
            t.actor,
            name,
            store=t.store(),
            contract_text=read_text(contract) if contract else None,
            only=only or (),
            whole=whole,
            tests=t.ports.data_tests(t.store(), tests.resolve()) if tests else None,
            progress=progress,
        )
    if t.store().catalog.read_only:
        t.say(f"this run was not stored: {t.store().catalog.read_only}")
    quiet = _write_reports(report or [], result)
    value, shown = result.to_dict(), [*_shown(result), standing(result.gates, _open(t, result))]
    if against:
        dataset, _, ref = name.partition("@")
        compared = service.compare(t.actor, dataset, against, ref, store=t.store())
        value, shown = {**value, "compared": compared.to_dict()}, [*shown, str(compared)]
    if not quiet:
        t.emit(value, shown)
    if any(gate.blocks and (not on or on in gate.on) for gate in result.gates):
        raise typer.Exit(FINDINGS)


def _open(t: Terminal, report: CheckReport) -> dict[str, int]:
    """Findings by severity that still count for gates; all, where the run was not stored."""
    if t.store().catalog.read_only:
        return report.counts
    return tracking.open_by_severity(t.actor, report.dataset, report.run_id, report.counts, store=t.store())


def _shown(report: CheckReport) -> list[Any]:
    gates = [[g.name, g.state, str(g.measured), str(g.threshold), g.detail] for g in report.gates]
    shown: list[Any] = [table(["gate", "state", "measured", "threshold", ""], gates)]
    objectives = [
        [o.name, str(o.state), _figure(o.measured), o.target_text, o.detail] for o in report.objectives
    ]
    if objectives:
        shown += ["", table(["objective", "state", "measured", "target", ""], objectives)]
    with_findings = [summary for summary in report.checks if summary.n_findings]
    checks = [
        [s.name, s.n_findings, ", ".join(f"{n:,} {level}" for level, n in s.counts.items() if n), s.means]
        for s in sorted(with_findings, key=lambda s: (_worst_of(s), -s.n_findings))
    ]
    worst = [
        [f.key[:8], f.check, f.severity, f"{f.sample or 'dataset'}: {f.reason}"]
        for f in _worst(report.findings)
    ]
    if checks:
        shown += ["", table(["check", "findings", "by severity", "meaning"], checks), ""]
        shown.append(table(["key", "check", "severity", "worst findings of each check"], worst))
    return [*shown, str(report).splitlines()[0]]


def _worst_of(summary: CheckSummary) -> int:
    return min(SEVERITIES.index(severity) for severity, n in summary.counts.items() if n)


def _worst(findings: Sequence[Finding]) -> list[Finding]:
    """The first few of each check: a fault of every sample must not hide the others."""
    n_shown: Counter[str] = Counter()
    worst = []
    for finding in findings:
        n_shown[finding.check] += 1
        if n_shown[finding.check] <= _EACH:
            worst.append(finding)
    return worst[:_SHOWN]


def _figure(measured: float | None) -> str:
    return "" if measured is None else f"{measured:g}"


def _write_reports(reports: list[str], result: CheckReport) -> bool:
    """Write the reports, each FORM=FILE. Returns: Whether one went to stdout, so that nothing else may."""
    to_stdout = False
    for report in reports:
        form, separator, file = report.partition("=")
        if not separator or not file:
            raise ReportFormatUnknown(got=report[:40], known="junit, sarif, github, markdown, html, json")
        text = report_as(form, result)
        if file == "-":
            typer.echo(printable(text), nl=False)
            to_stdout = True
        else:
            Path(file).write_text(text, encoding="utf-8")
    return to_stdout
