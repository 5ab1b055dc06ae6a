"""Response models of contracts."""

from __future__ import annotations

from pydantic import Field

from calotype.foundation.answers import Answer, Sha256


class CoverageQuery(Answer):
    """A condition that the dataset must cover."""

    title: str = Field(description="As gates name it: `coverage TITLE`, `coverage TITLE: CLASS`.")
    where: str = Field(description="The query of the condition.")


class Contract(Answer):
    """The contract of a dataset."""

    sha256: Sha256
    text: str | None = Field(description="YAML; null when the dataset has no contract.")
    template: str | None = Field(description="A contract to start from; null when the dataset has one.")
    purposes: list[str] = Field(description="Purposes that the contract allows; empty allows any.")
    coverage: list[CoverageQuery] = Field(description="The conditions to cover.")
    warnings: list[str]


class AcceptedContract(Answer):
    """A contract that was accepted."""

    sha256: Sha256
    classes: list[str]
    warnings: list[str]
