"""What the routes of releases answer: a line of the list, and a release with its card and files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calotype.datasets.answers import Changes, FormatLoss, SplitCount, ValueCount
from calotype.findings.quality_answers import ObjectiveResult, Severity
from calotype.foundation.answers import Answer, Day, Number, Pair, Sha256, Timestamp, optional


class PassedGates(Answer):
    """Number of gates by state when the release was made."""

    green: int
    red: int


class ReleaseRow(Answer):
    """A release."""

    version: str
    commit: Sha256
    at: Timestamp
    actor: str
    purpose: str | None
    warnings: list[str]
    samples: int
    annotations: int
    splits: dict[str, int] = Field(description="Samples by split.")
    gates: PassedGates


class ReleaseList(Answer):
    """Releases, newest first."""

    items: list[ReleaseRow]


class Since(Changes):
    """What differs from the release before."""

    version: str = Field(description="The release before.")
    commit: Sha256
    same: bool = Field(description="Whether nothing differs.")
    documents: list[str] = Field(description="What else differs, such as `contract` or `ontology`.")


class ReleasePlan(Answer):
    """What a release of the working state would hold."""

    samples: int
    annotations: int
    uncommitted: Changes | None = Field(description="Null if everything is committed.")
    since: Since | None = Field(description="Null before the first release.")


class ReleaseFile(Answer):
    """A file of a release."""

    path: str
    bytes: int
    sha256: Sha256


class Privacy(Answer):
    """How personal the data are, as the contract says."""

    level: Literal["", "public", "internal", "personal", "special"] = Field(
        description="Empty without a contract."
    )
    contains: list[str]
    retention_days: int | None


class SplitBy(Answer):
    """How splits were assigned."""

    fractions: dict[str, Number] | None = Field(description="Null when the release kept the splits it found.")
    by: str | None = Field(description="Field that keeps samples together.")
    seed: int


class Pool(Answer):
    """The samples that the release was made from."""

    where: str = Field(description="Query; empty for all samples.")
    selected: int | None = Field(description="Size of a hand-picked selection.")


class CardClass(Answer):
    """A class and how often it occurs."""

    id: int
    name: str
    annotations: int
    samples: int
    by_split: dict[str, int] = Field(description="Annotations by split.")


class SizeRange(Answer):
    """Smallest and largest width and height in pixels; empty for a release without samples."""

    min: Pair[int] = optional()
    max: Pair[int] = optional()


class NumberRange(Answer):
    """Spread of a number."""

    min: Number
    median: Number
    max: Number


class Condition(Answer):
    """Values of a metadata field: a range for a number with many different values, else the most frequent ones."""

    field: str
    missing: int
    distinct: int
    range: NumberRange = optional()
    values: list[ValueCount] = optional()


class CardGate(Answer):
    """A gate when the release was made."""

    name: str
    state: Literal["green", "red", "missing"]
    measured: Number | str | None
    threshold: Number | str | None
    unit: str
    detail: str


class FindingStates(Answer):
    """Number of findings of one severity by state."""

    severity: Severity
    open: int
    assigned: int
    accepted: int
    rejected: int
    fixed: int


class AcceptedRisk(Answer):
    """A finding that was accepted until a day."""

    key: str
    check: str
    severity: Severity
    sample: str
    what: str
    because: str
    until: Day


class WaiverUse(Answer):
    """A waiver of the contract, and the number of findings that it covers."""

    check: str
    where: str
    because: str
    owner: str
    until: Day
    findings: int


class FindingsSummary(Answer):
    """What people decided about the findings of the released state; empty where nobody decides."""

    states: list[FindingStates] = optional()
    accepted: list[AcceptedRisk] = optional()
    waivers: list[WaiverUse] = optional()


class ReopenedExport(Answer):
    """What a trainer finds in an export."""

    images: int
    annotations: int
    rule: str = Field(description="How it looks for labels, in words.")


class CardExport(Answer):
    """What was written in one format."""

    format: str
    samples: int
    annotations: int
    losses: list[FormatLoss]
    reopened: ReopenedExport | None = None


class Card(Answer):
    """The card of a release. Fields that a card of an older version lacks are absent."""

    dataset: str
    description: str
    version: str
    commit: Sha256
    date: Timestamp
    author: str
    contract: str = Field(description="Name in the contract; empty without one, as are `intent` and `owner`.")
    intent: str
    owner: str
    purpose: str = optional()
    purposes: list[str] = optional("Uses that the contract allows; empty allows all.")
    privacy: Privacy = optional()
    warnings: list[str] = optional()
    label_set: str
    samples: int
    derived: int = Field(description="Samples made from others by a recipe.")
    annotations: int
    kinds: list[ValueCount] = Field(description="Annotations by kind.")
    splits: list[SplitCount]
    split_by: SplitBy
    pool: Pool
    since: Since = optional("What differs from the release before; absent for the first one.")
    classes: list[CardClass]
    sizes: SizeRange
    conditions: list[Condition] = Field(description="Metadata fields.")
    licences: list[ValueCount]
    sources: list[ValueCount]
    recipes: list[ValueCount] = Field(description="Recipes of the derived samples.")
    gates: list[CardGate]
    findings: dict[str, int] = Field(description="Findings by check.")
    objectives: list[ObjectiveResult] = optional()
    standing: FindingsSummary = optional()
    exports: list[CardExport]
    markdown: str = Field(description="The card as text.")


class Release(ReleaseRow):
    """A release with its card and its files."""

    card: Card
    files: list[ReleaseFile]
