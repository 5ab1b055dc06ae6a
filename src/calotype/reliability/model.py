"""What a verification looks at and finds, as values."""

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
    """Not a length of time."""

    code = "duration-invalid"
    what = "{got!r} is not a length of time"
    fix = "write a number with s, m, h or d: 14d, 36h, 90m"


def seconds(text: str) -> float:
    """`14d`, `36h`, `90m`, `20s` or a plain number of seconds. Raises: DurationInvalid."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", text.strip())
    if match is None:
        raise DurationInvalid(got=text[:80])
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}[match[2]]


class Severity(StrEnum):
    """Whether something is lost, or only left untidy by a process that died."""

    LOST = "lost"
    UNTIDY = "untidy"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be: what kind, where, what, and how to fix it."""

    kind: str
    place: str
    what: str
    fix: str
    severity: Severity = Severity.LOST
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        told = {name: str(getattr(self, name)) for name in ("kind", "severity", "place", "what", "fix")}
        return {**told, "facts": dict(self.facts)}


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` looked at and what it found. Only lost things make it fail; untidy ones lose nothing."""

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
        """How many commits were checked."""
        return self.checked["commits"]

    @property
    def media(self) -> int:
        """How many different media were looked for."""
        return self.checked["media"]

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "ok": self.ok,
            "deep": self.deep,
            **dict(self.checked),
            "audit_head": self.audit_head,
            "problems": [problem.to_dict() for problem in self.problems],
            "untidy": [problem.to_dict() for problem in self.untidy],
        }


@dataclass(frozen=True, slots=True)
class Mend:
    """What to do about one problem; `can` is False where a person has to act."""

    problem: Problem
    action: str
    can: bool

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {"problem": self.problem.to_dict(), "action": self.action, "can": self.can}


@dataclass(frozen=True, slots=True)
class Repaired:
    """The plan of a repair, and when it was carried out, how many problems were mended and what is left."""

    plan: tuple[Mend, ...]
    done: bool
    mended: int = 0
    left: Verified | None = None

    @property
    def ok(self) -> bool:
        """Nothing is lost (any more)."""
        if self.left is not None:
            return self.left.ok
        return not any(mend.problem.severity is Severity.LOST for mend in self.plan)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        left = None if self.left is None else self.left.to_dict()
        plan = [mend.to_dict() for mend in self.plan]
        return {"ok": self.ok, "done": self.done, "mended": self.mended, "plan": plan, "left": left}


@dataclass(frozen=True, slots=True)
class Compacted:
    """One table of a branch, in fewer files behind the same pin; `refused` says why it was left as it was."""

    dataset: str
    table: str
    pin: int
    files_before: int
    files_after: int
    refused: str

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Swept:
    """One kind of thing that nothing reaches: newly marked, marked long enough to go, removed now, bytes freed."""

    kind: str
    marked: int
    ripe: int
    removed: int
    freed_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Collected:
    """What one `gc` did, or with `dry_run` would do."""

    dry_run: bool
    grace_s: float
    compacted: tuple[Compacted, ...]
    swept: tuple[Swept, ...]

    @property
    def freed_bytes(self) -> int:
        """Bytes that are free again."""
        return sum(one.freed_bytes for one in self.swept)

    @property
    def removed(self) -> dict[str, int]:
        """How many of each kind are gone."""
        return {one.kind: one.removed for one in self.swept}

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        plain = {"dry_run": self.dry_run, "grace_s": self.grace_s, "freed_bytes": self.freed_bytes}
        compacted = [one.to_dict() for one in self.compacted]
        return {**plain, "compacted": compacted, "swept": [one.to_dict() for one in self.swept]}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes on disk: of the workspace by what they are for, and of each dataset."""

    parts: Mapping[str, int]
    datasets: Mapping[str, Mapping[str, int]]

    @property
    def total_bytes(self) -> int:
        """Everything together."""
        return sum(self.parts.values())

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        datasets = {name: dict(sizes) for name, sizes in self.datasets.items()}
        return {"total_bytes": self.total_bytes, "parts": dict(self.parts), "datasets": datasets}


BACKUP_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Stored:
    """One file: its path below `.calotype`, its size and hash, and where it lies in the target."""

    path: str
    n_bytes: int
    sha256: str
    place: str
    mtime_ns: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is, and what a restored workspace must show again."""

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
        """As every door shows it."""
        return {**asdict(self), "at": iso(self.at_us), "missing_media": list(self.missing_media)}


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that is complete: its manifest, and what had to be copied for it."""

    manifest: Manifest
    copied_files: int
    copied_bytes: int

    @property
    def ok(self) -> bool:
        """Everything that the catalog names is in it."""
        return not self.manifest.missing_media

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        copied = {"copied_files": self.copied_files, "copied_bytes": self.copied_bytes}
        return {"ok": self.ok, **self.manifest.to_dict(), **copied}


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that was restored and verified; `differs` says where it is not what the manifest promised."""

    manifest: Manifest
    folder: Path
    verified: Verified
    differs: tuple[str, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """The workspace is whole and is the one that was saved."""
        return self.verified.ok and not self.differs

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "ok": self.ok,
            "backup": self.manifest.id,
            "seconds": self.seconds,
            "differs": list(self.differs),
            "verified": self.verified.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Moved:
    """A workspace that lies elsewhere now; `old` says where its files still lie, which nobody reads any more."""

    old: Storage
    new: Storage
    copied_files: int
    copied_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        copied = {"copied_files": self.copied_files, "copied_bytes": self.copied_bytes}
        return {"old": _places(self.old), "new": _places(self.new), **copied}


def _places(storage: Storage) -> dict[str, str]:
    return {name: getattr(storage, name) or "folder" for name in ("catalog", "media", "tables")}
