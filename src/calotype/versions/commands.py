"""The command line of branches that come together: merge, conflicts, resolve, undo, blame, protect."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from calotype.foundation.codes import FINDINGS
from calotype.foundation.terminal import Terminal, facts, table, terminal
from calotype.versions import service
from calotype.versions.model import Merge, MergeConflict, Resolution, ResolutionInvalid

Name = Annotated[str, typer.Argument(help="A dataset: NAME, or NAME@branch.", show_default=False)]
Id = Annotated[str, typer.Option("--id", help="A merge by its last digits; by default the one that is open.")]
Message = Annotated[str, typer.Option("--message", "-m", help="The message of the commit.")]
Strategy = Annotated[
    str | None, typer.Option(help="Settle every conflict the same way: ours, theirs or union.")
]


def merge(
    ctx: typer.Context,
    name: Name,
    source: Annotated[str, typer.Argument(help="The branch, tag or commit to bring in.")] = "",
    into: Annotated[str, typer.Option(help="The branch to write on; by default main.")] = "",
    strategy: Strategy = None,
    message: Message = "",
    forward: Annotated[
        bool, typer.Option("--forward", help="No commit of its own where none is needed.")
    ] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would happen.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List merges, newest first.")] = False,
    land: Annotated[bool, typer.Option("--land", help="Land the open merge, its conflicts settled.")] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Give up the open merge.")] = False,
    merge_id: Id = "",
) -> None:
    """Bring the commits of one branch into another; conflicts wait for `resolve`."""
    t = terminal(ctx)
    if listed:
        found = service.merges(t.actor, name, store=t.store())
        rows = [[m.id[-12:], m.state, m.source[:40], m.target, m.counts["conflicts"]] for m in found]
        shown = table(["merge", "state", "source", "into", "conflicts"], rows)
        t.emit({"items": [one.to_dict() for one in found]}, shown if found else "no merge yet")
        return
    if preview:
        plan = service.preview(t.actor, name, source, store=t.store(), into=into)
        t.emit({"counts": dict(plan.counts)}, _counts(plan.counts))
        return
    if abandon:
        closed = service.abandon(t.actor, name, merge_id, store=t.store())
        t.emit(closed.to_dict(), f"gave up the merge of {closed.source}; both branches are as they were")
        return
    gatekeeper = t.ports.gatekeeper(t.store(), "merge")
    if land:
        made = service.land(t.actor, name, merge_id, store=t.store(), message=message, gatekeeper=gatekeeper)
    else:
        made = service.merge(
            t.actor,
            name,
            source,
            store=t.store(),
            into=into,
            strategy=strategy,
            message=message,
            forward=forward,
            gatekeeper=gatekeeper,
        )
    _tell(t, name, made)


def undo(
    ctx: typer.Context,
    name: Name,
    commit: Annotated[str, typer.Argument(help="The commit to take back.", show_default=False)],
    message: Message = "",
    strategy: Strategy = None,
) -> None:
    """Take back what one commit changed, as a new commit; later changes stay."""
    t = terminal(ctx)
    _tell(t, name, service.undo(t.actor, name, commit, store=t.store(), message=message, strategy=strategy))


def _tell(t: Terminal, name: str, made: Merge) -> None:
    dataset = name.partition("@")[0]
    if made.is_open:
        n = made.counts["open"]
        t.emit(
            made.to_dict(),
            f"{n:,} conflicts wait; {made.target} is as it was",
            next=f"calotype conflicts {dataset} {made.id[-12:]}",
        )
        raise typer.Exit(FINDINGS)
    t.emit(
        made.to_dict(),
        [f"{str(made.merge_commit)[:12]} on {made.target}", _counts(made.counts)],
        next=f"calotype log {dataset}",
    )


def _counts(counts: Any) -> Any:
    shown = {f"{what} {verb}": n for what in ("samples", "annotations") for verb, n in counts[what].items()}
    return facts({**shown, "conflicts": counts["conflicts"]})


def conflicts(
    ctx: typer.Context,
    name: Name,
    merge_id: Annotated[str, typer.Argument(help="A merge; by default the one that is open.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 200,
) -> None:
    """List the conflicts of a merge, each with what both sides made of it."""
    t = terminal(ctx)
    found, listed = service.conflicts(t.actor, name, merge_id, store=t.store())
    rows = [_conflict_row(one) for one in listed[:limit]]
    shown = table(["#", "kind", "where", "id", "ours", "theirs", "state"], rows)
    items = [one.to_dict() for one in listed[:limit]]
    t.emit(
        {**found.to_dict(), "total": len(listed), "items": items},
        shown if rows else "no conflict",
        next=f"calotype resolve {name} ours|theirs|union --at 1" if found.is_open and rows else "",
    )


def _conflict_row(one: MergeConflict) -> list[Any]:
    clash = one.clash
    sides = [_short(side, clash.fields) for side in (clash.ours, clash.theirs)]
    state = f"{one.state} {one.resolution}" if one.resolution is not None else one.state
    return [one.position, clash.kind, clash.table, clash.row_id[-12:], *sides, state]


def _short(row: dict[str, Any] | None, fields: tuple[str, ...]) -> str:
    if row is None:
        return "removed"
    if not fields:
        return "edited"
    said = []
    for field in fields:
        value = (
            [row.get(column) for column in "xywh"]
            if field == "geometry"
            else row.get(field.partition(".")[0])
        )
        said.append(f"{field}={value}")
    return " ".join(said)[:120]


def resolve(
    ctx: typer.Context,
    name: Name,
    how: Annotated[str, typer.Argument(help="ours, theirs, union, base or review.")] = "",
    at: Annotated[list[int] | None, typer.Option(help="A number of `conflicts`; several times.")] = None,
    kind: Annotated[str, typer.Option(help="All open ones of a kind, e.g. fields.")] = "all",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="FIELD=ours, FIELD=theirs or FIELD=VALUE; several times."),
    ] = None,
    merge_id: Id = "",
) -> None:
    """Choose how conflicts are settled; without --at or --kind all that are open."""
    t = terminal(ctx)
    choice: Resolution = dict(_field(text) for text in set_) if set_ else how
    settled = service.resolve(t.actor, name, choice, at or kind, merge_id, store=t.store())
    _, listed = service.conflicts(t.actor, name, merge_id, store=t.store())
    left = sum(one.state != "resolved" for one in listed)
    t.emit(
        {"settled": [one.position for one in settled], "open": left},
        f"{len(settled):,} settled, {left:,} open",
        next=f"calotype merge {name} --land" if left == 0 else f"calotype conflicts {name}",
    )


def _field(text: str) -> tuple[str, Any]:
    field, separator, value = text.partition("=")
    if not separator:
        raise ResolutionInvalid(got=text, kind="fields", fits="--set FIELD=VALUE")
    try:
        return field, json.loads(value)
    except json.JSONDecodeError:
        return field, value


def blame(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A dataset: NAME or NAME@REF.", show_default=False)],
    which: Annotated[
        str, typer.Argument(help="An annotation's id, or a sample's id or name.", show_default=False)
    ],
) -> None:
    """Say who created an annotation and who last changed it; of a sample, each of its annotations."""
    t = terminal(ctx)
    found = [one.to_dict() for one in service.blame(t.actor, name, which, store=t.store())]
    rows = [
        [one["id"][-12:], one["label_set"] or "(sample)", *_who(one["created"]), *_who(one["changed"])]
        for one in found
    ]
    t.emit({"items": found}, table(["id", "label set", "created", "by", "changed", "by"], rows))


def _who(origin: dict[str, Any]) -> list[str]:
    source = origin["import"]["source"] if origin["import"] else ""
    person = " ".join(part for part in (origin["by"] or "", origin["author"] or "", source) if part)
    return [(origin["commit"] or "not committed")[:12], person]


def protect(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A dataset.", show_default=False)],
    branch: Annotated[str, typer.Argument(help="The branch.", show_default=False)],
    off: Annotated[bool, typer.Option("--off", help="Lift the protection.")] = False,
) -> None:
    """Let a branch take only merges whose gates are green."""
    t = terminal(ctx)
    ref = service.protect(t.actor, name, branch, {} if off else {"gates": True}, store=t.store())
    shown = f"{ref.name} takes merges with green gates only" if ref.protection else f"{ref.name} is open"
    t.emit({"branch": ref.name, "protection": ref.protection}, shown)
