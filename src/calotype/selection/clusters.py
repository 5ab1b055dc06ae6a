"""Clusters of vectors beside the means of their neighbourhoods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotype.selection.space import FIT_ROWS, Floats, Ints, Space, squared_distances

_SHARE = 0.1
"""Neighbours that are averaged, as a share of the rows a cluster has on average."""
_FEWEST_NEIGHBOURS, _MOST_NEIGHBOURS = 3, 15
_ROUNDS = 2
_WEIGHT = 0.7
"""Weight of the neighbourhood's mean beside the vector itself."""
_BLOCK = 2_048


@dataclass(frozen=True, slots=True)
class Clusters:
    """Clusters of the rows of a space.

    Attributes:
        number: (N,) cluster of each row.
        distance: (N,) from each row, beside the mean of its neighbourhood, to the centre of its cluster. Rows that took
            no part in the clustering have the largest distances.
    """

    number: Ints
    distance: Floats


def clusters(space: Space, n_clusters: int, seed: int) -> Clusters:
    """k-means of at most 20,000 rows, each beside the mean of its neighbourhood, so that clusters follow dense parts.

    The other rows go to the cluster with the nearest mean. On one thread, so that it can be repeated.
    """
    from sklearn.cluster import KMeans  # heavy
    from threadpoolctl import threadpool_limits

    some = space.points[:FIT_ROWS]
    n_clusters = min(n_clusters, len(np.unique(some, axis=0)))
    if n_clusters < 2 or not some.shape[1]:
        return Clusters(np.zeros(len(space.points), np.int64), np.zeros(len(space.points), np.float32))
    with threadpool_limits(limits=1):
        n_near = int(np.clip(_SHARE * len(some) / n_clusters, _FEWEST_NEIGHBOURS, _MOST_NEIGHBOURS))
        wide = np.concatenate([some, _WEIGHT * neighbourhood_means(some, n_near)], axis=1)
        model = KMeans(n_clusters, n_init=1, max_iter=30, random_state=abs(seed) % 2**32).fit(wide)
    fitted = model.labels_.astype(np.int64)
    distance = np.full(len(space.points), np.inf, np.float32)
    distance[: len(some)] = np.linalg.norm(wide - model.cluster_centers_[fitted], axis=1)
    return Clusters(
        _nearest_means(space.points, fitted), np.minimum(distance, distance[: len(some)].max() + 1)
    )


def neighbourhood_means(points: Floats, n_near: int) -> Floats:
    """(n, d) mean of each row and its nearest others, of length 1, twice over: the second mean is of the first ones.

    Args:
        points: (n, d) of length 1.
    """
    n_near = min(n_near, len(points))
    near = np.empty((len(points), n_near), np.int64)
    for start in range(0, len(points), _BLOCK):
        likeness = points[start : start + _BLOCK] @ points.T
        near[start : start + _BLOCK] = np.argpartition(likeness, -n_near, axis=1)[:, -n_near:]
    means = points
    for _ in range(_ROUNDS):
        total = np.zeros_like(means)
        for column in near.T:
            total += means[column]
        means = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    return means


def _nearest_means(points: Floats, fitted: Ints) -> Ints:
    """(N,) the cluster of each row: as fitted for the first ones, the nearest mean for those after them."""
    cluster_of = np.empty(len(points), np.int64)
    cluster_of[: len(fitted)] = fitted
    if len(points) > len(fitted):
        sums = np.zeros((int(fitted.max()) + 1, points.shape[1]), np.float32)
        np.add.at(sums, fitted, points[: len(fitted)])
        means = sums / np.maximum(np.bincount(fitted)[:, None], 1)
        for start in range(len(fitted), len(points), _BLOCK):
            distances = squared_distances(points[start : start + _BLOCK], means.astype(np.float32))
            cluster_of[start : start + _BLOCK] = distances.argmin(axis=1)
    return cluster_of
