"""The command `calotype import`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.acquire.labels import service
from calotype.acquire.labels.model import COUNTS, Imported, ImportOptions
from calotype.acquire.quarantine import QuarantinedItem
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.exchange import registry
from calotype.foundation.printable import one_line
from calotype.foundation.terminal import counted, facts, terminal

_REASONS_SHOWN = 10

_FORMATS = typer.Option(
    "--format",
    "-f",
    help=f"Label format: {', '.join(registry.READABLE)} or auto.",
    autocompletion=lambda: [*registry.READABLE, "auto"],
)
_ON_UNKNOWN = typer.Option(help="Classes that a closed ontology lacks: error, skip, quarantine.")
_ON_INVALID = typer.Option(help="Invalid items and missing files: error, skip, quarantine.")
_STRICT = typer.Option("--strict", help="Refuse if anything would be left out or adjusted.")
_DRY_RUN = typer.Option("--dry-run", help="Write nothing; report what would happen.")


def import_labels(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.", show_default=False)],
    path: Annotated[
        Path, typer.Argument(help="A label file, or a folder of label files.", show_default=False)
    ],
    format: Annotated[str, _FORMATS] = "auto",
    images: Annotated[
        Path | None, typer.Option(help="Folder of the images, if it is not beside the labels.")
    ] = None,
    label_set: Annotated[str, typer.Option(help="Label set to import into.")] = DEFAULT_LABEL_SET,
    on_unknown: Annotated[str, _ON_UNKNOWN] = "error",
    on_invalid: Annotated[str, _ON_INVALID] = "quarantine",
    source: Annotated[str, typer.Option(help="Where the images come from, kept on each sample.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of images for which the file names none.")] = "",
    media: Annotated[str, typer.Option(help="How to import the images: copy, link, reference.")] = "copy",
    strict: Annotated[bool, _STRICT] = False,
    dry_run: Annotated[bool, _DRY_RUN] = False,
) -> None:
    """Import annotations, and the images that they list."""
    t = terminal(ctx)
    options = ImportOptions(
        format=format,
        images=images,
        label_set=label_set,
        on_unknown=on_unknown,
        on_invalid=on_invalid,
        source=source,
        licence=licence,
        media=media,  # type: ignore[arg-type]
        strict=strict,
        dry_run=dry_run,
    )
    with t.progress() as progress:
        imported = service.import_annotations(
            t.actor, name, path, options, store=t.store(), progress=progress
        )
    commit = shlex.join(["calotype", "commit", name, "-m", f"import {path.name}"])
    same = 0 < imported.annotations == imported.unchanged and not imported.removed
    t.emit(imported.to_dict(), _report(imported, options, name), next="" if dry_run or same else commit)


def _report(imported: Imported, options: ImportOptions, name: str) -> list[Any]:
    value = imported.to_dict()
    evidence = "\n".join(one_line(line) for line in imported.evidence)
    about = {"format": imported.format, "layout": imported.layout, "evidence": evidence}
    shown: list[Any] = [facts(about | {key: value[key] for key in COUNTS})]
    if imported.losses:
        losses = [(loss.count, "", loss.what, loss.examples) for loss in imported.losses]
        shown += ["", counted("lost", losses)]
    if imported.warnings:
        warnings = [(n.count, n.code, n.what, n.examples) for n in imported.warnings]
        shown += ["", counted("warning", warnings)]
    if imported.set_aside:
        shown += ["", *_rejected(imported.set_aside)]
    if options.dry_run:
        shown += ["", "dry run: nothing was written"]
    elif any(options.keeps(item) for item in imported.set_aside):
        shown += ["", f"all of them: calotype quarantine {shlex.quote(name)}"]
    return shown


def _rejected(items: Sequence[QuarantinedItem]) -> list[Any]:
    """What was not imported, by reason."""
    places: dict[tuple[str, str], list[str]] = {}
    for item in items:
        places.setdefault((item.code, item.reason), []).append(item.place)
    rows = [(len(found), code, reason, found) for (code, reason), found in places.items()]
    more = sum(count for count, *_ in rows[_REASONS_SHOWN:])
    shown: list[Any] = [counted("rejected", rows[:_REASONS_SHOWN])]
    return [*shown, f"... and {more:,} more"] if more else shown
