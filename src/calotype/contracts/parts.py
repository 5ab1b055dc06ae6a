"""The parts of a contract beyond classes, fields and gates: promises, purposes, waivers."""

from __future__ import annotations

import re
from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from calotype.datasets import query

Text = Annotated[str, Field(max_length=10_000)]
Name = Annotated[str, Field(min_length=1, max_length=500)]
Count = Annotated[int, Field(ge=0, strict=True)]
Share = Annotated[float, Field(ge=0, le=1)]
_PLUG_IN = re.compile(r"[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*")


def wrong(detail: str) -> PydanticCustomError:
    """A trouble in our own words."""
    return PydanticCustomError("contract", "{detail}", {"detail": detail})


def checked_query(text: str) -> str:
    """A query that can be read. Raises: PydanticCustomError."""
    try:
        query.parse(text)
    except query.QueryInvalid as error:
        raise wrong(f"{error.message} ({error.where})") from None
    return text


class Part(BaseModel):
    """Any part of a contract: fixed, and without fields that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Combinations(Part):
    """Combinations of operating conditions that have to occur: each pair or triple of values, often enough."""

    fields: tuple[Name, ...] = Field(
        default=(), description="Metadata fields; absent: all marked `operating`"
    )
    ways: Annotated[int, Field(ge=1, le=3, strict=True)] = Field(
        default=2, description="How many conditions at a time: 1, 2 or 3"
    )
    min_samples: Annotated[int, Field(ge=1, strict=True)] = Field(
        default=1, description="Samples that a combination needs to count as covered"
    )
    min_fraction: Share = Field(default=1.0, description="Share of all combinations that has to be covered")


class Waiver(Part):
    """Findings that gates leave out until a day, with somebody who answers for it."""

    check: Name = Field(description="The check whose findings are waived")
    where: Text = Field(default="*", description="Names of samples, with * and ?; or the key of one finding")
    reason: Annotated[str, Field(min_length=10, max_length=2_000)] = Field(description="Why, in a sentence")
    owner: Name = Field(description="Who answers for it")
    until: date = Field(description="The last day on which it holds, as 2027-03-31")


class Objective(Part):
    """A promise about the dataset with a number in it."""

    name: Name
    metric: Literal[
        "freshness_days", "labelled_fraction", "finding_count", "gate_green_fraction", "review_fraction"
    ] = Field(description="What is measured at each whole run of the checks")
    target: float = Field(description="At most this for days and counts, at least this for fractions")
    window_days: Count = Field(
        default=28, description="gate_green_fraction: over the runs of how many days; others as they are now"
    )
    description: Text = ""


class Privacy(Part):
    """How personal the pictures are, and for how long they may be kept."""

    level: Literal["public", "internal", "personal", "special"] = Field(
        default="internal",
        description="special: health, faces for recognition and the like (GDPR, article 9)",
    )
    contains: tuple[Name, ...] = Field(default=(), description="Such as faces, number plates, names")
    retention_days: Count | None = Field(default=None, description="Days after which samples have to go")


class Freshness(Part):
    """How old the newest samples may be."""

    max_age_days: Annotated[float, Field(gt=0)]
    field: Name = Field(default="added", description="`added`, or a metadata field that holds a date")


class Gold(Part):
    """Annotations that are known to be right, to measure the others by."""

    label_set: Name
    min_agreement: Share = 0.95


class Guideline(Part):
    """The labelling instructions that hold now; annotations carry the version that they were made under."""

    version: Annotated[str, Field(min_length=1, max_length=100, coerce_numbers_to_str=True)]


class Reference(Part):
    """What drift is measured against: a commit, tag or branch of the same dataset."""

    ref: Name
    max_shift: Share = Field(
        default=0.2, description="Largest distance of a field's distribution (Jensen-Shannon)"
    )


class DataTests(Part):
    """Python tests of the data beside the code: `calotype check --tests ROOT` runs them."""

    paths: tuple[Name, ...] = Field(description="Files and folders below ROOT, such as tests/data")

    @field_validator("paths")
    @classmethod
    def _stay_inside(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            pure = PurePosixPath(path)
            if pure.is_absolute() or ".." in pure.parts or path.startswith("-") or "\\" in path:
                raise wrong(f"the path {path!r} leads out of the folder that it is below")
        return paths


class CoverageOfClass(Part):
    """Fewest annotations of a class under a condition."""

    min_annotations: Annotated[int, Field(ge=1, strict=True)]

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        return {"min_annotations": value} if isinstance(value, int) and not isinstance(value, bool) else value
