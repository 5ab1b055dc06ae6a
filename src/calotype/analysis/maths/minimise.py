"""Minima of smooth functions, for the few that need one: loading SciPy's optimisers takes longer than such a search."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Point = npt.NDArray[np.float64]
_GOLDEN = 0.5 * (3 - 5**0.5)
_PAIRS = 10
_LEAST_DESCENT, _MOST_SLOPE = 1e-3, 0.9
_STEPS = 20
_FLAT = 1e-5
"""Largest slope at which a point counts as a minimum."""


def minimum_between(f: Callable[[float], float], low: float, high: float, *, tolerance: float) -> float:
    """Where a function of one number with a single minimum is least, to about `tolerance`.

    Source: R. Brent, "Algorithms for minimization without derivatives", 1973, chapter 5: parabolas, and golden sections
        where these do not help.
    """
    best = second = third = low + _GOLDEN * (high - low)
    f_best = f_second = f_third = f(best)
    step = last = 0.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        least = 1.5e-8 * abs(best) + tolerance / 3
        if abs(best - middle) <= 2 * least - 0.5 * (high - low):
            break
        by_parabola = False
        if abs(last) > least:
            r, q = (best - second) * (f_best - f_third), (best - third) * (f_best - f_second)
            p, q = (best - third) * q - (best - second) * r, 2 * (q - r)
            p, q = (-p, q) if q > 0 else (p, -q)
            by_parabola = abs(p) < abs(0.5 * q * last) and q * (low - best) < p < q * (high - best)
            last = step
        if by_parabola:
            step = p / q
            if min(best + step - low, high - best - step) < 2 * least:
                step = least if middle >= best else -least
        else:
            last = (low if best >= middle else high) - best
            step = _GOLDEN * last
        x = best + (max(abs(step), least) if step >= 0 else -max(abs(step), least))
        fx = f(x)
        if fx <= f_best:
            low, high = (best, high) if x >= best else (low, best)
            third, second, best = second, best, x
            f_third, f_second, f_best = f_second, f_best, fx
        else:
            low, high = (x, high) if x < best else (low, x)
            if fx <= f_second or second == best:
                third, second, f_third, f_second = second, x, f_second, fx
            elif fx <= f_third or third in (best, second):
                third, f_third = x, fx
    return best


def descend(
    loss: Callable[[Point], tuple[float, Point]], start: Point, *, max_steps: int, tolerance: float
) -> Point:
    """The point to which a convex loss leads down.

    Args:
        loss: From a point to its value and slope.
        tolerance: The search ends with a step that gains less than this share of the value (of 1 where that is less).
    Source: D. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization", 1989.
    """
    point = start
    value, slope = loss(point)
    pairs: deque[tuple[Point, Point, float]] = deque(maxlen=_PAIRS)
    for _ in range(max_steps):
        if float(np.abs(slope).max(initial=0.0)) <= _FLAT:
            break
        way = -_against_curvature(slope, pairs)
        size = 1.0 if pairs else min(1.0, 1 / float(np.linalg.norm(slope)))
        further = _along(loss, point, value, slope, way, size)
        if further is None:
            break
        new, new_value, new_slope = further
        moved, turned = new - point, new_slope - slope
        curvature = float(moved @ turned)
        if curvature > 1e-16 * float(turned @ turned):
            pairs.append((moved, turned, 1 / curvature))
        gain = value - new_value
        point, value, slope = new, new_value, new_slope
        if gain <= tolerance * max(abs(value + gain), abs(value), 1.0):
            break
    return point


def _against_curvature(slope: Point, pairs: deque[tuple[Point, Point, float]]) -> Point:
    """The slope times the inverse of the curvature that the last steps showed."""
    way, shares = slope.copy(), []
    for moved, turned, inverse in reversed(pairs):
        shares.append(inverse * float(moved @ way))
        way -= shares[-1] * turned
    if pairs:
        _, turned, inverse = pairs[-1]
        way /= inverse * float(turned @ turned)
    for (moved, turned, inverse), share in zip(pairs, reversed(shares), strict=True):
        way += (share - inverse * float(turned @ way)) * moved
    return way


def _along(
    loss: Callable[[Point], tuple[float, Point]],
    point: Point,
    value: float,
    slope: Point,
    way: Point,
    size: float,
) -> tuple[Point, float, Point] | None:
    """The first point on a way that meets Wolfe's conditions, with its value and slope; None where none is lower."""
    down = float(slope @ way)
    low, high, lower = 0.0, np.inf, None
    for _ in range(_STEPS):
        new = point + size * way
        new_value, new_slope = loss(new)
        if new_value > value + _LEAST_DESCENT * size * down:
            high = size
        elif float(new_slope @ way) < _MOST_SLOPE * down:
            low, lower = size, (new, new_value, new_slope)
        else:
            return new, new_value, new_slope
        size = 2 * low if np.isinf(high) else 0.5 * (low + high)
    return lower
