"""What `select` accepts as number of picks, labels, groups and rows to leave out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.analysis.validation import refuse, whole_numbers
from calotype.selection.picks import Mask
from calotype.selection.space import Ints

_UNNAMED = ("", "-1", "None", "nan")
"""Text that stands for an unlabelled row among names of classes; NumPy turns -1 beside names into such text."""
_MOST_CLASSES = 1_000_000


@dataclass(frozen=True, slots=True)
class Labels:
    """Answers of A annotators; A is 1 where there is one label a row.

    Attributes:
        numbers: (N, A) class numbers, -1 for unlabelled.
        names: Class names in the order of their numbers; empty where numbers were given.
    """

    numbers: Ints
    names: tuple[str, ...]


def labels_of(labels: npt.ArrayLike | None, n: int) -> Labels:
    """Class numbers as they are; class names numbered in alphabetical order. Raises: InputsInvalid."""
    if labels is None:
        return Labels(np.full((n, 1), -1, np.int64), ())
    array = np.asarray(labels)
    if array.ndim not in (1, 2) or len(array) != n:
        raise refuse("labels", f"its shape is {array.shape}, not ({n},) or ({n}, A)", "give one label a row")
    columns = array.reshape(n, -1 if n else 1)
    if array.dtype.kind in "USO" and not _are_numbers(columns):
        return _numbered(columns)
    parts = [
        whole_numbers(column.astype(np.int64) if array.dtype == object else column, "labels")
        for column in columns.T
    ]
    numbers = np.stack(parts, axis=1) if parts else np.full((n, 1), -1, np.int64)
    if numbers.min(initial=0) < -1:
        raise refuse(
            "labels", f"it holds {int(numbers.min())}", "number classes from 0, and use -1 for unlabelled"
        )
    if numbers.max(initial=0) > _MOST_CLASSES:
        raise refuse("labels", f"it holds {int(numbers.max())}", "number classes from 0 without gaps")
    return Labels(np.asarray(numbers, np.int64), ())


def _are_numbers(values: npt.NDArray[np.generic]) -> bool:
    """Whether an array of Python objects holds whole numbers only."""
    return values.dtype == object and all(isinstance(value, int | np.integer) for value in values.ravel())


def _numbered(values: npt.NDArray[np.generic]) -> Labels:
    texts = values.astype(str)
    unnamed = np.isin(texts, _UNNAMED)
    names, numbers = np.unique(texts[~unnamed], return_inverse=True)
    result = np.full(texts.shape, -1, np.int64)
    result[~unnamed] = numbers
    return Labels(result, tuple(names.tolist()))


def wanted_picks(n: int) -> int:
    """Raises: InputsInvalid."""
    if isinstance(n, bool) or int(n) != n or n < 0:
        raise refuse("n", f"it is {n!r:.60}", "give a whole number of picks, 0 or more")
    return int(n)


def rows_excluded(exclude: npt.ArrayLike | None, n: int) -> Mask:
    """(N,) rows that must not be picked. Raises: InputsInvalid."""
    mask = np.zeros(n, bool)
    if exclude is None:
        return mask
    array = np.asarray(exclude)
    if array.dtype == bool:
        if array.shape != (n,):
            raise refuse(
                "exclude", f"its shape is {array.shape}, not ({n},)", "give one value a row, or row numbers"
            )
        return array.copy()
    rows = whole_numbers(array, "exclude")
    if len(rows) and not 0 <= rows.min() <= rows.max() < n:
        raise refuse("exclude", f"it names a row outside 0 to {n - 1}", "give row numbers, or (N,) bool")
    mask[rows] = True
    return mask


def group_numbers(groups: npt.ArrayLike, n: int) -> Ints:
    """(N,) number of each row's group. Raises: InputsInvalid."""
    values = np.asarray(groups)
    if values.shape != (n,):
        raise refuse("groups", f"its shape is {values.shape}, not ({n},)", "give one value a row")
    if values.dtype == object:
        values = values.astype(str)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)
