"""The options and the report of an import of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from calotype.acquire.intake import MediaMode
from calotype.acquire.quarantine import QuarantinedItem
from calotype.acquire.sample_matcher import IntakeResult
from calotype.foundation.errors import Conflict, Invalid, NotFound


class UploadTooLarge(Invalid):
    """An upload of more bytes than one image may have."""

    code = "upload-too-large"
    what = "the image has more than {limit_mb} MB"
    fix = "add it from a folder with `calotype add`, which takes larger files"


class UploadNameInvalid(Invalid):
    """A name that no image can have."""

    code = "upload-name-invalid"
    what = "{got!r} is not a relative name for an image"
    fix = "use a name such as cam-07/000123.jpg"


class UploadNameTooLong(UploadNameInvalid):
    """A name with a part that no file can have."""

    what = "a part of the name is longer than {limit} bytes"
    fix = "shorten the names of the file and of its folders"


class UploadNotFound(NotFound):
    """No upload of this person has this id, or its time is over."""

    code = "upload-not-found"
    what = "upload {upload} does not exist, or nobody touched it for days"
    fix = "send the files again"


class UploadInvalid(Invalid):
    """A list of files that cannot be sent."""

    code = "upload-invalid"
    what = "these files cannot be sent: {detail}"
    fix = "rename the files, or send fewer at once"


class UploadOutOfStep(Conflict):
    """A piece that does not follow on what came before it."""

    code = "upload-out-of-step"
    what = "the next piece begins at byte {received}, not at {got}"
    fix = "continue from there"


class UploadsFull(Conflict):
    """One person has begun too many uploads."""

    code = "uploads-full"
    what = "{limit} uploads of yours are not finished"
    fix = "finish them, or wait until those that nobody touches are removed"


class BucketByReferenceOnly(Invalid):
    """Images of a bucket cannot be copied or linked."""

    code = "bucket-by-reference-only"
    what = "the images of {url} can only be registered by reference"
    fix = "add them with `--media reference`"


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """How images are added.

    `source` (e.g. a camera), `licence` (an SPDX identifier or a name) and `tags` are kept on each sample. `on_invalid`
    says what to do with files that are not valid images: "quarantine", "skip" or "error". `media` is "copy" (the bytes
    go into the workspace), "link" (the workspace hard-links the files; whoever writes into such a file damages the
    workspace) or "reference" (the files stay where they are).
    """

    source: str = ""
    licence: str = ""
    tags: Sequence[str] = ()
    on_invalid: str = "quarantine"
    media: MediaMode = "copy"


@dataclass(frozen=True, slots=True)
class Added:
    """The number of files that became new samples, had known bytes, were known files, or were quarantined.

    `added + duplicates + unchanged + changed + quarantined` is the number of image files; `ignored` counts the other
    files beside them.
    """

    added: int
    duplicates: int
    unchanged: int
    changed: int
    quarantined: int
    ignored: int = 0
    set_aside: tuple[QuarantinedItem, ...] = ()

    @classmethod
    def of(cls, result: IntakeResult, ignored: int = 0) -> Added:
        """The report of a result."""
        return cls(
            result.added,
            result.duplicates,
            result.unchanged,
            result.changed,
            len(result.quarantined),
            ignored,
            tuple(result.quarantined),
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        counts = {
            name: getattr(self, name)
            for name in ("added", "duplicates", "unchanged", "changed", "quarantined")
        }
        return {
            **counts,
            "ignored": self.ignored,
            "set_aside": [item.to_dict() for item in self.set_aside[:100]],
        }

    def __str__(self) -> str:
        words = f"added={self.added}, duplicates={self.duplicates}, unchanged={self.unchanged}"
        words += f", changed={self.changed}" if self.changed else ""
        return f"Import({words}, quarantined={self.quarantined})"
