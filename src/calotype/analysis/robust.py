"""What is usual for a class, not moved by a few odd values."""

from __future__ import annotations

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
