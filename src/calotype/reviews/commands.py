"""Commands of reviews: list, accept, merge, send back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from calotype.foundation.terminal import Terminal, table, terminal
from calotype.labelling.commands import As, Dataset, acting
from calotype.labelling.model import Outcome, Remark
from calotype.reviews import service

review = typer.Typer(no_args_is_help=True, help="List, accept, merge and send back submitted work.")

Batch = Annotated[str, typer.Option(help="Only samples of this batch.")]
Samples = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SAMPLES]", help="Ids or names. Default: all that wait.", show_default=False),
]
Agreement = Annotated[float, typer.Option(help="Only samples whose copies agree at least so far, 0 to 1.")]


@review.command("list")
def list_reviews(ctx: typer.Context, dataset: Dataset, batch: Batch = "") -> None:
    """List the samples that wait for a review, the longest first."""
    t = terminal(ctx)
    listed = service.to_review(t.actor, dataset, store=t.store(), batch=batch)
    rows = [
        [one["name"], one["batch"], ", ".join(one["by"]), one["reason"], _agreed(one["agreement"])]
        for one in listed
    ]
    shown = table(["sample", "batch", "by", "why", "agreement"], rows)
    t.emit({"items": listed}, shown, next="calotype work next --kind review" if listed else "")


@review.command("accept")
def accept_reviews(
    ctx: typer.Context,
    dataset: Dataset,
    samples: Samples = None,
    batch: Batch = "",
    agreement: Agreement = 0.0,
    as_: As = "",
) -> None:
    """Accept submitted work as it is; of several copies, the one that agrees most. Your own is left out."""
    t = terminal(ctx)
    selected = service.Selected(batch, tuple(samples or ()), agreement)
    _emit_outcomes(
        t, service.accept_reviews(acting(t, as_), dataset, store=t.store(), selected=selected), "accepted"
    )


@review.command("merge")
def merge_reviews(
    ctx: typer.Context,
    dataset: Dataset,
    samples: Samples = None,
    batch: Batch = "",
    agreement: Agreement = 0.0,
    as_: As = "",
) -> None:
    """Merge copies by several people, object by object, and accept the result. Your own is left out."""
    t = terminal(ctx)
    selected = service.Selected(batch, tuple(samples or ()), agreement)
    _emit_outcomes(
        t, service.merge_reviews(acting(t, as_), dataset, store=t.store(), selected=selected), "merged"
    )


@review.command("send-back")
def send_back_reviews(
    ctx: typer.Context,
    dataset: Dataset,
    samples: Samples = None,
    note: Annotated[str, typer.Option(help="What is wrong.")] = "",
    category: Annotated[str, typer.Option(help="Kind of mistake, such as missing or wrong class.")] = "",
    batch: Batch = "",
    as_: As = "",
) -> None:
    """Send submitted work back to its authors, with a remark. Your own is left out."""
    t = terminal(ctx)
    selected = service.Selected(batch, tuple(samples or ()))
    done = service.send_back_reviews(
        acting(t, as_), dataset, Remark(note, category), store=t.store(), selected=selected
    )
    _emit_outcomes(t, done, "sent back")


def _agreed(share: float | None) -> str:
    return "" if share is None else f"{share:.2f}"


def _emit_outcomes(t: Terminal, done: Sequence[Outcome], what: str) -> None:
    t.emit({"items": [outcome.to_dict() for outcome in done]}, f"{len(done)} samples {what}")
