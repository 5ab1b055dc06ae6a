"""Values, errors and required services of the room `release`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from calotype.datasets.commits import Diff
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import Where
from calotype.exchange.output_folder import ImagesMode
from calotype.exchange.trainer_rules import Reopened
from calotype.formats.notices import Loss
from calotype.foundation.actor import Actor
from calotype.foundation.clock import iso
from calotype.foundation.errors import AlreadyExists, ChecksFailed, Conflict, External, Invalid, NotFound
from calotype.store import Store

TAG_PREFIX = "release/"
"""A release's commit carries the tag `release/<version>`."""

_VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){0,2}(-[0-9A-Za-z]+([.\-][0-9A-Za-z]+)*)?")


class VersionInvalid(Invalid):
    """A version with an invalid name."""

    code = "version-invalid"
    what = "{got!r} is not a version"
    fix = "use numbers with dots and an optional suffix, such as 1.0.0 or 1.1.0-rc.1 (at most 64 characters)"


class ReleaseExists(AlreadyExists):
    """The version exists; a release never changes."""

    code = "release-exists"
    what = "release {version} of {dataset} already exists"
    fix = "choose another version; list the existing ones with `calotype releases {dataset}`"


class ReleaseUncommitted(Conflict):
    """There are uncommitted changes, and the release was to hold none."""

    code = "release-uncommitted"
    what = "{dataset} {version} is not released: there are uncommitted changes ({changes})"
    fix = "commit or undo them, or release them too: in Python `uncommitted=True`, in a terminal without `--committed`"


class ReleaseNotFound(NotFound):
    """The release does not exist."""

    code = "release-not-found"
    what = "{dataset} has no release {version!r}"
    fix = "use one of: {known}"


class ReleaseFileNotFound(NotFound):
    """The release has no such file."""

    code = "release-file-not-found"
    what = "{dataset} {version} has no file {got!r}"
    fix = "use one of the `files` that the release lists"


class ReleaseBlocked(ChecksFailed):
    """A gate is not green."""

    code = "release-blocked"
    what = "{dataset} {version} is not released: {gates}"
    fix = "{remedies}"


class PurposeMissing(Invalid):
    """The contract lists purposes, and the release names none."""

    code = "purpose-missing"
    what = "{dataset} {version} is not released: its contract restricts the purpose, and none was given"
    fix = "name the purpose of the release with `--purpose NAME`; allowed: {allowed}"


class PurposeNotAllowed(ChecksFailed):
    """The contract does not allow this use of the data."""

    code = "purpose-not-allowed"
    what = "{dataset} {version} is not released: its contract does not allow the purpose {got!r}"
    fix = "{hint}release it for one of: {allowed}; or have {owner} add the purpose to the contract"


class PurposeInvalid(Invalid):
    """A purpose with an invalid name."""

    code = "purpose-invalid"
    what = "{got!r} is not a valid purpose"
    fix = "use one line of at most {most} characters, such as training"


class ReleaseEmpty(Invalid):
    """No sample matches."""

    code = "release-empty"
    what = "no sample of {dataset} matches the query or selection of this release"
    fix = "widen the query or the selection; list the samples with `calotype samples {dataset}`"


class SplitNotFound(NotFound):
    """The split has no samples."""

    code = "split-not-found"
    what = "{dataset} has no samples in split {got!r}"
    fix = "use one of: {known}"


class SizeInvalid(Invalid):
    """A size that images cannot have."""

    code = "size-invalid"
    what = "{got} is not a valid image size"
    fix = "give width and height in pixels such as 640x480, each from 1 to {most}"


class TorchMissing(External):
    """PyTorch is not installed."""

    code = "torch-missing"
    what = "tensors need PyTorch, which is not installed"
    fix = 'install it with `pip install "calotype[torch]"`, or use the NumPy reader'


class Splitter(Protocol):
    """Assigns the splits that a spec asks for and keeps existing ones. Implemented by `curate`, wired in `app`."""

    def __call__(self, actor: Actor, name: str, spec: ReleaseSpec, *, store: Store) -> object: ...


