"""Commands of staffing, which stand beside those of batches: figures."""

from __future__ import annotations

from typing import Any

import typer

from calotype.foundation.terminal import table, terminal
from calotype.labelling.commands import BatchName, Dataset, batch
from calotype.staffing import service


@batch.command("figures")
def batch_figures(ctx: typer.Context, dataset: Dataset, name: BatchName) -> None:
    """Show how the work of each person fared in review, and what became of prelabels."""
    t = terminal(ctx)
    value = service.batch_figures(t.actor, dataset, name, store=t.store()).to_dict()
    people = [
        [p["person"], p["submitted"], p["sent_back"], _first_pass(p), p["median_s"] or ""]
        for p in value["people"]
    ]
    guesses = [[g["model"], g["class"], g["kept"], g["adjusted"], g["rejected"]] for g in value["prelabels"]]
    shown = [table(["person", "submitted", "sent back", "accepted unchanged", "seconds an image"], people)]
    if guesses:
        shown.append(table(["model", "class", "kept", "adjusted", "rejected"], guesses))
    t.emit(value, shown)


def _first_pass(person: dict[str, Any]) -> str:
    if person["first_pass"] is None:
        return "not reviewed"
    low, high = person["interval"]
    return f"{person['unchanged']} of {person['reviewed']} ({low:.0%} to {high:.0%})"
