"""The commands `calotype inspect` and `calotype convert`: they need no workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.exchange import conversion, inspection, registry
from calotype.foundation.terminal import facts, table, terminal

_PATH = typer.Argument(help="A label file, or a folder of label files.", show_default=False)
_IMAGES = typer.Option(help="Folder of the images, if it is not beside the labels.")
_FROM = typer.Option("--from", help=f"Format to read: {', '.join(registry.READABLE)} or auto.")
_TO = typer.Option("--to", help=f"Format to write: {', '.join(registry.WRITABLE)}.", show_default=False)
_OUT = typer.Option(help="Folder to write to; new or empty.", show_default=False)
_MODE = typer.Option("--media", help="Images beside the new labels: copy, link or none.")
_FORMAT = typer.Option("--format", "-f", help=f"Format to read: {', '.join(registry.READABLE)} or auto.")


def inspect(
    ctx: typer.Context,
    path: Annotated[Path, _PATH],
    format: Annotated[str, _FORMAT] = "auto",
    images: Annotated[Path | None, _IMAGES] = None,
) -> None:
    """Say what label files are: format, layout, images, annotations, classes, splits and problems."""
    t = terminal(ctx)
    with t.progress() as progress:
        found = inspection.inspect(path, format=format, images=images, progress=progress)
    value = found.to_dict()
    shown: list[Any] = [facts({name: value[name] for name in ("format", "layout", "images", "annotations")})]
    shown.append(table(["evidence"], [[line] for line in found.evidence]))
    shown.append(table(["class", "annotations"], [list(pair) for pair in found.classes.items()]))
    splits = [[name or "no split", n] for name, n in found.splits.items()]
    shown.append(table(["split", "images"], splits))
    if found.problems:
        shown.append(_notices("problem", value["problems"]))
    t.emit(value, shown, next=f"calotype import NAME {path}")


def convert(
    ctx: typer.Context,
    source: Annotated[Path, _PATH],
    to: Annotated[str, _TO],
    out: Annotated[Path, _OUT],
    from_: Annotated[str, _FROM] = "auto",
    images: Annotated[Path | None, _IMAGES] = None,
    media: Annotated[str, _MODE] = "copy",
) -> None:
    """Convert label files from one format to another, and list what was adjusted and what is lost."""
    t = terminal(ctx)
    with t.progress() as progress:
        done = conversion.convert(
            source,
            to=to,
            out=out,
            from_=from_,
            images=images,
            mode=media,  # type: ignore[arg-type]
            progress=progress,
        )
    value = done.to_dict()
    counts = ("from", "layout", "format", "samples", "annotations", "files")
    shown: list[Any] = [facts({name: value[name] for name in counts})]
    if done.warnings:
        shown.append(_notices("warning", value["warnings"]))
    if done.losses:
        rows = [[loss["what"], loss["count"], ", ".join(loss["examples"])] for loss in value["losses"]]
        shown.append(table(["lost", "count", "examples"], rows))
    t.emit(value, shown)


def _notices(title: str, notices: list[dict[str, Any]]) -> Any:
    rows = [[n["code"], n["what"], n["count"], ", ".join(n["examples"])] for n in notices]
    return table([title, "what", "count", "examples"], rows)