@dataclass(frozen=True, slots=True)
class ReleaseSpec:
    """What a release is made of. Together with the commit it determines every byte of a build.

    Attributes:
        formats: Label formats to write.
        where, pool: Release only these samples (a query, sample ids).
        split: Share of each split, adding up to 1; None keeps the present splits.
        by: Field whose values stay in one split.
        purpose: What the release is for.
        uncommitted: Commit and release pending edits too; otherwise they stop the release. Not recorded.
    """

    formats: tuple[str, ...] = ("coco",)
    label_set: str = DEFAULT_LABEL_SET
    where: str = ""
    pool: tuple[str, ...] | None = None
    split: Mapping[str, float] | None = None
    by: str | None = None
    seed: int = 0
    purpose: str = ""
    uncommitted: bool = field(default=True, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Convert to plain values."""
        return {
            "formats": list(self.formats),
            "label_set": self.label_set,
            "where": self.where,
            "pool": None if self.pool is None else list(self.pool),
            "split": None if self.split is None else dict(self.split),
            "by": self.by,
            "seed": self.seed,
            "purpose": self.purpose,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ReleaseSpec:
        """Convert from plain values."""
        pool = value["pool"]
        return cls(
            formats=tuple(value["formats"]),
            label_set=value["label_set"],
            where=value["where"],
            pool=None if pool is None else tuple(pool),
            split=value["split"],
            by=value["by"],
            seed=value["seed"],
            purpose=value.get("purpose", ""),  # older releases have none
        )


@dataclass(frozen=True, slots=True)
class ExportSpec:
    """What an export is made of.

    Attributes:
        format: Label format to write.
        where: Only samples that match this query.
        images: "copy" the images beside the labels, hard "link" them (writing to such a file damages the
            workspace), or write labels only ("none").
        dry_run: Write nothing; report what the export would hold and lose.
    """

    format: str
    where: Where = None
    label_set: str = DEFAULT_LABEL_SET
    images: ImagesMode = "copy"
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """One file of a build."""

    path: str
    n_bytes: int
    sha256: str

    def to_dict(self) -> dict[str, Any]:
        """For manifests and doors."""
        return {"path": self.path, "bytes": self.n_bytes, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Release:
    """A released version of a dataset. `card` holds plain values; `files` lists its files without image copies."""

    dataset: str
    version: str
    commit_id: str
    spec: ReleaseSpec
    card: Mapping[str, Any]
    files: tuple[File, ...]
    created_at_us: int
    actor: str

    @property
    def ref(self) -> str:
        """The ref to read it by: `dataset@release/version`."""
        return f"{self.dataset}@{TAG_PREFIX}{self.version}"

    def to_dict(self) -> dict[str, Any]:
        """One row of a list of releases, as every door shows it."""
        gates = [gate["state"] == "green" for gate in self.card["gates"]]
        return {
            "version": self.version,
            "commit": self.commit_id,
            "at": iso(self.created_at_us),
            "actor": self.actor,
            "purpose": self.spec.purpose or None,
            "warnings": list(self.card.get("warnings", ())),
            "samples": self.card["samples"],
            "annotations": self.card["annotations"],
            "splits": {row["name"]: row["samples"] for row in self.card["splits"]},
            "gates": {"green": sum(gates), "red": len(gates) - sum(gates)},
        }


@dataclass(frozen=True, slots=True)
class Since:
    """What differs from the release before.

    Attributes:
        version, commit_id: The release before.
        changes: Samples and annotations that differ.
        documents: What else differs, by name, such as `contract` or `ontology`.
    """

    version: str
    commit_id: str
    changes: Diff
    documents: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.changes.is_empty and not self.documents

    @property
    def warning(self) -> str:
        """The warning for a release that equals the one before; empty for any other."""
        if not self.same:
            return ""
        return f"nothing differs from release {self.version}: the samples, annotations and documents are the same"

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "version": self.version,
            "commit": self.commit_id,
            "same": self.same,
            **self.changes.to_dict(),
            "documents": list(self.documents),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What a release of the working state would hold. `uncommitted` and `since` are None where there is nothing."""

    samples: int
    annotations: int
    uncommitted: Diff | None
    since: Since | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "samples": self.samples,
            "annotations": self.annotations,
            "uncommitted": None if self.uncommitted is None else self.uncommitted.to_dict(),
            "since": None if self.since is None else self.since.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Exported:
    """Files written in one format, and what the format cannot represent."""

    out: Path
    format: str
    files: tuple[str, ...]
    samples: int
    annotations: int
    losses: tuple[Loss, ...]
    reopened: Reopened | None = None
    """What a trainer finds in it, for the exports of a release."""

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "format": self.format,
            "out": str(self.out),
            "files": len(self.files),
            "samples": self.samples,
            "annotations": self.annotations,
            "losses": [losses_dict(loss) for loss in self.losses],
        }


@dataclass(frozen=True, slots=True)
class Built:
    """A build on disk. `same` is None if other formats were written than at the release, so nothing is compared."""

    out: Path
    files: tuple[File, ...]
    exports: tuple[Exported, ...]
    same: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "out": str(self.out),
            "files": len(self.files),
            "bytes": sum(file.n_bytes for file in self.files),
            "same": self.same,
            "exports": [exported.to_dict() for exported in self.exports],
        }


def losses_dict(loss: Loss) -> dict[str, Any]:
    """Convert a loss to plain values."""
    return {"what": loss.what, "count": loss.count, "examples": list(loss.examples)}


def check_version(text: str) -> None:
    """Raises: VersionInvalid."""
    if len(text) > 64 or not _VERSION.fullmatch(text):
        raise VersionInvalid(got=text[:80])
