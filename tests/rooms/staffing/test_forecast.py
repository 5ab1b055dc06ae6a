"""The forecast of a batch: kept as often as it says, and unknown without evidence."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from calotype.staffing.forecast import LONGEST_DAYS, days_left, forecast

DAY_US = 86_400_000_000
MONDAY_US = 20_423 * DAY_US  # 2025-12-01


def pace(rng: np.random.Generator, n_days: int, *, mean: float, weekends: bool, absence: float) -> np.ndarray:
    """Submissions of days: people who differ from day to day, are away, and rest on weekends."""
    counts = rng.poisson(rng.gamma(4.0, mean / 4.0, n_days))
    counts[rng.random(n_days) < absence] = 0
    if not weekends:
        counts[np.arange(n_days) % 7 >= 5] = 0
    return counts


@pytest.mark.parametrize(
    ("days", "weekends", "absence"),
    [(5, True, 0.0), (10, True, 0.1), (14, False, 0.0), (28, False, 0.1), (42, True, 0.2)],
)
def test_of_p80_days_seven_to_nine_in_ten_are_kept(days, weekends, absence):
    rng, kept, n = np.random.default_rng(days), [], 200
    for _ in range(n):
        counts = pace(rng, days + 400, mean=12.0, weekends=weekends, absence=absence)
        past, ahead = counts[:days], counts[days:]
        remaining = int(rng.integers(40, 300))
        needed = int(np.searchsorted(np.cumsum(ahead), remaining)) + 1
        kept.append(needed <= days_left(past, remaining, weekday=0, seed=0)[1])
    assert 0.7 <= np.mean(kept) <= 0.9


def test_the_forecast_names_days():
    submitted = [MONDAY_US + day * DAY_US + k for day in range(5) for k in range(10)]
    one = forecast(submitted, 30, now_us=MONDAY_US + 5 * DAY_US + 1)
    assert (one.days, one.done, one.p50, one.p80) == (5, 50, date(2025, 12, 8), date(2025, 12, 8))
    assert one.to_dict()["p50"] == "2025-12-08"


@pytest.mark.parametrize(
    ("submitted", "remaining", "why"),
    [
        ([], 10, "fewer than"),
        ([MONDAY_US + k for k in range(100)], 10, "fewer than"),
        ([MONDAY_US + day * DAY_US for day in range(5)], 10, "fewer than"),
        ([MONDAY_US + day * DAY_US + k for day in range(5) for k in range(10)], 0, "nothing is left"),
        ([MONDAY_US + k for k in range(20)], 100_000, f"more than {LONGEST_DAYS}"),
    ],
)
def test_without_evidence_there_is_no_day(submitted, remaining, why):
    at = MONDAY_US + (5 if len(submitted) != 100 else 1) * DAY_US
    one = forecast(submitted, remaining, now_us=at)
    assert (one.p50, one.p80) == (None, None)
    assert why in one.why
