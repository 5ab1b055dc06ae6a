"""Release commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.exchange import registry
from calotype.foundation.terminal import Terminal, counted, table, terminal
from calotype.release import service
from calotype.release.card_text import markdown
from calotype.release.model import ExportSpec, Plan, Release, ReleaseSpec, SizeInvalid
from calotype.release.pixels import MAX_SIDE_PX


def release(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the dataset.", show_default=False)],
    version: Annotated[str, typer.Argument(help="Version, such as 1.0.0.", show_default=False)],
    split: Annotated[
        str | None, typer.Option(help="Assign splits first, such as train=.8,val=.1,test=.1.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Keep samples with the same value of this field in one split.")
    ] = None,
    where: Annotated[str | None, typer.Option(help="Only samples that match this query.")] = None,
    seed: Annotated[int, typer.Option(help="Random seed of the split.")] = 0,
    format: Annotated[
        list[str] | None, typer.Option("--format", "-f", help="Label format to write; may be repeated.")
    ] = None,
    purpose: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Purpose of the release; must be one of the contract's purposes if it lists any.",
        ),
    ] = "",
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what the release would hold; release nothing.")
    ] = False,
    committed: Annotated[
        bool, typer.Option("--committed", help="Fail if there are uncommitted changes.")
    ] = False,
) -> None:
    """Release a tested version of a dataset. Fails if a gate is red."""
    spec = ReleaseSpec(
        formats=tuple(format or ("coco",)),
        where=where or "",
        split=terminal(ctx).ports.fractions(split) if split else None,
        by=by,
        seed=seed,
        purpose=purpose,
        uncommitted=not committed,
    )
    _plan_or_release(terminal(ctx), name, version, spec, only_plan=plan)


def _plan_or_release(t: Terminal, name: str, version: str, spec: ReleaseSpec, *, only_plan: bool) -> None:
    planned = service.plan(t.actor, name, store=t.store())
    if only_plan:
        t.emit(planned.to_dict(), _planned(planned))
        return
    if planned.uncommitted is not None and spec.uncommitted:
        t.say(f"includes uncommitted changes: {planned.uncommitted}")
    created = _release(t, name, version, spec)
    for warning in created.card.get("warnings", ()):
        t.say(f"warning: {warning}")
    t.emit(
        created.to_dict(),
        _contents(created, service.place_of(t.store(), created.dataset, version)),
        next=f"calotype releases {name.partition('@')[0]} {version}",
    )


def _planned(plan: Plan) -> list[str]:
    """What a release would hold, in words."""
    size = f"{plan.samples} samples, {plan.annotations} annotations"
    lines = [size, f"uncommitted changes: {plan.uncommitted or 'none'}"]
    if plan.since is None:
        return [*lines, "no release before this one"]
    if plan.since.same:
        return [*lines, plan.since.warning]
    also = f"; {', '.join(plan.since.documents)} changed" if plan.since.documents else ""
    return [*lines, f"changes since {plan.since.version}: {plan.since.changes}{also}"]


def _release(t: Terminal, name: str, version: str, spec: ReleaseSpec) -> Release:
    with t.progress() as progress:
        return service.release(
            t.actor,
            name,
            version,
            spec,
            store=t.store(),
            gatekeeper=t.ports.gatekeeper(t.store()),
            splitter=t.ports.splitter,
            progress=progress,
        )


def _contents(created: Release, folder: str) -> list[Any]:
    """The splits, and each export as a trainer finds it."""
    splits = [[row["name"], row["samples"]] for row in created.card["splits"]]
    exports = [[item["format"], item["samples"], item["annotations"]] for item in created.card["exports"]]
    shown: list[Any] = [f"released {created.dataset} {created.version}: commit {created.commit_id[:12]}"]
    shown += [f"in {folder}", "", table(["split", "samples"], splits), ""]
    return [*shown, table(["export", "samples", "annotations"], exports)]


def releases(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the dataset.", show_default=False)],
    version: Annotated[str, typer.Argument(help="Version whose card to show.", show_default=False)] = "",
    build: Annotated[bool, typer.Option("--build", help="Rebuild the files of this version.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to build into; in the workspace by default.")
    ] = None,
) -> None:
    """List the releases of a dataset, show the card of one, or rebuild its files."""
    t = terminal(ctx)
    if not version:
        _list_releases(t, name)
        return
    if not build:
        card = service.get(t.actor, name, version, store=t.store()).card
        t.emit(dict(card), markdown(card))
        return
    with t.progress() as progress:
        built = service.build(t.actor, name, version, store=t.store(), out=out, progress=progress)
    same = (
        "identical to the files of the release" if built.same else "different from the files of the release"
    )
    t.emit(built.to_dict(), f"wrote {len(built.files)} files to {built.out}: {same}")


def _list_releases(t: Terminal, name: str) -> None:
    items = [item.to_dict() for item in service.releases(t.actor, name, store=t.store())]
    head = ("version", "samples", "annotations", "gates", "purpose", "at", "by")
    rows = [
        [
            item["version"],
            item["samples"],
            item["annotations"],
            f"{item['gates']['green']} green",
            item["purpose"] or "",
            item["at"][:16],
            item["actor"],
        ]
        for item in items
    ]
    t.emit({"releases": items}, table(head, rows) if rows else f"{name} has no releases")


def export(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Dataset: NAME or NAME@REF.", show_default=False)],
    format: Annotated[
        str,
        typer.Option(
            "--format", "-f", help=f"Label format: {', '.join(registry.WRITABLE)}.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write to; new or empty.", show_default=False)],
    where: Annotated[str | None, typer.Option(help="Only samples that match this query.")] = None,
    label_set: Annotated[str, typer.Option(help="Label set to write.")] = DEFAULT_LABEL_SET,
    images: Annotated[str, typer.Option(help="Images beside the labels: copy, link or none.")] = "copy",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; report what would be lost.")
    ] = False,
) -> None:
    """Write a dataset in a label format, and list what the format cannot represent."""
    t = terminal(ctx)
    spec = ExportSpec(format, where, label_set, images, dry_run)  # type: ignore[arg-type]
    with t.progress() as progress:
        exported = service.export(t.actor, name, spec, out, store=t.store(), progress=progress)
    value = exported.to_dict()
    wrote = "dry run: would write" if dry_run else "wrote"
    counts = f"{wrote} {exported.samples:,} samples, {exported.annotations:,} annotations to {out}"
    losses = [(loss.count, "", loss.what, loss.examples) for loss in exported.losses]
    t.emit(value, [counts, "", counted("lost", losses)] if losses else [counts, "nothing is lost"])


def materialise(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the dataset.", show_default=False)],
    version: Annotated[
        str, typer.Argument(help="Version of the release, such as 1.0.0.", show_default=False)
    ],
    size: Annotated[
        str, typer.Option(help="Width and height in pixels, such as 640x480.", show_default=False)
    ],
    deep: Annotated[bool, typer.Option("--deep", help="Verify the hashes of existing pixels.")] = False,
) -> None:
    """Decode and resize the images of a release once, for fast reading in training."""
    t = terminal(ctx)
    with t.progress() as progress:
        pixels = service.materialise(
            t.actor, name, version, _size(size), store=t.store(), deep=deep, progress=progress
        )
    value = {
        "images": len(pixels),
        "width_px": pixels.size_wh[0],
        "height_px": pixels.size_wh[1],
        "folder": str(pixels.folder),
    }
    t.emit(value, f"{len(pixels)} images of {size} pixels in {pixels.folder}")


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise SizeInvalid(got=text[:40], most=MAX_SIDE_PX)
    return int(width), int(height)
