"""Writes a run of checks as JUnit, SARIF, GitHub annotations, Markdown, HTML or JSON text."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from calotype.findings.model import CheckReport, Finding, Gate, ObjectiveResult, ObjectiveState
from calotype.foundation.clock import iso
from calotype.foundation.errors import Invalid

_MAX_FINDINGS = 200
_SARIF_LEVEL = {"error": "error", "warning": "warning", "info": "note"}
_GITHUB_LEVEL = {"error": "error", "warning": "warning", "info": "notice"}


class ReportFormatUnknown(Invalid):
    """Unknown format of a report."""

    code = "report-format-unknown"
    what = "unknown report format {got!r}"
    fix = "use one of: {known}; write it as FORMAT=FILE"


def report_as(format: str, report: CheckReport) -> str:
    """Write a report in one of the `FORMS`. Raises: ReportFormatUnknown."""
    if format not in FORMS:
        raise ReportFormatUnknown(got=format[:40], known=", ".join(FORMS))
    return FORMS[format](report)


def _clean(text: str) -> str:
    """The text without characters that XML does not allow."""
    return "".join(
        c
        for c in text
        if c in "\t\n" or (ord(c) >= 32 and not 0xD800 <= ord(c) <= 0xDFFF and ord(c) < 0xFFFE)
    )


def junit(report: CheckReport) -> str:
    """A test case for each gate, failed if it blocks; then a test case for each check with its findings.

    Source: the JUnit XML format that Jenkins, GitLab and GitHub Actions read.
    """
    failures, objectives = sum(gate.blocks for gate in report.gates), report.objectives
    n_cases = len(report.gates) + len(report.checks) + len(objectives)
    seconds = (report.finished_at_us - report.started_at_us) / 1e6
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites tests="{n_cases}" failures="{failures}" time="{seconds:.3f}">',
        f'<testsuite name={_attribute(report.dataset + " gates")} tests="{len(report.gates)}" failures="{failures}">',
        *(_gate_case(report, gate) for gate in report.gates),
        "</testsuite>",
        f'<testsuite name={_attribute(report.dataset + " checks")} tests="{len(report.checks)}" failures="0">',
    ]
    for summary in report.checks:
        output = "\n".join(
            f"{f.severity} {f.sample or 'dataset'}: {f.reason}"
            for f in report.findings
            if f.check == summary.name
        )
        body = (
            "<skipped/>"
            if not summary.enabled
            else f"<system-out>{escape(_clean(output[:100_000]))}</system-out>"
        )
        lines.append(
            f"<testcase classname={_attribute(report.dataset + '.checks')} name={_attribute(summary.name)} "
            f'time="{summary.took_ms / 1e3:.3f}">{body}</testcase>'
        )
    lines.append("</testsuite>")
    if objectives:
        name = _attribute(report.dataset + " objectives")
        lines += [f'<testsuite name={name} tests="{len(objectives)}" failures="0">']
        lines += [*(_objective_case(report, objective) for objective in objectives), "</testsuite>"]
    return "\n".join([*lines, "</testsuites>", ""])


def _objective_case(report: CheckReport, objective: ObjectiveResult) -> str:
    """A missed objective is reported but not as a failure, because objectives do not block."""
    head = (
        f"<testcase classname={_attribute(report.dataset + '.objectives')} name={_attribute(objective.name)}>"
    )
    text = escape(_clean(f"{objective.state}: {objective}"))
    skipped = "<skipped/>" if objective.state is ObjectiveState.NOT_MEASURED else ""
    return f"{head}{skipped}<system-out>{text}</system-out></testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_clean(text).replace("\n", " "))


def _gate_case(report: CheckReport, gate: Gate) -> str:
    head = f"<testcase classname={_attribute(report.dataset + '.gates')} name={_attribute(gate.name)}>"
    if not gate.blocks:
        return head + "</testcase>"
    body = f"{gate.detail}\nfix: {gate.fix}\nsamples: {', '.join(gate.samples)}"
    attributes = f"type={_attribute(str(gate.state))} message={_attribute(gate.detail)}"
    return f"{head}<failure {attributes}>{escape(_clean(body))}</failure></testcase>"


def sarif(report: CheckReport) -> str:
    """Static Analysis Results Interchange Format 2.1.0, with samples as logical locations and keys as fingerprints."""
    rules = [
        {
            "id": summary.name,
            "shortDescription": {"text": summary.title},
            "fullDescription": {"text": summary.means},
            "help": {"text": summary.fix},
        }
        for summary in report.checks
    ]
    objectives = [objective.to_dict() for objective in report.objectives]
    run = {
        "tool": {
            "driver": {"name": "calotype", "informationUri": "https://github.com/calotype", "rules": rules}
        },
        "results": [_sarif_result(report, finding) for finding in report.findings],
        "properties": {
            "dataset": report.dataset,
            "commit": report.commit_id,
            "red": report.red,
            "objectives": objectives,
        },
    }
    head = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0"}
    return json.dumps({**head, "runs": [run]}, indent=1, ensure_ascii=False, default=str)


def _sarif_result(report: CheckReport, finding: Finding) -> dict[str, Any]:
    name = finding.sample or report.dataset
    uri = "".join(c if c.isalnum() or c in "/._-" else f"%{ord(c):02X}" if ord(c) < 128 else c for c in name)
    return {
        "ruleId": finding.check,
        "level": _SARIF_LEVEL[finding.severity],
        "message": {"text": finding.reason},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": uri}},
                "logicalLocations": [{"name": finding.annotation_id or finding.sample_id or report.dataset}],
            }
        ],
        "partialFingerprints": {"calotype/v1": finding.key},
    }


def github(report: CheckReport) -> str:
    """GitHub workflow commands, one per line: blocking gates first, then the worst findings."""

    def line(level: str, title: str, text: str) -> str:
        title = (
            title.replace("%", "%25")
            .replace("\r", "%0D")
            .replace("\n", "%0A")
            .replace(":", "%3A")
            .replace(",", "%2C")
        )
        return f"::{level} title={title}::" + text.replace("%", "%25").replace("\r", "%0D").replace(
            "\n", "%0A"
        )

    lines = [
        line("error", f"gate {g.name} is {g.state}", f"{g.detail}; {g.fix}") for g in report.gates if g.blocks
    ]
    missed = (objective for objective in report.objectives if objective.state is ObjectiveState.MISSED)
    lines += [
        line("warning", f"objective {objective.name} is missed", str(objective)) for objective in missed
    ]
    lines += [
        line(_GITHUB_LEVEL[f.severity], f.check, f"{f.sample or report.dataset}: {f.reason}")
        for f in report.findings[:_MAX_FINDINGS]
    ]
    return "\n".join([*lines, ""])


def markdown(report: CheckReport) -> str:
    """A Markdown page for a pull request: gates, objectives, checks, worst findings."""

    def cell(text: object) -> str:
        return html.escape(str(text), quote=False).replace("|", "\\|").replace("\n", " ")

    state = "red" if report.red else "green"
    lines = [
        f"# {report.dataset}: {state}",
        "",
        f"{iso(report.finished_at_us)}, commit {report.commit_id or 'working state'}",
    ]
    lines += ["", "| gate | state | measured | threshold |", "| --- | --- | --- | --- |"]
    lines += [f"| {cell(g.name)} | {g.state} | {cell(g.detail)} | {g.threshold:g} |" for g in report.gates]
    if report.objectives:
        lines += ["", "| objective | state | measured | target | detail |", "| --- | --- | --- | --- | --- |"]
        lines += [
            f"| {' | '.join(cell(text) for text in _objective_cells(objective))} |"
            for objective in report.objectives
        ]
    lines += ["", "| check | errors | warnings | infos | checked |", "| --- | --- | --- | --- | --- |"]
    for summary in report.checks:
        counts = [summary.counts.get(level, 0) for level in ("error", "warning", "info")]
        checked = f"{summary.looked_at} {cell(summary.unit)}"
        lines.append(f"| {cell(summary.name)} | {counts[0]} | {counts[1]} | {counts[2]} | {checked} |")
    lines += ["", "| severity | check | sample | finding |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {f.severity} | {cell(f.check)} | {cell(f.sample or 'dataset')} | {cell(f.reason)} |"
        for f in report.findings[:_MAX_FINDINGS]
    ]
    total = sum(report.counts.values())
    if total > _MAX_FINDINGS:
        lines += ["", f"and {total - _MAX_FINDINGS} more findings"]
    return "\n".join([*lines, ""])


def _objective_cells(objective: ObjectiveResult) -> tuple[str, ...]:
    measured = "" if objective.measured is None else f"{objective.measured:g}"
    return objective.name, str(objective.state), measured, objective.target_text, objective.detail


def html_page(report: CheckReport) -> str:
    """An HTML page without scripts that follows the light or dark mode of the system."""

    def row(cells: list[object], tag: str = "td") -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    objectives = [row([*_objective_cells(objective)]) for objective in report.objectives]
    gates = [row([g.name, g.state, g.detail, g.fix]) for g in report.gates]
    checks = [
        row(
            [
                c.name,
                *(c.counts.get(level, 0) for level in ("error", "warning", "info")),
                f"{c.looked_at} {c.unit}",
            ]
        )
        for c in report.checks
    ]
    findings = [
        row([f.severity, f.check, f.sample or "dataset", f.reason, f.key[:8]])
        for f in report.findings[:_MAX_FINDINGS]
    ]
    tables = [
        ("Gates", row(["gate", "state", "measured", "fix"], "th"), gates),
        *(
            [("Objectives", row(["objective", "state", "measured", "target", "detail"], "th"), objectives)]
            * bool(objectives)
        ),
        ("Checks", row(["check", "errors", "warnings", "infos", "checked"], "th"), checks),
        ("Findings, worst first", row(["severity", "check", "sample", "finding", "key"], "th"), findings),
    ]
    body = "".join(f"<h2>{title}</h2><table>{head}{''.join(rows)}</table>" for title, head, rows in tables)
    name, state = html.escape(report.dataset), "red" if report.red else "green"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}: {state}</title><style>{_STYLE}</style>'
        f'<main><h1>{name} <span class="{state}">{state}</span></h1><p>{iso(report.finished_at_us)}, commit '
        f"{report.commit_id or 'working state'}, {sum(report.counts.values())} findings</p>{body}</main></html>\n"
    )


_STYLE = (
    ":root{color-scheme:light dark;--line:#8884;--soft:#8888}body{font:14px/1.5 system-ui,sans-serif;margin:2rem}"
    "main{max-width:72rem;margin:auto}h1{font-size:1.5rem}h2{font-size:1rem;margin-top:2rem}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--line);padding:.35rem .6rem;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}th{color:var(--soft);font-weight:500}"
    ".red,.green{font-size:.8em;padding:.1em .6em;border-radius:1em;color:#fff;background:#b3261e}"
    ".green{background:#1b7f4b}"
)

FORMS: dict[str, Callable[[CheckReport], str]] = {
    "junit": junit,
    "sarif": sarif,
    "github": github,
    "markdown": markdown,
    "html": html_page,
    "json": lambda report: json.dumps(report.to_dict(), indent=1, default=str),
}
"""Format -> function that writes it."""
