"""Commands of the application itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calotype.app import workspaces
from calotype.foundation.terminal import terminal
from calotype.foundation.verbs import OnlyWhereTheDataIs


def init(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of the new workspace. Default: that of `-w`, or the current folder."),
    ] = None,
    catalog: Annotated[
        str, typer.Option(help="PostgreSQL database for the catalog: postgresql://USER@HOST/DATABASE.")
    ] = "",
    storage: Annotated[str, typer.Option(help="Bucket for media and tables: s3://BUCKET/PREFIX.")] = "",
) -> None:
    """Create a workspace: a folder of datasets. Needs no server and no account."""
    t = terminal(ctx)
    if folder is None and "://" in t.workspace:
        raise OnlyWhereTheDataIs(verb="calotype init", why="it creates a folder")
    store = workspaces.create(t.actor, folder or Path(t.workspace), catalog=catalog, storage=storage)
    t.emit(
        {"workspace": str(store.root)},
        f"created a workspace in {store.root}",
        next="calotype dataset create NAME",
    )
