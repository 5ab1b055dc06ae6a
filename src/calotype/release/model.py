"""A release as a value, what it asks of other rooms, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from calotype.datasets.snapshot import Where
from calotype.formats.base import Loss
from calotype.foundation.actor import Actor
from calotype.foundation.clock import iso
from calotype.foundation.errors import AlreadyExists, ChecksFailed, Conflict, External, Invalid, NotFound
from calotype.store import Store

ImagesMode = Literal["copy", "link", "none"]
"""Images beside exported labels: copies, second names for the same bytes, or none."""

TAG_PREFIX = "release/"
"""A release's commit carries the tag `release/<version>`."""

_VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){0,2}(-[0-9A-Za-z]+([.\-][0-9A-Za-z]+)*)?")


class VersionInvalid(Invalid):
    """Not the name of a version."""

    code = "version-invalid"
    what = "{got!r} is not a version"
    fix = "use numbers with dots and an optional suffix, such as 1.0.0 or 1.1.0-rc.1 (at most 64 characters)"


class ReleaseExists(AlreadyExists):
    """The version is taken; a release never changes."""

    code = "release-exists"
    what = "{dataset} has a release {version} already"
    fix = "choose the next version; `calotype releases {dataset}` shows those there are"


class ReleaseNotFound(NotFound):
    """No release of this version."""

    code = "release-not-found"
    what = "{dataset} has no release {version!r}"
    fix = "it has: {known}"


class ReleaseFileNotFound(NotFound):
    """A release does not list this file."""

    code = "release-file-not-found"
    what = "{dataset} {version} has no file {got!r}"
    fix = "take one of the `files` that the release lists"


class ReleaseBlocked(ChecksFailed):
    """A gate is not green."""

    code = "release-blocked"
    what = "{dataset} {version} is not released: {gates}"
    fix = "{remedies}"


class PurposeMissing(Invalid):
    """A release without a purpose, of data whose contract says what they may be used for."""

    code = "purpose-missing"
    what = "{dataset} {version} is not released: its contract allows some purposes only, and none was named"
    fix = "name what the release is for, with `--purpose NAME`; allowed: {allowed}"


class PurposeNotAllowed(ChecksFailed):
    """The contract does not allow this use of the data."""

    code = "purpose-not-allowed"
    what = "{dataset} {version} is not released: its contract does not allow the purpose {got!r}"
    fix = "{hint}release it for one of: {allowed}; or have {owner} add the purpose to the contract"


class PurposeInvalid(Invalid):
    """Not the name of a purpose."""

    code = "purpose-invalid"
    what = "{got!r} is not the name of a purpose"
    fix = "use one line of at most {most} characters, such as training"


class ReleaseEmpty(Invalid):
    """Nothing to release."""

    code = "release-empty"
    what = "no sample of {dataset} is in the pool of this release"
    fix = "widen the query or the selection; `calotype samples {dataset}` lists what there is"


class TargetNotEmpty(Conflict):
    """Files lie where files should go."""

    code = "target-not-empty"
    what = "{folder} is not an empty folder"
    fix = "name a folder that is not there yet, or empty it first"


class TargetNotWritable(External):
    """The disk refuses."""

    code = "target-not-writable"
    what = "files cannot be written to {folder}: {detail}"
    fix = "free some space or choose another folder; nothing was left behind"


class ImagesModeUnknown(Invalid):
    """No such way of exporting images."""

    code = "images-mode-unknown"
    what = "images are exported by copy, link or none, not by {got!r}"
    fix = "say one of these, or nothing for copies"


class SplitNotFound(NotFound):
    """No sample is in this split."""

    code = "split-not-found"
    what = "{dataset} has no samples in a split {got!r}"
    fix = "it has: {known}"


class SizeInvalid(Invalid):
    """No size for images."""

    code = "size-invalid"
    what = "images cannot be made {got} pixels large"
    fix = "give width and height such as 640x480, each from 1 to {most}"


class TorchMissing(External):
    """PyTorch is not installed."""

    code = "torch-missing"
    what = "tensors need PyTorch, which is not installed"
    fix = 'install it with `pip install "calotype[torch]"`, or use the NumPy reader'


class Splitter(Protocol):
    """Assigns splits to the samples of a pool and keeps those that are assigned; the room `curate`, wired
    in `app`.
    """

    def __call__(
        self,
        actor: Actor,
        name: str,
        fractions: Mapping[str, float],
        *,
        store: Store,
        by: str | None,
        seed: int,
        where: Where,
        pool: Collection[str] | None,
    ) -> object: ...


@dataclass(frozen=True, slots=True)
class Spec:
    """What was asked for; with the commit it decides every byte of a build."""

    formats: tuple[str, ...] = ("coco",)
    label_set: str = "ground_truth"
    where: str = ""
    pool: tuple[str, ...] | None = None
    split: Mapping[str, float] | None = None
    by: str | None = None
    seed: int = 0
    purpose: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
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
    def from_json(cls, value: Mapping[str, Any]) -> Spec:
        """The other way."""
        pool = value["pool"]
        return cls(
            formats=tuple(value["formats"]),
            label_set=value["label_set"],
            where=value["where"],
            pool=None if pool is None else tuple(pool),
            split=value["split"],
            by=value["by"],
            seed=value["seed"],
            purpose=value.get("purpose", ""),  # releases of older versions have none
        )


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
    """A version of a dataset, frozen. `card` holds plain values; `files` are those of its build except
    image copies.
    """

    dataset: str
    version: str
    commit_id: str
    spec: Spec
    card: Mapping[str, Any]
    files: tuple[File, ...]
    created_at_us: int
    actor: str

    @property
    def ref(self) -> str:
        """How to read it: `dataset@release/version`."""
        return f"{self.dataset}@{TAG_PREFIX}{self.version}"

    def to_dict(self) -> dict[str, Any]:
        """A line of a list, as every door shows it."""
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
class Exported:
    """Files written in one format, and what the format could not hold."""

    out: Path
    format: str
    files: tuple[str, ...]
    samples: int
    annotations: int
    losses: tuple[Loss, ...]

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
    """A build on disk. `same` is None where the release was asked for other formats, so nothing can be
    compared.
    """

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
    """A loss as plain values."""
    return {"what": loss.what, "count": loss.count, "example": loss.example}


def check_version(text: str) -> None:
    """Raises: VersionInvalid."""
    if len(text) > 64 or not _VERSION.fullmatch(text):
        raise VersionInvalid(got=text[:80])
