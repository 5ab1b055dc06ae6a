"""Combinations of operating conditions: which occur, and which are missing; and how even classes are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.analysis.validation import refuse

_MOST_HOLES = 1_000


@dataclass(frozen=True, slots=True)
class Combined:
    """Coverage of combinations of `ways` conditions at a time. `holes` lists at most 1,000 of `n_holes`."""

    ways: int
    n_combinations: int
    n_holes: int
    holes: tuple[tuple[Mapping[str, Any], int], ...]

    @property
    def fraction(self) -> float:
        """Share of combinations with enough samples; 1 where there is none to cover."""
        return 1 - self.n_holes / self.n_combinations if self.n_combinations else 1.0


def combined(
    columns: Mapping[str, Sequence[Any]], values: Mapping[str, Sequence[Any]], ways: int, min_samples: int = 1
) -> Combined:
    """Count the combinations of allowed values of `ways` fields that occur on enough samples.

    Args:
        columns: Field -> (N,) values; values that are not allowed count for no combination.
        values: Field -> allowed values.
    Source: D. R. Kuhn et al., "Combinatorial coverage measurement", NIST IR 7878, 2012.
    """
    if not 1 <= ways <= 3:
        raise refuse("ways", f"it is {ways}", "use 1, 2 or 3")
    codes = {name: _coded(columns[name], values[name]) for name in values}
    total, n_holes = 0, 0
    holes: list[tuple[Mapping[str, Any], int]] = []
    for chosen in combinations(values, min(ways, len(values))) if values else ():
        shape = [len(values[name]) for name in chosen]
        inside = np.logical_and.reduce([codes[name] >= 0 for name in chosen])
        place = np.ravel_multi_index([codes[name][inside] for name in chosen], shape)
        counts = np.bincount(place, minlength=prod(shape))
        total += len(counts)
        few = np.flatnonzero(counts < min_samples)
        n_holes += len(few)
        if len(few) and len(holes) < _MOST_HOLES:
            every = list(product(*(values[name] for name in chosen)))
            holes += [
                (dict(zip(chosen, every[hole], strict=True)), int(counts[hole])) for hole in few.tolist()
            ]
    return Combined(ways, total, n_holes, tuple(holes[:_MOST_HOLES]))


def _coded(column: Sequence[Any], allowed: Sequence[Any]) -> npt.NDArray[np.int64]:
    known = {value: code for code, value in enumerate(allowed)}
    return np.asarray([known.get(value, -1) for value in column], np.int64)


@dataclass(frozen=True, slots=True)
class Balance:
    """How even classes are. `effective_classes` is exp of the entropy: all of them when even, 1 when one holds all."""

    n: Mapping[str, int]
    effective_number: Mapping[str, float]
    ratio: float
    effective_classes: float


def balance(counts: Mapping[str, int], beta: float = 0.999) -> Balance:
    """Effective numbers of samples by class: samples of one class overlap, so each is worth less than the last.

    Source: Y. Cui et al., "Class-balanced loss based on effective number of samples", 2019: (1 - beta^n) / (1 - beta).
    """
    used = np.asarray([n for n in counts.values() if n > 0], np.float64)
    worth = {name: float((1 - beta**n) / (1 - beta)) for name, n in counts.items()}
    if not len(used):
        return Balance(dict(counts), worth, 1.0, 0.0)
    share = used / used.sum()
    return Balance(
        dict(counts), worth, float(used.max() / used.min()), float(np.exp(-(share * np.log(share)).sum()))
    )


def counts_by_class(
    class_ids: npt.NDArray[np.int64], sample_of: npt.NDArray[np.int64], n_samples: int
) -> dict[int, tuple[int, int]]:
    """Class id -> (annotations, samples that carry it).

    Args:
        class_ids: (N,) of annotations.
        sample_of: (N,) rows of their samples; -1 for none.
    """
    numbers, place, n_annotations = np.unique(class_ids, return_inverse=True, return_counts=True)
    carries = np.zeros((len(numbers), n_samples + 1), bool)
    carries[place, sample_of] = True  # the last column is -1: no sample
    n_carrying = carries.sum(axis=1)
    rows = zip(n_annotations.tolist(), n_carrying.tolist(), strict=True)
    return dict(zip(numbers.tolist(), rows, strict=True))
