"""A chain of events, each with the hash of the previous one: a changed, removed or inserted event breaks it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from calotype.foundation.ids import sha256_json

START = "0" * 64
"""Previous hash of the first event."""

_BODY = ("at_us", "actor", "verb", "subject", "details")


def event_hash(event: Mapping[str, Any], *, previous: str) -> str:
    """A link of the chain: SHA-256 over the event and the hash of the previous event."""
    return sha256_json({**event, "previous": previous})


@dataclass(frozen=True, slots=True)
class Link:
    """An event as the chain sees it. `unchanged` says whether its hash is that of its content."""

    seq: int
    previous: str
    hash: str
    unchanged: bool


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold: the number of the first event concerned, and what is wrong with it."""

    seq: int
    problem: str


def link_of(event: Mapping[str, Any]) -> Link:
    """The link of an event, whose details may be JSON text."""
    body = {name: event[name] for name in _BODY}
    try:
        if isinstance(body["details"], str):
            body["details"] = json.loads(body["details"])
        unchanged = event_hash(body, previous=event["previous"]) == event["hash"]
    except (ValueError, TypeError):
        unchanged = False
    return Link(event["seq"], event["previous"], event["hash"], unchanged)


def breaks(link: Link, before: Link | None) -> Iterator[Break]:
    """What is wrong with an event, given the one before it."""
    if link.previous != (START if before is None else before.hash):
        expected = 1 if before is None else before.seq + 1
        if link.seq > expected:
            yield Break(
                expected, f"event {expected} is missing: event {link.seq} does not follow the previous event"
            )
        else:
            yield Break(link.seq, f"event {link.seq} does not follow the previous event")
    if not link.unchanged:
        yield Break(link.seq, f"event {link.seq} was changed after it was written")
