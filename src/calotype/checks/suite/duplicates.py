"""Checks of copies: the same bytes or pixels twice, near copies, copies on both sides of a split."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.analysis.grouping import best_partners, groups_of_equals, groups_of_pairs
from calotype.analysis.near_duplicates import SMALL_PX, match, sure_enough
from calotype.checks import measures
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Description, Parameter, Tally
from calotype.vision import pixel_facts

Pairs = npt.NDArray[np.int64]
_NEAR: dict[str, Parameter] = {
    "max_hash_distance": 10,
    "min_correlation": 0.95,
    "max_misfit": 0.12,
    "max_samples_fitted": 100_000,
}
_SHOWN = 20
Copies = tuple[Pairs, npt.NDArray[np.float32], dict[tuple[int, int], str]]
"""(K, 2) rows of samples, (K,) how alike they are, and how the two of a pair differ, where that is known."""


def _pixel_keys(context: CheckContext) -> npt.NDArray[Any]:
    measured = context.measured("pixel-sha256")
    keys = {sha: value.tobytes().hex() for sha, value in measured.items()}
    return np.asarray([keys.get(sha, "") for sha in context.column("media_sha256").tolist()], dtype=str)


def exact_duplicates(context: CheckContext, tally: Tally) -> None:
    """The same image more than once: as samples, under several names, or the same pixels in other bytes."""
    tally.looked_at = context.n_samples
    if not context.n_samples:
        return
    media = context.column("media_sha256").astype(str)
    same_bytes = groups_of_equals(media)
    _tell_copies(context, tally, same_bytes, "has the same bytes as", "bytes")
    reported = {row for rows in same_bytes for row in rows[1:]}
    same_pixels = [
        [row for row in rows if row not in reported] for rows in groups_of_equals(_pixel_keys(context))
    ]
    same_pixels = [rows for rows in same_pixels if len(set(context.root[rows].tolist())) > 1]
    _tell_copies(context, tally, same_pixels, "has other bytes and the same pixels as", "pixels")
    names = context.samples_with(["names"])["names"]
    several = [row for row, all_of in enumerate(names.to_pylist()) if len(set(all_of or ())) > 1]

    def describe(row: int) -> Description:
        others = sorted(set(names[row].as_py()))
        facts = {"names": others[:_SHOWN], "count": len(others)}
        return f"the same bytes were imported under {len(others)} names", facts

    tally.samples(several, describe, fault="names")


def _tell_copies(
    context: CheckContext, tally: Tally, groups: Iterable[list[int]], words: str, fault: str
) -> None:
    first_of = {row: rows for rows in groups for row in rows[1:]}

    def describe(row: int) -> Description:
        rows = first_of[row]
        first = context.name_of(rows[0])
        names = [context.name_of(r) for r in rows[:_SHOWN]]
        facts = {"copy_of": first, "copies": names, "count": len(rows), "repair": {"do": "remove-sample"}}
        return f"the image {words} {first}", facts

    tally.samples(sorted(first_of), describe, fault=fault)


def near_copies(context: CheckContext, tally: Tally) -> tuple[Pairs, npt.NDArray[np.float32]]:
    """(K, 2) rows of samples that look nearly the same, and how alike they are.

    Candidates differ in few bits of a difference hash; a pair counts when its thumbnails correlate and, once
    fitted on each other, differ nowhere by much. Pairs of one original (derived samples) and pairs with the
    same pixels are left out.
    """
    hashes, thumbs = context.measured("dhash64"), context.measured("thumb32")
    media = context.column("media_sha256").tolist()
    rows = np.asarray(
        [row for row, sha in enumerate(media) if sha in hashes and sha in thumbs], dtype=np.int64
    )
    if len(rows) < 2:
        return np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.float32)
    values = np.asarray([int(hashes[media[row]]) for row in rows], dtype=np.uint64)
    pairs = rows[pixel_facts.near_pairs(values, max_distance=int(tally.number("max_hash_distance")))]
    pixels = np.unique(_pixel_keys(context), return_inverse=True)[1]  # numbers compare faster than texts
    keep = (context.root[pairs[:, 0]] != context.root[pairs[:, 1]]) & (
        pixels[pairs[:, 0]] != pixels[pairs[:, 1]]
    )
    pairs = pairs[keep]
    looked_at, places = np.unique(pairs, return_inverse=True)
    small = (
        np.stack([thumbs[media[row]] for row in looked_at]) if len(pairs) else np.zeros((0, 32, 32), np.uint8)
    )
    close, alike = pixel_facts.close_pairs(
        small,
        places.reshape(-1, 2),
        min_correlation=tally.number("min_correlation"),
        max_misfit=tally.number("max_misfit"),
    )
    return pairs[close], alike


def all_near_copies(context: CheckContext, tally: Tally) -> Copies:
    """The same, and copies that were cropped, mirrored, framed, in grey or with a bar: their looks fit after a map."""
    key = f"near copies {sorted(tally.parameters.items())}"
    if key not in context.worked_out:
        context.worked_out[key] = _fitted_copies(context, tally)
    copies: Copies = context.worked_out[key]
    return copies


def _fitted_copies(context: CheckContext, tally: Tally) -> Copies:
    pairs, scores = near_copies(context, tally)
    looks = context.measured(measures.LOOK)
    media = context.column("media_sha256").tolist()
    rows = np.asarray([row for row, sha in enumerate(media) if sha in looks], dtype=np.int64)
    if len(rows) < 2 or len(rows) > tally.number("max_samples_fitted"):
        return pairs, scores, {}
    matches = match(np.stack([looks[media[row]] for row in rows]), None, strict=True)
    sides = [np.asarray(context.column(name))[rows] for name in ("width_px", "height_px")]
    small = (np.minimum(*sides) < SMALL_PX)[matches.pairs].any(axis=1)
    flagged = matches.flagged & sure_enough(matches.score, small)
    fitted = rows[matches.pairs]
    changes = {
        (a, b): words
        for (a, b), words, copy in zip(fitted.tolist(), matches.words(), flagged, strict=True)
        if copy and words
    }
    pixels = _pixel_keys(context)
    known = set(map(tuple, pairs.tolist()))
    new = flagged & (context.root[fitted[:, 0]] != context.root[fitted[:, 1]])
    new &= pixels[fitted[:, 0]] != pixels[fitted[:, 1]]
    new &= np.asarray([tuple(pair) not in known for pair in fitted.tolist()], dtype=bool)
    return np.concatenate([pairs, fitted[new]]), np.concatenate([scores, matches.score[new]]), changes


def near_duplicates(context: CheckContext, tally: Tally) -> None:
    """Groups of images that look nearly the same; one finding for each but the first of a group."""
    tally.looked_at = context.n_samples
    pairs, scores, changes = all_near_copies(context, tally)
    best = best_partners(pairs, scores)
    group_of = {row: rows for rows in groups_of_pairs(pairs) for row in rows}

    def describe(row: int) -> Description:
        score, other = best[row]
        rows = group_of[row]
        facts = {
            "copy_of": context.name_of(other),
            "correlation": round(score, 4),
            "group": [context.name_of(r) for r in rows[:_SHOWN]],
            "count": len(rows),
            "repair": {"do": "remove-sample"},
        }
        details = f"correlation {score:.3f}, {len(rows)} alike"
        if words := changes.get((min(row, other), max(row, other))):
            facts["changes"] = words
            details = f"one of them is {words}; {details}"
        return f"the image looks like {context.name_of(other)} ({details})", facts

    tally.samples(sorted(row for row, rows in group_of.items() if row != rows[0]), describe)


def split_leakage(context: CheckContext, tally: Tally) -> None:
    """Copies, groups and derived samples that lie on both sides of a split."""
    split = context.column("split").astype(str)
    assigned = ~np.isin(split, ["", "None"])
    tally.looked_at = int(assigned.sum())
    if len(set(split[assigned].tolist())) < 2:
        return
    reported: set[int] = set()
    originals = np.where(context.root != np.arange(context.n_samples), context.root, -1)
    families = np.where(originals >= 0, originals, np.arange(context.n_samples))
    for keys, words, name in (
        (context.column("media_sha256").astype(str), "has the same bytes as", "bytes"),
        (_pixel_keys(context), "has the same pixels as", "pixels"),
        ((families + 1).astype(str), "comes from the same original as", "original"),
        (context.column("group").astype(str), "is of the same group as", "group"),
    ):
        across = [_crossing(rows, split, assigned) for rows in groups_of_equals(keys)]
        leaks = [pair for pairs in across for pair in pairs]
        _add_leak(context, tally, leaks, reported, split, words, name, "error")
    pairs, scores, _ = all_near_copies(context, tally)
    crossing = assigned[pairs].all(axis=1) & (split[pairs[:, 0]] != split[pairs[:, 1]])
    near = [(int(b), int(a), float(s)) for (a, b), s in zip(pairs[crossing], scores[crossing], strict=True)]
    _add_leak(context, tally, near, reported, split, "looks nearly like", "near copy", "warning")


def _crossing(
    rows: list[int], split: npt.NDArray[Any], assigned: npt.NDArray[Any]
) -> list[tuple[int, int, float]]:
    """(row, first row of another split, 1.0) for rows that are not in the split of the first."""
    inside = [row for row in rows if assigned[row]]
    return [(row, inside[0], 1.0) for row in inside[1:] if split[row] != split[inside[0]]]


def _add_leak(
    context: CheckContext,
    tally: Tally,
    leaks: list[tuple[int, int, float]],
    reported: set[int],
    split: npt.NDArray[Any],
    words: str,
    how: str,
    severity: str,
) -> None:
    other_of: dict[int, tuple[int, float]] = {}
    for row, other, score in leaks:
        if row not in reported and score >= other_of.get(row, (0, -1.0))[1]:
            other_of[row] = (other, score)
    reported |= set(other_of)

    def describe(row: int) -> Description:
        other, score = other_of[row]
        name = context.name_of(other)
        facts = {
            "how": how,
            "other": name,
            "splits": [str(split[row]), str(split[other])],
            "score": round(score, 4),
            "repair": {"do": "set-split", "split": str(split[other])},
        }
        return f"the {split[row]} image {words} {name} in {split[other]}", facts

    tally.samples(sorted(other_of), describe, severity=severity, fault=how)


CHECKS = (
    Check(
        name="exact-duplicates",
        title="Exact duplicates",
        means="The same image is in the dataset more than once: same bytes, or same pixels in other bytes.",
        fix="keep one sample of each group",
        unit="samples",
        severity="warning",
        family="copies",
        cost="pixels",
        run=exact_duplicates,
        source="SHA-256 of bytes, and of size and pixels",
        example="the image has the same bytes as a.jpg",
    ),
    Check(
        name="near-duplicates",
        title="Near duplicates",
        means="Images that look nearly the same: saved again, cropped, in grey, below a bar, or frames of one scene.",
        fix="keep one of each group, or give the samples one group so that they stay in one split",
        unit="samples",
        severity="warning",
        family="copies",
        cost="pixels",
        run=near_duplicates,
        parameters=_NEAR,
        source=(
            "difference hash (N. Krawetz, 2013) and fitted thumbnails; affine fit as S. Baker and I. "
            "Matthews, 2004"
        ),
        example="the image looks like a.jpg (one of them is cropped, in grey; correlation 0.991, 2 alike)",
        version=3,
    ),
    Check(
        name="split-leakage",
        title="Leakage between splits",
        means="The same image, original or group is in two splits (error), or a near copy does (warning).",
        fix="put all copies into one split; split by group",
        unit="samples",
        severity="error",
        family="copies",
        cost="pixels",
        run=split_leakage,
        parameters=_NEAR,
        source="the checks of copies, groups, parents",
        example="the val image has the same bytes as a.jpg in train",
        version=2,
    ),
)
