"""Metadata and attributes, which tables hold as JSON texts, as values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any


def fields_of(texts: Iterable[str | None]) -> Iterator[dict[str, Any]]:
    """Metadata or attributes as values, of each text of a column."""
    known: dict[str, dict[str, Any]] = {}
    for text in texts:
        if not text:
            yield {}
        elif text in known:
            yield known[text]
        else:
            values = json.loads(text)
            if len(known) < 100_000:
                known[text] = values
            yield values


def newest_date_us(texts: Iterable[str | None], field: str) -> int | None:
    """The latest ISO 8601 date in a field, in microseconds since 1970 (UTC without a zone); None if there is none."""
    dates = []
    for values in fields_of(texts):
        try:
            dates.append(datetime.fromisoformat(str(values.get(field, ""))))
        except ValueError:
            continue
    aware = [date if date.tzinfo else date.replace(tzinfo=UTC) for date in dates]
    return int(max(aware).timestamp() * 1e6) if aware else None
