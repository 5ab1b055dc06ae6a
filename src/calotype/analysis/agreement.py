"""Agreement of annotators: with one another, and with known answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.analysis.intervals import wilson
from calotype.analysis.validation import whole_numbers


@dataclass(frozen=True, slots=True)
class Agreement:
    """Right answers of an annotator, against known ones, with a 95 % interval."""

    n: int
    n_right: int
    share: float
    low: float
    high: float


def krippendorff_alpha(item: npt.ArrayLike, label: npt.ArrayLike) -> float:
    """Agreement beyond chance of any number of answers an item: 1 is perfect, 0 is chance, below is worse.

    Args:
        item: (M,) which sample each answer is about.
        label: (M,) the class that was answered; classes have no order.
    Returns: NaN where no item has two answers, 1.0 where all answers are the same.
    Raises: InputsInvalid.
    Source: K. Krippendorff, "Computing Krippendorff's alpha-reliability", 2011, the nominal difference.
    """
    items = whole_numbers(item, "item")
    labels = whole_numbers(label, "label", n=len(items))
    _, rows = np.unique(items, return_inverse=True)
    _, columns = np.unique(labels, return_inverse=True)
    if not len(rows):
        return float("nan")
    counts = np.zeros((int(rows.max()) + 1, int(columns.max()) + 1))
    np.add.at(counts, (rows, columns), 1)
    n_answers = counts.sum(axis=1)
    counts, n_answers = counts[n_answers >= 2], n_answers[n_answers >= 2]
    total = float(n_answers.sum())
    if total == 0:
        return float("nan")
    differ = (n_answers * n_answers - (counts**2).sum(axis=1)) / (n_answers - 1)
    of_class = counts.sum(axis=0)
    by_chance = (total * total - float((of_class**2).sum())) / (total - 1)
    return 1.0 if by_chance == 0 else 1 - float(differ.sum()) / by_chance


def with_gold(
    item: npt.ArrayLike, annotator: npt.ArrayLike, label: npt.ArrayLike, gold: dict[int, int]
) -> dict[int, Agreement]:
    """Annotator -> how often the annotator gave the known answer, for annotators of items that have one.

    Raises: InputsInvalid.
    """
    items = whole_numbers(item, "item")
    people = whole_numbers(annotator, "annotator", n=len(items))
    labels = whole_numbers(label, "label", n=len(items))
    known = np.asarray([gold.get(int(number), -1) for number in items], np.int64)
    agreement_of = {}
    for person in np.unique(people[known >= 0]).tolist():
        mine = (people == person) & (known >= 0)
        n, right = int(mine.sum()), int((labels[mine] == known[mine]).sum())
        agreement_of[int(person)] = Agreement(n, right, right / n, *wilson(right, n))
    return agreement_of
