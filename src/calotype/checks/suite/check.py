"""What a check is: its words, its parameters, where it belongs, and the function that runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from calotype.checks.suite.context import CheckContext, Parameter, Tally

Family = Literal[
    "integrity", "image", "copies", "structure", "tracks", "labels", "annotators", "balance", "coverage", "drift",
    "declared", "process", "tests",
]  # fmt: skip
Scope = Literal["sample", "dataset"]
Cost = Literal["columns", "pixels", "vectors", "predictions"]


@dataclass(frozen=True, slots=True)
class Check:
    """One data test. `unit` is what it looks at; a gate's `max_fraction` is a share of that.

    Attributes:
        family: What it belongs to; `calotype check --only FAMILY` runs one family.
        scope: "sample" where what it says of a sample depends on that sample and its annotations alone, so that a
            later run looks only at samples that changed; "dataset" where it depends on others too.
        cost: What it has to read: columns of the tables, pixels (once an image), vectors, or predictions.
        source: Where definition and threshold come from.
        example: What a finding of it says.
        steady: Whether equal data give equal findings on every day; not so where the present time counts.
        version: Raised when the same data give other findings; a later run does not go on from an older version.
    """

    name: str
    title: str
    means: str
    fix: str
    unit: str
    severity: str
    run: Callable[[CheckContext, Tally], None]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    family: Family = "structure"
    scope: Scope = "dataset"
    cost: Cost = "columns"
    source: str = ""
    example: str = ""
    steady: bool = True
    version: int = 1
