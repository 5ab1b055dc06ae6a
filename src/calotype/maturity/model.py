"""Indicators, readings and the level of maturity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from calotype.foundation.clock import iso
from calotype.foundation.errors import Invalid

DAY_US = 86_400_000_000


class Pillar(StrEnum):
    """The pillars of the hierarchy of needs, the lowest first."""

    SECURITY = "security"
    QUALITY = "quality"
    RELIABILITY = "reliability"
    USABILITY = "usability"
    COVERAGE = "coverage"


class State(StrEnum):
    """What an indicator or a pillar says. Without evidence it is unknown, which never passes."""

    GREEN = "green"
    RED = "red"
    UNKNOWN = "unknown"


class MaturityTimeInvalid(Invalid):
    """Maturity is read from what has happened."""

    code = "maturity-time-invalid"
    what = "{got} is in the future, and maturity is read from what has happened"
    fix = "name a day or a time that is over, or an age such as 30d; leave it out for now"


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is measured, and what is asked of it.

    Args:
        id: As the requirements name it, such as S1.
        unit: `share` (0 to 1), `count`, `days` or `per 1,000 samples`.
        target: The default.
        at_least: Whether the value must be at least the target, or at most.
        window_days: Days before the time of reading whose events count; 0 for the state at that time.
        step: What to do to fulfil it.
    """

    id: str
    pillar: Pillar
    title: str
    definition: str
    unit: str
    target: float
    at_least: bool
    window_days: int
    step: str

    def is_met(self, value: float) -> bool:
        """Whether a value is on the right side of the target."""
        return value >= self.target if self.at_least else value <= self.target


@dataclass(frozen=True, slots=True)
class Evidence:
    """The rows that a value was counted from.

    Args:
        what: What the rows are.
        rows: How many there are.
        path: The page of the app that lists them; empty where none does.
    """

    what: str
    rows: int
    path: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {"what": self.what, "rows": self.rows, "path": self.path}


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the facts say about an indicator.

    Args:
        value: In the unit of the indicator; None where there is no evidence.
        n: Number of cases.
        interval: 95 % interval of a share.
        why: Why there is no evidence; empty with a value.
    """

    value: float | None
    n: int
    evidence: Evidence
    interval: tuple[float, float] | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """An indicator with its measurement."""

    indicator: Indicator
    measured: Measurement

    @property
    def state(self) -> State:
        """Green, red, or unknown without evidence."""
        if self.measured.value is None:
            return State.UNKNOWN
        return State.GREEN if self.indicator.is_met(self.measured.value) else State.RED

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        indicator, measured = self.indicator, self.measured
        interval = measured.interval
        return {
            "id": indicator.id,
            "title": indicator.title,
            "definition": indicator.definition,
            "unit": indicator.unit,
            "value": None if measured.value is None else round(measured.value, 4),
            "n": measured.n,
            "interval": None if interval is None else [round(bound, 4) for bound in interval],
            "target": indicator.target,
            "at_least": indicator.at_least,
            "window_days": indicator.window_days,
            "state": self.state.value,
            "why": measured.why,
            "evidence": measured.evidence.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class PillarReading:
    """A pillar with its indicators."""

    pillar: Pillar
    readings: tuple[Reading, ...]

    @property
    def state(self) -> State:
        """Red if an indicator is red, green if all are green, else unknown."""
        states = {reading.state for reading in self.readings}
        if State.RED in states:
            return State.RED
        return State.GREEN if states == {State.GREEN} else State.UNKNOWN

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "name": self.pillar.value,
            "state": self.state.value,
            "indicators": [reading.to_dict() for reading in self.readings],
        }


@dataclass(frozen=True, slots=True)
class Advice:
    """A next step, with the indicator that it moves."""

    indicator: str
    step: str
    why: str

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {"indicator": self.indicator, "step": self.step, "why": self.why}


@dataclass(frozen=True, slots=True)
class Maturity:
    """The assessment of a dataset at a time."""

    dataset: str
    at_us: int
    pillars: tuple[PillarReading, ...]

    @property
    def level(self) -> int:
        """How many pillars are green from the bottom up: 0 to 5."""
        level = 0
        for pillar in self.pillars:
            if pillar.state != State.GREEN:
                break
            level += 1
        return level

    def advice(self) -> list[Advice]:
        """Next steps, those of the lowest pillar first, and in it what is red before what is unknown."""
        steps = []
        for pillar in self.pillars:
            for state in (State.RED, State.UNKNOWN):
                steps += [_advice(reading) for reading in pillar.readings if reading.state == state]
        return steps

    def suggested_model(self) -> tuple[str, str]:
        """A model of the organisation that suits this level, and why."""
        if self.level < len(_MODELS_BY_LEVEL):
            return _MODELS_BY_LEVEL[self.level]
        return _MODELS_BY_LEVEL[-1]

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        model, why = self.suggested_model()
        return {
            "dataset": self.dataset,
            "at": iso(self.at_us),
            "level": self.level,
            "pillars": [pillar.to_dict() for pillar in self.pillars],
            "advice": [one.to_dict() for one in self.advice()],
            "suggested_model": model,
            "suggested_because": why,
        }


@dataclass(frozen=True, slots=True)
class MaturityOverview:
    """The assessments of several datasets."""

    datasets: tuple[Maturity, ...]

    @property
    def worst(self) -> Maturity | None:
        """The one with the lowest level; of several, that with the most red indicators. None without any."""
        return min(self.datasets, key=lambda one: (one.level, -_n_red(one), one.dataset), default=None)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it: the level of the whole is that of the worst."""
        worst = self.worst
        return {
            "level": 0 if worst is None else worst.level,
            "worst": "" if worst is None else worst.dataset,
            "datasets": [one.to_dict() for one in self.datasets],
        }


def _n_red(one: Maturity) -> int:
    return sum(reading.state == State.RED for pillar in one.pillars for reading in pillar.readings)


def _advice(reading: Reading) -> Advice:
    why = reading.measured.why
    if reading.measured.value is not None:
        side = "at least" if reading.indicator.at_least else "at most"
        why = f"{reading.measured.value:.4g} where {side} {reading.indicator.target:g} is asked for"
    return Advice(reading.indicator.id, reading.indicator.step, why)


_EARLY = "without proof of security and quality a team learns fastest in one place, under one set of rules"
_MIDDLE = (
    "security and quality hold: units can label by themselves while one team keeps rules, tools and review"
)
_LATE = (
    "units can prove that their data are safe, right and fresh: what they know of their domain counts more"
)
_MODELS_BY_LEVEL = (
    ("central", _EARLY),
    ("central", _EARLY),
    ("hybrid", _MIDDLE),
    ("hybrid", _MIDDLE),
    ("decentral", _LATE),
    ("decentral", _LATE),
)
