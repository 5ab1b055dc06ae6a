"""What a check is: its texts, its parameters, its family and cost, and the function that runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from calotype.checks.suite.context import CheckContext, Parameter, Tally

Family = Literal[
    "integrity",
    "image",
    "copies",
    "structure",
    "tracks",
    "labels",
    "annotators",
    "balance",
    "coverage",
    "drift",
    "declared",
    "process",
    "tests",
]
Scope = Literal["sample", "dataset"]
Cost = Literal["columns", "pixels", "vectors", "predictions"]


@dataclass(frozen=True, slots=True)
class Check:
    """One data test. `unit` is what it looks at; a gate's `max_fraction` is a share of that.

    Attributes:
        family: `calotype check --only FAMILY` runs the checks of one family.
        scope: "sample" where the findings of a sample depend only on that sample and its annotations, so that a
            later run looks only at samples that changed; "dataset" where they depend on others too.
        cost: What it has to read: columns of the tables, pixels (once per image), vectors, or predictions.
        source: Where definition and threshold come from.
        example: The sentence of a typical finding.
        steady: Whether equal data give equal findings on every day; false where the current time matters.
        version: Raised when the same data give other findings; a later run does not continue from an older version.
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
