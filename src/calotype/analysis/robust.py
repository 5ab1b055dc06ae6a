"""What is usual for a class, robust against a few odd values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

_LEAST_SPREAD = 0.05


def middle_and_spread(
    values: npt.NDArray[np.float64], classes: npt.NDArray[np.int64], *, min_boxes: int
) -> dict[str, list[float]]:
    """Class id -> median and robust deviation of its values, for classes with at least `min_boxes`.

    Args:
        values: (N,) finite.
        classes: (N,) class ids.
    Source: the median absolute deviation times 1.4826, which is the deviation of a normal distribution.
    """
    usual = {}
    order = np.argsort(classes, kind="stable")
    numbers, starts = np.unique(classes[order], return_index=True)
    for number, part in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True) if len(order) else ():
        if len(part) >= min_boxes:
            middle = float(np.median(values[part]))
            spread = 1.4826 * float(np.median(np.abs(values[part] - middle)))
            usual[str(number)] = [middle, max(spread, _LEAST_SPREAD)]
    return usual


def deviations_of(
    values: npt.NDArray[np.float64], classes: npt.NDArray[np.int64], usual: Mapping[str, Sequence[float]]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(N,) how many deviations each value lies from what is usual for its class, and (N,) by how much.

    Args:
        values: (N,) finite.
        classes: (N,) class ids; both figures are 0 for a class without usual values.
        usual: As `middle_and_spread` returns it.
    """
    if not usual:
        return np.zeros(len(values)), np.zeros(len(values))
    limits = {int(number): pair for number, pair in usual.items()}
    numbers = np.sort(list(limits))
    place = np.searchsorted(numbers, classes).clip(0, len(numbers) - 1)
    middle, spread = np.asarray([limits[number] for number in numbers.tolist()])[place].T
    off = np.where(numbers[place] == classes, values - middle, 0)
    return off / spread, off
