"""Near duplicates: copies of an image that were saved again, cropped, mirrored, framed, lightened, in grey, or covered
by a bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.analysis.copies.parts import CHANGES, copied_parts
from calotype.analysis.image_input import ImageInput, read_each
from calotype.analysis.maths.blas import threads_for
from calotype.vision.looks import codes, fit, parts
from calotype.vision.looks.fit import Fit
from calotype.vision.looks.look import LOOK_BYTES, Looks, look, mirrored

Floats = npt.NDArray[np.float32]
Pairs = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint8]
Region = tuple[float, float, float, float]
"""x, y, w, h as shares of a look."""
Channel = tuple[Region, Region]
"""The region of the first look and that of the second which are compared."""

_Found = tuple[Pairs, Pairs, Floats, npt.NDArray[np.bool_], Numbers]
"""First and second rows, score, whether flagged, and changes."""
_FULL = (0.0, 0.0, 1.0, 1.0)
_REGIONS = tuple(
    (x * (1 - s), y * (1 - s), s, s)
    for s in (0.82, 0.66)
    for x, y in ((0.5, 0.5), (0, 0), (1, 0), (0, 1), (1, 1))
)
"""Where a crop may lie. A fit corrects what is in between."""
_FEW = 30_000_000
"""Number of pairs up to which all regions are compared; above, whole images and their middle."""
_CANDIDATES = 8
_KEPT = 3
_BLOCK_PAIRS = 500_000
"""Number of pairs compared at once, which fit into a processor's cache."""
_MOST_HELD = 4_000
"""Number of looks up to which the likeness of all pairs, and then all smoothed looks, are held at once: 110 MB."""
_FEWEST_ROWS = 64
_FIT_BATCH = 128
_ROUGHLY, _STILL_ROUGHLY = 0.5, 0.85
"""How alike smoothed looks have to be for a second sight. Where nothing moved they are above 0.93 in tests with crops,
turns, frames, noise and blur."""
_STILL, _STILL_AT_FIRST = 0.3, 0.6
"""The largest difference where nothing moved, and that of smoothed looks which are worth a second sight: in tests it is
below 0.42."""
SMALL_PX = 64
_SMALL_SCORE = 0.77


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Pairs of images that may be copies.

    Attributes:
        pairs: (P, 2) int64; positions in `paths`, and in `against` (or again in `paths`, the first smaller). The best
            partner of each image is among them.
        score: (P,) float32 in [0, 1]; how certain it is that the pair is one image.
        flagged: (P,) bool; a copy, by one fixed rule.
        unreadable: Position in `paths` -> why there is no image of it.
        changes: P texts such as `"cropped, in grey"`: how the two differ; empty where that is not known.
    """

    pairs: Pairs
    score: Floats
    flagged: npt.NDArray[np.bool_]
    unreadable: dict[int, str]
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matches:
    """P pairs of looks.

    Attributes:
        pairs: (P, 2) int64 rows.
        score: (P,) float32 in [0, 1].
        flagged: (P,) bool; a copy.
        changes: (P,) uint8; bits of `CHANGES`, 0 where not known.
    """

    pairs: Pairs
    score: Floats
    flagged: npt.NDArray[np.bool_]
    changes: Numbers

    def words(self) -> tuple[str, ...]:
        """How the two of each pair differ, such as `"cropped, in grey"`."""
        return tuple(
            ", ".join(words for bit, words in enumerate(CHANGES) if changes >> bit & 1)
            for changes in self.changes.tolist()
        )


def near_duplicates(
    paths: Sequence[ImageInput], against: Sequence[ImageInput] | None = None
) -> NearDuplicates:
    """Find copies among images, or copies of images among others.

    Args:
        paths: N images: paths, bytes, or arrays: (H, W, 3) or grey (H, W), uint8 or floats from 0 to 1.
        against: Images to search; by default `paths` themselves.
    Returns:
        `NearDuplicates`. Candidates come from small descriptors of whole images, mirrored ones and crops; each is
        fitted by an affine map and judged by the remaining difference. Crops down to half a side, copies in grey and
        copies below a bar are searched by luma alone. Time grows with N times M.
    Raises: InputsInvalid.
    """
    looks, known, unreadable, small = _looks(paths)
    other_looks, others, others_small = None, known, small
    if against is not None:
        other_looks, others, _, others_small = _looks(against)
    matches = match(looks, other_looks)
    first, second = matches.pairs.T
    flagged = matches.flagged & sure_enough(matches.score, small[first] | others_small[second])
    numbers = np.stack([known[first], others[second]], axis=1)
    return NearDuplicates(numbers, matches.score, flagged, unreadable, matches.words())


def sure_enough(score: Floats, small: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(P,) whether the score is high enough; small images show too little, so their copies have to score higher."""
    return np.asarray(~small | (score > _SMALL_SCORE))


