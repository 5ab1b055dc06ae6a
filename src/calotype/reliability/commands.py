"""The command line of reliability."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from calotype.foundation.clock import iso
from calotype.foundation.codes import FINDINGS
from calotype.foundation.terminal import facts, table, terminal
from calotype.reliability import service
from calotype.reliability.model import Problem, Restored, Verified, seconds

_SHOWN = 50


def verify(
    ctx: typer.Context,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every column and hash all media and release files again.")
    ] = False,
) -> None:
    """Prove that every commit can be read and nothing is missing."""
    t = terminal(ctx)
    with t.progress() as progress:
        found = service.verify(t.actor, store=t.store(), deep=deep, progress=progress)
    t.emit(found.to_dict(), _told(found))
    if not found.ok:
        raise typer.Exit(FINDINGS)


def repair(
    ctx: typer.Context,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A backup, another workspace or a folder with the original images."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes/--dry-run", help="Do it; without, only show the plan.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Look for damage inside files too.")] = False,
) -> None:
    """Mend what can be mended; removes nothing that anything names."""
    t = terminal(ctx)
    with t.progress() as progress:
        done = service.repair(
            t.actor, store=t.store(), source=source, dry_run=not yes, deep=deep, progress=progress
        )
    rows = [
        ["yes" if one.can else "no", one.problem.place, one.problem.what, one.action] for one in done.plan
    ]
    shown: list[Any] = [table(["can", "where", "what", "then"], rows)] if rows else ["nothing to mend"]
    if done.left is not None:
        shown += [f"mended {done.mended} of {len(done.plan)}", *_told(done.left)]
    able = any(one.can for one in done.plan)
    t.emit(done.to_dict(), shown, next="calotype repair --yes" if able and not done.done else "")
    if not done.ok:
        raise typer.Exit(FINDINGS)


def gc(
    ctx: typer.Context,
    grace: Annotated[
        str,
        typer.Option(
            help="How long a thing must be unreachable before it goes: 14d, 36h. 0 only when alone."
        ),
    ] = "14d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    always_compact: Annotated[
        bool, typer.Option("--always-compact", help="Compact every table of a branch, worth it or not.")
    ] = False,
) -> None:
    """Compact tables and remove what nothing has reached for a while; safe while others work."""
    t = terminal(ctx)
    wait_s = seconds(grace)
    with t.progress() as progress:
        done = service.gc(
            t.actor,
            store=t.store(),
            grace_s=wait_s,
            dry_run=dry_run,
            always_compact=always_compact,
            progress=progress,
        )
    swept = [[one.kind, one.marked, one.ripe, one.removed, amount(one.freed_bytes)] for one in done.swept]
    shown: list[Any] = [table(["", "newly marked", "may go", "removed", "freed"], swept)]
    files = [
        [one.dataset, one.table.partition("/")[2], one.files_before, one.files_after, one.refused]
        for one in done.compacted
    ]
    if files:
        shown.append(table(["dataset", "table", "files before", "after", ""], files, title="compacted"))
    shown.append("nothing was changed" if dry_run else f"{amount(done.freed_bytes)} are free again")
    t.emit(done.to_dict(), shown)


def size(ctx: typer.Context) -> None:
    """Show how many bytes lie on the disk, and what for."""
    t = terminal(ctx)
    with t.progress() as progress:
        found = service.size(t.actor, store=t.store(), progress=progress)
    parts = {name.replace("_", " "): amount(n_bytes) for name, n_bytes in found.parts.items()}
    columns = ("media", "tables_live", "tables_history", "releases")
    rows = [[name, *(amount(sizes[column]) for column in columns)] for name, sizes in found.datasets.items()]
    heads = ["dataset", *(column.replace("_", " ") for column in columns)]
    t.emit(found.to_dict(), [facts({"total": amount(found.total_bytes), **parts}), table(heads, rows)])


def backup(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(help="A folder, or s3://bucket/prefix.", show_default=False)],
    drill: Annotated[
        bool, typer.Option("--drill", help="Restore the newest backup to a temporary folder and verify it.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="Show the backups that are there.")] = False,
) -> None:
    """Copy the workspace as it is now; what is there already is not copied again."""
    t = terminal(ctx)
    if list_:
        known = service.list_backups(t.actor, target, store=t.store())
        rows = [[one.id, iso(one.at_us)[:19], one.commits, one.media, amount(one.n_bytes)] for one in known]
        t.emit(
            {"items": [one.to_dict() for one in known]},
            [table(["id", "at", "commits", "media", "size"], rows)],
        )
        return
    with t.progress() as progress:
        if drill:
            _emit_restored(ctx, service.drill(t.actor, target, store=t.store(), progress=progress))
            return
        done = service.backup(t.actor, target, store=t.store(), progress=progress)
    made = done.manifest
    shown: list[Any] = [
        f"backup {made.id}: {made.files:,} files, {amount(made.n_bytes)}",
        f"copied {done.copied_files:,} files, {amount(done.copied_bytes)}; the rest was there",
    ]
    if made.missing_media:
        shown.append(
            f"{len(made.missing_media)} media are missing or damaged and NOT saved: run `calotype verify --deep`"
        )
    t.emit(done.to_dict(), shown, next=f"calotype backup --drill {target}")
    if not done.ok:
        raise typer.Exit(FINDINGS)


def move(
    ctx: typer.Context,
    to: Annotated[
        str, typer.Option("--to", help="For media and tables: s3://bucket/prefix, or `folder`.")
    ] = "",
    catalog: Annotated[
        str, typer.Option(help="For the catalog: postgresql://user@host/database, or `folder`.")
    ] = "",
) -> None:
    """Move the workspace to a database and a bucket; resumable, and verified before the old place is left."""
    t = terminal(ctx)
    with t.progress() as progress:
        done = service.move(t.actor, store=t.store(), catalog=catalog, bucket=to, progress=progress)
    told = done.to_dict()
    shown: list[Any] = [
        facts(told["new"]),
        f"copied {done.copied_files:,} files, {amount(done.copied_bytes)}; the rest was there",
    ]
    left = {name: place for name, place in told["old"].items() if place != told["new"][name]}
    if left:
        shown += ["no longer used, and yours to delete when you are sure:", facts(left)]
    t.emit(told, shown, next="calotype verify --deep")


def restore(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="BACKUP", help="A folder, or s3://bucket/prefix.")],
    into: Annotated[Path, typer.Argument(help="The folder to make the workspace in.")],
    at: Annotated[str | None, typer.Option(help="The id of a backup; the newest without it.")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read every byte again afterwards.")] = False,
) -> None:
    """Make a workspace again from a backup, and verify it."""
    t = terminal(ctx)
    with t.progress() as progress:
        done = service.restore(t.actor, source, into, at=at, deep=deep, progress=progress)
    _emit_restored(ctx, done)


def _emit_restored(ctx: typer.Context, done: Restored) -> None:
    shown: list[Any] = [
        f"restored backup {done.manifest.id} of {iso(done.manifest.at_us)[:19]} in {done.seconds:.1f} s"
    ]
    shown += [f"DIFFERS: {line}" for line in done.differs]
    if not done.differs:
        shown.append("commits and audit trail are those that were saved")
    terminal(ctx).emit(done.to_dict(), [*shown, *_told(done.verified)])
    if not done.ok:
        raise typer.Exit(FINDINGS)


def amount(n_bytes: int) -> str:
    """Bytes for a person: 512 B, 1.5 kB, 20.0 GB."""
    if n_bytes < 1_000:
        return f"{n_bytes} B"
    value = float(n_bytes)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1_000
        if value < 999.95 or unit == "TB":
            break
    return f"{value:.1f} {unit}"


def _told(found: Verified) -> list[Any]:
    shown: list[Any] = [facts({name.replace("_", " "): count for name, count in found.checked.items()})]
    if found.untidy:
        shown += ["untidy, but nothing is lost:", _problems(found.untidy)]
    if found.problems:
        shown += [f"{len(found.problems)} PROBLEMS:", _problems(found.problems)]
    else:
        shown.append("all of it is there" + (", every byte as it was put" if found.deep else ""))
    return shown


def _problems(problems: Sequence[Problem]) -> Any:
    rows = [[one.place, one.what, one.fix] for one in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        rows.append(["", f"and {len(problems) - _SHOWN} more", "`calotype --json verify` lists all"])
    return table(["where", "what", "fix"], rows)
