"""Results of Python data tests as findings and a gate. The tests themselves run in a process of their own, wired in
`app`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from calotype.datasets.snapshot import Snapshot
from calotype.findings.model import SEVERITIES, CheckReport, CheckSummary, Finding, Gate, GateState

NAME = "data-tests"


@dataclass(frozen=True, slots=True)
class DataTest:
    """What became of one test: passed, failed or skipped; the samples that it found at fault."""

    test: str
    outcome: str
    reason: str
    seconds: float
    severity: str
    faults: tuple[dict[str, str], ...] = ()


class RunsDataTests(Protocol):
    """Runs the data tests of a team against a state: `app` wires pytest."""

    def __call__(self, name_ref: str, paths: Sequence[str]) -> Sequence[DataTest]: ...


def with_data_tests(report: CheckReport, tests: Sequence[DataTest], snapshot: Snapshot) -> CheckReport:
    """The report with what the data tests say: a finding each fault, and one gate that is red when a test fails."""
    findings = [finding for one in tests if one.outcome == "failed" for finding in _findings(one)]
    counts = {level: sum(f.severity == level for f in findings) for level in SEVERITIES}
    summary = CheckSummary(
        NAME, "Data tests", "The team's own tests of the data, in Python.", "see the test that failed", "tests",
        enabled=True, looked_at=len(tests), counts={k: n for k, n in counts.items() if n}, kept=len(findings),
        took_ms=round(sum(one.seconds for one in tests) * 1_000), family="tests",
    )  # fmt: skip
    failed = [one.test for one in tests if one.outcome == "failed" and one.severity == "error"]
    passed = sum(one.outcome == "passed" for one in tests)
    state = GateState.RED if failed else GateState.GREEN if passed else GateState.MISSING
    detail = f"{passed} of {len(tests)} data tests passed" + (
        f"; failed: {', '.join(failed[:5])}" if failed else ""
    )
    fix = "" if state is GateState.GREEN else "mend the data, or the test" if failed else "no data test ran"
    gate = Gate(NAME, NAME, state, len(failed), 0, "tests", detail, fix, len(findings))
    every = sorted((*report.findings, *findings), key=lambda finding: SEVERITIES.index(finding.severity))
    return replace(
        report, gates=(gate, *report.gates), findings=tuple(every), checks=(*report.checks, summary)
    )


def without_tests(report: CheckReport, earlier: CheckReport | None) -> CheckReport:
    """The report of a run that could not run the data tests: with what they said of the very same state, or with a gate
    that says they are missing."""
    gate = next((g for g in earlier.gates if g.name == NAME), None) if earlier is not None else None
    if earlier is None or gate is None:
        fix = "run `calotype check NAME --tests ROOT`"
        missing = Gate(
            NAME, NAME, GateState.MISSING, 0, 0, "tests", "the data tests were not run on this state", fix
        )
        return replace(report, gates=(missing, *report.gates))
    findings = [finding for finding in earlier.findings if finding.check == NAME]
    summaries = [summary for summary in earlier.checks if summary.name == NAME]
    every = sorted((*report.findings, *findings), key=lambda finding: SEVERITIES.index(finding.severity))
    checks = (*report.checks, *summaries)
    return replace(report, gates=(gate, *report.gates), findings=tuple(every), checks=checks)


def _findings(one: DataTest) -> list[Finding]:
    facts: dict[str, Any] = {"test": one.test}
    level = one.severity if one.severity in SEVERITIES else "error"
    if not one.faults:
        return [Finding(NAME, level, f"{one.test} failed: {one.reason[:500]}", facts=facts, about=one.test)]
    return [
        Finding(
            NAME, level, f"{fault['reason']} ({one.test})", fault.get("sample_id", ""), fault.get("sample", ""),
            facts=facts, about=one.test,
        )
        for fault in one.faults
    ]  # fmt: skip
