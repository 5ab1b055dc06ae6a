"""Governance commands."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType

from calotype.foundation.clock import iso
from calotype.foundation.ids import canonical_json
from calotype.foundation.terminal import table, terminal
from calotype.govern import matrix, service
from calotype.govern.model import MODELS, Matrix
from calotype.govern.rules import ROLES

org = typer.Typer(no_args_is_help=True, help="Show or set the model of the organisation.")
Model = Annotated[
    str, typer.Option(metavar="MODEL", help=f"{', '.join(MODELS)}; by default the one in force.")
]


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


@org.command("show")
def show_organisation(ctx: typer.Context) -> None:
    """Show the model of the organisation, which decides what roles allow."""
    t = terminal(ctx)
    shown = service.organisation(t.actor, store=t.store())
    t.emit(shown.to_dict(), shown.model, next=f"calotype access matrix --model {shown.model}")


@org.command("set")
def set_organisation(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"{', '.join(MODELS[:-1])} or {MODELS[-1]}.")],
) -> None:
    """Set the model of the organisation. Only owners can; it is recorded in the audit trail."""
    t = terminal(ctx)
    changed = service.set_organisation(t.actor, model, store=t.store())
    t.emit(changed.to_dict(), f"the organisation is {changed.model}", next="calotype access matrix")


def access_matrix(
    ctx: typer.Context,
    model: Model = "",
    diff: Annotated[
        str, typer.Option(metavar="MODEL", help="Only what differs under this other model.")
    ] = "",
) -> None:
    """Print what each role allows, by action and kind of resource."""
    t = terminal(ctx)
    shown = service.access_matrix(t.actor, store=t.store(), model=model, diff=diff)
    t.emit(shown.to_dict(), [_differences(shown)] if diff else _tables(shown))


def _tables(shown: Matrix) -> list[RenderableType]:
    """One table for each kind of resource: who may do what."""
    kinds = dict.fromkeys(cell.kind for cell in shown.cells)
    columns = ["allowed to", "only in the team", "only on all"]
    tables: list[RenderableType] = [
        f"{shown.model}: roles that allow it wherever they are held; only where they are "
        "held in the team or on the dataset; only where they are held on the whole workspace"
    ]
    for kind in kinds:
        rows = [
            [action, *(", ".join(role for role, held in zip(ROLES, words, strict=True) if held == word)
                       for word in ("yes", "team", "all"))]
            for action, *words in matrix.rows([cell for cell in shown.cells if cell.kind == kind])
        ]  # fmt: skip
        tables.append(table([kind, *columns], rows))
    return tables


def _differences(shown: Matrix) -> RenderableType:
    rows = [
        [
            d.after.kind,
            d.after.action,
            d.after.role,
            d.after.held,
            _yes(d.before.allowed),
            _yes(d.after.allowed),
        ]
        for d in shown.differences
    ]
    return table(["on", "action", "role", "held on", shown.model, shown.other], rows)


def _yes(allowed: bool) -> str:
    return "yes" if allowed else "no"
