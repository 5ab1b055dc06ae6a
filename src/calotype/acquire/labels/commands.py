"""The command line of annotate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.acquire.labels import service
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.terminal import facts, table, terminal


def import_labels(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.", show_default=False)],
    path: Annotated[Path, typer.Argument(help="A label file, or a folder of them.", show_default=False)],
    format: Annotated[str, typer.Option("--format", "-f", help="coco, yolo, voc, folder or auto.")] = "auto",
    images: Annotated[
        Path | None, typer.Option(help="The folder of the pictures, where it lies elsewhere.")
    ] = None,
    label_set: Annotated[str, typer.Option(help="Where the annotations go.")] = DEFAULT_LABEL_SET,
    on_unknown: Annotated[
        str, typer.Option(help="Classes that a closed ontology lacks: error, skip, quarantine.")
    ] = ("error"),
    on_invalid: Annotated[str, typer.Option(help="Broken items, missing files: error, skip, quarantine.")] = (
        "quarantine"
    ),
    source: Annotated[str, typer.Option(help="Where the images come from.")] = "",
    licence: Annotated[str, typer.Option(help="The licence of images for which the file names none.")] = "",
    media: Annotated[str, typer.Option(help="How the images come in: copy, link, reference.")] = "copy",
) -> None:
    """Import annotations, and the images that they list."""
    t = terminal(ctx)
    with t.progress() as progress:
        imported = service.import_annotations(
            t.actor,
            name,
            path,
            store=t.store(),
            format=format,
            images=images,
            label_set=label_set,
            on_unknown=on_unknown,
            on_invalid=on_invalid,
            source=source,
            licence=licence,
            media=media,  # type: ignore[arg-type]
            progress=progress,
        )
    value = imported.to_dict()
    names = ("format", "samples", "annotations", "added", "updated", "unchanged", "skipped")
    shown: list[Any] = [facts({key: value[key] for key in names})]
    for title in ("losses", "warnings"):
        if value[title]:
            shown.append(table([title, "count", "example"], [list(entry.values()) for entry in value[title]]))
    if imported.set_aside:
        shown.append(
            table(["set aside", "reason"], [[item.place, item.reason] for item in imported.set_aside[:20]])
        )
    t.emit(value, shown, next=f'calotype commit {name} -m "import {path.name}"')
