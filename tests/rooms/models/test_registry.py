"""Embedders: vectors of images."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.models import registry
from calotype.models.model import EmbedderUnknown


def test_the_default_embedder_gives_unit_vectors_that_are_the_same_each_time():
    rgb = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    embedder = registry.embedder("hog-colour-v1")
    vectors = embedder.embed([rgb, rgb, 255 - rgb])
    assert vectors.shape == (3, embedder.dim)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors[0] == vectors[1]).all()
    assert not np.allclose(vectors[0], vectors[2])


def test_an_unknown_embedder_is_named():
    with pytest.raises(EmbedderUnknown, match="nothing-v9"):
        registry.embedder("nothing-v9")
