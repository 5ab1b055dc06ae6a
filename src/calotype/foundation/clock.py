"""Timestamps: whole microseconds since 1970, UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = 253_402_300_799_999_999
"""The end of the year 9999, the last that a date can have."""


def now_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


def iso(at_us: int) -> str:
    """Format a timestamp as ISO 8601 in UTC with milliseconds, e.g. `2026-01-31T12:00:00.000Z`."""
    instant = _EPOCH + timedelta(microseconds=min(at_us, _LAST_US))
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def to_us(instant: datetime) -> int:
    """Whole microseconds since the epoch of a time with a zone; exact, where a float would round up the last day."""
    return (instant - _EPOCH) // timedelta(microseconds=1)
