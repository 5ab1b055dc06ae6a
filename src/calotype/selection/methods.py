"""The strategies of `select`: each takes rows in its own order until no more are wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from calotype.analysis.validation import refuse
from calotype.selection.clusters import clusters
from calotype.selection.kernel import Coverage
from calotype.selection.picks import Picks
from calotype.selection.space import FIT_ROWS, Floats, Ints, Space, squared_distances

_MOST_CLUSTERS = 1_000
_OUTLIERS = 0.05
"""Share of rows, those with the fewest others near them, that `diverse` never takes."""
_TRIALS = 8
_NEIGHBOURS = 10
_TYPICAL_NEIGHBOURS = 20
_MOST_COMPARED = 5_000
"""Rows of a cluster that are compared with one another; the others come after them."""
_FARTHEST = 2.0
_BLOCK = 2_048


@dataclass(frozen=True, slots=True)
class Task:
    """What a strategy works on, rows in the order of the space.

    Attributes:
        labels: (N,) class, -1 where unlabelled.
        probs: (N, K) of one model; None if there is none.
        doubt: (N,) disagreement from 0 to 1; None if it cannot be computed.
        groups: (N,) number of each row's group; None for no groups.
        names: Names of the classes by number; empty where only numbers are known.
    """

    space: Space
    labels: Ints
    probs: Floats | None
    doubt: Floats | None
    groups: Ints | None
    seed: int
    names: tuple[str, ...] = ()

    @property
    def known(self) -> Ints:
        """Labelled rows."""
        return np.flatnonzero(self.labels >= 0)

    def predicted(self) -> Floats | None:
        """(N, K) probabilities: the model's, else a vote of the nearest labelled rows; None without labels."""
        return self.probs if self.probs is not None else votes(self)


def votes(task: Task) -> Floats | None:
    """(N, K) vote of the ten nearest labelled rows, weighted by the kernel, with one vote spread over all classes."""
    known = task.known
    if not len(known):
        return None
    points, width = task.space.points, task.space.kernel_width
    n_classes = int(task.labels.max()) + 1 if task.probs is None else task.probs.shape[1]
    classes = task.labels[known]
    n_near = min(_NEIGHBOURS, len(known))
    result = np.full((len(points), n_classes), 1 / n_classes, np.float32)
    for start in range(0, len(points), _BLOCK):
        distances = squared_distances(points[start : start + _BLOCK], points[known])
        near = np.argpartition(distances, n_near - 1, axis=1)[:, :n_near]
        weights = np.exp(np.take_along_axis(distances, near, axis=1) * np.float32(-0.5 / width))
        rows = np.broadcast_to(np.arange(start, start + len(near))[:, None], near.shape)
        np.add.at(result, (rows, classes[near]), weights)
    return np.asarray(result / result.sum(axis=1, keepdims=True), np.float32)


def random(task: Task, picks: Picks) -> None:
    """The random order of the space."""
    order = np.arange(len(task.space.points))
    picks.rank(order, np.zeros(len(order), np.float32), f"{{rank}} in the random order of seed {task.seed}")


def coverage(task: Task, picks: Picks) -> None:
    """Cover as much of the data as possible.

    Source: O. Yehuda et al., "Active learning through a covering lens" (ProbCover), 2022, with the soft radius of
        W. Bae et al., "Generalized coverage for more robust low-budget active learning" (MaxHerding), 2024.
    """
    reason = "adds {gain:.2%} to the coverage, now {covered:.1%}"
    Coverage(task.space, task.known).pick(picks, reason)


def typical(task: Task, picks: Picks) -> None:
    """The most typical row of each cluster without a label, largest clusters first: smallest mean distance to its 20.

    Source: G. Hacohen et al., "Active learning on a budget: opposite strategies suit high and low budgets"
        (TypiClust), 2022: the 20 nearest neighbours are those of the same cluster.
    """
    n_clusters = min(picks.n + len(task.known), _MOST_CLUSTERS)
    cluster_of = clusters(task.space, n_clusters, task.seed).number
    points = task.space.points
    scores = np.full(len(points), -_FARTHEST, np.float32)
    for cluster in np.unique(cluster_of).tolist():
        rows = np.flatnonzero(cluster_of == cluster)[:_MOST_COMPARED]
        scores[rows] = -_mean_distances(points[rows])
    _one_a_cluster(task, picks, cluster_of, scores, "most typical")


