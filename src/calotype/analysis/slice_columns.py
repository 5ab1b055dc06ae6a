"""Values of labels as columns of codes, by which `slices.find_slices` looks for errors that concentrate."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_CLASSES = 300
"""Maximum number of classes that become values of their own."""
OTHER = "(other)"
"""The value that stands for all rarer ones."""
_NONE = "(none)"
_MAX_VALUES = 32
_MAX_WORK = 2e8
"""Labels times sets of columns that are counted; beyond, fewer conditions are combined."""
_FIFTHS = ("lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth")
_SIZES = ("small", "medium", "large", "the whole image")
_SIZE_EDGES_PX2 = (32.0**2, 96.0**2)
"""COCO's: areas below 32 x 32 are small, from 96 x 96 px on large."""
SAME_SHARE = 0.9
"""Share of common labels from which two slices count as the same."""
_WORSE = 1.25
"""Times as many errors as the slices already reported explain, above which a slice is reported beside them."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SliceColumn:
    """A value of each of N labels.

    Attributes:
        codes: (N,) positions in `values`.
        values: Words that stay the same when data are added.
        ranges: Value -> smallest and largest number, for values that are ranges.
    """

    codes: npt.NDArray[np.int64]
    values: tuple[str, ...]
    ranges: Mapping[str, tuple[float, float]]

    def take(self, positions: npt.NDArray[np.int64]) -> SliceColumn:
        """The column with the values at some positions."""
        return SliceColumn(self.codes[positions], self.values, self.ranges)


def column_of_values(values: Sequence[Any]) -> SliceColumn:
    """Many different numbers by fifths, anything else by its words."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    others = any(v is not None and (isinstance(v, bool) or not isinstance(v, int | float)) for v in values)
    if others or len(set(numbers)) <= _MAX_VALUES:
        return column_of_texts([None if v is None else _word(v) for v in values])
    array = np.asarray([np.nan if v is None else v for v in values], np.float64)
    given = np.isfinite(array)
    edges = np.quantile(array[given], [0.2, 0.4, 0.6, 0.8])
    codes = np.where(given, np.searchsorted(edges, array, side="right"), len(_FIFTHS)).astype(np.int64)
    parts = {name: array[given & (codes == k)] for k, name in enumerate(_FIFTHS)}
    ranges = {name: (float(part.min()), float(part.max())) for name, part in parts.items() if len(part)}
    return SliceColumn(codes, (*_FIFTHS, _NONE), ranges)


def column_of_texts(texts: Sequence[str | None], max_values: int = _MAX_VALUES) -> SliceColumn:
    """Each text a value; with more than `max_values` the most frequent, and `OTHER`."""
    counts = Counter(texts)
    kept = [text for text, _ in counts.most_common(max_values - 1 if len(counts) > max_values else None)]
    place = {text: k for k, text in enumerate(kept)}
    codes = np.asarray([place.get(text, len(kept)) for text in texts], np.int64)
    return SliceColumn(codes, (*(_NONE if text is None else text for text in kept), OTHER), {})


def column_of_sizes(areas_px2: npt.NDArray[np.float64]) -> SliceColumn:
    """Areas as small, medium and large; NaN is the whole image."""
    sizes = np.searchsorted(_SIZE_EDGES_PX2, areas_px2, side="right")
    codes = np.where(np.isfinite(areas_px2), sizes, len(_SIZES) - 1).astype(np.int64)
    return SliceColumn(codes, _SIZES, {})


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:100]


def max_conditions(n_columns: int, n_labels: int) -> int:
    """Number of conditions that are combined, at most 3, so that the work stays within bounds."""
    sets = {k: sum(comb(n_columns, size) for size in range(1, k + 1)) for k in (1, 2, 3)}
    return max((k for k, n_sets in sets.items() if n_sets * n_labels <= _MAX_WORK), default=1)


def cover_the_same(inside: Bools, other: Bools) -> bool:
    """Whether two slices hold nearly the same labels. Both are (N,)."""
    return bool((inside & other).sum() >= SAME_SHARE * (inside | other).sum())


def is_explained(inside: Bools, wrong: Bools, stratum: npt.NDArray[np.int64]) -> bool:
    """Whether the slices already reported lead to expect about as many errors in this one.

    Args:
        inside: (N,) which labels are in the slice.
        wrong: (N,) which labels are errors.
        stratum: (N,) a number for the reported slices that a label is in.
    """
    rate = np.bincount(stratum, weights=wrong) / np.bincount(stratum)
    return bool(wrong[inside].sum() < _WORSE * rate[stratum[inside]].sum())
