"""When a batch will be finished, from what was submitted each day so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

MIN_DAYS, MIN_DONE = 3, 20
"""Less than this says nothing: days of measured work, and submissions in them."""
MEMORY_DAYS = 42
"""Older days say little about the people of today."""
LONGEST_DAYS = 1_000
N_DRAWS = 500
_SATURDAY, _TWO_WEEKS = 5, 14


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the last submission of a batch is expected.

    Args:
        remaining: Submissions that are still needed.
        days: Days of measured work.
        done: Submissions in these days.
        p50, p80: Days by which it is finished with this probability; None without enough evidence.
        why: Why there is no day; empty with one.
    """

    remaining: int
    days: int
    done: int
    p50: date | None = None
    p80: date | None = None
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        day = {
            name: None if at is None else at.isoformat()
            for name, at in (("p50", self.p50), ("p80", self.p80))
        }
        return {"remaining": self.remaining, "days": self.days, "done": self.done, **day, "why": self.why}


def forecast(submitted_us: Sequence[int], remaining: int, *, now_us: int) -> Forecast:
    """The forecast of a batch.

    Days count from the first submission to yesterday, UTC, those without work too; today is not over.

    Args:
        submitted_us: When work was submitted, in microseconds since 1970.
    """
    today = _day(now_us)
    counted = [_day(at) for at in submitted_us]
    first = max(min(counted, default=today), today - timedelta(days=MEMORY_DAYS))
    n_days = (today - first).days
    daily = np.zeros(n_days, np.int64)
    for day in counted:
        if first <= day < today:
            daily[(day - first).days] += 1
    done = int(daily.sum())
    if remaining == 0:
        return Forecast(0, n_days, done, why="nothing is left to submit")
    if n_days < MIN_DAYS or done < MIN_DONE:
        return Forecast(
            remaining, n_days, done, why=f"fewer than {MIN_DAYS} days or {MIN_DONE} submissions so far"
        )
    p50, p80 = days_left(daily, remaining, weekday=first.weekday(), seed=0)
    if p80 > LONGEST_DAYS:
        return Forecast(remaining, n_days, done, why=f"at this pace it takes more than {LONGEST_DAYS} days")
    ends = [today + timedelta(days=days - 1) for days in (p50, p80)]
    return Forecast(remaining, n_days, done, ends[0], ends[1])


def days_left(daily: npt.ArrayLike, remaining: int, *, weekday: int, seed: int) -> tuple[int, int]:
    """Further days until `remaining` more is done, with a probability of 50 and of 80 %.

    Further days are drawn from the past ones. How often each past day comes is itself uncertain, which the Bayesian
    bootstrap adds: with few days the second number is much later. From two weeks on, weekends are drawn from weekends.
    Source: D. B. Rubin, "The Bayesian bootstrap", 1981.

    Args:
        daily: (N,) counts of consecutive days.
        weekday: Of the first of them, Monday is 0.
    Returns: `LONGEST_DAYS` + 1 where it takes longer.
    """
    counts = np.asarray(daily, np.float64)
    kinds = (weekday + np.arange(len(counts))) % 7 >= _SATURDAY
    if len(counts) < _TWO_WEEKS:
        kinds[:] = False
    ahead = (weekday + len(counts) + np.arange(LONGEST_DAYS)) % 7 >= _SATURDAY
    if not kinds.any():
        ahead[:] = False
    horizon = 32
    while True:
        horizon = min(horizon, LONGEST_DAYS)
        took = _took(counts, kinds, ahead[:horizon], remaining, np.random.default_rng(seed))
        p50, p80 = np.quantile(took, (0.5, 0.8), method="higher")
        if p80 <= horizon or horizon == LONGEST_DAYS:
            return int(p50), int(p80)
        horizon *= 4


def _took(
    counts: npt.NDArray[np.float64],
    kinds: npt.NDArray[np.bool_],
    ahead: npt.NDArray[np.bool_],
    remaining: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Days that each draw took; one more than there are days ahead where it takes longer."""
    steps = np.zeros((N_DRAWS, len(ahead)))
    for kind in np.unique(ahead):
        past, places = counts[kinds == kind], np.flatnonzero(ahead == kind)
        limits = np.cumsum(rng.dirichlet(np.ones(len(past)), N_DRAWS), axis=1)
        for place in places:
            drawn = (rng.random((N_DRAWS, 1)) > limits[:, :-1]).sum(axis=1)
            steps[:, place] = past[drawn]
    done: npt.NDArray[np.int64] = (np.cumsum(steps, axis=1) < remaining).sum(axis=1) + 1
    return done


def _day(at_us: int) -> date:
    return datetime.fromtimestamp(at_us / 1e6, UTC).date()