def _mean_distances(points: Floats) -> Floats:
    """(n,) mean distance of each row to its 20 nearest others."""
    n_near = min(_TYPICAL_NEIGHBOURS, len(points) - 1)
    if n_near < 1:
        return np.zeros(len(points), np.float32)
    parts = []
    for start in range(0, len(points), _BLOCK):
        squared = squared_distances(points[start : start + _BLOCK], points)
        nearest = np.partition(squared, n_near, axis=1)[:, : n_near + 1]
        parts.append(np.sqrt(np.maximum(nearest, 0)).sum(axis=1) / n_near)
    return np.concatenate(parts).astype(np.float32)


def nearest_to_centres(task: Task, picks: Picks) -> None:
    """The row nearest to the centre of each cluster without a label, largest clusters first.

    Source: k-means, S. Lloyd, "Least squares quantization in PCM", 1982. Each row stands beside the mean of its
        neighbourhood, as in K. Fukunaga and L. Hostetler, "The estimation of the gradient of a density function"
        (mean shift), 1975, so that centres lie in dense parts.
    """
    n_clusters = min(picks.n + len(task.known), _MOST_CLUSTERS)
    result = clusters(task.space, n_clusters, task.seed)
    _one_a_cluster(task, picks, result.number, -result.distance, "nearest to the centre")


def _one_a_cluster(task: Task, picks: Picks, cluster_of: Ints, scores: Floats, what: str) -> None:
    """Take the highest score of the largest of the clusters with the fewest labels and picks."""
    n_clusters = int(cluster_of.max(initial=0)) + 1
    n_taken = np.bincount(cluster_of[task.known], minlength=n_clusters)
    sizes = np.bincount(cluster_of, minlength=n_clusters)
    members = [np.flatnonzero(cluster_of == c) for c in range(n_clusters)]
    members = [rows[np.argsort(-scores[rows], kind="stable")] for rows in members]
    while picks.open:
        open_clusters = np.unique(cluster_of[picks.free])
        cluster = int(open_clusters[np.lexsort((-sizes[open_clusters], n_taken[open_clusters]))[0]])
        rows = members[cluster]
        row = int(rows[picks.free[rows]][0])
        reason = f"{what} of a cluster of {sizes[cluster]} samples with {n_taken[cluster]} labelled or picked"
        if picks.offer(row, float(scores[row]), reason):
            n_taken[cluster] += 1


