"""Results of a team's own data tests, as findings and a gate. The tests run in a process of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from calotype.findings.model import SEVERITIES, CheckReport, CheckSummary, Finding, Gate, GateState

NAME = "data-tests"


@dataclass(frozen=True, slots=True)
class DataTest:
    """The result of one test: passed, failed or skipped, and the samples that fail it."""

    test: str
    outcome: str
    reason: str
    seconds: float
    severity: str
    faults: tuple[dict[str, str], ...] = ()


class RunsDataTests(Protocol):
    """Runs the data tests of a team against a state: `app` wires pytest."""

    def __call__(self, name_ref: str, paths: Sequence[str]) -> Sequence[DataTest]: ...


def with_data_tests(report: CheckReport, tests: Sequence[DataTest]) -> CheckReport:
    """The report with the results of data tests: a finding for each fault, and a gate that is red when a test fails."""
    findings = [finding for test in tests if test.outcome == "failed" for finding in _findings(test)]
    failed = [test.test for test in tests if test.outcome == "failed" and test.severity == "error"]
    n_passed = sum(test.outcome == "passed" for test in tests)
    state = GateState.RED if failed else GateState.GREEN if n_passed else GateState.MISSING
    detail = f"{n_passed} of {len(tests)} data tests passed"
    if failed:
        detail += f"; failed: {', '.join(failed[:5])}"
    fix = "" if state is GateState.GREEN else "fix the data, or the test" if failed else "no data test ran"
    gate = Gate(NAME, NAME, state, len(failed), 0, "tests", detail, fix, len(findings))
    return _extended(report, gate, findings, [_summary(tests, findings)])


def _summary(tests: Sequence[DataTest], findings: Sequence[Finding]) -> CheckSummary:
    counts = {level: sum(finding.severity == level for finding in findings) for level in SEVERITIES}
    return CheckSummary(
        NAME,
        "Data tests",
        "The team's own tests of the data, in Python.",
        "look at the test that failed",
        "tests",
        enabled=True,
        looked_at=len(tests),
        counts={level: n for level, n in counts.items() if n},
        kept=len(findings),
        took_ms=round(sum(test.seconds for test in tests) * 1_000),
        family="tests",
    )


def without_tests(report: CheckReport, earlier: CheckReport | None) -> CheckReport:
    """The report of a run that could not run the data tests.

    Args:
        earlier: A run on the same state, whose results are taken over; without one, the gate is missing.
    """
    gate = next((g for g in earlier.gates if g.name == NAME), None) if earlier is not None else None
    if earlier is None or gate is None:
        detail = "the data tests were not run on this state"
        fix = "run `calotype check NAME --tests ROOT`"
        missing = Gate(NAME, NAME, GateState.MISSING, 0, 0, "tests", detail, fix)
        return replace(report, gates=(missing, *report.gates))
    findings = [finding for finding in earlier.findings if finding.check == NAME]
    summaries = [summary for summary in earlier.checks if summary.name == NAME]
    return _extended(report, gate, findings, summaries)


def _extended(
    report: CheckReport, gate: Gate, findings: Sequence[Finding], summaries: Sequence[CheckSummary]
) -> CheckReport:
    merged = sorted((*report.findings, *findings), key=lambda finding: SEVERITIES.index(finding.severity))
    return replace(
        report,
        gates=(gate, *report.gates),
        findings=tuple(merged),
        checks=(*report.checks, *summaries),
    )


def _findings(test: DataTest) -> list[Finding]:
    facts: dict[str, Any] = {"test": test.test}
    level = test.severity if test.severity in SEVERITIES else "error"
    if not test.faults:
        reason = f"{test.test} failed: {test.reason[:500]}"
        return [Finding(NAME, level, reason, facts=facts, about=test.test)]
    return [
        Finding(
            NAME,
            level,
            f"{fault['reason']} ({test.test})",
            fault.get("sample_id", ""),
            fault.get("sample", ""),
            facts=facts,
            about=test.test,
        )
        for fault in test.faults
    ]
