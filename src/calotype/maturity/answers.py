"""What the routes of maturity answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calotype.foundation.answers import Answer, Number, Timestamp

_STATE = Literal["green", "red", "unknown"]


class IndicatorEvidence(Answer):
    """The rows that a value was counted from."""

    what: str
    rows: int
    path: str = Field(description="The page of the app that lists them; empty where none does.")


class IndicatorReading(Answer):
    """An indicator with its value."""

    id: str = Field(description="Such as S1.")
    title: str
    definition: str
    unit: str
    value: Number | None = Field(description="None without evidence.")
    n: int = Field(description="Number of cases.")
    interval: list[Number] | None = Field(description="95 % interval of a share.")
    target: Number
    at_least: bool = Field(description="Whether the value must be at least the target, or at most.")
    window_days: int = Field(description="Days whose events count; 0 for the state at the time.")
    state: _STATE
    why: str = Field(description="Why there is no value.")
    evidence: IndicatorEvidence


class PillarState(Answer):
    """A pillar of the hierarchy of needs with its indicators."""

    name: Literal["security", "quality", "reliability", "usability", "coverage"]
    state: _STATE
    indicators: list[IndicatorReading]


class MaturityAdvice(Answer):
    """A next step."""

    indicator: str
    step: str
    why: str


class MaturityReading(Answer):
    """The assessment of a dataset."""

    dataset: str
    at: Timestamp
    level: int = Field(description="Pillars that are green from the bottom up: 0 to 5.")
    pillars: list[PillarState] = Field(description="The lowest first.")
    advice: list[MaturityAdvice] = Field(description="Those of the lowest pillar first.")
    suggested_model: Literal["central", "hybrid", "decentral"]
    suggested_because: str


class MaturityReadings(Answer):
    """The assessments of several datasets; the level of the whole is that of the worst."""

    level: int
    worst: str = Field(description="Name of the dataset with the lowest level; empty without any.")
    datasets: list[MaturityReading]