def diverse(task: Task, picks: Picks) -> None:
    """k-means++ on whitened rows of length 1, without the rows that have the fewest others near them.

    Source: D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", 2007; the best of eight
        draws by what remains.
    """
    rng = np.random.default_rng(abs(task.seed))
    white = task.space.points / np.maximum(task.space.strengths, 0.1 * task.space.strengths.max(initial=1e-6))
    white /= np.maximum(np.linalg.norm(white, axis=1, keepdims=True), 1e-12)
    density = Coverage(task.space, np.zeros(0, np.int64)).density()
    inside = density >= np.quantile(density, _OUTLIERS)
    nearest = np.full(len(white), 2.0, np.float32)
    for row in task.known.tolist():
        nearest = np.minimum(nearest, _distance_to(white, row))
    fit = np.arange(min(len(white), FIT_ROWS // 4))
    while picks.open:
        free = picks.free & inside if (picks.free & inside).any() else picks.free
        chance = np.where(free, np.maximum(nearest, 1e-9), 0).astype(np.float64).cumsum()
        draws = np.unique(np.searchsorted(chance, rng.random(_TRIALS) * chance[-1], side="right"))
        left = np.minimum(nearest[fit], squared_distances(white[draws], white[fit])).sum(axis=1)
        row = int(draws[np.argmin(left)])
        distance = float(np.sqrt(nearest[row]))
        if picks.offer(row, distance, f"{distance:.2f} away from all that are labelled or picked"):
            nearest = np.minimum(nearest, _distance_to(white, row))


def _distance_to(white: Floats, row: int) -> Floats:
    return squared_distances(white, white[row : row + 1])[:, 0]


def uncertain(task: Task, picks: Picks) -> None:
    """Cover what the model is uncertain of: the margin between its two most probable classes.

    Source: W. Bae et al., "Uncertainty herding: one active learning method for all label budgets", 2025.
    """
    if task.probs is None:
        raise refuse("probs", "`uncertain` needs predictions", "give probs (N, K), or use by='coverage'")
    doubt = 1 - margins(task.probs)
    Coverage(task.space, task.known, doubt).pick(
        picks, "uncertainty {value:.2f} (1 - margin), and covers {gain:.2%} of all uncertainty", doubt
    )


def margins(probs: Floats) -> Floats:
    """(N,) most probable minus second most probable class; 1 for a single class."""
    if probs.shape[1] < 2:
        return np.ones(len(probs), np.float32)
    top = np.partition(probs, probs.shape[1] - 2, axis=1)[:, -2:]
    return np.asarray(top[:, 1] - top[:, 0], np.float32)


def disagreement(task: Task, picks: Picks) -> None:
    """Cover what models, or annotators, disagree about."""
    if task.doubt is None:
        detail = "`disagreement` needs two opinions on each sample"
        hint = (
            "give probs (M, N, K) of M models, labels (N, A) of A annotators, or probs (N, K) and some labels"
        )
        raise refuse("probs", detail, hint)
    Coverage(task.space, task.known, task.doubt).pick(
        picks, "disagreement {value:.2f}, and covers {gain:.2%} of all disagreement", task.doubt
    )


def disagreements(opinions: Floats) -> Floats:
    """(N,) Jensen-Shannon divergence of M opinions (M, N, K), from 0 to 1: 1 where all differ for sure.

    Source: A. McCallum and K. Nigam, "Employing EM and pool-based active learning for text classification", 1998.
    """
    mean = opinions.mean(axis=0)
    single = np.mean([_entropy(one) for one in opinions], axis=0)
    most = np.log(max(2, min(len(opinions), opinions.shape[2])))
    return np.asarray(np.clip((_entropy(mean) - single) / most, 0, 1), np.float32)


def _entropy(probs: Floats) -> Floats:
    return np.asarray(-(probs * np.log(np.maximum(probs, 1e-12))).sum(axis=1), np.float32)


def rare(task: Task, picks: Picks) -> None:
    """Rows that are likely of the classes, or in the groups, with the fewest labels, until all are even."""
    _even_out(task, picks, "rarest")


def balanced(task: Task, picks: Picks) -> None:
    """The same number of picks of each class, or of each group or cluster where classes are not known."""
    _even_out(task, picks, "next")


def _even_out(task: Task, picks: Picks, word: str) -> None:
    """Give each pick to the column that has the least: of labels and picks for `rare`, of picks for `balanced`."""
    likely, what = _membership(task, picks)
    density = Coverage(task.space, task.known).density()
    column_of = likely.argmax(axis=1)
    counts = np.zeros(likely.shape[1])
    if word == "rarest":
        own = task.labels[task.known] if what == "class" else column_of[task.known]
        counts += np.bincount(own, minlength=len(counts))[: len(counts)]
    score = likely * (density / max(float(density.max(initial=0)), 1e-12))[:, None] ** 0.5
    while picks.open:
        present = np.unique(column_of[picks.free])
        column = int(present[np.argmin(counts[present])])
        rows = np.flatnonzero(picks.free & (column_of == column))
        row = int(rows[np.argmax(score[rows, column])])
        title = task.names[column] if what == "class" and task.names else column
        reason = f"{word} {what} {title}: {counts[column]:.0f} so far; {likely[row, column]:.0%} sure"
        if picks.offer(row, float(score[row, column]), reason):
            counts[column] += 1


def _membership(task: Task, picks: Picks) -> tuple[Floats, str]:
    """(N, C) how likely each row belongs to each column, and what the columns are."""
    predicted = task.predicted()
    if predicted is not None:
        return predicted, "class"
    numbers, what = task.groups, "group"
    if numbers is None:
        numbers, what = clusters(task.space, min(picks.n, _MOST_CLUSTERS), task.seed).number, "cluster"
    return np.eye(int(numbers.max(initial=0)) + 1, dtype=np.float32)[numbers], what


STRATEGIES: Mapping[str, Callable[[Task, Picks], None]] = {
    "clusters": nearest_to_centres,
    "coverage": coverage,
    "typical": typical,
    "diverse": diverse,
    "uncertain": uncertain,
    "disagreement": disagreement,
    "rare": rare,
    "balanced": balanced,
    "random": random,
}
