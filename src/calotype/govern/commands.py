"""Governance commands."""

from __future__ import annotations

from typing import Annotated

import typer

from calotype.foundation.clock import iso
from calotype.foundation.ids import canonical_json
from calotype.foundation.terminal import table, terminal
from calotype.govern import service


def audit(
    ctx: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Only events of this dataset.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of events.")] = 50,
) -> None:
    """Show the audit trail, newest first."""
    t = terminal(ctx)
    events = service.audit(t.actor, store=t.store(), subject=dataset, limit=limit)
    intact = not service.chain_problems(t.actor, store=t.store())
    rows = [
        [e.seq, iso(e.at_us)[:19], e.actor, e.verb, e.subject, canonical_json(e.details)[:100]]
        for e in events
    ]
    chain = "the chain is intact" if intact else "THE CHAIN IS BROKEN: run `calotype verify`"
    t.emit(
        {"items": [event.to_dict() for event in events], "intact": intact},
        [table(["", "at", "actor", "verb", "subject", "details"], rows), chain],
    )
