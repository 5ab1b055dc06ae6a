"""The command line of datasets: counts, commits, refs, differences."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from calotype.datasets import service
from calotype.datasets.commits import Commit
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.clock import iso
from calotype.foundation.errors import Invalid
from calotype.foundation.terminal import facts, table, terminal

Name = Annotated[
    str, typer.Argument(help="A dataset: NAME, NAME@branch, NAME@tag, NAME@commit.", show_default=False)
]
Where = Annotated[str | None, typer.Option("--where", help="Only samples that match this query.")]

dataset = typer.Typer(no_args_is_help=True, help="Make and list datasets.")


class ByUnknown(Invalid):
    """Not something that samples can be counted by."""

    code = "by-unknown"
    what = "cannot count by {got!r}"
    fix = "use --by class, split, source, licence, or a metadata field of the dataset: {fields}"


@dataset.command("create")
def create(
    ctx: typer.Context,
    name: Name,
    description: Annotated[str, typer.Option(help="One sentence about it.")] = "",
) -> None:
    """Make an empty dataset."""
    t = terminal(ctx)
    info = service.create(t.actor, name, store=t.store(), description=description)
    t.emit(
        {"dataset": info.name, "id": info.id},
        f"made dataset {info.name}",
        next=f"calotype add {info.name} PATH",
    )


@dataset.command("list")
def list_datasets(ctx: typer.Context) -> None:
    """List the datasets of the workspace."""
    t = terminal(ctx)
    rows = []
    for info in service.datasets(t.actor, store=t.store()):
        counts = service.read(t.actor, info.name, store=t.store()).count()
        rows.append({"name": info.name, **counts, "description": info.description})
    shown = table(["dataset", "samples", "annotations", ""], [list(row.values()) for row in rows])
    t.emit(
        {"items": rows},
        shown if rows else "no dataset yet",
        next="" if rows else "calotype dataset create NAME",
    )


def count(
    ctx: typer.Context,
    name: Name,
    where: Where = None,
    by: Annotated[
        str | None, typer.Option(help="class, split, source, licence, or a metadata field.")
    ] = None,
    label_set: Annotated[str | None, typer.Option(help="Count annotations of this label set only.")] = None,
) -> None:
    """Count samples and annotations."""
    t = terminal(ctx)
    snapshot = service.read(t.actor, name, store=t.store())
    value: dict[str, Any] = dict(snapshot.count(where, label_set=label_set))
    shown: list[Any] = [facts(value)]
    value["by"] = None
    if by == "class":
        value["by"] = snapshot.by_class(where, label_set=label_set or DEFAULT_LABEL_SET)
    elif by is not None:
        value["by"] = _by_field(snapshot, by, where)
    if value["by"] is not None:
        shown.append(table([str(by), "count"], list(value["by"].items())))
    t.emit(value, shown)


def samples(
    ctx: typer.Context,
    name: Name,
    where: Where = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """List samples."""
    t = terminal(ctx)
    snapshot = service.read(t.actor, name, store=t.store())
    ids = snapshot.ids(where)
    rows = []
    for sample in snapshot.iter_samples(ids=ids[:limit]):
        size = f"{sample.width_px}x{sample.height_px}"
        rows.append(
            {
                "id": sample.sample_id,
                "name": sample.name,
                "size": size,
                "split": sample.split,
                "licence": sample.licence,
                "metadata": dict(sample.metadata),
            }
        )
    shown = table(["id", "name", "size", "split"], [list(row.values())[:4] for row in rows])
    t.emit({"total": len(ids), "items": rows}, [shown, f"{len(rows):,} of {len(ids):,}"])


def commit(
    ctx: typer.Context,
    name: Name,
    message: Annotated[str, typer.Option("--message", "-m", help="What changed, and why.")],
) -> None:
    """Freeze the working state as a commit."""
    t = terminal(ctx)
    made = service.commit(t.actor, name, message, store=t.store())
    counts = f"{made.stats['samples']:,} samples, {made.stats['annotations']:,} annotations"
    dataset_name = name.partition("@")[0]
    t.emit(
        {"commit": made.id, **made.to_dict()},
        f"{made.short} {message} ({counts})",
        next=f"calotype check {dataset_name}",
    )


def log(
    ctx: typer.Context, name: Name, limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50
) -> None:
    """List the commits of a dataset, newest first."""
    t = terminal(ctx)
    commits = service.log(t.actor, name, store=t.store(), limit=limit)
    refs = service.list_refs(t.actor, name, store=t.store())
    names = {made.id: [ref.name for ref in refs if ref.commit_id == made.id] for made in commits}
    value = [{**made.to_dict(), "refs": names[made.id]} for made in commits]
    shown = table(
        ["commit", "at", "by", "samples", "annotations", "", "message"],
        [_log_row(made, names[made.id]) for made in commits],
    )
    t.emit({"items": value}, shown if commits else "no commit yet")


def _log_row(made: Commit, refs: list[str]) -> list[Any]:
    stats = made.stats
    counts = [int(stats["samples"]), int(stats["annotations"])]
    return [
        made.short,
        iso(made.created_at_us)[:19],
        made.author,
        *counts,
        " ".join(refs),
        made.message.splitlines()[0],
    ]


def diff(
    ctx: typer.Context,
    name: Name,
    a: Annotated[str, typer.Argument(help="The older ref.", show_default=False)],
    b: Annotated[
        str, typer.Argument(help="The newer ref; `main+` is the working state.", show_default=False)
    ],
) -> None:
    """Show what changed from one ref to another."""
    t = terminal(ctx)
    found = service.diff(t.actor, name, a, b, store=t.store())
    value = found.to_dict()
    rows = [["samples", *value["samples"].values()]]
    rows += [[label_set, *counts.values()] for label_set, counts in value["by_label_set"].items()]
    t.emit({"a": a, "b": b, **value}, table(["", "added", "removed", "changed"], rows))


def branch(
    ctx: typer.Context,
    name: Name,
    new: Annotated[
        str | None, typer.Argument(help="The branch to make; without it, branches are listed.")
    ] = None,
    start: Annotated[str, typer.Option("--from", help="The ref it starts at.")] = "main",
) -> None:
    """Make a branch, or list them."""
    _refs(ctx, name, new, start, kind="branch")


def tag(
    ctx: typer.Context,
    name: Name,
    new: Annotated[str | None, typer.Argument(help="The tag to make; without it, tags are listed.")] = None,
    at: Annotated[str, typer.Argument(help="The ref it names.")] = "main",
) -> None:
    """Name a commit for good, or list the tags."""
    _refs(ctx, name, new, at, kind="tag")


def _refs(ctx: typer.Context, name: str, new: str | None, at: str, *, kind: str) -> None:
    t = terminal(ctx)
    if new is not None:
        if kind == "branch":
            made = service.branch(t.actor, name, new, store=t.store(), start=at)
        else:
            made = service.tag(t.actor, name, new, store=t.store(), at=at)
        t.emit(
            {kind: made.name, "commit": made.commit_id}, f"{kind} {made.name} at {str(made.commit_id)[:12]}"
        )
        return
    refs = [ref for ref in service.list_refs(t.actor, name, store=t.store()) if ref.kind == kind]
    value = [{"name": ref.name, "commit": ref.commit_id, "protection": ref.protection} for ref in refs]
    t.emit(
        {"items": value},
        table(
            [kind, "commit", ""],
            [[r.name, str(r.commit_id or "-")[:12], "protected" if r.protection else ""] for r in refs],
        ),
    )


def rollback(
    ctx: typer.Context,
    name: Name,
    to: Annotated[str, typer.Argument(help="The ref whose content to hold again.", show_default=False)],
    discard: Annotated[bool, typer.Option("--discard", help="Lose edits that are not committed.")] = False,
) -> None:
    """Hold again what an older commit held, as a new commit; nothing is lost."""
    t = terminal(ctx)
    made = service.rollback(t.actor, name, to, store=t.store(), discard=discard)
    t.emit({"commit": made.id, **made.to_dict()}, f"{made.short} {made.message}")


def _by_field(snapshot: Any, by: str, where: str | None) -> dict[str, int]:
    plain = {"split", "source", "licence", "group", "mime"}
    if by in plain:
        values = snapshot.samples(where=where, columns=[by])[by].to_pylist()
    elif by in snapshot.fields:
        values = [sample.metadata.get(by) for sample in snapshot.iter_samples(where=where)]
    else:
        raise ByUnknown(got=by, fields=", ".join(snapshot.fields) or "none yet")
    counts: dict[str, int] = {}
    for value in values:
        key = "" if value is None else str(value)
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
