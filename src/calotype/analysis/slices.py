"""Where errors concentrate: conditions under which a model, or a label set, is wrong more often than elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.analysis.intervals import upper_tails, wilsons
from calotype.analysis.slice_columns import SAME_SHARE, cover_the_same
from calotype.analysis.validation import refuse

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_MOST_VALUES = 32
_N_BINS = 5
_MOST_CELLS = 200_000
_MOST_SETS = 25_000
_SMALLEST = 20
_MAX_REPORTED = 50
_MAX_EXAMINED = 400
_MUCH_WORSE = 1.25
"""Times the error rate of a reported slice, from which a part of it is reported beside it."""


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
        p_value: Exact probability of as many errors by chance, one-sided, among rows that share all but one of the
            conditions; the largest over the conditions.
        q_value: The same times the number of slices tested: the probability that chance alone reports any slice.
        same_as: Other conditions that select nearly the same rows and would have been reported in its place.
    """

    conditions: Mapping[str, Any]
    n: int
    n_errors: int
    error_rate: float
    interval: tuple[float, float]
    lift: float
    p_value: float
    q_value: float
    same_as: tuple[Mapping[str, Any], ...] = ()

    def __str__(self) -> str:
        where = " and ".join(f"{name} = {value}" for name, value in self.conditions.items())
        return f"{where}: {self.n_errors} of {self.n} wrong ({self.error_rate:.1%}, {self.lift:.1f} times the usual)"


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    codes: Codes
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Cells:
    """Combinations of values of one set of columns: cell number, rows, errors and probability by chance."""

    columns: tuple[int, ...]
    cells: Codes
    n: Codes
    errors: Codes
    p: Floats


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A slice that is not chance, as (column, code) pairs."""

    conditions: frozenset[tuple[int, int]]
    n: int
    errors: int
    p: float


@dataclass(frozen=True, slots=True)
class _Reported:
    """A candidate that is reported, its rows, and the candidates that select nearly the same."""

    candidate: _Candidate
    rows: Bools
    same: list[_Candidate] = field(default_factory=list)


def find_slices(
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]],
    is_error: npt.ArrayLike,
    max_conditions: int = 3,
    *,
    most_values: int = _MOST_VALUES,
    max_q: float = 0.05,
) -> tuple[ErrorSlice, ...]:
    """The slices in which errors concentrate beyond chance, surest first; at most 50.

    Every combination of values of up to `max_conditions` columns with at least 20 rows is tested. A slice is reported
    only if it is worse than each slice that has one condition less, so that every condition contributes; a slice
    whose errors lie in a part of it that is reported, or in other reported slices, is left out. Of slices that share
    nine tenths of their rows the surest is reported; it names the others.

    Args:
        columns: Name -> (N,) values: text, numbers, truth values; missing ones (None, NaN) are a value. Numbers with
            more than `most_values` different values are cut at their quintiles, whatever the errors; of texts the
            most frequent stay, one fewer than that.
        is_error: (N,) bool, or numbers that are 0 or 1.
        max_conditions: 1 to 3.
        most_values: Of one column; sets of columns with more than 200,000 combinations are not tested.
        max_q: Probability of reporting any slice where there is none; only slices below it are returned.
    Returns: `ErrorSlice`s, empty where chance explains everything. Rows must be independent: where several labels of
        one image fail together, the probabilities are too small.
    Raises: InputsInvalid.
    Source: exhaustive search as in Y. Chung et al., "Slice Finder", 2019, by counting; R. Fisher's exact test,
        one-sided (hypergeometric tail); Bonferroni's bound over everything tested.
    """
    wrong = np.asarray(is_error)
    if wrong.ndim != 1 or wrong.dtype.kind not in "biuf" or not np.isin(wrong, (0, 1)).all():
        detail = f"its shape is {wrong.shape}, its type {wrong.dtype}"
        raise refuse("is_error", detail, "give (N,) booleans, or zeros and ones")
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
    candidates = _candidates(levels, coded, total / len(wrong), max_q)
    if not candidates:
        return ()
    n_tests = sum(len(level.cells) for level in levels)
    kept = _Explained(coded, wrong, max_q / n_tests).kept(candidates)
    return tuple(_as_slice(r, coded, total / len(wrong), n_tests) for r in kept)


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


def _searched(coded: Sequence[_Column], wrong: Bools, most: int) -> list[_Cells]:
    """Counts of all sets of columns, as far as they can be counted in reasonable time, small sets first."""
    counted: list[_Cells] = []
    known: dict[tuple[int, ...], tuple[Codes, Codes]] = {}
    for size in range(1, most + 1):
        if comb(len(coded), size) > _MOST_SETS:
            break
        level = []
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
            if size < most:
                known[chosen] = n, errors
            level.append(_counts(chosen, n, errors, known))
        counted += _tested(level)
    return counted


def _counts(
    chosen: tuple[int, ...], n: Codes, errors: Codes, known: Mapping[tuple[int, ...], tuple[Codes, Codes]]
) -> tuple[tuple[int, ...], Codes, Codes]:
    """The columns, the cells with enough rows, and (2 + 2 * columns, cells) counts: of the cell, of each whole."""
    cells = np.flatnonzero(n.ravel() >= _SMALLEST)
    counts = [errors.ravel()[cells], n.ravel()[cells]]
    codes = np.unravel_index(cells, n.shape)
    for axis in range(n.ndim):
        parent = tuple(c for place, c in enumerate(chosen) if place != axis)
        whole_n, whole_errors = known.get(parent) or (n.sum(axis=axis), errors.sum(axis=axis))
        place = tuple(code for k, code in enumerate(codes) if k != axis)
        counts += [np.broadcast_to(whole[place], len(cells)) for whole in (whole_errors, whole_n)]
    return chosen, cells, np.stack(counts)


def _tested(level: Sequence[tuple[tuple[int, ...], Codes, Codes]]) -> list[_Cells]:
    """The exact probability of each cell, against the slice with one condition less that explains it best."""
    if not level:
        return []
    counts = np.concatenate([counts for _, _, counts in level], axis=1)
    wholes = range(2, len(counts), 2)
    p = np.max([upper_tails(counts[0], counts[1], counts[k], counts[k + 1]) for k in wholes], axis=0)
    ends = np.cumsum([len(cells) for _, cells, _ in level])
    parts = np.split(p, ends[:-1])
    return [
        _Cells(chosen, cells, own[1], own[0], part)
        for (chosen, cells, own), part in zip(level, parts, strict=True)
    ]


def _candidates(
    levels: Sequence[_Cells], coded: Sequence[_Column], usual: float, max_q: float
) -> list[_Candidate]:
    """Cells that are not chance, surest first."""
    limit = max_q / max(1, sum(len(level.cells) for level in levels))
    candidates = []
    for level in levels:
        shape = [len(coded[c].values) for c in level.columns]
        for k in np.flatnonzero((level.p < limit) & (level.errors > usual * level.n)).tolist():
            codes = np.unravel_index(int(level.cells[k]), shape)
            conditions = frozenset((c, int(code)) for c, code in zip(level.columns, codes, strict=True))
            candidates.append(
                _Candidate(conditions, int(level.n[k]), int(level.errors[k]), float(level.p[k]))
            )
    # Probabilities below the smallest number are ties: then the higher share of errors is surer.
    return sorted(candidates, key=lambda c: (c.p, -c.errors / c.n))[:_MAX_EXAMINED]


class _Explained:
    """Which candidates remain once the rows of others are left out."""

    def __init__(self, coded: Sequence[_Column], wrong: Bools, limit: float) -> None:
        self.coded, self.wrong, self.limit = coded, wrong, limit

    def kept(self, candidates: Sequence[_Candidate]) -> list[_Reported]:
        """Those that neither their parts nor the ones before them explain."""
        reported: list[_Reported] = []
        taken = np.zeros(len(self.wrong), bool)
        for candidate in candidates:
            if len(reported) == _MAX_REPORTED:
                break
            if self._is_another_name(candidate, reported):
                continue
            whole = [r.candidate for r in reported if r.candidate.conditions < candidate.conditions]
            if any(candidate.errors * r.n < _MUCH_WORSE * r.errors * candidate.n for r in whole):
                continue
            if not whole and taken.any() and not self._stands_without(candidate, taken):
                continue
            parts = [c for c in candidates if c.conditions > candidate.conditions]
            if parts and not self._stands_without(candidate, self._rows_of_any(parts)):
                continue
            reported.append(_Reported(candidate, self._rows(candidate)))
            taken |= reported[-1].rows
        return reported

    def _is_another_name(self, candidate: _Candidate, reported: Sequence[_Reported]) -> bool:
        """Whether a reported slice has nearly the same rows under other conditions; that one then lists these."""
        for other in reported:
            sizes = sorted((candidate.n, other.candidate.n))
            if sizes[0] < SAME_SHARE * sizes[1] or not cover_the_same(self._rows(candidate), other.rows):
                continue
            own, others = candidate.conditions, other.candidate.conditions
            if not (own < others or own > others):
                other.same.append(candidate)
            return True
        return False

    def _rows(self, candidate: _Candidate) -> Bools:
        inside = np.ones(len(self.wrong), bool)
        for column, code in candidate.conditions:
            inside &= self.coded[column].codes == code
        return inside

    def _rows_of_any(self, candidates: Sequence[_Candidate]) -> Bools:
        rows = np.zeros(len(self.wrong), bool)
        for candidate in candidates:
            rows |= self._rows(candidate)
        return rows

    def _stands_without(self, candidate: _Candidate, left_out: Bools) -> bool:
        """Whether the candidate is still beyond chance among the other rows, against each slice that contains it."""
        rest = ~left_out
        inside = self._rows(candidate) & rest
        for dropped in candidate.conditions:
            whole = rest.copy()
            for column, code in candidate.conditions - {dropped}:
                whole &= self.coded[column].codes == code
            counts = ((inside & self.wrong).sum(), inside.sum(), (whole & self.wrong).sum(), whole.sum())
            if float(upper_tails(*(np.asarray([count]) for count in counts))[0]) >= self.limit:
                return False
        return True


def _as_slice(reported: _Reported, coded: Sequence[_Column], usual: float, n_tests: int) -> ErrorSlice:
    candidate = reported.candidate
    low, high = wilsons([candidate.errors], [candidate.n])
    rate = candidate.errors / candidate.n
    return ErrorSlice(
        conditions=_named(candidate, coded),
        n=candidate.n,
        n_errors=candidate.errors,
        error_rate=rate,
        interval=(float(low[0]), float(high[0])),
        lift=rate / usual,
        p_value=candidate.p,
        q_value=min(1.0, candidate.p * n_tests),
        same_as=tuple(_named(same, coded) for same in reported.same),
    )


def _named(candidate: _Candidate, coded: Sequence[_Column]) -> dict[str, Any]:
    return {coded[c].name: coded[c].values[code] for c, code in sorted(candidate.conditions)}
