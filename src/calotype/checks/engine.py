"""Runs checks on a state: all or some, in full or continuing an earlier run where only a part changed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from calotype.checks import isolation
from calotype.checks.suite import FAMILIES, Check, CheckContext, Tally
from calotype.checks.suite.context import KEPT_PER_CHECK, Parameter
from calotype.checks.suite.predictions import label_set_of
from calotype.checks.suite.registry import all_checks
from calotype.contracts.model import Contract
from calotype.datasets import rows
from calotype.datasets.differences import changed, touched_samples
from calotype.datasets.snapshot import Snapshot
from calotype.findings.model import SEVERITIES, CheckReport, CheckSummary, Finding
from calotype.foundation.errors import Invalid
from calotype.foundation.progress import Progress

_FULL_RUN_SHARE = 0.3
"""Share of changed samples above which a full run is faster than looking at the changed ones twice."""

_MAX_COMPARED = 100_000
"""Number of samples of a dataset up to which rewritten rows are compared with what they were."""


class CheckUnknown(Invalid):
    """No check and no family of this name."""

    code = "check-unknown"
    what = "no check or family of checks is named {got!r}"
    fix = "use one of: {known}"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A complete run, and the state that it looked at."""

    report: CheckReport
    snapshot: Snapshot


@dataclass
class Ran:
    """Results of the checks that ran."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    summaries: list[CheckSummary] = field(default_factory=list)
    part: Continuation | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Worst first."""
        everything = [finding for tally in self.tallies.values() for finding in tally.findings]
        return tuple(sorted(everything, key=lambda finding: SEVERITIES.index(finding.severity)))


def chosen(registry: Mapping[str, Check], only: Sequence[str]) -> list[Check]:
    """The checks of these names and families; all without any.

    Raises: CheckUnknown.
    """
    for name in only:
        if name not in registry and name not in FAMILIES:
            raise CheckUnknown(got=name[:80], known=", ".join([*FAMILIES, *registry]))
    return [check for check in registry.values() if not only or {check.name, check.family} & set(only)]


def run(
    context: CheckContext,
    progress: Progress,
    *,
    only: Sequence[str] = (),
    earlier: Earlier | None = None,
    registry: Mapping[str, Check] | None = None,
) -> Ran:
    """Run the checks that are asked for and enabled.

    With an earlier run, checks of scope "sample" look only at samples that changed since, once as they were and once as
    they are, and take over the other findings.

    Raises: CheckUnknown.
    """
    wanted = chosen(all_checks() if registry is None else registry, only)
    part = None if earlier is None else Continuation(context, earlier)
    ran = Ran(part=part)
    for done, check in enumerate(wanted):
        progress("checking", done, len(wanted))
        started = time.perf_counter()
        spec = context.contract.checks.get(check.name)
        n_measured = None
        tally = _tally(context, check)
        if spec is None or spec.enabled:
            n_measured = part.resume(check, tally) if part is not None else None
            if n_measured is None:
                isolation.run_check(check, context, tally)
            ran.tallies[check.name] = tally
        took_ms = round((time.perf_counter() - started) * 1_000)
        summary = _summary(check, tally, enabled=spec is None or spec.enabled, took_ms=took_ms)
        ran.summaries.append(replace(summary, measured_again=n_measured))
    progress("checking", len(wanted), len(wanted))
    return ran


def parameters_of(check: Check, contract: Contract) -> dict[str, Parameter]:
    """The parameters of a check; those that the contract sets replace its own."""
    spec = contract.checks.get(check.name)
    return {**check.parameters, **(spec.parameters if spec else {})}


def _tally(context: CheckContext, check: Check) -> Tally:
    spec = context.contract.checks.get(check.name)
    severity = spec.severity if spec is not None else None
    parameters = parameters_of(check, context.contract)
    return Tally(context, check.name, parameters, severity or check.severity, forced=severity is not None)


def _summary(check: Check, tally: Tally, *, enabled: bool, took_ms: int) -> CheckSummary:
    plain = ("name", "title", "means", "fix", "unit", "family", "version")
    facts: dict[str, Any] = {name: getattr(check, name) for name in plain}
    return CheckSummary(
        **facts,
        enabled=enabled,
        looked_at=tally.looked_at,
        counts=tally.counts,
        kept=len(tally.findings),
        took_ms=took_ms,
        parameters=tally.parameters,
        reference=tally.reference,
    )


