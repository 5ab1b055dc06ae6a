"""What an import of images answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calotype.acquire.quarantine import SetAside
from calotype.foundation.errors import Invalid


class UploadTooLarge(Invalid):
    """More bytes than one image may have."""

    code = "upload-too-large"
    what = "the image has more than {limit_mb} MB"
    fix = "add it from a folder with `calotype add`, which takes larger files"


class UploadNameInvalid(Invalid):
    """Not a name for an image."""

    code = "upload-name-invalid"
    what = "{got!r} is no relative name for an image"
    fix = "use a name such as cam-07/000123.jpg"


class BucketByReferenceOnly(Invalid):
    """Images of a bucket are not copied."""

    code = "bucket-by-reference-only"
    what = "the images of {url} can be registered where they lie, and not copied or linked"
    fix = "add them with `--media reference`"


@dataclass(frozen=True, slots=True)
class Added:
    """How many files became new samples, were known bytes, were known files, or were set aside.

    `added + duplicates + unchanged + changed + quarantined` is the number of image files looked at; `ignored` are
    other files lying beside them.
    """

    added: int
    duplicates: int
    unchanged: int
    changed: int
    quarantined: int
    ignored: int = 0
    set_aside: tuple[SetAside, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
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
