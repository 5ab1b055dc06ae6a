"""Where errors concentrate: conditions under which a model, or a label set, is wrong more often than elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.analysis.intervals import q_values, wilsons
from calotype.analysis.validation import refuse

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
_MOST_VALUES = 32
_N_BINS = 5
_MOST_CELLS = 200_000
_MOST_SETS = 25_000
_SMALLEST = 20
_PSEUDO = 10.0
_MAX_REPORTED = 50


@dataclass(frozen=True, slots=True)
class ErrorSlice:
    """A slice of rows, and how often they are wrong.

    Attributes:
        conditions: Column -> value; of a column of many numbers an interval as text, such as "[10, 20)".
        n: Rows in it.
        n_errors: Wrong ones among them.
        error_rate: Their share.
        interval: Its 95 % interval.
        lift: The share over that of all rows.
        p_value: Of this many errors by chance, one-sided, against rows that share all but one of the conditions.
        q_value: The same, corrected for the number of slices tested.
    """

    conditions: Mapping[str, Any]
    n: int
    n_errors: int
    error_rate: float
    interval: tuple[float, float]
    lift: float
    p_value: float
    q_value: float

    def __str__(self) -> str:
        where = " and ".join(f"{name} = {value}" for name, value in self.conditions.items())
        return f"{where}: {self.n_errors} of {self.n} wrong ({self.error_rate:.1%}, {self.lift:.1f} times the usual)"


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    codes: Codes
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """Slices of one set of columns: cell number, rows, errors, and how far above chance."""

    columns: tuple[int, ...]
    cells: Codes
    n: Floats
    errors: Floats
    z: Floats


def find_slices(
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]],
    is_error: npt.ArrayLike,
    max_conditions: int = 3,
    *,
    most_values: int = _MOST_VALUES,
) -> tuple[ErrorSlice, ...]:
    """The slices in which errors concentrate, worst first; at most 50.

    Every combination of values of up to `max_conditions` columns with at least 20 rows is tested. A slice is reported
    only if it is worse than each slice that has one condition less, so that every condition contributes.

    Args:
        columns: Name -> (N,) values: text, numbers, truth values; missing ones (None, NaN) are a value. Numbers with
            more than `most_values` different values are cut into 5 intervals of equal size; of texts the most frequent
            stay, one fewer than that.
        is_error: (N,) bool.
        max_conditions: 1 to 3.
        most_values: Of one column; sets of columns with more than 200,000 combinations are not tested.
    Returns: `ErrorSlice`s. Those with `q_value` below 0.05 are not chance, with an expected 5 % of false ones.
    Raises: InputsInvalid.
    Source: exhaustive search as in Y. Chung et al., "Slice Finder", 2019, by counting; false discoveries by
        Benjamini and Hochberg.
    """
    wrong = np.asarray(is_error)
    if wrong.ndim != 1 or wrong.dtype.kind not in "biu":
        raise refuse("is_error", f"its shape is {wrong.shape}, its type {wrong.dtype}", "give (N,) bool")
    if not 1 <= max_conditions <= 3:
        raise refuse("max_conditions", f"it is {max_conditions}", "use 1, 2 or 3")
    wrong = wrong.astype(bool)
    coded = [
        column
        for column in (_coded(n, v, len(wrong), most_values) for n, v in columns.items())
        if len(column.values) > 1
    ]
    total = int(wrong.sum())
    if not len(wrong) or not total or not coded:
        return ()
    levels = _searched(coded, wrong, max_conditions)
    return _ranked(levels, coded, total / len(wrong))


def _coded(name: str, values: Sequence[Any] | npt.NDArray[Any], n: int, most: int) -> _Column:
    array = values if isinstance(values, np.ndarray) else _as_array(values)
    if array.shape != (n,):
        raise refuse(
            f"the column {name!r}", f"its shape is {array.shape}, not ({n},)", "give one value per row"
        )
    if array.dtype.kind in "fiu":
        return _numbers(name, array, most)
    texts = (
        array
        if array.dtype.kind in "bU"
        else np.asarray(["" if v is None else str(v) for v in array.tolist()])
    )
    held, codes, counts = np.unique(texts, return_inverse=True, return_counts=True)
    if len(held) > most:
        kept = np.argsort(-counts, kind="stable")[: most - 1]
        place = np.full(len(held), most - 1)
        place[kept] = np.arange(len(kept))
        return _Column(name, place[codes], (*(held[k].item() for k in kept), "(other)"))
    return _Column(name, codes.astype(np.int64), tuple(v.item() if v.item() != "" else None for v in held))


def _as_array(values: Sequence[Any]) -> npt.NDArray[Any]:
    kinds = {type(v) for v in values}
    if kinds <= {int, float} or (kinds <= {int, float, type(None)} and kinds - {type(None)}):
        return np.asarray([np.nan if v is None else v for v in values], np.float64)
    return np.asarray(values, dtype=object) if kinds != {bool} else np.asarray(values, bool)


def _numbers(name: str, array: npt.NDArray[Any], most: int) -> _Column:
    missing = np.isnan(array) if array.dtype.kind == "f" else np.zeros(len(array), bool)
    held = np.unique(array[~missing])
    if len(held) <= most:
        codes, named = np.searchsorted(held, array), tuple(v.item() for v in held)
    else:
        edges = np.unique(np.quantile(array[~missing], np.linspace(0, 1, _N_BINS + 1)))
        codes = np.clip(np.searchsorted(edges, array, side="right") - 1, 0, max(0, len(edges) - 2))
        ends = [")"] * (len(edges) - 2) + ["]"]
        named = tuple(f"[{a:g}, {b:g}{end}" for a, b, end in zip(edges[:-1], edges[1:], ends, strict=True))
    if missing.any():
        codes = np.where(missing, len(named), codes)
        named = (*named, None)
    return _Column(name, np.asarray(codes, np.int64), named)


def _searched(coded: Sequence[_Column], wrong: npt.NDArray[np.bool_], most: int) -> list[_Found]:
    """Counts of all sets of columns, as far as they can be counted in reasonable time, small sets first."""
    counted, known = [], {}
    for size in range(1, most + 1):
        if comb(len(coded), size) > _MOST_SETS:
            break
        for chosen in combinations(range(len(coded)), size):
            shape = [len(coded[c].values) for c in chosen]
            if float(np.prod(shape)) > _MOST_CELLS:
                continue
            place = coded[chosen[0]].codes
            for c in chosen[1:]:
                place = place * len(coded[c].values) + coded[c].codes
            n_cells = int(np.prod(shape))
            n = np.bincount(place, minlength=n_cells).reshape(shape)
            errors = np.bincount(place[wrong], minlength=n_cells).reshape(shape)
            known[chosen] = n, errors
            counted.append(_above(chosen, n, errors, known))
    return counted


def _above(
    chosen: tuple[int, ...], n: Codes, errors: Codes, known: Mapping[tuple[int, ...], tuple[Codes, Codes]]
) -> _Found:
    """How far each cell lies above the rest of every slice with one condition less."""
    lowest = np.full(n.shape, np.inf)
    for axis in range(n.ndim):
        parent = tuple(c for place, c in enumerate(chosen) if place != axis)
        of = known.get(parent) or (n.sum(axis=axis), errors.sum(axis=axis))
        whole_n, whole_errors = (np.expand_dims(counts, axis) for counts in of)
        rest = (whole_errors - errors + 0.5) / (whole_n - n + 1)
        rest = (rest * (whole_n - n) + _PSEUDO * whole_errors / np.maximum(whole_n, 1)) / (
            whole_n - n + _PSEUDO
        )
        rest = np.clip(rest, 1e-4, 1 - 1e-4)
        spread = np.sqrt(
            rest * (1 - rest) * (1 / np.maximum(n, 1) + 1 / np.maximum(whole_n - n + _PSEUDO, 1))
        )
        lowest = np.minimum(lowest, (errors / np.maximum(n, 1) - rest) / spread)
    cells = np.flatnonzero(n >= _SMALLEST)
    return _Found(
        chosen,
        cells,
        n.ravel()[cells].astype(float),
        errors.ravel()[cells].astype(float),
        lowest.ravel()[cells],
    )


def _ranked(levels: Sequence[_Found], coded: Sequence[_Column], usual: float) -> tuple[ErrorSlice, ...]:
    z = np.concatenate([level.z for level in levels])
    from scipy.special import erfc  # heavy to load

    p = 0.5 * erfc(z / np.sqrt(2))
    q = q_values(p) if len(p) else p
    which = np.repeat(np.arange(len(levels)), [len(level.cells) for level in levels])
    within = np.arange(len(z)) - np.searchsorted(which, which)
    reported: list[ErrorSlice] = []
    for position in np.argsort(-z, kind="stable")[: _MAX_REPORTED * 4]:
        if z[position] <= 0 or len(reported) == _MAX_REPORTED:
            break
        level, cell = levels[which[position]], within[position]
        shape = [len(coded[c].values) for c in level.columns]
        codes = np.unravel_index(int(level.cells[cell]), shape)
        conditions = {
            coded[c].name: coded[c].values[int(k)] for c, k in zip(level.columns, codes, strict=True)
        }
        n, errors = int(level.n[cell]), int(level.errors[cell])
        if errors / n <= usual or _is_reported(conditions, n, errors, reported):
            continue
        low, high = wilsons([errors], [n])
        reported.append(
            ErrorSlice(
                conditions,
                n,
                errors,
                errors / n,
                (float(low[0]), float(high[0])),
                errors / n / usual,
                float(p[position]),
                float(q[position]),
            )
        )
    return tuple(reported)


def _is_reported(conditions: Mapping[str, Any], n: int, errors: int, reported: Sequence[ErrorSlice]) -> bool:
    """Whether the slice is part of a reported one and hardly worse, or contains one that explains most of it."""
    items = set(conditions.items())
    for known in reported:
        other = set(known.conditions.items())
        if other < items and errors / n < 1.25 * known.error_rate:
            return True
        if items < other and errors - known.n_errors < 1.25 * max(1.0, n - known.n) * (errors / n) * 0.5:
            return True
    return False
