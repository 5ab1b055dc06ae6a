"""Commands of precedents: list, add."""

from __future__ import annotations

from typing import Annotated

import typer

from calotype.foundation.terminal import table, terminal
from calotype.guidelines.precedents import service
from calotype.guidelines.precedents.service import Precedent

Dataset = Annotated[str, typer.Argument(help="A dataset.", show_default=False)]
precedent = typer.Typer(no_args_is_help=True, help="Keep and list rulings on difficult cases.")


@precedent.command("list")
def list_precedents(
    ctx: typer.Context,
    dataset: Dataset,
    class_name: Annotated[str, typer.Option("--class", help="Only those of this class.")] = "",
) -> None:
    """List rulings on difficult cases, the newest first."""
    t = terminal(ctx)
    listed = service.precedents(t.actor, dataset, store=t.store(), class_name=class_name)
    rows = [[one["sample"], one["class"], one["ruling"], one["reason"], one["by"]] for one in listed]
    t.emit({"items": listed}, table(["sample", "class", "ruling", "reason", "by"], rows))


@precedent.command("add")
def add_precedent(
    ctx: typer.Context,
    dataset: Dataset,
    ruling: Annotated[str, typer.Option(help="What is right.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    sample: Annotated[str, typer.Option(help="Id or name of the sample.")] = "",
    question: Annotated[
        str, typer.Option(help="Id of the question that it answers, instead of the sample.")
    ] = "",
    class_name: Annotated[str, typer.Option("--class", help="The class that it is about.")] = "",
) -> None:
    """Keep a ruling on a difficult case as a precedent of the guideline."""
    t = terminal(ctx)
    given = Precedent(ruling, reason, sample, class_name, None, question)
    value = service.add_precedent(t.actor, dataset, given, store=t.store())
    t.emit(value, f"kept: {value['ruling']}", next=f"calotype precedent list {dataset}")
