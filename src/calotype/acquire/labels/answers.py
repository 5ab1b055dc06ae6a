"""What the routes of annotate answer."""

from __future__ import annotations

from pydantic import Field

from calotype.datasets.answers import FormatLoss, ImportNotice, QuarantinedItem
from calotype.foundation.answers import Answer


class LabelImport(Answer):
    """What became of a label file."""

    format: str
    layout: str = Field(description="How the files lie, in words.")
    evidence: list[str] = Field(description="Files that show the format, and what else it could have been.")
    label_set: str
    samples: int = Field(description="Images of the file that are samples of the dataset.")
    annotations: int = Field(description="Annotations of the file that the dataset now has.")
    added: int
    changed: int
    unchanged: int
    removed: int = Field(description="Annotations of an earlier edition of the file that this one lacks.")
    kept: int = Field(description="Annotations that people changed or removed since: left as they are.")
    skipped: int = Field(description="Annotations that were not imported.")
    new_classes: list[str] = Field(description="Classes added to the ontology.")
    reasons: dict[str, int] = Field(description="Reason and number of the skipped annotations.")
    losses: list[FormatLoss] = Field(description="What could not be kept.")
    warnings: list[ImportNotice] = Field(description="What was adjusted or left out.")
    set_aside: list[QuarantinedItem] = Field(description="The first 100 that were quarantined.")
