"""Commands of the application itself: make a workspace, serve it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calotype.app import wiring
from calotype.foundation.terminal import terminal


def init(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The folder to make the workspace in.")] = Path(),
    catalog: Annotated[
        str, typer.Option(help="PostgreSQL for the catalog: postgresql://USER@HOST/DATABASE.")
    ] = "",
    storage: Annotated[str, typer.Option(help="A bucket for media and tables: s3://BUCKET/PREFIX.")] = "",
) -> None:
    """Make a workspace: a folder that holds datasets, no server and no account."""
    t = terminal(ctx)
    store = wiring.create(t.actor, folder, catalog=catalog, storage=storage)
    t.emit(
        {"workspace": str(store.root)},
        f"made a workspace in {store.root}",
        next="calotype dataset create NAME",
    )
