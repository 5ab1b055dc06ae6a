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
    by: str = Field(description="The strategy that was used; never `auto`.")
    seed: int
    embedder: str = Field(description="The model of the embeddings; empty when none were needed.")
    unreadable: int = Field(description="Samples that were left out because their image cannot be read.")
    notes: list[str] = Field(description="What else is worth knowing, such as how to get better vectors.")
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


class MapColour(Answer):
    """A value that points of a map are coloured by."""

    value: str | None = Field(
        description="Null stands for all rarer values together; empty for a missing value."
    )
    count: int


class EmbeddingMap(Answer):
    """The samples of a dataset on a plane; the points themselves are in `map/points`."""

    model: str = Field(description="The model whose vectors place the samples.")
    total: int = Field(description="Number of points.")
    missing: int = Field(description="Samples without a vector of the model; they have no point.")
    by: str
    ways: list[str] = Field(description="What the points can be coloured by.")
    colours: list[MapColour] = Field(description="By the number that a point has in `map/points`.")


class MapPoint(Answer):
    """The sample of a point."""

    index: int
    id: str
    name: str
    media: str = Field(description="Key of its image, for `thumbs` and `media`.")


class VectorModel(Answer):
    """A model whose vectors a dataset has."""

    model: str
    samples: int = Field(description="Samples with a vector of it.")


class VectorModels(Answer):
    """The models whose vectors a dataset has, by name."""

    items: list[VectorModel]