def _looks(
    paths: Sequence[ImageInput],
) -> tuple[Looks, npt.NDArray[np.int64], dict[int, str], npt.NDArray[np.bool_]]:
    looks, known, small, unreadable = [], [], [], {}
    for number, image in enumerate(read_each(paths, min_side_px=150)):
        if isinstance(image, str):
            unreadable[number] = image
        else:
            known.append(number)
            small.append(min(image.shape[:2]) < SMALL_PX)
            looks.append(look(image))
    stacked = np.stack(looks) if looks else np.zeros((0, LOOK_BYTES), np.uint8)
    return stacked, np.asarray(known, np.int64), unreadable, np.asarray(small, bool)


def match(looks: Looks, against: Looks | None, *, strict: bool = False) -> Matches:
    """Pairs of rows among looks or against others, how certain it is that they are copies, and how they differ.

    Args:
        looks: (N, 2592) uint8 of `look.look`.
        against: (M, 2592), or None: `looks` themselves, each pair once.
        strict: Flag only where nothing in the scene moved, as between two frames of one camera; pairs that cannot be
            flagged are left out.
    """
    other = looks if against is None else against
    if len(looks) == 0 or len(other) == 0 or (against is None and len(looks) < 2):
        return _matches([], same=against is None)
    with threads_for(len(other)):
        first, second, how = _candidates(looks, other, same=against is None)
        first, second, score, flagged = _judged(looks, other, first, second, how, strict)
        found = [(first, second, score, flagged, np.zeros(len(first), np.uint8))]
        shown = parts.shown(looks)
        if against is None:
            copied = copied_parts(shown, shown, same=True, strict=strict)
            found.append(_flagged(copied.of, copied.within, copied.score, copied.changes))
        else:
            others = parts.shown(other)
            copied = copied_parts(shown, others, same=False, strict=strict)
            found.append(_flagged(copied.of, copied.within, copied.score, copied.changes))
            copied = copied_parts(others, shown, same=False, strict=strict)
            found.append(_flagged(copied.within, copied.of, copied.score, copied.changes))
    return _matches(found, same=against is None)


def _flagged(first: Pairs, second: Pairs, score: Floats, changes: Numbers) -> _Found:
    return first, second, score, np.ones(len(first), bool), changes


def _matches(found: Sequence[_Found], *, same: bool) -> Matches:
    """Each pair once: what is flagged before what is not, what is known to differ before what is not, then by score."""
    none = np.zeros(0, np.int64)
    empty = (none, none, np.zeros(0, np.float32), np.zeros(0, bool), np.zeros(0, np.uint8))
    first, second, score, flagged, changes = (
        np.concatenate(column) for column in zip(empty, *found, strict=True)
    )
    pairs = np.stack([first, second], axis=1)
    if same:
        pairs = np.sort(pairs, axis=1)
    order = np.lexsort((-score, changes == 0, ~flagged, pairs[:, 1], pairs[:, 0]))
    pairs = pairs[order]
    new = np.append(True, (pairs[1:] != pairs[:-1]).any(axis=1))[: len(pairs)]
    order = order[new]
    return Matches(pairs[new], score[order], flagged[order], changes[order])


