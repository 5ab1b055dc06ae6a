"""Commands of staffing, which stand beside those of batches: figures."""

from __future__ import annotations

from typing import Any

import typer

from calotype.foundation.terminal import table, terminal
from calotype.labelling.commands import BatchName, Dataset, batch
from calotype.staffing import service


@batch.command("figures")
def batch_figures(ctx: typer.Context, dataset: Dataset, name: BatchName) -> None:
    """Show how the work of each person fared in review, what became of prelabels, and when it will be finished."""
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
    t.emit(value, [*shown, "", _end(value["forecast"]), _questions(value["questions"])])


def _end(forecast: dict[str, Any]) -> str:
    if forecast["p50"] is None:
        return f"end: unknown, {forecast['why']}"
    so_far = f"{forecast['remaining']} to submit, {forecast['done']} in {forecast['days']} days"
    return f"end: {forecast['p50']} (50 %), {forecast['p80']} (80 %); {so_far}"


def _questions(questions: dict[str, Any]) -> str:
    if questions["median_h"] is None:
        return f"questions: {questions['open']} open, none answered"
    answered = f"{questions['answered']} answered after {questions['median_h']} h (median)"
    return f"questions: {questions['open']} open, {answered}"


def _first_pass(person: dict[str, Any]) -> str:
    if person["first_pass"] is None:
        return "not reviewed"
    low, high = person["interval"]
    return f"{person['unchanged']} of {person['reviewed']} ({low:.0%} to {high:.0%})"
