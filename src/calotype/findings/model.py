"""Results of checks: findings, summaries of checks, gates, objectives, and the report with all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from calotype.foundation.clock import iso
from calotype.foundation.ids import sha256_json

_EMPTY: Mapping[str, Any] = MappingProxyType({})
SEVERITIES = ("error", "warning", "info")
"""From worst to mildest."""


def at_least(severity: str) -> tuple[str, ...]:
    """This severity and all worse ones."""
    return SEVERITIES[: SEVERITIES.index(severity) + 1]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check; `reason` is a sentence with figures, `facts` are the figures.

    `fault` is the kind of fault, for a check with several kinds. `about` is the subject of a finding on the whole
    dataset, such as a class, field or condition. With check, sample and annotation they determine the `key`: 24
    hexadecimal digits that identify the same fault at the same place across commits and runs. They contain no figures.
    """

    check: str
    severity: str
    reason: str
    sample_id: str = ""
    sample: str = ""
    annotation_id: str = ""
    label_set: str = ""
    facts: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    fault: str = ""
    about: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        if not self.key:
            place = [self.check, self.fault, self.sample_id, self.annotation_id, self.about]
            object.__setattr__(self, "key", sha256_json(place)[:24])

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "key": self.key,
            "check": self.check,
            "fault": self.fault or None,
            "severity": self.severity,
            "sample_id": self.sample_id or None,
            "sample": self.sample or None,
            "annotation_id": self.annotation_id or None,
            "label_set": self.label_set or None,
            "reason": self.reason,
            "facts": dict(self.facts),
        }


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """Summary of one check. `counts` by severity are complete, even if not every finding is kept.

    `measured_again` is the number of samples checked again in a run that continued an earlier one; None for a full run.
    """

    name: str
    title: str
    means: str
    fix: str
    unit: str
    enabled: bool
    looked_at: int
    counts: Mapping[str, int]
    kept: int
    took_ms: int
    parameters: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    family: str = ""
    version: int = 1
    measured_again: int | None = None
    reference: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)

    @property
    def complete(self) -> bool:
        """Whether all findings are kept, not only counted."""
        return self.kept == self.n_findings

    @property
    def n_findings(self) -> int:
        """Number of findings of all severities."""
        return sum(self.counts.values())

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        names = (
            "name",
            "title",
            "means",
            "fix",
            "unit",
            "enabled",
            "looked_at",
            "kept",
            "took_ms",
            "family",
            "version",
            "measured_again",
        )
        values: dict[str, Any] = {name: getattr(self, name) for name in names}
        return {
            **values,
            "counts": dict(self.counts),
            "findings": self.n_findings,
            "parameters": dict(self.parameters),
            "reference": dict(self.reference),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> CheckSummary:
        """Create from the result of `to_dict`."""
        return cls(**{name: value[name] for name in cls.__slots__ if name in value})


class GateState(StrEnum):
    """Green passes and red blocks. Missing means that there is no data to evaluate; it blocks too."""

    GREEN = "green"
    RED = "red"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition of a release or merge: the measured value, the threshold, and how to fix it.

    `excused` is the number of ignored findings: rejected, accepted as a risk, or waived.
    """

    name: str
    check: str
    state: GateState
    measured: float
    threshold: float
    unit: str
    detail: str
    fix: str = ""
    findings: int = 0
    samples: tuple[str, ...] = ()
    excused: int = 0
    on: tuple[str, ...] = ("merge", "release")

    @property
    def blocks(self) -> bool:
        """Whether it blocks."""
        return self.state is not GateState.GREEN

    def to_card(self) -> dict[str, Any]:
        """The fields that are written to the card of a release."""
        names = ("name", "measured", "threshold", "unit", "detail")
        return {**{name: getattr(self, name) for name in names}, "state": str(self.state)}

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return {**values, "state": str(self.state), "samples": list(self.samples), "on": list(self.on)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Gate:
        """Create from the result of `to_dict`."""
        values = {**value, "state": GateState(value["state"]), "samples": tuple(value["samples"])}
        values["on"] = tuple(values.get("on", ("merge", "release")))
        return cls(**values)


class ObjectiveState(StrEnum):
    """Whether an objective is met."""

    MET = "met"
    MISSED = "missed"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class ObjectiveResult:
    """An objective of the contract with its measured value.

    `at` is "most" if the target is a maximum, "least" if it is a minimum. `measured` is None if there is nothing to
    measure; `detail` says why, or what was measured. Shares from 0 to 1 have no unit.
    """

    name: str
    metric: str
    state: ObjectiveState
    measured: float | None
    at: str
    target: float
    unit: str
    detail: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {**{name: getattr(self, name) for name in self.__slots__}, "state": str(self.state)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ObjectiveResult:
        """Create from the result of `to_dict`."""
        return cls(**{**value, "state": ObjectiveState(value["state"])})

    @property
    def target_text(self) -> str:
        """The target in words, such as "at most 14 days"."""
        return f"at {self.at} {self.target:g} {self.unit}".rstrip()

    def __str__(self) -> str:
        measured = "" if self.measured is None else f"{self.measured:g}, "
        return f"{self.name}: {measured}target {self.target_text}; {self.detail}"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """One run of the checks on one state of a dataset; findings are ordered worst first.

    `only` names the selected checks or families; empty means all. `earlier_run` is the run whose findings were reused
    for unchanged data. `objectives` do not block; they are measured only if all checks run.
    """

    run_id: str
    dataset: str
    commit_id: str | None
    state_sha256: str
    contract_sha256: str
    gates: tuple[Gate, ...]
    findings: tuple[Finding, ...]
    checks: tuple[CheckSummary, ...]
    started_at_us: int
    finished_at_us: int
    actor: str = ""
    only: tuple[str, ...] = ()
    earlier_run: str = ""
    objectives: tuple[ObjectiveResult, ...] = ()

    @property
    def red(self) -> bool:
        """Whether any gate blocks."""
        return any(gate.blocks for gate in self.gates)

    @property
    def counts(self) -> dict[str, int]:
        """Number of findings by severity, including those that were counted but not kept."""
        total = Counter(dict.fromkeys(SEVERITIES, 0))
        for summary in self.checks:
            total.update(summary.counts)
        return dict(total)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "run_id": self.run_id,
            "dataset": self.dataset,
            "commit": self.commit_id,
            "only": list(self.only),
            "earlier_run": self.earlier_run or None,
            "red": self.red,
            "counts": self.counts,
            "gates": [gate.to_dict() for gate in self.gates],
            "objectives": [objective.to_dict() for objective in self.objectives],
            "checks": [summary.to_dict() for summary in self.checks],
            "findings": [finding.to_dict() for finding in self.findings],
            "at": iso(self.finished_at_us),
        }

    def __str__(self) -> str:
        gate_counts = Counter(gate.state for gate in self.gates)
        states_text = ", ".join(
            f"{gate_counts[s]} {s}"
            for s in (GateState.MISSING, GateState.RED, GateState.GREEN)
            if gate_counts[s]
        )
        total = sum(self.counts.values())
        missed = [objective for objective in self.objectives if objective.state is ObjectiveState.MISSED]
        lines = [f"{total} {'finding' if total == 1 else 'findings'}, worst first; gates: {states_text}"]
        lines += [f"  {gate.state:<7} {gate.name}: {gate.detail}" for gate in self.gates if gate.blocks]
        lines += [f"  missed  objective {objective}" for objective in missed]
        lines += [
            f"  {f.severity:<7} {f.check}: {f.sample or 'dataset'}: {f.reason}" for f in self.findings[:20]
        ]
        if total > 20:
            lines.append(f"  and {total - 20} more")
        return "\n".join(lines)
