"""Embedders: vectors of images."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.models import registry
from calotype.models.model import EmbedderUnknown


@pytest.mark.parametrize("name", ["hog-colour-v1", "hog-colour-v2"])
def test_a_descriptor_gives_unit_vectors_that_are_the_same_each_time(name):
    rgb = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    embedder = registry.embedder(name)
    assert embedder.name == name
    vectors = embedder.embed([rgb, rgb, 255 - rgb])
    assert vectors.shape == (3, embedder.dim)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors[0] == vectors[1]).all()
    assert not np.allclose(vectors[0], vectors[2])


def test_an_unknown_embedder_is_named():
    with pytest.raises(EmbedderUnknown, match="nothing-v9"):
        registry.embedder("nothing-v9")


def test_the_short_name_of_a_descriptor_means_its_newest_version():
    assert registry.full_name("hog-colour") == registry.embedder("hog-colour").name == "hog-colour-v2"
