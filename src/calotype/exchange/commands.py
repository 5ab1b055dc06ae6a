"""The commands `calotype inspect` and `calotype convert`: they need no workspace."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.exchange import conversion, inspection, registry
from calotype.exchange.inspection import Inspection
from calotype.foundation.printable import one_line
from calotype.foundation.terminal import counted, facts, table, terminal

_CLASSES_SHOWN = 20

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
    t.emit(found.to_dict(), _report(found), next=_next(found, path, format, images))


def _next(found: Inspection, path: Path, format: str, images: Path | None) -> str:
    options = ["--format", format] if format != "auto" else []
    if images is None and not found.images:
        return shlex.join(["calotype", "inspect", str(path), *options, "--images", "DIR"])
    options += ["--images", str(images)] if images else []
    return shlex.join(["calotype", "import", "NAME", str(path), *options, "--dry-run"])


def _report(found: Inspection) -> list[Any]:
    evidence = "\n".join(one_line(line) for line in found.evidence)
    shown: list[Any] = [
        facts(
            {
                "format": found.format,
                "layout": found.layout,
                "evidence": evidence,
                "images": found.images,
                "annotations": found.annotations,
            }
        )
    ]
    if found.splits:
        splits = [[name or "no split", n] for name, n in found.splits.items()]
        shown += ["", table(["split", "images"], splits)]
    if found.classes:
        by_count = sorted(found.classes.items(), key=lambda pair: (-pair[1], pair[0]))
        shown += ["", table(["class", "annotations"], [list(pair) for pair in by_count[:_CLASSES_SHOWN]])]
        if len(by_count) > _CLASSES_SHOWN:
            shown.append(f"... and {len(by_count) - _CLASSES_SHOWN:,} more classes; --json lists all")
    if found.problems:
        rows = [(p.count, p.code, p.what, p.examples) for p in found.problems]
        shown += ["", counted("problem", rows)]
    return shown


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
        shown += ["", counted("warning", [(n.count, n.code, n.what, n.examples) for n in done.warnings])]
    if done.losses:
        shown += ["", counted("lost", [(loss.count, "", loss.what, loss.examples) for loss in done.losses])]
    else:
        shown.append("nothing was lost")
    t.emit(value, shown)
