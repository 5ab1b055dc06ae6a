"""What a check says: findings, a summary of each check, gates, and the report that holds them."""

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
"""Worst first."""


def at_least(severity: str) -> tuple[str, ...]:
    """This severity and the worse ones."""
    return SEVERITIES[: SEVERITIES.index(severity) + 1]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found; `reason` is a sentence with its numbers, `facts` the numbers.

    `fault` is which of the check's faults it is, `about` what a finding on the dataset as a whole is about (a class, a
    field, a condition). Neither holds numbers: with check, sample and annotation they make the `key`, its identity
    across
    commits and runs: 24 hexadecimal digits, equal for the same fault at the same place.
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
        """As every door shows it."""
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
    """How one check went. `counts` is by severity and complete, also where not every finding is kept.

    `measured_again` is the number of samples it looked at anew, where the run went on from an earlier one; None after a
    whole run.
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
        """Whether every finding is kept, not only counted."""
        return self.kept == self.n_findings

    @property
    def n_findings(self) -> int:
        """Findings of all severities."""
        return sum(self.counts.values())

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        plain = (
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
        values: dict[str, Any] = {name: getattr(self, name) for name in plain}
        return {
            **values,
            "counts": dict(self.counts),
            "findings": self.n_findings,
            "parameters": dict(self.parameters),
            "reference": dict(self.reference),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> CheckSummary:
        """The other way."""
        return cls(**{name: value[name] for name in cls.__slots__ if name in value})


class GateState(StrEnum):
    """Green lets pass; red blocks; missing blocks too: there is no data yet to judge."""

    GREEN = "green"
    RED = "red"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a release: what was measured against which threshold, and what to do about it.

    `excused` findings were left out: rejected, accepted as a risk, or waived.
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
        """Whether it stops a release."""
        return self.state is not GateState.GREEN

    def to_card(self) -> dict[str, Any]:
        """The part that the card of a release keeps."""
        names = ("name", "measured", "threshold", "unit", "detail")
        return {**{name: getattr(self, name) for name in names}, "state": str(self.state)}

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return {**values, "state": str(self.state), "samples": list(self.samples), "on": list(self.on)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Gate:
        """The other way."""
        known = {**value, "state": GateState(value["state"]), "samples": tuple(value["samples"])}
        known["on"] = tuple(known.get("on", ("merge", "release")))
        return cls(**known)


class ObjectiveState(StrEnum):
    """Whether a promise holds. What cannot be measured is neither kept nor broken."""

    MET = "met"
    MISSED = "missed"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class ObjectiveResult:
    """One objective of the contract with its figure.

    `at` is "most" where less is better, "least" where more is; `measured` is None where there is nothing to measure,
    and `detail` says why, or of what the figure is. Shares, from 0 to 1, have no unit.
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
        """As every door shows it."""
        return {**{name: getattr(self, name) for name in self.__slots__}, "state": str(self.state)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ObjectiveResult:
        """The other way."""
        return cls(**{**value, "state": ObjectiveState(value["state"])})

    @property
    def asked(self) -> str:
        """The target in words, as "at most 14 days"."""
        return f"at {self.at} {self.target:g} {self.unit}".rstrip()

    def __str__(self) -> str:
        figure = "" if self.measured is None else f"{self.measured:g}, "
        return f"{self.name}: {figure}{self.asked} asked; {self.detail}"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """One run of the checks on one state of a dataset; findings are worst first.

    `only` names the checks or families that were asked for; empty: all. `earlier_run` is the run whose findings were
    taken over where nothing had changed. `objectives` are told and block nothing; a run of some checks has none.
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
        """Whether a gate blocks."""
        return any(gate.blocks for gate in self.gates)

    @property
    def counts(self) -> dict[str, int]:
        """Findings by severity, also those that were counted and not kept."""
        total = Counter(dict.fromkeys(SEVERITIES, 0))
        for summary in self.checks:
            total.update(summary.counts)
        return dict(total)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "run_id": self.run_id,
            "dataset": self.dataset,
            "commit": self.commit_id,
            "only": list(self.only),
            "earlier_run": self.earlier_run or None,
            "red": self.red,
            "counts": self.counts,
            "gates": [gate.to_dict() for gate in self.gates],
            "objectives": [one.to_dict() for one in self.objectives],
            "checks": [summary.to_dict() for summary in self.checks],
            "findings": [finding.to_dict() for finding in self.findings],
            "at": iso(self.finished_at_us),
        }

    def __str__(self) -> str:
        states = Counter(gate.state for gate in self.gates)
        words = ", ".join(
            f"{states[s]} {s}" for s in (GateState.MISSING, GateState.RED, GateState.GREEN) if states[s]
        )
        total = sum(self.counts.values())
        missed = [one for one in self.objectives if one.state is ObjectiveState.MISSED]
        lines = [f"{total} {'finding' if total == 1 else 'findings'}, worst first; gates: {words}"]
        lines += [f"  {gate.state:<7} {gate.name}: {gate.detail}" for gate in self.gates if gate.blocks]
        lines += [f"  missed  objective {one}" for one in missed]
        lines += [
            f"  {f.severity:<7} {f.check}: {f.sample or 'dataset'}: {f.reason}" for f in self.findings[:20]
        ]
        if total > 20:
            lines.append(f"  and {total - 20} more")
        return "\n".join(lines)
