"""What the routes of pipelines answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calotype.foundation.answers import Answer, Scalar, Timestamp, optional

RunState = Literal["waiting", "running", "done", "unchanged", "failed", "interrupted"]
StageKind = Literal["acquire", "annotate", "check", "augment", "transform", "curate", "commit", "release"]


class RunRow(Answer):
    """A run of a pipeline."""

    id: str
    dataset: str
    pipeline: str
    state: RunState
    at: Timestamp = Field(description="When it started.")
    duration_s: float | None = Field(description="Null while it runs.")
    actor: str


class RunList(Answer):
    """Runs, newest first."""

    items: list[RunRow]


class StageRun(Answer):
    """A stage of a run."""

    name: str
    kind: StageKind
    state: RunState
    inputs: dict[str, Scalar | None] = Field(description="Counts and short facts; each stage has its own.")
    outputs: dict[str, Scalar | None]
    duration_s: float | None


class RunError(Answer):
    """Why a run failed. A bug has `what` only."""

    code: str = optional()
    what: str
    where: str = optional()
    fix: str = optional()


class Run(RunRow):
    """A run with its stages."""

    changed: bool = Field(description="Whether any stage had something to do.")
    error: RunError | None
    stages: list[StageRun]


class CurrentRuns(Answer):
    """The runs in progress."""

    items: list[Run] = Field(description="With their stages, newest first.")
    latest: RunRow | None = Field(description="The run that started last; it may have ended.")
