"""What the routes of transform answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calotype.foundation.answers import Answer


class FailedSample(Answer):
    """A sample whose copies could not be made."""

    sample: str
    name: str
    reason: str


class DerivedSamples(Answer):
    """The result of an augmentation or a transformation."""

    recipe: str = Field(description="Name of the recipe and 12 digits of its hash.")
    made: int
    unchanged: int = Field(description="Derived samples that were up to date.")
    removed: int = Field(description="Outdated derived samples that were removed.")
    dropped_annotations: dict[str, int] = Field(description="By reason: outside, barely-visible, too-small.")
    failed: list[FailedSample]
    stopped: bool = Field(description="Whether the run ended early.")


class DerivedPlan(Answer):
    """What an augmentation or a transformation would do now."""

    recipe: str
    dry_run: Literal[True]
    to_make: int
    unchanged: int
    to_remove: int
    label_sets: list[str] = Field(description="The label sets whose annotations are copied.")


class MappedClass(Answer):
    """What happens to one class."""

    old: str
    new: str | None = Field(description="Null: the class is dropped.")
    action: Literal["renamed", "merged", "dropped"]
    annotations: int
    by_label_set: dict[str, int]


class ClassMappingReport(Answer):
    """What a class mapping changes."""

    applied: bool = Field(description="False: this is a plan, and nothing was changed.")
    classes: list[MappedClass]
    new_classes: list[str]
    moved: int = Field(description="Annotations that get another class.")
    dropped: int = Field(description="Annotations that are removed.")
