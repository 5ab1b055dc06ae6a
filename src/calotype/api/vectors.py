"""The methods of datasets and views that work on vectors of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from calotype.api.context import DatasetHandle
from calotype.curate import embedding, vectors
from calotype.curate.embedding import Embedded
from calotype.datasets.snapshot import Where


class VectorSearch(DatasetHandle):
    """Search of a dataset or view by the vectors of its samples."""

    _query: Where = None

    def nearest(self, model: str, to: Any, k: int = 25, *, exact: bool = False) -> Any:
        """The `k` samples with the nearest vectors as an Arrow table `sample_id`, `name`, `distance`.

        Args:
            model: Name of the model; "" if there are vectors of one model only.
            to: A vector (D,), or a sample by id or name, which is not returned itself.
            exact: Compare with all vectors, even if there are enough for an index.
        Returns: Nearest first; the distance is 1 - cosine, 0 to 2.
        Raises: VectorsNotFound, VectorsInvalid, SampleNotFound, QueryInvalid.
        """
        return self._call(vectors.nearest, model, to, k, where=self._query, exact=exact)


class VectorMethods(VectorSearch):
    """The methods of a dataset that store vectors."""

    def embed(self, model: str = "default") -> Embedded:
        """Compute vectors for the samples that have none of this model. A path ending in .onnx is a custom model."""
        return self._call(embedding.embed, model, progress=self._context.progress)

    def put_vectors(self, model: str, sample_ids: Sequence[str], values: Any) -> int:
        """Store a model's vectors of samples, (N, D) float32, replacing older ones. Raises: VectorsInvalid."""
        return self._call(vectors.put_vectors, model, sample_ids, values)

    def remove_vectors(self, sample_ids: Sequence[str], model: str = "") -> None:
        """Remove vectors of samples from the working state and its indexes; older commits keep them.

        Args:
            sample_ids: Samples, existing or removed.
            model: Name of the model; "" for all models.
        """
        self._call(vectors.remove_vectors, sample_ids, model)
