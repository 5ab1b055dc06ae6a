"""Copies of an original whose labels no longer match those of the original."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
IdInCopy = Callable[[str, str], str]
"""From a copy's sample id and the id of a label of its original to the id that the label has on the copy."""


@dataclass(frozen=True, slots=True)
class CopyDrift:
    """How labels of copies differ.

    Attributes:
        classes: Label of a copy -> label of its original, which has another class.
        gone: Labels of copies whose original has no such label.
        added: Copy -> number of labels that its original got after the copy was made.
    """

    classes: dict[int, int]
    gone: tuple[int, ...]
    added: dict[int, int]


def suspects(parent_of: Rows, sample_of: Rows, classes: npt.NDArray[np.integer]) -> Rows:
    """Copies with another number of labels of some class than their original.

    Args:
        parent_of: (N,) for each sample the row of its original, -1 for an original.
        sample_of: (M,) for each label the row of its sample, -1 for none.
        classes: (M,) its class.
    """
    used, place = np.unique(classes, return_inverse=True)
    known = sample_of >= 0
    keys, counts = np.unique(
        sample_of[known].astype(np.int64) * max(1, len(used)) + place[known], return_counts=True
    )
    copies = np.flatnonzero(parent_of >= 0)
    differs = np.zeros(len(copies), bool)
    for at in range(len(used)):
        own, of_parent = (
            _counts(keys, counts, rows * len(used) + at) for rows in (copies, parent_of[copies])
        )
        differs |= own != of_parent
    return copies[differs]


def copy_drift(
    copies: Rows,
    parent_of: Rows,
    sample_ids: Sequence[str],
    made_at: npt.NDArray[np.int64],
    labels: Labels,
    id_in_copy: IdInCopy,
) -> CopyDrift:
    """Compare the labels of copies with those of their originals, label by label, by their ids.

    A label that a copy never had is not reported: warps drop what is outside the image. Nor is a label without a
    derived id, which was added to the copy itself.

    Args:
        copies: Rows of the copies to compare.
        parent_of: (N,) rows of originals.
        sample_ids: (N,) ids of samples.
        made_at: (N,) when samples were made.
        labels: Those of the copies and of their originals.
        id_in_copy: The rule of ids.
    """
    of_sample: dict[int, list[int]] = {}
    for label, sample in enumerate(labels.sample_of.tolist()):
        of_sample.setdefault(sample, []).append(label)
    classes: dict[int, int] = {}
    gone: list[int] = []
    added: dict[int, int] = {}
    for copy in copies.tolist():
        own = {labels.ids[label]: label for label in of_sample.get(copy, ())}
        for label in of_sample.get(int(parent_of[copy]), ()):
            mine = own.pop(id_in_copy(sample_ids[copy], labels.ids[label]), None)
            if mine is None:
                added[copy] = added.get(copy, 0) + int(labels.made_at[label] > made_at[copy])
            elif labels.classes[mine] != labels.classes[label]:
                classes[mine] = label
        gone += [label for label in own.values() if labels.derived[label]]
    return CopyDrift(classes, tuple(gone), {copy: n for copy, n in added.items() if n})


@dataclass(frozen=True, slots=True)
class Labels:
    """(M,) labels: ids, rows of samples, classes, when they were made, and whether a recipe made them."""

    ids: Sequence[str]
    sample_of: Rows
    classes: npt.NDArray[np.integer]
    made_at: npt.NDArray[np.int64]
    derived: npt.NDArray[np.bool_]


def _counts(keys: Rows, counts: Rows, wanted: Rows) -> Rows:
    """(N,) counts of the wanted keys, 0 for those that are not there. `keys` is sorted."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, counts[at], 0)
