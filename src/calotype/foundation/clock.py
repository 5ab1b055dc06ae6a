"""Timestamps: whole microseconds since 1970, UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


def iso(at_us: int) -> str:
    """Format a timestamp as ISO 8601 in UTC with milliseconds, e.g. `2026-01-31T12:00:00.000Z`."""
    instant = datetime.fromtimestamp(at_us / 1_000_000, tz=UTC)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"
