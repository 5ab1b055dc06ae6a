"""Pick the samples that are worth labelling, looking at or keeping first."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from calotype.analysis.validation import probabilities, refuse
from calotype.selection import methods
from calotype.selection.inputs import Labels, group_numbers, labels_of, rows_excluded, wanted_picks
from calotype.selection.methods import STRATEGIES, Task
from calotype.selection.picks import Picks
from calotype.selection.space import Floats, Ints, Space

AUTO = "auto"
FORMER_NAMES = {"diversity": "diverse"}
NAMES = (AUTO, *sorted(STRATEGIES), *FORMER_NAMES)
"""All that `by` may be."""
_LABELS_A_CLASS = 5
"""Labels per class from which on predictions are good enough to say where a model is uncertain."""
_FEW_LABELS = 100
"""Labels and picks up to which `auto` takes `clusters`, not `typical`. Mean over the five pools of
`benchmarks/quality/selection.py`: .009 better at 50 labels, .004 worse at 200. Nothing in between was measured."""


@dataclass(frozen=True, slots=True)
class Selected:
    """Picks in order.

    Attributes:
        picked: (n,) rows, each once. Fewer than asked for where nothing is left but copies of picks.
        scores: (n,) float32; the figure that the reason explains.
        reasons: Why each was picked.
        by: The strategy; never `auto`.
        copies: Number of rows that were passed over as copies of a labelled row or of a pick.
    """

    picked: Ints
    scores: Floats
    reasons: list[str]
    by: str
    copies: int


def select(
    vectors: npt.ArrayLike,
    n: int,
    by: str = AUTO,
    labels: npt.ArrayLike | None = None,
    probs: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    exclude: npt.ArrayLike | None = None,
    seed: int = 0,
) -> Selected:
    """Pick `n` rows by a strategy. Labelled rows are never picked, and count as covered.

    The same rows in another order give the same picks. Copies (rows that are much nearer to each other than neighbours
    are) of a labelled row or of a pick are never picked.

    Args:
        vectors: (N, D) finite numbers, one row a sample; only their directions from the mean count.
        n: Number of picks; with fewer rows, all that may be picked.
        by: `clusters`, `coverage`, `typical`, `diverse`, `uncertain`, `disagreement`, `rare`, `balanced`, `random`,
            or `auto`: `uncertain` where `probs` and five labels a class are given, else `clusters` for at most
            100 labels and picks, and `typical` for more.
        labels: (N,) class numbers from 0 with -1 for unlabelled, or class names with "", None or -1 for unlabelled; for
            `disagreement` also (N, A) of A annotators.
        probs: (N, K) probabilities of a model; for `disagreement` also (M, N, K) of M models. Column k is class
            number k, or the k-th name in alphabetical order if labels are names, which must then name all K.
        groups: (N,) any values; each group keeps its share of the rows that may be picked.
        exclude: (N,) bool, or row numbers, that are never picked.
        seed: Decides ties and draws.
    Raises: InputsInvalid.
    Source: see `analysis.selection.methods`, at each strategy.
    Example:
        >>> select(np.eye(4, dtype=np.float32), 2, by="random").picked.shape
        (2,)
    """
    by = _strategy(by)
    with threadpool_limits(limits=1, user_api="blas"):
        space = Space.of(vectors, seed=seed)
        order = space.order
        given = labels_of(labels, len(order))
        usable = ~rows_excluded(exclude, len(order))
        if given.numbers.shape[1] == 1:
            usable &= given.numbers[:, 0] < 0
        numbers = None if groups is None else group_numbers(groups, len(order))[order]
        task = _task(space, given, probs, numbers, seed)
        wanted = wanted_picks(n)
        chosen = _auto(task, wanted) if by == AUTO else by
        own_shares = numbers if chosen not in ("rare", "balanced") or task.predicted() is not None else None
        picks = Picks(space, wanted, usable[order], task.known, own_shares)
        if picks.open:
            STRATEGIES[chosen](task, picks)
    rows = order[np.asarray(picks.rows, np.int64)]
    return Selected(rows, np.asarray(picks.scores, np.float32), picks.reasons, chosen, picks.copies)


def _strategy(by: str) -> str:
    by = FORMER_NAMES.get(by, by)
    if by != AUTO and by not in STRATEGIES:
        known = ", ".join([AUTO, *sorted(STRATEGIES)])
        raise refuse("by", f"{by!r:.60} is not a strategy", f"use one of: {known}")
    return by


def _task(space: Space, labels: Labels, probs: npt.ArrayLike | None, groups: Ints | None, seed: int) -> Task:
    given = labels.numbers[space.order]
    n = len(given)
    opinions = None if probs is None else np.asarray(probs)
    several = opinions is not None and opinions.ndim == 3
    models = [] if opinions is None else list(opinions) if several else [opinions]
    checked = [probabilities(model, "probs", n=n)[space.order] for model in models]
    one = None if not checked else np.asarray(np.mean(checked, axis=0), np.float32)
    if given.shape[1] > 1:
        return Task(space, np.full(n, -1), one, _annotators(given), groups, seed)
    task = Task(space, given[:, 0], one, None, groups, seed, labels.names)
    if one is not None and len(task.known):
        _check_columns(one.shape[1], labels)
    if one is not None and len(checked) == 1 and (voted := methods.votes(task)) is not None:
        checked.append(voted)
    doubt = methods.disagreements(np.stack(checked)) if len(checked) > 1 else None
    return replace(task, doubt=doubt)


def _check_columns(n_columns: int, labels: Labels) -> None:
    largest = int(labels.numbers.max())
    if labels.names and len(labels.names) != n_columns:
        detail = f"it has {n_columns} columns, but labels name {len(labels.names)} classes"
        raise refuse(
            "probs", detail, "give class numbers as labels, so that a number says which column it is"
        )
    if largest >= n_columns:
        detail = f"it has {n_columns} columns, but labels hold class {largest}"
        raise refuse("probs", detail, "give one column a class")


def _annotators(given: Ints) -> Floats:
    """(N,) share of pairs of annotators with different answers; 0 where fewer than two answered."""
    n_answers = (given >= 0).sum(axis=1)
    counts = np.stack([(given == c).sum(axis=1) for c in range(int(given.max(initial=0)) + 1)], axis=1)
    pairs = n_answers * (n_answers - 1) / 2
    agreeing = (counts * (counts - 1) / 2).sum(axis=1)
    return np.asarray(np.where(pairs > 0, 1 - agreeing / np.maximum(pairs, 1), 0), np.float32)


def _auto(task: Task, n: int) -> str:
    if task.probs is not None and len(task.known) >= _LABELS_A_CLASS * task.probs.shape[1]:
        return "uncertain"
    return "clusters" if len(task.known) + n <= _FEW_LABELS else "typical"
