"""The audit chain, walked: where an event was changed, removed or put in. It is reported and never rewritten."""

from __future__ import annotations

import json
from dataclasses import dataclass

import sqlalchemy as sa

from calotype.store.catalog import schema
from calotype.store.catalog.catalog import event_hash

START = "0" * 64
"""What the first event names as the hash before it."""

_BODY = ("at_us", "actor", "verb", "subject", "details")


@dataclass(frozen=True, slots=True)
class Chain:
    """What a walk over all audit events found."""

    n_events: int
    head: str
    problems: tuple[str, ...]


def walk(conn: sa.Connection) -> Chain:
    """Compute every link again. `head` is the hash of the last event (`START` where there is none)."""
    problems, previous, n_events = [], START, 0
    details = sa.cast(schema.audit.c.details, sa.Text).label(
        "details"
    )  # read as text: a person may have changed it
    columns = [details if column.name == "details" else column for column in schema.audit.c]
    for event in conn.execute(sa.select(*columns).order_by(schema.audit.c.seq)).mappings():
        n_events += 1
        if event["previous"] != previous:
            problems.append(f"event {event['seq']} does not follow the one before it")
        body = {name: event[name] for name in _BODY}
        try:
            body["details"] = json.loads(body["details"])
            same = event_hash(body, previous=event["previous"]) == event["hash"]
        except ValueError:
            same = False
        if not same:
            problems.append(f"event {event['seq']} was changed after it was written")
        previous = event["hash"]
    return Chain(n_events, previous, tuple(problems))
