"""Rows that belong together: by equal keys, or by pairs that join them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")


def groups_of_equals(keys: npt.NDArray[Any]) -> list[list[int]]:
    """Rows with equal keys, in order, where there are at least two; empty keys belong to no group."""
    order = np.argsort(keys, kind="stable")
    ends = np.flatnonzero(np.append(keys[order][1:] != keys[order][:-1], True)) + 1
    starts = np.concatenate([[0], ends[:-1]])
    groups = [order[a:b].tolist() for a, b in zip(starts, ends, strict=True) if b - a > 1 and keys[order[a]]]
    return sorted(sorted(rows) for rows in groups)


def groups_of_pairs(pairs: npt.NDArray[np.int64]) -> list[list[int]]:
    """Connected rows, each group in order."""
    leader: dict[int, int] = {}

    def find(row: int) -> int:
        while leader.setdefault(row, row) != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    for a, b in pairs.tolist():
        low, high = sorted((find(a), find(b)))
        leader[high] = low
    groups: dict[int, list[int]] = {}
    for row in sorted(leader):
        groups.setdefault(find(row), []).append(row)
    return list(groups.values())


def rows_of_each(
    groups: npt.NDArray[Any], group_of: npt.NDArray[Any], rows: npt.NDArray[Any]
) -> list[npt.NDArray[Any]]:
    """The rows of each group; `rows` are ordered by their group."""
    ends = np.searchsorted(group_of[rows], groups, side="right")
    starts = np.searchsorted(group_of[rows], groups, side="left")
    return [rows[start:end] for start, end in zip(starts, ends, strict=True)]


def sets_of_values(group_of: npt.NDArray[Any], values: npt.NDArray[Any]) -> dict[int, frozenset[int]]:
    """Group -> its distinct values; rows of a negative group are left out."""
    sets: dict[int, set[int]] = {}
    for group, value in zip(group_of.tolist(), values.tolist(), strict=True):
        if group >= 0:
            sets.setdefault(group, set()).add(int(value))
    return {group: frozenset(members) for group, members in sets.items()}


def order_by_content(
    images: npt.NDArray[Any],
    image_of: npt.NDArray[np.int64],
    boxes: npt.NDArray[np.float64],
    classes: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """The order of N labels by the content of their image (M,), box (N, 4) and class (N,), then the image's position.

    Rows of a table follow ids, which each import draws again: folds made in that order would differ after each import.
    """
    content = np.unique(images.astype(str), return_inverse=True)[1]
    return np.lexsort((image_of, classes, *boxes.T[::-1], content[image_of]))


def ranked(
    rows: npt.NDArray[np.int64],
    scores: npt.NDArray[Any],
    chosen: npt.NDArray[np.bool_],
    describe: Callable[[int], T],
) -> tuple[npt.NDArray[np.int64], Callable[[int], T]]:
    """The chosen of N rows, highest score first, and how they are described.

    Args:
        rows: (N,) rows of samples or annotations.
        scores: (N,).
        chosen: (N,).
        describe: From a position in `rows` to the description; that returned takes a row.
    """
    positions = np.flatnonzero(chosen)
    positions = positions[np.argsort(-scores[positions], kind="stable")]
    position_of = dict(zip(rows[positions].tolist(), positions.tolist(), strict=True))
    return rows[positions], lambda row: describe(position_of[row])


def best_partners(pairs: npt.NDArray[np.int64], scores: npt.NDArray[Any]) -> dict[int, tuple[float, int]]:
    """Row -> the highest score of its pairs (K, 2), and the row on the other side."""
    best: dict[int, tuple[float, int]] = {}
    for (a, b), score in zip(pairs.tolist(), scores.tolist(), strict=True):
        best[b] = max(best.get(b, (-1.0, a)), (score, a))
        best[a] = max(best.get(a, (-1.0, b)), (score, b))
    return best
