"""Values of this room: problems, reports, repairs, backups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from calotype.foundation.clock import iso
from calotype.foundation.errors import Invalid
from calotype.store.location import Storage


class DurationInvalid(Invalid):
    """Not a valid duration."""

    code = "duration-invalid"
    what = "{got!r} is not a duration"
    fix = "write a number with s, m, h or d: 14d, 36h, 90m"


def parse_duration_s(text: str) -> float:
    """Seconds of `14d`, `36h`, `90m`, `20s` or a plain number of seconds. Raises: DurationInvalid."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", text.strip())
    if match is None:
        raise DurationInvalid(got=text[:80])
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}[match[2]]


class Severity(StrEnum):
    """Lost: data is missing or damaged. Untidy: a dead process left something behind, and nothing is lost."""

    LOST = "lost"
    UNTIDY = "untidy"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem: its kind, where it is, what is wrong, and how to fix it."""

    kind: str
    place: str
    what: str
    fix: str
    severity: Severity = Severity.LOST
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        strings = {name: str(getattr(self, name)) for name in ("kind", "severity", "place", "what", "fix")}
        return {**strings, "facts": dict(self.facts)}


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """Result of `verify`. Only lost data makes it fail."""

    checked: Mapping[str, int]
    problems: tuple[Problem, ...]
    untidy: tuple[Problem, ...]
    audit_head: str
    deep: bool

    @property
    def ok(self) -> bool:
        """Nothing is missing or damaged."""
        return not self.problems

    @property
    def commits(self) -> int:
        """Number of commits checked."""
        return self.checked["commits"]

    @property
    def media(self) -> int:
        """Number of distinct media checked."""
        return self.checked["media"]

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "ok": self.ok,
            "deep": self.deep,
            **dict(self.checked),
            "audit_head": self.audit_head,
            "problems": [problem.to_dict() for problem in self.problems],
            "untidy": [problem.to_dict() for problem in self.untidy],
        }


@dataclass(frozen=True, slots=True)
class RepairStep:
    """What to do about one problem; `can` is False if a person has to act."""

    problem: Problem
    action: str
    can: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"problem": self.problem.to_dict(), "action": self.action, "can": self.can}


@dataclass(frozen=True, slots=True)
class RepairResult:
    """The plan of a repair; if it was carried out, how many problems were repaired and what is left."""

    plan: tuple[RepairStep, ...]
    done: bool
    n_repaired: int = 0
    left: VerifyResult | None = None

    @property
    def ok(self) -> bool:
        """Nothing is lost, after the repair if it was carried out."""
        if self.left is not None:
            return self.left.ok
        return not any(step.problem.severity is Severity.LOST for step in self.plan)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        left = None if self.left is None else self.left.to_dict()
        plan = [step.to_dict() for step in self.plan]
        return {"ok": self.ok, "done": self.done, "mended": self.n_repaired, "plan": plan, "left": left}


@dataclass(frozen=True, slots=True)
class CompactionResult:
    """Compaction of one table of a branch; `refused` says why it was left unchanged, if it was."""

    dataset: str
    table: str
    pin: int
    files_before: int
    files_after: int
    refused: str

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class SweepResult:
    """One kind of unreachable data: newly marked, removable, removed in this run, bytes freed."""

    kind: str
    marked: int
    ripe: int
    removed: int
    freed_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class GcResult:
    """What one `gc` run did, or with `dry_run` would do."""

    dry_run: bool
    grace_s: float
    compacted: tuple[CompactionResult, ...]
    swept: tuple[SweepResult, ...]

    @property
    def freed_bytes(self) -> int:
        """Bytes freed."""
        return sum(result.freed_bytes for result in self.swept)

    @property
    def removed(self) -> dict[str, int]:
        """Number removed, by kind."""
        return {result.kind: result.removed for result in self.swept}

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        plain = {"dry_run": self.dry_run, "grace_s": self.grace_s, "freed_bytes": self.freed_bytes}
        compacted = [result.to_dict() for result in self.compacted]
        return {**plain, "compacted": compacted, "swept": [result.to_dict() for result in self.swept]}


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """Disk usage in bytes: of the workspace by purpose, and of each dataset."""

    parts: Mapping[str, int]
    datasets: Mapping[str, Mapping[str, int]]

    @property
    def total_bytes(self) -> int:
        """Total of the workspace."""
        return sum(self.parts.values())

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        datasets = {name: dict(sizes) for name, sizes in self.datasets.items()}
        return {"total_bytes": self.total_bytes, "parts": dict(self.parts), "datasets": datasets}


BACKUP_FORMAT = 1


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One file: path below `.calotype`, size, hash, and its name in the target."""

    path: str
    n_bytes: int
    sha256: str
    object_name: str
    mtime_ns: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """Description of a backup, which a restored workspace must match."""

    id: str
    at_us: int
    workspace_id: str
    audit_head: str
    audit_events: int
    commits: int
    commits_sha256: str
    media: int
    files: int
    n_bytes: int
    list_sha256: str
    missing_media: tuple[str, ...] = ()
    format: int = BACKUP_FORMAT

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {**asdict(self), "at": iso(self.at_us), "missing_media": list(self.missing_media)}


@dataclass(frozen=True, slots=True)
class BackupResult:
    """A complete backup: its manifest, and how much had to be copied."""

    manifest: Manifest
    copied_files: int
    copied_bytes: int

    @property
    def ok(self) -> bool:
        """It contains everything that the catalog refers to."""
        return not self.manifest.missing_media

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        copied = {"copied_files": self.copied_files, "copied_bytes": self.copied_bytes}
        return {"ok": self.ok, **self.manifest.to_dict(), **copied}


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """A restored and verified backup; `differs` lists deviations from the manifest."""

    manifest: Manifest
    folder: Path
    verified: VerifyResult
    differs: tuple[str, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """The workspace is complete and matches the manifest."""
        return self.verified.ok and not self.differs

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "ok": self.ok,
            "backup": self.manifest.id,
            "seconds": self.seconds,
            "differs": list(self.differs),
            "verified": self.verified.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class MoveResult:
    """A moved workspace; `old` is where its unused files remain."""

    old: Storage
    new: Storage
    copied_files: int
    copied_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        copied = {"copied_files": self.copied_files, "copied_bytes": self.copied_bytes}
        return {"old": _places(self.old), "new": _places(self.new), **copied}


def _places(storage: Storage) -> dict[str, str]:
    return {name: getattr(storage, name) or "folder" for name in ("catalog", "media", "tables")}
