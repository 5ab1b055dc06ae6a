"""Reports of pipeline runs, and the errors of pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from calotype.foundation.clock import iso
from calotype.foundation.errors import ChecksFailed, Conflict, Invalid, NotFound


class PipelineInvalid(Invalid):
    """A pipeline file cannot be read or is not valid."""

    code = "pipeline-invalid"
    what = "the pipeline is not valid: {detail}"
    fix = "{hint}"


class PipelineRunning(Conflict):
    """Another process is running this pipeline."""

    code = "pipeline-running"
    what = "pipeline {pipeline} is already running, started by {worker}"
    fix = (
        "wait until it ends (see `calotype runs`), then run the pipeline again; finished work is not repeated"
    )


class PipelineGateRed(ChecksFailed):
    """A gate of a check stage is not green."""

    code = "pipeline-gate-red"
    what = "pipeline {pipeline} stopped at stage {stage}: {gates}"
    fix = "{remedies}"


class PipelineReleaseTaken(Conflict):
    """The version is already released with other content."""

    code = "pipeline-release-taken"
    what = "{dataset} {version} is already released with other content or settings"
    fix = "raise the version in the pipeline's release stage and run it again"


class JobLeaseLost(Conflict):
    """Another worker took over the job."""

    code = "job-lease-lost"
    what = "another process took over {kind} because this one did not renew its lease in time"
    fix = "run the pipeline again; finished work is not repeated"


class RunNotFound(NotFound):
    """No run with this id."""

    code = "run-not-found"
    what = "there is no run {got!r}"
    fix = "list the runs with `calotype runs`"


class State(StrEnum):
    """State of a run or a stage; a killed process leaves `interrupted`."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class StageRun:
    """One stage of one run. Inputs and outputs are counts and short facts."""

    name: str
    kind: str
    state: State = State.WAITING
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    started_at_us: int | None = None
    finished_at_us: int | None = None

    @property
    def duration_s(self) -> float | None:
        """Duration in seconds; None if it has not ended."""
        return _seconds(self.started_at_us, self.finished_at_us)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "state": str(self.state),
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "duration_s": self.duration_s,
        }


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run of a pipeline."""

    id: str
    dataset: str
    pipeline: str
    pipeline_sha256: str
    state: State
    actor: str
    started_at_us: int
    finished_at_us: int | None = None
    error: Mapping[str, Any] | None = None
    stages: tuple[StageRun, ...] = ()

    @property
    def duration_s(self) -> float | None:
        """Duration in seconds; None if it has not ended."""
        return _seconds(self.started_at_us, self.finished_at_us)

    @property
    def changed(self) -> bool:
        """Whether any stage had something to do."""
        return any(stage.state is State.DONE for stage in self.stages)

    def summary(self) -> dict[str, Any]:
        """One row of a list of runs."""
        return {
            "id": self.id,
            "dataset": self.dataset,
            "pipeline": self.pipeline,
            "state": str(self.state),
            "at": iso(self.started_at_us),
            "duration_s": self.duration_s,
            "actor": self.actor,
        }

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        stages = [stage.to_dict() for stage in self.stages]
        error = None if self.error is None else dict(self.error)
        return {**self.summary(), "changed": self.changed, "error": error, "stages": stages}


@dataclass(frozen=True, slots=True)
class CurrentRuns:
    """The runs in progress, newest first, and the run that started last, which may have ended."""

    running: tuple[RunReport, ...]
    latest: RunReport | None

    def to_dict(self) -> dict[str, Any]:
        """As HTTP shows it."""
        latest = None if self.latest is None else self.latest.summary()
        return {"items": [report.to_dict() for report in self.running], "latest": latest}


def _seconds(started_us: int | None, finished_us: int | None) -> float | None:
    return None if started_us is None or finished_us is None else round((finished_us - started_us) / 1e6, 3)
