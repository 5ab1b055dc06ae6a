"""Timestamps at both ends of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from calotype.foundation.clock import iso, to_us


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_769_860_800_123_999, "2026-01-31T12:00:00.123Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000_000, "9999-12-31T23:59:59.999Z"),
    ],
    ids=["epoch", "now", "first", "last", "beyond"],
)
def test_a_timestamp_as_text(at_us, text):
    assert iso(at_us) == text


@pytest.mark.parametrize("day", [date.min, date(2026, 1, 31), date.max])
def test_the_end_of_a_day_stays_in_it(day):
    assert iso(to_us(datetime.combine(day, time.max, UTC))) == f"{day.isoformat()}T23:59:59.999Z"
