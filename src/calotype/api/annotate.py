"""The handle of annotation work on a dataset: `dataset.annotate`."""

from __future__ import annotations

from calotype.api.labelling import Labelling


class Annotate(Labelling):
    """Annotation work on a dataset: batches of samples to label, and questions."""
