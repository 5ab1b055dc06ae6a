"""The commands `calotype add` and `calotype quarantine`."""

from __future__ import annotations

from typing import Annotated

import typer

from calotype.acquire import service
from calotype.acquire.model import ImageOptions
from calotype.foundation.terminal import facts, table, terminal


def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.", show_default=False)],
    paths: Annotated[
        list[str], typer.Argument(help="Image files and folders, or s3://BUCKET/FOLDER.", show_default=False)
    ],
    source: Annotated[str, typer.Option(help="Where the images come from, e.g. a camera.")] = "",
    licence: Annotated[str, typer.Option(help="Their licence, e.g. CC-BY-4.0.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag for each sample; repeatable.")] = None,
    on_invalid: Annotated[
        str, typer.Option(help="Files that are not valid images: quarantine, skip, error.")
    ] = "quarantine",
    media: Annotated[str, typer.Option(help="How to import the images: copy, link, reference.")] = "copy",
) -> None:
    """Add images: files, or folders with everything below; folders of buckets need `--media reference`."""
    t = terminal(ctx)
    options = ImageOptions(
        source=source,
        licence=licence,
        tags=tag or (),
        on_invalid=on_invalid,
        media=media,  # type: ignore[arg-type]
    )
    with t.progress() as progress:
        added = service.add(t.actor, name, paths, options, store=t.store(), progress=progress)
    value = added.to_dict()
    shown: list[object] = [facts({key: count for key, count in value.items() if isinstance(count, int)})]
    if added.set_aside:
        shown.append(
            table(["quarantined", "reason"], [[item.place, item.reason] for item in added.set_aside[:20]])
        )
    t.emit(value, shown, next=f"calotype import {name} LABELS  or  calotype commit {name} -m MESSAGE")  # type: ignore[arg-type]


def quarantine(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(help="A dataset: NAME, NAME@branch, NAME@tag, NAME@commit.", show_default=False)
    ],
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of rows.")] = 200,
) -> None:
    """List the quarantined files and annotations with their reasons."""
    t = terminal(ctx)
    items = [item.to_dict() for item in service.quarantined(t.actor, name, store=t.store(), limit=limit)]
    shown = table(["what", "where", "reason"], [[i["what"], i["place"], i["reason"]] for i in items])
    t.emit({"items": items}, shown if items else "the quarantine is empty")
