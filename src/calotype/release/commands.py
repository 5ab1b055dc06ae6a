"""The command line of release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.formats import registry
from calotype.foundation.terminal import table, terminal
from calotype.release import service
from calotype.release.card_text import markdown
from calotype.release.model import SizeInvalid
from calotype.release.pixels import LARGEST_PX


def release(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.", show_default=False)],
    version: Annotated[str, typer.Argument(help="For example 1.0.0.", show_default=False)],
    split: Annotated[
        str | None, typer.Option(help="Assign splits first, e.g. train=.8,val=.1,test=.1")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Keep samples with the same value of this field together.")
    ] = None,
    where: Annotated[str | None, typer.Option(help="Only samples that match this query.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another split.")] = 0,
    format: Annotated[
        list[str] | None, typer.Option("--format", "-f", help="A format to write; several times.")
    ] = None,
    purpose: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="What it is for; one of the contract's purposes where it lists any."
        ),
    ] = "",
) -> None:
    """Freeze a tested version; refused when a gate is red."""
    t = terminal(ctx)
    with t.progress() as progress:
        made = service.release(
            t.actor,
            name,
            version,
            store=t.store(),
            gatekeeper=t.ports.gatekeeper(t.store()),
            splitter=t.ports.splitter,
            split=t.ports.fractions(split) if split else None,
            by=by,
            where=where,
            seed=seed,
            formats=tuple(format or ("coco",)),
            purpose=purpose,
            progress=progress,
        )
    value = made.to_dict()
    for warning in value["warnings"]:
        t.say(f"warning: {warning}")
    t.emit(
        value,
        f"released {name} {version}: commit {value['commit'][:12]}",
        next=f"calotype releases {name.partition('@')[0]} {version}",
    )


def releases(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.", show_default=False)],
    version: Annotated[str, typer.Argument(help="Show the card of this one.", show_default=False)] = "",
    build: Annotated[
        bool, typer.Option("--build", help="Write the files of this version again, the same bytes.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="With --build, into this folder instead of the workspace.")
    ] = None,
) -> None:
    """List the releases of a dataset, show the card of one, or write its files again."""
    t = terminal(ctx)
    if not version:
        found = [one.to_dict() for one in service.releases(t.actor, name, store=t.store())]
        head = ("version", "samples", "annotations", "gates", "purpose", "at", "by")
        rows = [
            [
                one["version"],
                one["samples"],
                one["annotations"],
                f"{one['gates']['green']} green",
                one["purpose"] or "",
                one["at"][:16],
                one["actor"],
            ]
            for one in found
        ]
        t.emit({"releases": found}, table(head, rows) if rows else f"{name} has no release")
        return
    one = service.get(t.actor, name, version, store=t.store())
    if not build:
        t.emit(dict(one.card), markdown(one.card))
        return
    with t.progress() as progress:
        made = service.build(t.actor, name, version, store=t.store(), out=out, progress=progress)
    same = "the same bytes as on the day of the release" if made.same else "not the bytes of that day"
    t.emit(made.to_dict(), f"wrote {len(made.files)} files into {made.out}: {same}")


def export(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A dataset: NAME or NAME@REF.", show_default=False)],
    format: Annotated[
        str, typer.Option("--format", "-f", help=f"Label format: {', '.join(registry.WRITABLE)}.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="A folder that is not there or empty.", show_default=False)],
    where: Annotated[str | None, typer.Option(help="Only samples that match this query.")] = None,
    label_set: Annotated[str, typer.Option(help="The annotations to write.")] = DEFAULT_LABEL_SET,
    images: Annotated[str, typer.Option(help="The images beside the labels: copy, link, none.")] = "copy",
) -> None:
    """Write a dataset in a label format, and list what the format cannot hold."""
    t = terminal(ctx)
    with t.progress() as progress:
        made = service.export(
            t.actor,
            name,
            format,
            out,
            store=t.store(),
            where=where,
            label_set=label_set,
            images=images,  # type: ignore[arg-type]
            progress=progress,
        )
    value = made.to_dict()
    rows = [[loss["what"], loss["count"]] for loss in value["losses"]]
    t.emit(
        value,
        [
            f"wrote {made.samples} samples, {made.annotations} annotations to {out}",
            table(["lost", "count"], rows),
        ],
    )


def materialise(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.", show_default=False)],
    version: Annotated[str, typer.Argument(help="A release, for example 1.0.0.", show_default=False)],
    size: Annotated[str, typer.Option(help="Width and height in pixels, e.g. 640x480.", show_default=False)],
    deep: Annotated[bool, typer.Option("--deep", help="Hash what is there before it is trusted.")] = False,
) -> None:
    """Decode and resize the images of a release once, so that training reads them as fast as the disk is."""
    t = terminal(ctx)
    with t.progress() as progress:
        made = service.materialise(
            t.actor, name, version, _size(size), store=t.store(), deep=deep, progress=progress
        )
    value = {
        "images": len(made),
        "width_px": made.size_wh[0],
        "height_px": made.size_wh[1],
        "folder": str(made.place),
    }
    t.emit(value, f"{len(made)} images of {size} pixels in {made.place}")


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise SizeInvalid(got=text[:40], most=LARGEST_PX)
    return int(width), int(height)