class Continuation:
    """The samples that changed since an earlier run: as they were, and as they are; and what was taken over.

    `taken_over` names the checks that continued; `dropped` are the keys of their earlier findings that no longer hold.
    """

    def __init__(self, context: CheckContext, earlier: Earlier) -> None:
        self._context = context
        self._earlier = earlier
        self._summaries = {summary.name: summary for summary in earlier.report.checks}
        self._findings: dict[str, list[Finding]] = {}
        for finding in earlier.report.findings:
            self._findings.setdefault(finding.check, []).append(finding)
        self.taken_over: set[str] = set()
        self.dropped: set[str] = set()
        self.fresh: list[Finding] = []
        self.cut = False

    @cached_property
    def changed_ids(self) -> pa.Array | None:
        """Ids of samples that differ, whose annotations do, or that were rewritten; None where there are too many."""
        before, after = self._earlier.snapshot, self._context.snapshot
        tables = (rows.SAMPLES, rows.annotation_table(self._context.label_set))
        ids = touched_samples(before, after, tables)
        n_samples = max(1, after.count(annotations=False)["samples"])
        if len(ids) > _FULL_RUN_SHARE * n_samples and n_samples <= _MAX_COMPARED:
            # many rows were rewritten, perhaps unchanged: worth finding out while they fit into memory
            changes = [changed(before, after, table) for table in tables]
            sides = [side["sample_id"] for change in changes for side in (change.before, change.after)]
            ids = pc.unique(pa.chunked_array([chunk for side in sides for chunk in side.chunks], pa.string()))
        return None if len(ids) > _FULL_RUN_SHARE * n_samples else ids

    @property
    def same_state(self) -> bool:
        """Whether both runs look at the same data."""
        return self._earlier.snapshot.state_sha256 == self._context.snapshot.state_sha256

    @property
    def touched_ids(self) -> list[str]:
        """Ids of the changed samples, as texts."""
        return [] if self.changed_ids is None else list(self.changed_ids.to_pylist())

    @property
    def earlier_run(self) -> str:
        """Id of the earlier run."""
        return self._earlier.report.run_id

    @cached_property
    def _contexts(self) -> tuple[CheckContext, CheckContext]:
        ids = self.changed_ids.to_pylist() if self.changed_ids is not None else []
        now = replace(self._context, sample_ids=ids, _measured={}, _columns={})
        return replace(now, snapshot=self._earlier.snapshot, _measured={}, _columns={}), now

    @cached_property
    def _same_predictions(self) -> bool:
        """Whether the predictions are the same; otherwise checks that use them have to look at all samples."""
        names = [label_set_of(context) for context in self._contexts]
        pins = [
            context.snapshot.pins.get(rows.annotation_table(name)) if name else None
            for context, name in zip(self._contexts, names, strict=True)
        ]
        return names[0] == names[1] and pins[0] == pins[1]

    def resume(self, check: Check, tally: Tally) -> int | None:
        """Fill the tally from the earlier run and the changed samples.

        Returns: The number of samples looked at; None where a full run is needed.
        """
        known = self._summaries.get(check.name)
        same = known is not None and known.enabled and known.version == check.version
        if known is None or not same or dict(known.parameters) != dict(tally.parameters):
            return None
        nothing_new = self.same_state and check.steady
        if not nothing_new and (check.scope != "sample" or self.changed_ids is None):
            return None
        if not nothing_new and check.cost == "predictions" and not self._same_predictions:
            return None
        tally.reference = dict(known.reference)
        self.taken_over.add(check.name)
        if nothing_new or self.changed_ids is None or len(self.changed_ids) == 0:
            tally.looked_at, tally.findings = known.looked_at, self._findings.get(check.name, [])
            tally.counts.update({severity: n for severity, n in known.counts.items() if n})
            return 0
        was, now = (replace(tally, context=context, counts={}, findings=[]) for context in self._contexts)
        for part in (was, now):
            isolation.run_check(check, part.context, part)
        tally.looked_at = known.looked_at - was.looked_at + now.looked_at
        for severity in SEVERITIES:
            count = known.counts.get(severity, 0) - was.counts.get(severity, 0) + now.counts.get(severity, 0)
            if count:
                tally.counts[severity] = count
        touched = set(self.changed_ids.to_pylist())
        earlier = self._findings.get(check.name, ())
        kept = [f for f in earlier if f.sample_id and f.sample_id not in touched]
        self.dropped |= {f.key for f in earlier} - {f.key for f in kept}
        self.fresh += now.findings
        self.cut |= len(kept) + len(now.findings) > KEPT_PER_CHECK
        tally.findings += [*kept, *now.findings][:KEPT_PER_CHECK]
        return len(touched)
