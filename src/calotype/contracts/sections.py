"""Sections of a contract other than classes, metadata and gates."""

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


def contract_error(detail: str) -> PydanticCustomError:
    """A validation error with our own message."""
    return PydanticCustomError("contract", "{detail}", {"detail": detail})


def valid_query(text: str) -> str:
    """Check that a query can be parsed. Raises: PydanticCustomError."""
    try:
        query.parse(text)
    except query.QueryInvalid as error:
        raise contract_error(f"{error.message} ({error.where})") from None
    return text


class Section(BaseModel):
    """Base of the sections of a contract: immutable, and without unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Combinations(Section):
    """Required combinations of operating conditions, such as each pair or triple of their values."""

    fields: tuple[Name, ...] = Field(
        default=(), description="Metadata fields; by default all marked `operating`"
    )
    ways: Annotated[int, Field(ge=1, le=3, strict=True)] = Field(
        default=2, description="Number of conditions in a combination: 1, 2 or 3"
    )
    min_samples: Annotated[int, Field(ge=1, strict=True)] = Field(
        default=1, description="Minimum number of samples for a combination to count as covered"
    )
    min_fraction: Share = Field(
        default=1.0, description="Minimum share of all combinations that must be covered"
    )


class Waiver(Section):
    """Findings that gates ignore until a given day, with a reason and an owner."""

    check: Name = Field(description="The check whose findings are waived")
    where: Text = Field(
        default="*", description="Names of samples, with wildcards * and ?; or the key of one finding"
    )
    reason: Annotated[str, Field(min_length=10, max_length=2_000)] = Field(
        description="Reason, in a sentence"
    )
    owner: Name = Field(description="Person or team responsible for the waiver")
    until: date = Field(description="The last day on which the waiver applies, such as 2027-03-31")


class Objective(Section):
    """A measurable promise about the dataset."""

    name: Name
    metric: Literal[
        "freshness_days", "labelled_fraction", "finding_count", "gate_green_fraction", "review_fraction"
    ] = Field(description="Metric, measured at each full run of the checks")
    target: float = Field(description="Maximum for days and counts, minimum for fractions")
    window_days: Count = Field(
        default=28,
        description="Days of runs that gate_green_fraction covers; other metrics are those of the current run",
    )
    description: Text = ""


class Privacy(Section):
    """How personal the images are, and how long they may be kept."""

    level: Literal["public", "internal", "personal", "special"] = Field(
        default="internal",
        description="special: health data, biometric data and other categories of GDPR article 9",
    )
    contains: tuple[Name, ...] = Field(
        default=(), description="Personal content, such as faces, number plates or names"
    )
    retention_days: Count | None = Field(
        default=None, description="Number of days after which samples must be removed"
    )


class Freshness(Section):
    """Maximum age of the newest sample."""

    max_age_days: Annotated[float, Field(gt=0)]
    field: Name = Field(
        default="added", description="`added` (time of import), or a metadata field with a date"
    )


class Gold(Section):
    """Annotations known to be correct, used to measure the quality of others."""

    label_set: Name
    min_agreement: Share = 0.95


class Guideline(Section):
    """The current labelling guideline; annotations record the version they were made under."""

    version: Annotated[str, Field(min_length=1, max_length=100, coerce_numbers_to_str=True)]


class Reference(Section):
    """The commit, tag or branch of the same dataset that drift is measured against."""

    ref: Name
    max_shift: Share = Field(
        default=0.2, description="Maximum Jensen-Shannon distance between the distributions of a field"
    )


class DataTests(Section):
    """Python tests of the data, kept with the code. `calotype check --tests ROOT` runs them."""

    paths: tuple[Name, ...] = Field(description="Files and folders relative to ROOT, such as tests/data")

    @field_validator("paths")
    @classmethod
    def _stay_inside(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            pure_path = PurePosixPath(path)
            if pure_path.is_absolute() or ".." in pure_path.parts or path.startswith("-") or "\\" in path:
                raise contract_error(f"the path {path!r} is not inside ROOT")
        return paths


class CoverageOfClass(Section):
    """Minimum number of annotations of a class under a condition."""

    min_annotations: Annotated[int, Field(ge=1, strict=True)]

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        return {"min_annotations": value} if isinstance(value, int) and not isinstance(value, bool) else value
