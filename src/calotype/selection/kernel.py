"""Greedy choice of samples that cover others, with a soft radius."""

from __future__ import annotations

import numpy as np

from calotype.selection.picks import Picks
from calotype.selection.space import Floats, Ints, Space, squared_distances

_MOST_REFERENCES, _FEWER_REFERENCES = 8_000, 4_000
_MANY_ROWS = 40_000
"""Number of rows from which on fewer references are used, to save time."""
_MOST_CELLS = 64_000_000
"""Kernels of candidates to references that are held at once: 256 MB."""
_BLOCK = 1_024
_AT_ONCE = 128
"""Stale gains that are computed again in one go."""


class Coverage:
    """How much picks cover a random part of the data: the mean over it of the kernel to the nearest pick.

    Args:
        known: Rows that are labelled, and cover already.
        weights: (N,) importance of each row; None for all alike.
    """

    def __init__(self, space: Space, known: Ints, weights: Floats | None = None) -> None:
        n = len(space.points)
        most = _MOST_REFERENCES if n < _MANY_ROWS else _FEWER_REFERENCES
        rows = np.arange(min(n, most))  # the order is random, so the first rows are a random part
        self._space = space
        self._references = np.ascontiguousarray(space.points[rows])
        weight = np.ones(len(rows), np.float32) if weights is None else weights[rows]
        self._weight = weight / max(float(weight.sum()), 1e-12)
        self.covered = np.zeros(len(rows), np.float32)
        for part in _blocks(known):
            self.covered = np.maximum(self.covered, self._kernels(part).max(axis=0))

    def _kernels(self, rows: Ints) -> Floats:
        """(n, R) kernel of rows to the references."""
        distances = squared_distances(self._space.points[rows], self._references)
        distances *= np.float32(-0.5 / self._space.kernel_width)
        return np.asarray(np.exp(distances, out=distances), np.float32)

    def density(self) -> Floats:
        """(N,) mean kernel of each row to the references."""
        density = np.empty(len(self._space.points), np.float32)
        for part in _blocks(np.arange(len(density))):
            density[part] = self._kernels(part).mean(axis=1)
        return density

    def pick(self, picks: Picks, reason: str, factor: Floats | None = None) -> None:
        """Take the row with the largest gain, again and again, until no more are wanted.

        Args:
            reason: Text that may use `{gain}` and `{covered}` (shares) and `{value}` (the row's factor).
            factor: (N,) what each row's gain is multiplied by; None for 1.
        """
        while picks.open:
            self._pick_among(self._candidates(picks, factor), picks, reason, factor)

    def _candidates(self, picks: Picks, factor: Floats | None) -> Ints:
        """The free rows, or those of them with the largest gains before any pick, as many as can be held."""
        free = np.flatnonzero(picks.free)
        most = _MOST_CELLS // len(self._references)
        if len(free) <= most:
            return free
        gains = np.concatenate([self._gains(self._kernels(part)) for part in _blocks(free)])
        if factor is not None:
            gains *= factor[free]
        return free[np.sort(np.argsort(-gains, kind="stable")[:most])]

    def _pick_among(self, candidates: Ints, picks: Picks, reason: str, factor: Floats | None) -> None:
        """A gain can only fall, so a row whose last known gain is too small is not looked at again.

        Source: M. Minoux, "Accelerated greedy algorithms for maximizing submodular set functions", 1978.
        """
        kernels = np.empty((len(candidates), len(self._references)), np.float32)
        for part in _blocks(np.arange(len(candidates))):
            kernels[part] = self._kernels(candidates[part])
        factors = np.ones(len(candidates), np.float32) if factor is None else factor[candidates]
        bounds = np.concatenate([self._gains(kernels[part]) for part in _blocks(np.arange(len(candidates)))])
        bounds *= factors
        fresh = np.ones(len(candidates), bool)
        while picks.open and (free := picks.free[candidates]).any():
            masked = np.where(free, bounds, -np.inf)
            best = int(np.argmax(masked))
            if not fresh[best]:
                likely = np.argpartition(-masked, min(_AT_ONCE, len(masked)) - 1)[:_AT_ONCE]
                stale = likely[~fresh[likely]]
                bounds[stale] = self._gains(kernels[stale]) * factors[stale]
                fresh[stale] = True
                continue
            gain, covered = float(bounds[best]), float(self._weight @ self.covered)
            text = reason.format(gain=gain, covered=covered + gain, value=float(factors[best]))
            if picks.offer(int(candidates[best]), gain, text):
                self.covered = np.maximum(self.covered, kernels[best])
                fresh[:] = False

    def _gains(self, kernels: Floats) -> Floats:
        """(n,) what rows with these kernels would add to the mean."""
        more = kernels - self.covered
        return np.asarray(np.maximum(more, 0, out=more) @ self._weight, np.float32)


def _blocks(rows: Ints) -> list[Ints]:
    return [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
