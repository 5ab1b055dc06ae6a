"""The command line of govern."""

from __future__ import annotations

from typing import Annotated

import typer

from calotype.foundation.ids import canonical_json
from calotype.foundation.terminal import table, terminal
from calotype.govern import service


def audit(
    ctx: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Only what was done to this dataset.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """Show who did what, newest first."""
    t = terminal(ctx)
    events = service.audit(t.actor, store=t.store(), subject=dataset, limit=limit)
    intact = not service.chain_problems(t.actor, store=t.store())
    items = [event.to_dict() for event in events]
    rows = [
        [i["seq"], i["at"][:19], i["actor"], i["verb"], i["subject"], canonical_json(i["details"])[:100]]
        for i in items
    ]
    chain = "the chain is intact" if intact else "THE CHAIN IS BROKEN: run `calotype verify`"
    t.emit(
        {"items": items, "intact": intact}, [table(["", "at", "who", "verb", "what", "details"], rows), chain]
    )
