"""Replay a labelled dataset: how good a model gets with the labels that each strategy would have asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from calotype.analysis.validation import refuse
from calotype.foundation.progress import Progress, silent
from calotype.selection.inputs import labels_of
from calotype.selection.select import select
from calotype.selection.space import Floats, Ints, Space

SIMULATED = ("random", "clusters", "coverage", "typical", "diverse", "uncertain")
_TEST_SHARE = 0.3
_SCALE = 4.0
"""What rows of length 1 are multiplied by before the model with its penalty of 1 sees them."""
_STEPS = (8, 4, 2, 1)
_FEWEST = 20


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracy of a linear model on samples that no strategy could pick, by number of labels.

    Attributes:
        budgets: (B,) numbers of labels.
        accuracy: Strategy -> (B,) mean over the repeats.
        spread: Strategy -> (B,) standard deviation over the repeats.
        repeats: Number of random divisions into a pool and a test part.
        n_pool, n_test: Samples of each.
    """

    budgets: tuple[int, ...]
    accuracy: dict[str, tuple[float, ...]]
    spread: dict[str, tuple[float, ...]]
    repeats: int
    n_pool: int
    n_test: int

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "budgets": list(self.budgets),
            "accuracy": {name: [round(value, 4) for value in row] for name, row in self.accuracy.items()},
            "spread": {name: [round(value, 4) for value in row] for name, row in self.spread.items()},
            "repeats": self.repeats,
            "pool": self.n_pool,
            "test": self.n_test,
        }

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Columns and cells: one row a budget, one column a strategy, each with its lead over random."""
        cells = []
        for at, budget in enumerate(self.budgets):
            random = self.accuracy["random"][at]
            leads = [
                f"{row[at]:.3f}" if name == "random" else f"{row[at]:.3f} ({row[at] - random:+.3f})"
                for name, row in self.accuracy.items()
            ]
            cells.append([str(budget), *leads])
        return ["labels", *self.accuracy], cells


def simulate(
    vectors: npt.ArrayLike,
    labels: npt.ArrayLike,
    n: int,
    strategies: Sequence[str] = SIMULATED,
    repeats: int = 5,
    seed: int = 0,
    progress: Progress = silent,
) -> Curve:
    """Let each strategy ask for `n` labels in four rounds, and measure a linear model after each.

    A random 30 % are the test part. `uncertain` uses the model of the round before, and `clusters` in the first round.

    Args:
        vectors: (N, D) finite numbers.
        labels: (N,) class numbers or names as in `select`; unlabelled rows are left out.
        n: Largest number of labels.
    Raises: InputsInvalid: fewer than 20 labelled rows or two classes, or `n` is more than the pool has.
    """
    given = labels_of(labels, len(np.asarray(vectors))).numbers[:, 0]
    rows = np.flatnonzero(given >= 0)
    n_test = int(_TEST_SHARE * len(rows))
    if len(rows) < _FEWEST or len(np.unique(given[rows])) < 2:
        detail = f"{len(rows)} rows are labelled, with {len(np.unique(given[rows]))} classes"
        raise refuse("labels", detail, f"give at least {_FEWEST} labelled rows of two classes")
    if not 1 <= n <= len(rows) - n_test:
        raise refuse(
            "n", f"it is {n}, and the pool has {len(rows) - n_test} samples", "give a smaller number"
        )
    given = np.unique(given[rows], return_inverse=True)[1]
    space = Space.of(np.asarray(vectors)[rows], seed=seed)
    points, given = space.points, given[space.order]
    budgets = tuple(sorted({max(2, n // step) for step in _STEPS if n >= 2} | {n}))
    results: dict[str, list[list[float]]] = {name: [] for name in ["random", *strategies]}
    for repeat in range(repeats):
        order = np.random.default_rng([abs(seed), repeat]).permutation(len(points))
        pool, test = order[n_test:], order[:n_test]
        for name, runs in results.items():
            replay = _Replay(points[pool], given[pool], repeat)
            runs.append([replay.round(name, budget, points[test], given[test]) for budget in budgets])
        progress("replaying labels", repeat + 1, repeats)
    arrays = {name: np.asarray(runs) for name, runs in results.items()}
    return Curve(
        budgets,
        {name: tuple(runs.mean(axis=0).tolist()) for name, runs in arrays.items()},
        {name: tuple(runs.std(axis=0).tolist()) for name, runs in arrays.items()},
        repeats,
        len(points) - n_test,
        n_test,
    )


class _Replay:
    """One strategy on one pool, round after round."""

    def __init__(self, points: Floats, truth: Ints, seed: int) -> None:
        self._points, self._truth, self._seed = points, truth, seed
        self._labels = np.full(len(truth), -1, np.int64)
        self._probs: Floats | None = None

    def round(self, by: str, budget: int, test: Floats, truth: Ints) -> float:
        """Ask for labels up to a budget. Returns: the accuracy of the model on the test rows."""
        n = budget - int((self._labels >= 0).sum())
        if by == "random":
            unlabelled = np.flatnonzero(self._labels < 0)
            picked = np.random.default_rng([self._seed, budget]).permutation(unlabelled)[:n]
        else:
            strategy = "clusters" if by == "uncertain" and self._probs is None else by
            picked = select(
                self._points, n, strategy, labels=self._labels, probs=self._probs, seed=self._seed
            ).picked
        self._labels[picked] = self._truth[picked]
        known = np.flatnonzero(self._labels >= 0)
        n_classes = int(self._truth.max()) + 1
        model = _linear(self._points[known], self._labels[known], n_classes)
        self._probs = model(self._points)
        return float((model(test).argmax(axis=1) == truth).mean())


def _linear(points: Floats, labels: Ints, n_classes: int) -> Any:
    """A function from points (n, d) to probabilities (n, K): softmax regression with a penalty."""
    from sklearn.linear_model import LogisticRegression  # heavy

    present = np.unique(labels)
    if len(present) < 2:
        only = np.eye(n_classes, dtype=np.float32)[int(present[0])]
        return lambda rows: np.tile(only, (len(rows), 1))
    with threadpool_limits(limits=1):
        model = LogisticRegression(max_iter=200).fit(points * _SCALE, labels)

    def probabilities(rows: Floats) -> Floats:
        result = np.zeros((len(rows), n_classes), np.float32)
        result[:, present] = model.predict_proba(rows * _SCALE)
        return result

    return probabilities
