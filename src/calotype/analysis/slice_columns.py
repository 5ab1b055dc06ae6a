"""What labels are sliced by: values of any kind as codes with words, and how many of them are combined."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

_MOST_VALUES = 32
_MOST_WORK = 2e8
"""Labels times sets of columns that are counted; beyond, fewer conditions are combined."""
_FIFTHS = ("lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth")
OTHER = "(other)"
_WORSE = 1.25
"""Times as many errors as other slices explain, from which on one is told beside them."""
_NONE = "(none)"
_SAME = 0.9


@dataclass(frozen=True, slots=True)
class SliceColumn:
    """A value of each label as a place in `values`, which are words that stay the same when data are added."""

    codes: npt.NDArray[np.int64]
    values: tuple[str, ...]
    ranges: Mapping[str, tuple[float, float]]


def same_labels(inside: npt.NDArray[np.bool_], others: Sequence[npt.NDArray[np.bool_]]) -> int:
    """The first of other sets of labels, each (N,), that holds nearly the same ones; -1 without one."""
    shares = ((inside & other).sum() >= _SAME * (inside | other).sum() for other in others)
    return next((number for number, same in enumerate(shares) if same), -1)


def explained(
    inside: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_], stratum: npt.NDArray[np.int64]
) -> bool:
    """Whether the slices that were told lead one to expect about as many errors in this one.

    Args:
        inside: (N,) which labels are in the slice.
        wrong: (N,).
        stratum: (N,) a number for the told slices that a label is in.
    """
    rate = np.bincount(stratum, weights=wrong) / np.bincount(stratum)
    return bool(wrong[inside].sum() < _WORSE * rate[stratum[inside]].sum())


def column_of(values: Sequence[Any]) -> SliceColumn:
    """Many different numbers by fifths, anything else by its words."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    others = any(v is not None and (isinstance(v, bool) or not isinstance(v, int | float)) for v in values)
    if others or len(set(numbers)) <= _MOST_VALUES:
        return texts_column([None if v is None else _word(v) for v in values])
    array = np.asarray([np.nan if v is None else v for v in values], np.float64)
    given = np.isfinite(array)
    edges = np.quantile(array[given], [0.2, 0.4, 0.6, 0.8])
    codes = np.where(given, np.searchsorted(edges, array, side="right"), len(_FIFTHS)).astype(np.int64)
    parts = {name: array[given & (codes == k)] for k, name in enumerate(_FIFTHS)}
    ranges = {name: (float(part.min()), float(part.max())) for name, part in parts.items() if len(part)}
    return SliceColumn(codes, (*_FIFTHS, _NONE), ranges)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:100]


def texts_column(texts: Sequence[str | None], most: int = _MOST_VALUES) -> SliceColumn:
    """Each text a value; of very many the most frequent."""
    counts = Counter(texts)
    kept = [text for text, _ in counts.most_common(most - 1 if len(counts) > most else None)]
    place = {text: k for k, text in enumerate(kept)}
    codes = np.asarray([place.get(text, len(kept)) for text in texts], np.int64)
    return SliceColumn(codes, (*(_NONE if text is None else text for text in kept), OTHER), {})


def most_conditions(n_columns: int, n_rows: int) -> int:
    """How many conditions are combined, so that the work stays within bounds."""
    fits = [
        k for k in (1, 2, 3) if sum(comb(n_columns, size) for size in range(1, k + 1)) * n_rows <= _MOST_WORK
    ]
    return max(fits, default=1)
