"""Vectors placed on a plane: what is alike stays near, whatever the order and the parts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from calotype.analysis.projection import Plane, project


def groups(n: int, *, n_groups: int = 6, dim: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around the middles of some groups, and the group of each."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_groups, n)
    return (rng.normal(size=(n_groups, dim))[labels] * 2 + rng.normal(size=(n, dim))).astype(
        np.float32
    ), labels


def test_groups_stay_together_also_beyond_the_landmarks():
    vectors, labels = groups(1_200)
    places = project(vectors, n_landmarks=300)
    assert places.shape == (1_200, 2)
    assert places.dtype == np.float32
    assert np.abs(places).max() <= 1
    neighbours = KNeighborsClassifier(8).fit(places[:600], labels[:600])
    assert neighbours.score(places[600:], labels[600:]) > 0.97
    assert trustworthiness(vectors[:600], places[:600], n_neighbors=8) > 0.85


def test_the_same_vectors_have_the_same_places():
    vectors, _ = groups(200)
    assert np.array_equal(project(vectors, seed=3), project(vectors, seed=3))


def test_only_directions_count():
    vectors, _ = groups(120)
    lengths = np.resize(np.array([0.5, 1, 2, 8], np.float32), 120)[
        :, None
    ]  # powers of two, so that no digit is lost
    assert np.array_equal(project(vectors), project(vectors * lengths))


def test_parts_are_placed_as_the_whole():
    vectors, _ = groups(300)
    plane = Plane.fit(vectors, n_landmarks=100)
    parts = [plane.place(vectors[start : start + 70]) for start in range(0, 300, 70)]
    assert np.allclose(np.concatenate(parts), plane.place(vectors), atol=1e-4)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
def test_a_few_vectors_have_places(n):
    vectors, _ = groups(n) if n else (np.zeros((0, 24), np.float32), None)
    places = project(vectors)
    assert places.shape == (n, 2)
    assert np.isfinite(places).all()


@pytest.mark.parametrize("vectors", [np.zeros((50, 8)), np.ones((50, 8)), np.ones((50, 1)), np.eye(50)])
def test_vectors_without_any_spread_have_finite_places(vectors):
    assert np.isfinite(project(vectors)).all()
