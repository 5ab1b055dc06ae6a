"""Verification of the audit chain: detects changed, removed and inserted events. The chain is never rewritten."""

from __future__ import annotations

import json
from dataclasses import dataclass

import sqlalchemy as sa

from calotype.store.catalog import schema
from calotype.store.catalog.catalog import event_hash

START = "0" * 64
"""Previous hash of the first event."""

_BODY = ("at_us", "actor", "verb", "subject", "details")


@dataclass(frozen=True, slots=True)
class ChainReport:
    """Result of verifying all audit events."""

    n_events: int
    head: str
    problems: tuple[str, ...]


def walk(conn: sa.Connection) -> ChainReport:
    """Recompute every link. `head` is the hash of the last event (`START` if there is none)."""
    problems, previous, n_events = [], START, 0
    details = sa.cast(schema.audit.c.details, sa.Text).label(
        "details"
    )  # read as text: the JSON may have been tampered with
    columns = [details if column.name == "details" else column for column in schema.audit.c]
    for event in conn.execute(sa.select(*columns).order_by(schema.audit.c.seq)).mappings():
        n_events += 1
        if event["previous"] != previous:
            problems.append(f"event {event['seq']} does not follow the previous event")
        body = {name: event[name] for name in _BODY}
        try:
            body["details"] = json.loads(body["details"])
            unchanged = event_hash(body, previous=event["previous"]) == event["hash"]
        except ValueError:
            unchanged = False
        if not unchanged:
            problems.append(f"event {event['seq']} was changed after it was written")
        previous = event["hash"]
    return ChainReport(n_events, previous, tuple(problems))
