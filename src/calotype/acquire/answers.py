"""What the routes of acquire answer."""

from __future__ import annotations

from pydantic import Field

from calotype.datasets.answers import QuarantinedItem
from calotype.foundation.answers import Answer


class ImageImport(Answer):
    """What became of the uploaded images."""

    added: int
    duplicates: int = Field(description="Images whose bytes the dataset has under another name.")
    unchanged: int = Field(description="Images that the dataset has under the same name.")
    changed: int = Field(description="Images with other bytes than before.")
    quarantined: int
    ignored: int = Field(description="Files that are not images.")
    set_aside: list[QuarantinedItem] = Field(description="The first 100 that were quarantined.")
