"""Command-line interface of reliability."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.foundation.clock import iso
from calotype.foundation.codes import FINDINGS
from calotype.foundation.terminal import facts, table, terminal
from calotype.reliability import service
from calotype.reliability.model import Manifest, Problem, RestoreResult, VerifyResult, parse_duration_s

_SHOWN = 50


def verify(
    ctx: typer.Context,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also read every column, and hash all media and release files.")
    ] = False,
) -> None:
    """Check that every commit is readable and nothing is missing."""
    t = terminal(ctx)
    with t.progress() as progress:
        result = service.verify(t.actor, store=t.store(), deep=deep, progress=progress)
    t.emit(result.to_dict(), _verification_view(result))
    if not result.ok:
        raise typer.Exit(FINDINGS)


def repair(
    ctx: typer.Context,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A backup, another workspace or a folder with the original images."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes/--dry-run", help="Repair, instead of showing the plan.")
    ] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Also look for damage inside files.")] = False,
) -> None:
    """Repair what can be repaired; never removes referenced data."""
    t = terminal(ctx)
    with t.progress() as progress:
        result = service.repair(
            t.actor, store=t.store(), source=source, dry_run=not yes, deep=deep, progress=progress
        )
    rows = [
        ["yes" if step.can else "no", step.problem.place, step.problem.what, step.action]
        for step in result.plan
    ]
    output: list[Any] = (
        [table(["can", "where", "problem", "action"], rows)] if rows else ["nothing to repair"]
    )
    if result.left is not None:
        output += [f"repaired {result.n_repaired} of {len(result.plan)}", *_verification_view(result.left)]
    able = any(step.can for step in result.plan)
    t.emit(result.to_dict(), output, next="calotype repair --yes" if able and not result.done else "")
    if not result.ok:
        raise typer.Exit(FINDINGS)


def gc(
    ctx: typer.Context,
    grace: Annotated[
        str,
        typer.Option(
            help="How long data must be unreachable before it is removed: 14d, 36h. Use 0 only if nothing else runs."
        ),
    ] = "14d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; change nothing.")] = False,
    always_compact: Annotated[
        bool,
        typer.Option("--always-compact", help="Compact every table of a branch, even if not worthwhile."),
    ] = False,
) -> None:
    """Compact tables and remove data that has been unreachable for a while; safe while others work."""
    t = terminal(ctx)
    wait_s = parse_duration_s(grace)
    with t.progress() as progress:
        result = service.gc(
            t.actor,
            store=t.store(),
            grace_s=wait_s,
            dry_run=dry_run,
            always_compact=always_compact,
            progress=progress,
        )
    swept = [
        [sweep.kind, sweep.marked, sweep.ripe, sweep.removed, format_bytes(sweep.freed_bytes)]
        for sweep in result.swept
    ]
    output: list[Any] = [table(["", "newly marked", "removable", "removed", "freed"], swept)]
    files = [
        [sweep.dataset, sweep.table.partition("/")[2], sweep.files_before, sweep.files_after, sweep.refused]
        for sweep in result.compacted
    ]
    if files:
        output.append(table(["dataset", "table", "files before", "after", ""], files, title="compacted"))
    output.append("nothing was changed" if dry_run else f"freed {format_bytes(result.freed_bytes)}")
    t.emit(result.to_dict(), output)


def size(ctx: typer.Context) -> None:
    """Show disk usage by purpose and dataset."""
    t = terminal(ctx)
    with t.progress() as progress:
        usage = service.size(t.actor, store=t.store(), progress=progress)
    parts = {name.replace("_", " "): format_bytes(n_bytes) for name, n_bytes in usage.parts.items()}
    columns = ("media", "tables_live", "tables_history", "releases")
    rows = [
        [name, *(format_bytes(sizes[column]) for column in columns)] for name, sizes in usage.datasets.items()
    ]
    heads = ["dataset", *(column.replace("_", " ") for column in columns)]
    t.emit(usage.to_dict(), [facts({"total": format_bytes(usage.total_bytes), **parts}), table(heads, rows)])


def backup(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(help="A folder, or s3://bucket/prefix.", show_default=False)],
    drill: Annotated[
        bool, typer.Option("--drill", help="Restore the newest backup to a temporary folder and verify it.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the backups in the target.")] = False,
) -> None:
    """Back up the present state of the workspace; files that are already there are not copied again."""
    t = terminal(ctx)
    if list_:
        _emit_backups(ctx, service.list_backups(t.actor, target, store=t.store()))
        return
    with t.progress() as progress:
        if drill:
            _emit_restore(ctx, service.drill(t.actor, target, store=t.store(), progress=progress))
            return
        result = service.backup(t.actor, target, store=t.store(), progress=progress)
    manifest = result.manifest
    output: list[Any] = [
        f"backup {manifest.id}: {manifest.files:,} files, {format_bytes(manifest.n_bytes)}",
        f"copied {result.copied_files:,} files, {format_bytes(result.copied_bytes)}; the others were already there",
    ]
    if manifest.missing_media:
        output.append(
            f"NOT saved: {len(manifest.missing_media)} missing or damaged media; run `calotype verify --deep`"
        )
    t.emit(result.to_dict(), output, next=f"calotype backup --drill {target}")
    if not result.ok:
        raise typer.Exit(FINDINGS)


def _emit_backups(ctx: typer.Context, manifests: Sequence[Manifest]) -> None:
    rows = [
        [item.id, iso(item.at_us)[:19], item.commits, item.media, format_bytes(item.n_bytes)]
        for item in manifests
    ]
    terminal(ctx).emit(
        {"items": [item.to_dict() for item in manifests]},
        [table(["id", "at", "commits", "media", "size"], rows)],
    )


def move(
    ctx: typer.Context,
    to: Annotated[
        str, typer.Option("--to", help="New location of media and tables: s3://bucket/prefix, or `folder`.")
    ] = "",
    catalog: Annotated[
        str, typer.Option(help="New location of the catalog: postgresql://user@host/database, or `folder`.")
    ] = "",
) -> None:
    """Move the workspace to a database and a bucket; resumable, and verified before the old location is abandoned."""
    t = terminal(ctx)
    with t.progress() as progress:
        result = service.move(t.actor, store=t.store(), catalog=catalog, bucket=to, progress=progress)
    document = result.to_dict()
    output: list[Any] = [
        facts(document["new"]),
        f"copied {result.copied_files:,} files, {format_bytes(result.copied_bytes)}; the others were already there",
    ]
    unused = {name: address for name, address in document["old"].items() if address != document["new"][name]}
    if unused:
        output += ["no longer used; delete these when you are sure:", facts(unused)]
    t.emit(document, output, next="calotype verify --deep")


def restore(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="BACKUP", help="A folder, or s3://bucket/prefix.")],
    into: Annotated[Path, typer.Argument(help="The folder to create the workspace in.")],
    at: Annotated[str | None, typer.Option(help="Id of the backup; the newest by default.")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read every byte again after restoring.")] = False,
) -> None:
    """Restore a workspace from a backup, and verify it."""
    t = terminal(ctx)
    with t.progress() as progress:
        result = service.restore(t.actor, source, into, at=at, deep=deep, progress=progress)
    _emit_restore(ctx, result)


def _emit_restore(ctx: typer.Context, result: RestoreResult) -> None:
    output: list[Any] = [
        f"restored backup {result.manifest.id} of {iso(result.manifest.at_us)[:19]} in {result.seconds:.1f} s"
    ]
    output += [f"DIFFERS: {line}" for line in result.differs]
    if not result.differs:
        output.append("commits and audit trail match the backup")
    terminal(ctx).emit(result.to_dict(), [*output, *_verification_view(result.verified)])
    if not result.ok:
        raise typer.Exit(FINDINGS)


def format_bytes(n_bytes: int) -> str:
    """A human-readable size: 512 B, 1.5 kB, 20.0 GB."""
    if n_bytes < 1_000:
        return f"{n_bytes} B"
    value = float(n_bytes)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1_000
        if value < 999.95 or unit == "TB":
            break
    return f"{value:.1f} {unit}"


def _verification_view(result: VerifyResult) -> list[Any]:
    output: list[Any] = [facts({name.replace("_", " "): count for name, count in result.checked.items()})]
    if result.untidy:
        output += ["untidy, but nothing is lost:", _problems(result.untidy)]
    if result.problems:
        output += [f"{len(result.problems)} PROBLEMS:", _problems(result.problems)]
    else:
        output.append("nothing is missing" + (", and every byte is unchanged" if result.deep else ""))
    return output


def _problems(problems: Sequence[Problem]) -> Any:
    rows = [[problem.place, problem.what, problem.fix] for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        rows.append(["", f"and {len(problems) - _SHOWN} more", "`calotype --json verify` lists all of them"])
    return table(["where", "what", "fix"], rows)
