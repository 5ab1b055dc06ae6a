"""Commands of datasets: counts, commits, refs, diffs."""

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

dataset = typer.Typer(no_args_is_help=True, help="Create and list datasets.")


class ByUnknown(Invalid):
    """Samples cannot be counted by this."""

    code = "by-unknown"
    what = "cannot count by {got!r}"
    fix = "use --by class, split, source, licence, or a metadata field of the dataset: {fields}"


@dataset.command("create")
def create(
    ctx: typer.Context,
    name: Name,
    description: Annotated[str, typer.Option(help="A short description.")] = "",
) -> None:
    """Create an empty dataset."""
    t = terminal(ctx)
    info = service.create(t.actor, name, store=t.store(), description=description)
    t.emit(
        {"dataset": info.name, "id": info.id},
        f"created dataset {info.name}",
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
        shown if rows else "no datasets yet",
        next="" if rows else "calotype dataset create NAME",
    )


def count(
    ctx: typer.Context,
    name: Name,
    where: Where = None,
    by: Annotated[
        str | None, typer.Option(help="Count by class, split, source, licence, or a metadata field.")
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
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of samples.")] = 50,
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
    message: Annotated[str, typer.Option("--message", "-m", help="Commit message: what changed, and why.")],
) -> None:
    """Freeze the working state as a commit."""
    t = terminal(ctx)
    new_commit = service.commit(t.actor, name, message, store=t.store())
    counts = f"{new_commit.stats['samples']:,} samples, {new_commit.stats['annotations']:,} annotations"
    dataset_name = name.partition("@")[0]
    t.emit(
        {"commit": new_commit.id, **new_commit.to_dict()},
        f"{new_commit.short} {message} ({counts})",
        next=f"calotype check {dataset_name}",
    )


def log(
    ctx: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of commits.")] = 50,
    all_refs: Annotated[
        bool, typer.Option("--all", help="Also the commits of all other branches and tags.")
    ] = False,
) -> None:
    """List the commits of a dataset, newest first."""
    t = terminal(ctx)
    commits = service.log(t.actor, name, store=t.store(), limit=limit, all_refs=all_refs)
    refs = service.list_refs(t.actor, name, store=t.store())
    names = {commit.id: [ref.name for ref in refs if ref.commit_id == commit.id] for commit in commits}
    value = [{**commit.to_dict(), "refs": names[commit.id]} for commit in commits]
    shown = table(
        ["commit", "at", "by", "samples", "annotations", "", "message"],
        [_log_row(commit, names[commit.id]) for commit in commits],
    )
    t.emit({"items": value}, shown if commits else "no commits yet")


def _log_row(commit: Commit, refs: list[str]) -> list[Any]:
    counts = [int(commit.stats["samples"]), int(commit.stats["annotations"])]
    first_line = commit.message.splitlines()[0]
    return [commit.short, iso(commit.created_at_us)[:19], commit.author, *counts, " ".join(refs), first_line]


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
    changes = service.diff(t.actor, name, a, b, store=t.store())
    value = changes.to_dict()
    rows = [["samples", *value["samples"].values()]]
    rows += [[label_set, *counts.values()] for label_set, counts in value["by_label_set"].items()]
    t.emit({"a": a, "b": b, **value}, table(["", "added", "removed", "changed"], rows))


def branch(
    ctx: typer.Context,
    name: Name,
    new: Annotated[str | None, typer.Argument(help="The branch to create; omit it to list branches.")] = None,
    start: Annotated[str, typer.Option("--from", help="The ref to start the branch from.")] = "main",
) -> None:
    """Create a branch, or list branches."""
    _refs(ctx, name, new, start, kind="branch")


def tag(
    ctx: typer.Context,
    name: Name,
    new: Annotated[str | None, typer.Argument(help="The tag to create; omit it to list tags.")] = None,
    at: Annotated[str, typer.Argument(help="The ref to tag.")] = "main",
) -> None:
    """Tag a commit, or list tags."""
    _refs(ctx, name, new, at, kind="tag")


def _refs(ctx: typer.Context, name: str, new: str | None, target: str, *, kind: str) -> None:
    t = terminal(ctx)
    if new is not None:
        if kind == "branch":
            ref = service.branch(t.actor, name, new, store=t.store(), start=target)
        else:
            ref = service.tag(t.actor, name, new, store=t.store(), at=target)
        t.emit({kind: ref.name, "commit": ref.commit_id}, f"{kind} {ref.name} at {str(ref.commit_id)[:12]}")
        return
    refs = [ref for ref in service.list_refs(t.actor, name, store=t.store()) if ref.kind == kind]
    value = [{"name": ref.name, "commit": ref.commit_id, "protection": ref.protection} for ref in refs]
    rows = [[r.name, str(r.commit_id or "-")[:12], "protected" if r.protection else ""] for r in refs]
    t.emit({"items": value}, table([kind, "commit", ""], rows))


def rollback(
    ctx: typer.Context,
    name: Name,
    to: Annotated[str, typer.Argument(help="The ref to restore.", show_default=False)],
    discard: Annotated[bool, typer.Option("--discard", help="Discard uncommitted edits.")] = False,
) -> None:
    """Restore the contents of an earlier commit as a new commit."""
    t = terminal(ctx)
    new_commit = service.rollback(t.actor, name, to, store=t.store(), discard=discard)
    t.emit({"commit": new_commit.id, **new_commit.to_dict()}, f"{new_commit.short} {new_commit.message}")


def _by_field(snapshot: Any, by: str, where: str | None) -> dict[str, int]:
    columns = {"split", "source", "licence", "group", "mime"}
    if by in columns:
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