def score_of(fitted: Fit) -> Floats:
    """(P,) in [0, 1]: likeness of luma and, as much, of its detail; different colours lower it."""
    alike = np.clip(fitted.likeness, 0, 1) * np.sqrt(np.clip(fitted.detail, 0, 1))
    return np.asarray(np.clip(alike * (0.6 + 0.4 * np.clip(fitted.colour, 0, 1)), 0, 1), np.float32)


def is_copy(fitted: Fit) -> npt.NDArray[np.bool_]:
    """(P,) the fixed rule: similar overall and in detail. Different photos reach 0.96 and 0.58."""
    alike = (fitted.likeness > 0.86) & (fitted.detail > 0.62) & (fitted.rest < 2)
    return np.asarray(alike & (fitted.overlap > 0.45) & (fitted.colour > 0.4))


def _channels(n_pairs: int) -> list[Channel]:
    """Which region of the first is compared with which of the second."""
    regions = _REGIONS if n_pairs <= _FEW else _REGIONS[:1]
    return [(_FULL, _FULL), *((_FULL, r) for r in regions), *((r, _FULL) for r in regions)]


def _candidates(
    looks: Looks, other: Looks, *, same: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows of both, and the number of the channel that they were found by (odd: the first one mirrored)."""
    channels = _channels(len(looks) * len(other))
    k = min(_CANDIDATES, len(other) - 1 if same else len(other))
    block = max(_FEWEST_ROWS, min(len(looks), _BLOCK_PAIRS // len(other)))
    both_ways = same and len(looks) <= _MOST_HELD
    alike = _alike_both_ways(looks, channels, block) if both_ways else _alike(looks, other, channels, block)
    candidates = []
    for start, best, which in alike:
        if same:
            best[np.arange(len(best)), np.arange(start, start + len(best))] = -3
        top = np.argpartition(-best, k - 1, axis=1)[:, :k]
        rows = np.repeat(np.arange(start, start + len(best)), k)
        candidates.append((rows, top.ravel(), np.take_along_axis(which, top, 1).ravel()))
    first, second, how = (np.concatenate(column) for column in zip(*candidates, strict=True))
    return first, second, how.astype(np.int64)


def _alike(
    looks: Looks, other: Looks, channels: Sequence[Channel], block: int
) -> Iterator[tuple[int, Floats, Numbers]]:
    """The first row of each block, how alike its looks and all others are at best, and by which channel."""
    targets = {region: codes.descriptors(other, region).T.copy() for region in {b for _, b in channels}}
    for start in range(0, len(looks), block):
        part = looks[start : start + block]
        best = np.full((len(part), len(other)), -2, np.float32)
        which = np.zeros(best.shape, np.uint8)
        for mirror in (0, 1):
            seen = mirrored(part) if mirror else part
            sources = {region: codes.descriptors(seen, region) for region in {a for a, _ in channels}}
            for number, (a, b) in enumerate(channels):
                _take_better(best, which, sources[a] @ targets[b], 2 * number + mirror)
        yield start, best, which


def _alike_both_ways(
    looks: Looks, channels: Sequence[Channel], block: int
) -> Iterator[tuple[int, Floats, Numbers]]:
    """The same among looks: a part of i is as alike to j as j to that part of i, so half of the products will do."""
    regions = [b for a, b in channels if a == _FULL]
    targets = [codes.descriptors(looks, region).T.copy() for region in regions]
    best = np.full((len(looks), len(looks)), -2, np.float32)
    which = np.zeros(best.shape, np.uint8)
    whole = np.ascontiguousarray(targets[0].T)
    for mirror, sources in enumerate((whole, codes.mirrored_descriptors(whole))):
        for start in range(0, len(looks), block):
            rows = slice(start, start + block)
            for number, target in enumerate(targets):
                _take_better(best[rows], which[rows], sources[rows] @ target, 2 * number + mirror)
    back = np.asarray([_turned_round(number, channels) for number in range(2 * len(regions))], np.uint8)
    for start in range(0, len(looks), block):
        rows = slice(start, start + block)
        found, how, turned = best[rows].copy(), which[rows].copy(), best[:, rows].T
        better = turned > found
        np.copyto(how, back[which[:, rows].T], where=better)
        yield start, np.maximum(found, turned, out=found), how


def _turned_round(number: int, channels: Sequence[Channel]) -> int:
    """The channel by which j and i are as alike as i and j are by another one."""
    region, mirror = channels[number // 2][1], number % 2
    x, y, w, h = region
    wanted = ((1 - w - x if mirror else x), y, w, h)
    near = [abs(a[0] - wanted[0]) + abs(a[1] - y) + abs(a[2] - w) + 9 * (b != _FULL) for a, b in channels]
    return 2 * int(np.argmin(near)) + mirror


def _take_better(best: Floats, which: Numbers, alike: Floats, number: int) -> None:
    np.copyto(which, np.uint8(number), where=alike > best)
    np.maximum(best, alike, out=best)


def _judged(
    looks: Looks,
    other: Looks,
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    how: npt.NDArray[np.int64],
    strict: bool,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats, npt.NDArray[np.bool_]]:
    """The candidates that fit best at first sight, and how well they fit at the second."""
    starts = np.stack([_map(a, b) for a, b in _channels(len(looks) * len(other))])
    order = np.argsort(2 * first + how % 2, kind="stable")
    first, second, how = first[order], second[order], how[order]
    maps = np.zeros((len(first), 2, 3), np.float32)
    rough, rest = np.zeros(len(first), np.float32), np.zeros(len(first), np.float32)
    held = fit.Softened(other) if len(other) <= _MOST_HELD else None
    for rows in _batches(len(first)):
        a, of = _sources(looks, first[rows], how[rows])
        b, at = _targets(other, held, second[rows])
        maps[rows], rough[rows], rest[rows] = fit.roughly(a, b, starts[how[rows] // 2], of, at)
    if held:
        held.forget()
    order = np.lexsort((-rough, first))
    rank = np.arange(len(order)) - np.searchsorted(first[order], first[order])
    if strict:
        chosen = (rank < _KEPT) & (rough[order] > _STILL_ROUGHLY) & (rest[order] < _STILL_AT_FIRST)
    else:
        chosen = (rank < _KEPT) & (rough[order] > _ROUGHLY) | (rank == 0)
    kept = np.sort(order[chosen])
    first, second, how, maps = first[kept], second[kept], how[kept], maps[kept]
    score, flagged = np.zeros(len(first), np.float32), np.zeros(len(first), bool)
    for rows in _batches(len(first)):
        a, of = _sources(looks, first[rows], how[rows])
        b, at = _targets(other, held, second[rows])
        fitted = fit.fit(a, b, maps[rows], of, at)
        score[rows] = score_of(fitted)
        flagged[rows] = is_copy(fitted) & (fitted.rest < (_STILL if strict else 9))
    return first, second, score, flagged


def _batches(n: int) -> Iterator[slice]:
    yield from (slice(start, start + _FIT_BATCH) for start in range(0, n, _FIT_BATCH))


def _sources(
    looks: Looks, first: npt.NDArray[np.int64], how: npt.NDArray[np.int64]
) -> tuple[Looks, npt.NDArray[np.int64]]:
    """The looks that pairs start from, each once, mirrored where a pair asks for that, and (P,) which one each uses."""
    sources, of = np.unique(2 * first + how % 2, return_inverse=True)
    found, mirror = looks[sources // 2], sources % 2 == 1
    found[mirror] = mirrored(found[mirror])
    return found, of


def _targets(
    other: Looks, held: fit.Softened | None, second: npt.NDArray[np.int64]
) -> tuple[fit.Softened, npt.NDArray[np.int64]]:
    """The looks that pairs are compared with, and (P,) which one each uses; all of them where they are held."""
    if held is not None:
        return held, second
    wanted, at = np.unique(second, return_inverse=True)
    return fit.Softened(other[wanted]), at


def _map(a: tuple[float, ...], b: tuple[float, ...]) -> Floats:
    """(2, 3): from points of the first look to those of the second, where region a shows what region b shows."""
    sx, sy = b[2] / a[2], b[3] / a[3]
    return np.asarray([[sx, 0, b[0] - a[0] * sx], [0, sy, b[1] - a[1] * sy]], np.float32)
