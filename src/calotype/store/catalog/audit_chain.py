"""Verification of the audit chain: detects changed, removed and inserted events. The chain is never rewritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from calotype.foundation.hash_chain import START, Link, breaks, link_of
from calotype.store.catalog import schema


@dataclass(frozen=True, slots=True)
class ChainReport:
    """Result of verifying all audit events."""

    n_events: int
    head: str
    problems: tuple[str, ...]


def walk(conn: sa.Connection) -> ChainReport:
    """Recompute every link. `head` is the hash of the last event (`START` if there is none)."""
    problems, previous, n_events = [], None, 0
    for link in links(conn):
        n_events += 1
        problems += [broken.problem for broken in breaks(link, previous)]
        previous = link
    return ChainReport(n_events, START if previous is None else previous.hash, tuple(problems))


def links(conn: sa.Connection) -> Iterator[Link]:
    """Every event in order, with its hash recomputed."""
    details = sa.cast(schema.audit.c.details, sa.Text).label(
        "details"
    )  # read as text: the JSON may have been tampered with
    columns = [details if column.name == "details" else column for column in schema.audit.c]
    for event in conn.execute(sa.select(*columns).order_by(schema.audit.c.seq)).mappings():
        yield link_of(dict(event))
