"""What the routes of curate answer."""

from __future__ import annotations

from pydantic import Field

from calotype.foundation.answers import Answer, Number


class SplitReport(Answer):
    """The splits of a dataset after an assignment."""

    samples: dict[str, int] = Field(description="Split -> number of samples.")
    originals: dict[str, int] = Field(description="Split -> number of samples that are not derived.")
    annotations: dict[str, dict[str, int]] = Field(description="Class -> split -> number of annotations.")
    groups: int = Field(description="Number of groups that stay on one side.")
    changed: int = Field(description="Samples whose split changed.")
    warnings: list[str]


class Pick(Answer):
    """A selected sample."""

    sample_id: str
    name: str
    rank: int = Field(description="From 1.")
    reason: str
    score: Number = Field(description="The number behind the reason.")


class SelectionReport(Answer):
    """Selected samples, each with its reason."""

    dataset: str
    by: str
    seed: int
    embedder: str = Field(description="The model of the embeddings; empty when none were needed.")
    unreadable: int = Field(description="Samples that were left out because their image cannot be read.")
    picks: list[Pick]
    tagged: int | None = Field(description="Samples tagged `picked:NAME`; null without a name.")


class SimilarSample(Answer):
    """A sample near another one."""

    sample_id: str
    name: str
    media: str = Field(description="Key of its image, for `thumbs` and `media`.")
    distance: float = Field(description="1 - cosine, 0 to 2.")


class SimilarSamples(Answer):
    """Samples by distance, nearest first."""

    items: list[SimilarSample]


class VectorModel(Answer):
    """A model whose vectors a dataset has."""

    model: str
    samples: int = Field(description="Samples with a vector of it.")


class VectorModels(Answer):
    """The models whose vectors a dataset has, by name."""

    items: list[VectorModel]
