"""Runs checks on a state: all or some, whole or going on from an earlier run where only a part changed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

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

_WORTH_A_WHOLE_RUN = 0.3
"""Share of changed samples from which looking at all of them is quicker than at the changed ones twice."""

_QUICK_TO_COMPARE = 100_000
"""Samples of a dataset up to which rows that were written anew are compared with what they were."""


class CheckUnknown(Invalid):
    """No check and no family of this name."""

    code = "check-unknown"
    what = "no check or family of checks is called {got!r}"
    fix = "use one of: {known}"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A complete run, and the state that it looked at."""

    report: CheckReport
    snapshot: Snapshot


@dataclass
class Ran:
    """What came of the checks that ran."""

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
    return [one for one in registry.values() if not only or one.name in only or one.family in only]


def run(
    context: CheckContext, progress: Progress, *, only: Sequence[str] = (), earlier: Earlier | None = None,
    registry: Mapping[str, Check] | None = None,
) -> Ran:  # fmt: skip
    """Run the checks that are asked for and enabled.

    With an earlier run, checks of scope "sample" look only at samples that changed since, once as they were and once as
    they are, and take over the rest.

    Raises: CheckUnknown.
    """
    wanted = chosen(all_checks() if registry is None else registry, only)
    part = None if earlier is None else Continuation(context, earlier)
    ran = Ran(part=part)
    for done, one in enumerate(wanted):
        progress("checking", done, len(wanted))
        began = time.perf_counter()
        spec = context.contract.checks.get(one.name)
        again = None
        tally = _tally(context, one)
        if spec is None or spec.enabled:
            again = part.go_on(one, tally) if part is not None else None
            if again is None:
                one.run(context, tally)
            ran.tallies[one.name] = tally
        took_ms = round((time.perf_counter() - began) * 1_000)
        summary = _summary(one, tally, enabled=spec is None or spec.enabled, took_ms=took_ms)
        ran.summaries.append(replace(summary, measured_again=again))
    progress("checking", len(wanted), len(wanted))
    return ran


def parameters_of(one: Check, contract: Contract) -> dict[str, Parameter]:
    """A check's own parameters under those of the contract."""
    spec = contract.checks.get(one.name)
    return {**one.parameters, **(spec.parameters if spec else {})}


def _tally(context: CheckContext, one: Check) -> Tally:
    spec = context.contract.checks.get(one.name)
    severity = spec.severity if spec is not None else None
    parameters = parameters_of(one, context.contract)
    return Tally(context, one.name, parameters, severity or one.severity, forced=severity is not None)


def _summary(one: Check, tally: Tally, *, enabled: bool, took_ms: int) -> CheckSummary:
    plain = ("name", "title", "means", "fix", "unit", "family", "version")
    facts: dict[str, Any] = {name: getattr(one, name) for name in plain}
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

    `taken_over` names the checks that went on; `dropped` are the keys of their earlier findings that were not taken
    over.
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
        """Ids of samples that differ, or whose annotations do, or that were written anew; None where too many do."""
        before, after = self._earlier.snapshot, self._context.snapshot
        tables = (rows.SAMPLES, rows.annotation_table(self._context.label_set))
        ids = touched_samples(before, after, tables)
        n_samples = max(1, after.count(annotations=False)["samples"])
        if len(ids) > _WORTH_A_WHOLE_RUN * n_samples and n_samples <= _QUICK_TO_COMPARE:
            # much was written anew, perhaps as it was: that is worth finding out, while it fits into memory
            changes = [changed(before, after, table) for table in tables]
            sides = [side["sample_id"] for change in changes for side in (change.before, change.after)]
            ids = pc.unique(pa.chunked_array([chunk for one in sides for chunk in one.chunks], pa.string()))
        return None if len(ids) > _WORTH_A_WHOLE_RUN * n_samples else ids

    @property
    def same_state(self) -> bool:
        """Whether both runs look at the very same data."""
        return self._earlier.snapshot.state_sha256 == self._context.snapshot.state_sha256

    @property
    def touched_ids(self) -> list[str]:
        """Ids of the changed samples, as texts."""
        return [] if self.changed_ids is None else list(self.changed_ids.to_pylist())

    @property
    def earlier_run(self) -> str:
        """The run that was gone on from."""
        return self._earlier.report.run_id

    @cached_property
    def _contexts(self) -> tuple[CheckContext, CheckContext]:
        ids = self.changed_ids.to_pylist() if self.changed_ids is not None else []
        now = replace(self._context, sample_ids=ids, _measured={}, _columns={})
        return replace(now, snapshot=self._earlier.snapshot, _measured={}, _columns={}), now

    @cached_property
    def _same_predictions(self) -> bool:
        """Whether the model said the same of all samples; who judges by it has to look at all of them otherwise."""
        names = [label_set_of(context) for context in self._contexts]
        pins = [
            context.snapshot.pins.get(rows.annotation_table(name)) if name else None
            for context, name in zip(self._contexts, names, strict=True)
        ]
        return names[0] == names[1] and pins[0] == pins[1]

    def go_on(self, one: Check, tally: Tally) -> int | None:
        """Fill the tally from the earlier run and the changed samples; None where that cannot be done."""
        known = self._summaries.get(one.name)
        same = known is not None and known.enabled and known.version == one.version
        if known is None or not same or dict(known.parameters) != dict(tally.parameters):
            return None
        nothing_new = self.same_state and one.steady
        if not nothing_new and (one.scope != "sample" or self.changed_ids is None):
            return None
        if not nothing_new and one.cost == "predictions" and not self._same_predictions:
            return None
        tally.reference = dict(known.reference)
        self.taken_over.add(one.name)
        if nothing_new or self.changed_ids is None or len(self.changed_ids) == 0:
            tally.looked_at, tally.findings = known.looked_at, self._findings.get(one.name, [])
            tally.counts.update({severity: n for severity, n in known.counts.items() if n})
            return 0
        was, now = (replace(tally, context=context, counts={}, findings=[]) for context in self._contexts)
        for part in (was, now):
            one.run(part.context, part)
        tally.looked_at = known.looked_at - was.looked_at + now.looked_at
        for severity in SEVERITIES:
            count = known.counts.get(severity, 0) - was.counts.get(severity, 0) + now.counts.get(severity, 0)
            if count:
                tally.counts[severity] = count
        touched = set(self.changed_ids.to_pylist())
        earlier = self._findings.get(one.name, ())
        kept = [f for f in earlier if f.sample_id and f.sample_id not in touched]
        self.dropped |= {f.key for f in earlier} - {f.key for f in kept}
        self.fresh += now.findings
        self.cut |= len(kept) + len(now.findings) > KEPT_PER_CHECK
        tally.findings += [*kept, *now.findings][:KEPT_PER_CHECK]
        return len(touched)
