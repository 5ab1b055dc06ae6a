"""Commands of browse: save, list, show, rename and delete views."""

from __future__ import annotations

from typing import Annotated

import typer

from calotype.browse.views import service
from calotype.browse.views.model import SavedView, ViewSpec
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.terminal import Terminal, facts, table, terminal

Name = Annotated[str, typer.Argument(help="A dataset.", show_default=False)]
View = Annotated[str, typer.Argument(help="The name of the view.", show_default=False)]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the view that has this name.")]

view = typer.Typer(
    no_args_is_help=True, help="Save queries under a name, for everybody who reads the dataset."
)


@view.command("save")
def save(
    ctx: typer.Context,
    name: Name,
    view_name: View,
    where: Annotated[str, typer.Option("--where", help="Only samples that match this query.")] = "",
    sort: Annotated[
        str, typer.Option(help="Order: name, -name, newest, annotations or -annotations.")
    ] = "name",
    label_set: Annotated[str, typer.Option(help="The label set to show.")] = DEFAULT_LABEL_SET,
    ref: Annotated[
        str, typer.Option(help="A branch, tag or commit; by default the working state of main.")
    ] = "",
    overwrite: Overwrite = False,
) -> None:
    """Save a query with its order under a name."""
    t = terminal(ctx)
    spec = ViewSpec(where, sort, label_set, ref)
    saved = service.save_view(t.actor, name, view_name, spec, store=t.store(), overwrite=overwrite)
    _emit(t, saved, f"saved view {saved.name}", next=f"calotype view list {name}")


@view.command("list")
def list_views(ctx: typer.Context, name: Name) -> None:
    """List the saved views of a dataset."""
    t = terminal(ctx)
    views = service.saved_views(t.actor, name, store=t.store())
    rows = [
        [
            one.name,
            one.spec.where or "all samples",
            one.spec.sort,
            one.spec.ref or "working state",
            one.changed_by,
        ]
        for one in views
    ]
    shown = table(["view", "query", "sort", "ref", "changed by"], rows)
    t.emit(
        {"items": [one.to_dict() for one in views]},
        shown if views else "no saved views yet",
        next="" if views else f"calotype view save {name} VIEW --where QUERY",
    )


@view.command("show")
def show(ctx: typer.Context, name: Name, view_name: View) -> None:
    """Show what a saved view holds."""
    t = terminal(ctx)
    found = service.saved_view(t.actor, name, view_name, store=t.store())
    _emit(t, found, "")


@view.command("rename")
def rename(
    ctx: typer.Context,
    name: Name,
    view_name: View,
    new: Annotated[str, typer.Argument(help="The new name.", show_default=False)],
    overwrite: Overwrite = False,
) -> None:
    """Give a saved view another name."""
    t = terminal(ctx)
    renamed = service.rename_view(t.actor, name, view_name, new, store=t.store(), overwrite=overwrite)
    t.emit(renamed.to_dict(), f"renamed view {view_name} to {renamed.name}")


@view.command("delete")
def delete(ctx: typer.Context, name: Name, view_name: View) -> None:
    """Delete a saved view; samples and annotations stay."""
    t = terminal(ctx)
    deleted = service.delete_view(t.actor, name, view_name, store=t.store())
    t.emit(deleted.to_dict(), f"deleted view {deleted.name}")


def _emit(t: Terminal, saved: SavedView, line: str, *, next: str = "") -> None:
    value = saved.to_dict()
    t.emit(value, [*([line] if line else []), facts(value)], next=next)
